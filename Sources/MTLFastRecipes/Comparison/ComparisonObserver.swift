// SPDX-License-Identifier: Apache-2.0
// What can be told about a comparison while its nets are trained.

import MTLFastTraining

/// One of the nets of a comparison.
public struct ComparedNet: Sendable, Hashable {
  /// Below the comparison's folder: `seed-0/item`.
  public let path: String
  /// `seed 0, item alone`
  public let title: String
  /// The task of a twin; nil where the net learns all.
  public let task: String?
  /// Counted from 1, with those that were finished before.
  public let number: Int
  /// How many nets there are.
  public let count: Int
  /// What this net and the rest will take, by those that this process has trained; nil for the first of these.
  public let secondsLeft: Double?
}

/// Sees the nets of a comparison that are trained, one after the other. Nets that were finished before aren't told.
public protocol ComparisonObserver: AnyObject {
  /// Before the net's first step.
  ///
  /// - Returns: callbacks of its training.
  func netWillTrain(_ net: ComparedNet, _ start: RecipeTraining.Start) throws -> [any Callback]
  /// After its last step, also where a request stopped it.
  func netDidTrain(_ net: ComparedNet, _ result: RecipeTraining.Result)
  /// Where it has no result; the comparison goes on.
  func netDidFail(_ net: ComparedNet, reason: String)
}

extension ComparisonObserver {
  public func netWillTrain(_ net: ComparedNet, _ start: RecipeTraining.Start) throws -> [any Callback] { [] }
  public func netDidTrain(_ net: ComparedNet, _ result: RecipeTraining.Result) {}
  public func netDidFail(_ net: ComparedNet, reason: String) {}
}
