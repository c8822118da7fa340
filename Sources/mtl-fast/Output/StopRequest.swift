// SPDX-License-Identifier: Apache-2.0
// A request to stop that one thread makes and another sees.

import Synchronization

/// Starts as not requested; once requested, it stays so.
final class StopRequest: Sendable {
  private let flag = Atomic<Bool>(false)

  func request() { flag.store(true, ordering: .relaxed) }

  var isRequested: Bool { flag.load(ordering: .relaxed) }
}
