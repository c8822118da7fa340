// SPDX-License-Identifier: Apache-2.0
// How far a download has come, on standard error.

import MTLFastData

/// Redraws a line on a terminal; elsewhere one line a file.
final class DownloadProgress {
  private let terminal: Terminal?
  private let write: (String) -> Void
  private var file: String?
  private var startedAt = ContinuousClock.now
  private var startBytes = 0
  private var drawnAt: ContinuousClock.Instant?

  init(isShown: Bool, terminal: Terminal = .current(), write: @escaping (String) -> Void = Console.raw) {
    self.terminal = isShown ? terminal : nil
    self.write = write
  }

  func show(_ progress: FetchProgress) {
    guard let terminal else { return }
    let now = ContinuousClock.now
    if file != progress.fileName {
      end()
      file = progress.fileName
      startedAt = now
      startBytes = progress.receivedBytes
      if !terminal.isInteractive {
        write(
          "\(progress.fileIndex + 1)/\(progress.fileCount) \(progress.fileName) \(byteCount(progress.totalBytes))\n")
      }
    }
    guard terminal.isInteractive else { return }
    let isComplete = progress.receivedBytes >= progress.totalBytes
    if let drawnAt, now - drawnAt < .milliseconds(100), !isComplete { return }
    drawnAt = now
    let seconds = (now - startedAt).seconds
    let rate = seconds > 0 ? Double(progress.receivedBytes - startBytes) / seconds : 0
    write("\r\u{1B}[K" + Self.line(progress, bytesPerSecond: rate, columns: terminal.columns - 1))
  }

  /// Leaves the last line standing.
  func end() {
    if drawnAt != nil { write("\n") }
    drawnAt = nil
  }

  /// `1/4 train-images-idx3-ubyte.gz [#####.....] 12.3 MB of 26.4 MB  3.1 MB/s  ETA 0:04`, at most `columns` wide.
  static func line(_ progress: FetchProgress, bytesPerSecond: Double, columns: Int) -> String {
    let head = "\(progress.fileIndex + 1)/\(progress.fileCount) \(progress.fileName)"
    let left = Double(max(0, progress.totalBytes - progress.receivedBytes))
    let amount = "\(byteCount(progress.receivedBytes)) of \(byteCount(progress.totalBytes))"
    let speed =
      bytesPerSecond > 0 ? "  \(byteCount(Int(bytesPerSecond)))/s  ETA \(clockTime(left / bytesPerSecond))" : ""
    let room = min(30, columns - head.count - amount.count - speed.count - 4)
    guard room >= 8 else { return String("\(head) \(amount)\(speed)".prefix(max(0, columns))) }
    let share = progress.totalBytes > 0 ? min(1, Double(progress.receivedBytes) / Double(progress.totalBytes)) : 1
    let filled = Int(share * Double(room))
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: room - filled)
    return "\(head) [\(bar)] \(amount)\(speed)"
  }
}
