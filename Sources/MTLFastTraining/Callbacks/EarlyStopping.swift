// SPDX-License-Identifier: Apache-2.0
// The callback that ends a training that has stopped getting better.

import MTLFast

/// Ends the training once the validation scores haven't become better for some epochs.
///
///     try trainer.fit(training, validation: held, epochs: 100, batchSize: 200,
///                     callbacks: [EarlyStopping(on: .validationLoss, patience: 5)])
///
/// An epoch without the score counts as one that isn't better. A training that goes on from a checkpoint goes on
/// counting: one that had ended early ends at once, unless it may wait longer now.
public final class EarlyStopping: Callback {
  private let expression: MetricExpression
  private let direction: MetricExpression.Direction
  private let patience: Int
  private let minDelta: Double
  private var best: (value: Double, epoch: Int)?
  private var waited = 0
  private var requestStop: (String) -> Void = { _ in }

  /// - Parameters:
  ///   - patience: after how many epochs in a row that aren't better the training ends.
  ///   - minDelta: by how much a value must be better to count.
  /// - Throws: `MTLFastError` of kind `usage` for numbers out of range, or an expression without a direction.
  public init(on expression: MetricExpression, patience: Int, minDelta: Double = 0) throws {
    guard patience >= 1 else {
      throw MTLFastError(.usage, "patience is \(patience). Use 1 epoch or more.")
    }
    guard minDelta >= 0, minDelta.isFinite else {
      throw MTLFastError(.usage, "min_delta is \(minDelta). Use a number of 0 or more.")
    }
    self.expression = expression
    self.patience = patience
    self.minDelta = minDelta
    direction = try expression.direction()
  }

  public var saved: [String: String] {
    var texts = ["early_stopping.waited": "\(waited)"]
    if let best {
      texts["early_stopping.best"] = "\(best.value)"
      texts["early_stopping.epoch"] = "\(best.epoch)"
    }
    return texts
  }

  public func trainingDidStart(_ start: TrainingStart) throws {
    try expression.check(against: start.graph)
    requestStop = start.requestStop
    waited = start.saved["early_stopping.waited"].flatMap(Int.init) ?? 0
    best = nil
    if let value = start.saved["early_stopping.best"].flatMap(Double.init),
      let epoch = start.saved["early_stopping.epoch"].flatMap(Int.init)
    {
      best = (value, epoch)
    }
    stopIfDue()
  }

  public func epochDidEnd(_ record: EpochRecord, state: () throws -> TrainingState) throws {
    let value = record.validation.flatMap(expression.value)
    if let value, best.map({ direction.isBetter(value, than: $0.value, by: minDelta) }) ?? true {
      best = (value, record.epoch)
      waited = 0
    } else {
      waited += 1
    }
    stopIfDue()
  }

  private func stopIfDue() {
    guard waited >= patience else { return }
    let epochs = waited == 1 ? "1 epoch" : "\(waited) epochs"
    let end =
      best.map { "the \(minDelta > 0 ? "last better one" : "best") was epoch \($0.epoch)" }
      ?? "there was no score at all"
    let least = minDelta > 0 ? " by \(minDelta) or more" : ""
    requestStop("no better \(expression)\(least) on the validation data for \(epochs); \(end)")
  }
}
