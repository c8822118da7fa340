// SPDX-License-Identifier: Apache-2.0
// Ctrl-C, SIGTERM and a closed terminal: the first asks for a stop, a second one quits at once.

import Dispatch
import Files
import Synchronization

/// Watches for SIGINT, SIGTERM and SIGHUP from its making on, until the program ends.
final class Signals: Sendable {
  private let first = Atomic<Int32>(0)
  /// Nanoseconds of the clock at the first signal.
  private let firstAt = Atomic<UInt64>(0)
  /// One key press may arrive twice: from the terminal and from a program that passes it on, such as `swift run`.
  private static let echoNanoseconds: UInt64 = 500_000_000

  /// - Parameter onFirst: called once, on another thread, with the first signal. What it starts should end the work
  ///   in good order; a second signal, half a second later or more, ends the program at once, with 128 + its number.
  init(onFirst: @escaping @Sendable () -> Void) {
    for number in [SIGINT, SIGTERM, SIGHUP] {
      _ = signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: Self.queue)
      // The handler holds the source and this object: both live as long as the program.
      source.setEventHandler { [self] in
        withExtendedLifetime(source) {
          let (isFirst, _) = first.compareExchange(expected: 0, desired: number, ordering: .relaxed)
          let now = DispatchTime.now().uptimeNanoseconds
          guard isFirst else {
            if now - firstAt.load(ordering: .relaxed) > Self.echoNanoseconds { _exit(128 + number) }
            return
          }
          firstAt.store(now, ordering: .relaxed)
          onFirst()
        }
      }
      source.activate()
    }
  }

  /// 130, 143 or 129 where a signal came, otherwise nil.
  var exitStatus: Int32? {
    let number = first.load(ordering: .relaxed)
    return number == 0 ? nil : 128 + number
  }

  private static let queue = DispatchQueue(label: "mtl-fast.signals")
}
