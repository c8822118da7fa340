// SPDX-License-Identifier: Apache-2.0
// Signals of the whole program, passed on to the work that runs.

import Synchronization

/// Passes the first signal on to whatever is attended to then: a program that trains several nets watches once.
final class SignalStop: Sendable {
  private let attention: Attention
  private let signals: Signals

  private final class Attention: Sendable {
    let action = Mutex<(@Sendable () -> Void)?>(nil)
  }

  init() {
    let attention = Attention()
    self.attention = attention
    signals = Signals { attention.action.withLock { $0 }?() }
  }

  /// - Parameter action: called on another thread; nil ends the attention. A signal that came before calls it at once.
  func attend(_ action: (@Sendable () -> Void)?) {
    attention.action.withLock { $0 = action }
    if exitStatus != nil { action?() }
  }

  /// 130, 143 or 129 where a signal came, otherwise nil.
  var exitStatus: Int32? { signals.exitStatus }
}
