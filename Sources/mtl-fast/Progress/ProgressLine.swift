// SPDX-License-Identifier: Apache-2.0
// One line of progress, fitted to a terminal's width.

/// What is shown while an epoch runs.
struct ProgressLine {
  var epoch: Int
  var epochs: Int
  var step: Int
  var steps: Int
  var samplesPerSecond: Double
  var secondsLeft: Double
  /// The score is the task's first metric, as text.
  var tasks: [(name: String, loss: Double?, score: String)]

  /// The line, at most `columns` wide.
  ///
  ///     epoch  3/10 [########......]  47%  15213 samples/s  ETA 0:32  item 0.412 85.1%
  ///
  /// Where it doesn't fit, the bar goes first, then the unit, the rate, the losses, the ends of long names, and the time;
  /// what is still too long is cut.
  func text(columns: Int) -> String {
    let epochText = "epoch \(padded(String(epoch), String(epochs).count))/\(epochs)"
    let share = steps > 0 ? Double(step) / Double(steps) : 1
    let done = padded(fixed(share * 100, 0), 3) + "%"
    let rate = fixed(samplesPerSecond, 0)
    let left = "ETA \(clockTime(secondsLeft))"
    let scores = tasks.map { task in
      "\(task.name) \(fixed(task.loss, 3)) \(task.score)"
    }
    func line(_ parts: [String]) -> String { parts.joined(separator: "  ") }

    let fixedParts = line(["\(rate) samples/s", left] + scores)
    let room = columns - line(["\(epochText) []\(done)", fixedParts]).count - 1
    if room >= 8 {
      let width = min(room, 30)
      let filled = Int(share * Double(width))
      let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
      return line(["\(epochText) [\(bar)] \(done)", fixedParts])
    }
    let place = "\(epochText) \(done)"
    let metrics = tasks.map { "\($0.name) \($0.score)" }
    let short = tasks.map { "\($0.name.count > 8 ? "\($0.name.prefix(7))." : $0.name) \($0.score)" }
    let shorter = [
      [place, fixedParts], [place, "\(rate)/s", left] + scores, [place, left] + scores,
      [place, "\(rate)/s", left] + metrics, [place, left] + metrics, [place, left] + short, [place] + short,
    ].map(line)
    return shorter.first { $0.count <= columns } ?? String(shorter[shorter.count - 1].prefix(max(0, columns)))
  }

  private func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
