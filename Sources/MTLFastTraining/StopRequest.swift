// SPDX-License-Identifier: Apache-2.0
// A request to end trainings in good order.

import Synchronization

/// Made by one thread and seen by another: a training ends after the step that is running, with a checkpoint where it
/// writes some.
///
/// Once requested, it stays so: whatever is trained with it later ends too. `Trainer.requestStop()` ends one call of `fit`.
public final class StopRequest: Sendable {
  private let flag = Atomic<Bool>(false)

  public init() {}

  public func request() { flag.store(true, ordering: .relaxed) }

  public var isRequested: Bool { flag.load(ordering: .relaxed) }
}
