// SPDX-License-Identifier: Apache-2.0
// What training reports: immutable records of a step, an epoch and the whole.

import MTLFast

/// One task's loss and metrics over some samples.
public struct TaskScore: Sendable, Equatable {
  /// Mean over the present labels, before the head's weight; nil where no label is present.
  public let loss: Double?
  /// In the order of the head; nil where no label is present.
  public let metrics: [(metric: Metric, value: Double?)]
  /// The number of samples with a label.
  public let present: Int
  /// Of an evaluation of classes: how often each was predicted as which, true x predicted.
  public let confusion: [[Int]]?

  public init(loss: Double?, metrics: [(Metric, Double?)], present: Int, confusion: [[Int]]? = nil) {
    self.loss = loss
    self.metrics = metrics.map { (metric: $0.0, value: $0.1) }
    self.present = present
    self.confusion = confusion
  }

  public subscript(metric: Metric) -> Double? { metrics.first { $0.metric == metric }?.value }
  /// Correct / present, of samples.
  public var accuracy: Double? { self[.accuracy] }

  public static func == (a: TaskScore, b: TaskScore) -> Bool {
    a.loss == b.loss && a.present == b.present && a.confusion == b.confusion
      && a.metrics.map(\.metric) == b.metrics.map(\.metric) && a.metrics.map(\.value) == b.metrics.map(\.value)
  }
}

extension TaskScore {
  var withoutConfusion: TaskScore {
    TaskScore(loss: loss, metrics: metrics.map { ($0.metric, $0.value) }, present: present)
  }
}

/// The scores of every task, in the order of the heads.
public struct Scores: Sendable, Equatable {
  /// The weighted sum of the tasks' losses.
  public let loss: Double
  public let tasks: [(name: String, score: TaskScore)]

  public init(loss: Double, tasks: [(name: String, score: TaskScore)]) {
    self.loss = loss
    self.tasks = tasks
  }

  public subscript(task: String) -> TaskScore? { tasks.first { $0.name == task }?.score }

  public static func == (a: Scores, b: Scores) -> Bool {
    a.loss == b.loss && a.tasks.map(\.name) == b.tasks.map(\.name) && a.tasks.map(\.score) == b.tasks.map(\.score)
  }
}

extension Scores {
  var withoutConfusion: Scores { Scores(loss: loss, tasks: tasks.map { ($0.name, $0.score.withoutConfusion) }) }
}

/// One optimizer step.
public struct StepRecord: Sendable {
  /// Counted from 1 over the whole training.
  public let step: Int
  /// Counted from 1.
  public let epoch: Int
  /// Counted from 1 within the epoch.
  public let stepInEpoch: Int
  public let stepsPerEpoch: Int
  public let sampleCount: Int
  public let scores: Scores
  public let learningRate: Float
  /// The 2-norm of all gradients before clipping; nil where they aren't clipped.
  public let gradientNorm: Double?
  public let seconds: Double
}

/// One pass over the training samples.
public struct EpochRecord: Sendable {
  /// Counted from 1.
  public let epoch: Int
  /// The number of steps since training began.
  public let step: Int
  /// Means over the epoch's steps, as the weights changed.
  public let training: Scores
  /// After the epoch, on the samples by which a model may be selected; nil where there are none.
  public let validation: Scores?
  /// After the epoch; nil where the recipe names nothing to report on.
  public let test: Scores?
  /// Of the epoch's last step.
  public let learningRate: Float
  /// Shuffling, batching, forward, backward, update; without evaluation and callbacks.
  public let trainingSeconds: Double
  public let evaluationSeconds: Double
  public let samplesPerSecond: Double
}

extension EpochRecord {
  var withoutConfusion: EpochRecord {
    EpochRecord(
      epoch: epoch, step: step, training: training.withoutConfusion, validation: validation?.withoutConfusion,
      test: test?.withoutConfusion, learningRate: learningRate, trainingSeconds: trainingSeconds,
      evaluationSeconds: evaluationSeconds, samplesPerSecond: samplesPerSecond)
  }
}

/// How training ended.
public struct History: Sendable {
  public let epochs: [EpochRecord]
  /// True where `Trainer.requestStop()` or a `StopRequest` ended it early.
  public let wasStopped: Bool
  /// Why a callback ended it early; nil where none did.
  public let stopReason: String?
  public let step: Int
  /// The threads that ran the last step, counted by the team itself; 0 where no step ran.
  public let threads: Int
  /// From the call of `fit` to its return.
  public let seconds: Double
  /// From the call of `fit` to the start of the first step.
  public let secondsToFirstStep: Double
  /// Of the steps, and of all callbacks together.
  public let stepSeconds: Double
  public let callbackSeconds: Double
}
