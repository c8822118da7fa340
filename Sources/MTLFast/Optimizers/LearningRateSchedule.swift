// SPDX-License-Identifier: Apache-2.0
// How the learning rate changes while training goes on.

import Files

/// The factor of the optimizer's learning rate in each step.
///
///     let schedule = LearningRateSchedule(.cosine(final: 0), warmUp: 1)
///     schedule.factor(step: 0, stepsPerEpoch: 100, epochs: 10)     // 0.01: the first of 100 steps up to 1
///     schedule.factor(step: 100, stepsPerEpoch: 100, epochs: 10)   // 0.975...: the cosine is already on its way
///
/// It depends on the position in the training alone, so that a resumed training goes on exactly; one that is extended to
/// more epochs follows the schedule of the longer training from there.
public struct LearningRateSchedule: Hashable, Sendable {
  public enum Shape: Hashable, Sendable {
    case constant
    /// Times `factor` after every `epochs` epochs.
    case step(epochs: Int, factor: Double)
    /// Half a cosine from 1 down to `final` at the end (Loshchilov and Hutter, SGDR, 2017, without restarts).
    case cosine(final: Double)
    /// Half a cosine from `start` up to 1 at the share `peak` of the training, then another down to `final` (Smith and
    /// Topin, Super-Convergence, 2018).
    case oneCycle(peak: Double, start: Double, final: Double)
  }

  public var shape: Shape
  /// Epochs, or a part of one, over which the factor grows in equal steps from near 0 to the shape's own.
  public var warmUp: Double

  public static let constant = LearningRateSchedule(.constant)

  public init(_ shape: Shape, warmUp: Double = 0) {
    self.shape = shape
    self.warmUp = warmUp
  }

  /// - Throws: `MTLFastError` of kind `usage`.
  public func validate() throws {
    func require(_ isRight: Bool, _ what: String, _ value: Double, _ range: String) throws {
      guard isRight else { throw MTLFastError(.usage, "The schedule's \(what) is \(value). Use \(range).") }
    }
    try require(warmUp >= 0 && warmUp.isFinite, "warm_up", warmUp, "0 or more epochs")
    switch shape {
    case .constant: break
    case .step(let epochs, let factor):
      try require(epochs >= 1, "every", Double(epochs), "1 epoch or more")
      try require(factor > 0 && factor.isFinite, "factor", factor, "a number above 0")
    case .cosine(let final): try require(final >= 0 && final <= 1, "final", final, "a number from 0 to 1")
    case .oneCycle(let peak, let start, let final):
      try require(peak > 0 && peak < 1, "peak", peak, "a share of the training between 0 and 1")
      try require(start >= 0 && start <= 1, "start", start, "a number from 0 to 1")
      try require(final >= 0 && final <= 1, "final", final, "a number from 0 to 1")
    }
  }

  /// The factor of a step.
  ///
  /// - Parameters:
  ///   - step: counted from 0 over the whole training.
  ///   - epochs: of the whole training.
  public func factor(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double {
    let perEpoch = Double(max(1, stepsPerEpoch))
    let warmUpSteps = warmUp * perEpoch
    let warm = warmUpSteps > 0 ? min(1, Double(step + 1) / warmUpSteps) : 1
    /// From 0 in the first step to 1 in the last.
    let position = min(1, Double(step) / max(1, perEpoch * Double(epochs) - 1))
    func cosine(_ from: Double, _ to: Double, _ at: Double) -> Double { to + (from - to) * (1 + cos(.pi * at)) / 2 }
    switch shape {
    case .constant: return warm
    case .step(let every, let factor): return warm * pow(factor, Double(step / max(1, stepsPerEpoch) / max(1, every)))
    case .cosine(let final): return warm * cosine(1, final, position)
    case .oneCycle(let peak, let start, let final):
      return warm
        * (position < peak ? cosine(start, 1, position / peak) : cosine(1, final, (position - peak) / (1 - peak)))
    }
  }
}
