// SPDX-License-Identifier: Apache-2.0
// Metrics as people read them.

import MTLFast
import MTLFastTraining

extension Metric {
  /// `balanced accuracy`, `IoU`, `R2`
  var title: String {
    switch self {
    case .intersectionOverUnion: "IoU"
    case .dice: "Dice"
    case .meanAbsoluteError, .rootMeanSquaredError, .r2: name.uppercased()
    case .topK(let k): "top-\(k) accuracy"
    default: String(name.map { $0 == "_" ? " " : $0 })
    }
  }

  /// `90.51%`, `0.842` or, of errors in the user's unit, four digits: `2.613`.
  func text(_ value: Double?, _ digits: Int = 2) -> String {
    guard !isShare else { return percent(value, digits) }
    guard self != .r2, let value, value != 0, value.isFinite else { return fixed(value, 3) }
    var whole = 1
    while value.magnitude >= (0..<whole).reduce(1.0, { power, _ in power * 10 }), whole < 15 { whole += 1 }
    return fixed(value, value.magnitude < 0.1 ? 6 : max(0, 4 - whole))
  }
}

extension TaskScore {
  /// The metric that tables show, as text.
  func firstText(_ digits: Int = 2) -> String { metrics.first.map { $0.metric.text($0.value, digits) } ?? "-" }
}
