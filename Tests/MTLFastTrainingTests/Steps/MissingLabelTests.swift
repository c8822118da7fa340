// SPDX-License-Identifier: Apache-2.0
// Missing labels: what is counted, by what a loss is divided, and tasks that a minibatch or all data lack.

import Foundation
import Kernels
import MTLFast
import MTLFastTraining
import Testing

@Suite struct MissingLabelTests {
  /// Nets whose samples don't see each other: without batch normalisation.
  static let nets = PlanGradientTests.others.filter { $0.testDescription != "batch normalisation" }

  /// The first samples with their labels, then as many others that have none.
  private func withUnlabelled(_ samples: Samples, of model: MultiTaskModel) throws -> Samples {
    let count = samples.count
    let pixels = RandomStream(seed: 8, purpose: "others").uniform(count: count * 392, limit: 1)
    guard case .floats(let shape, let values)? = samples.input(named: "input")?.column else {
      throw MTLFastError(.usage, "The samples have no floats.")
    }
    let targets = samples.streams[0].targets.mapValues { target -> TargetColumn in
      switch target {
      case .classes(let column):
        .classes(
          LabelColumn(values: column.values + [Int32](repeating: -1, count: count), classNames: column.classNames))
      case .values(let column):
        .values(
          ValueColumn(
            names: column.names, values: column.values + [Float](repeating: .nan, count: column.values.count)))
      case .mask(let column):
        .mask(
          MaskColumn(
            shape: column.shape, values: column.values + [UInt8](repeating: 255, count: column.values.count),
            classNames: column.classNames))
      }
    }
    return Samples(
      name: "half", count: 2 * count, inputs: ["input": .init(column: .floats(shape: shape, values: values + pixels))],
      targets: targets)
  }

  /// One step on a minibatch of everything.
  private func step(_ model: MultiTaskModel, _ samples: Samples) throws -> (gradients: [[Float]], scores: Scores) {
    let trainer = try Trainer(model, optimizer: .sgd(learningRate: 1), threads: 2)
    let history = try trainer.fit(samples, epochs: 1, batchSize: samples.count)
    let stepped = try trainer.state().parameters
    return (
      zip(model.parameters, stepped).map { zip($0.values, $1.values).map { $0 - $1 } },
      history.epochs[0].training
    )
  }

  /// The losses of classes, numbers, masks and pixels, with class weights and label smoothing.
  @Test(arguments: nets) func theGradientIsThatOfThePresentSamples(net: PlanGradientTests.Net) throws {
    let model = try PlanGradientTests.model(net)
    let present = PlanGradientTests.samples(9, of: model)
    let half = try withUnlabelled(present, of: model)
    let (alone, among) = (try step(model, present), try step(model, half))
    for (index, parameter) in model.parameters.enumerated() {
      let (expected, found) = (alone.gradients[index], among.gradients[index])
      let largest = expected.map(\.magnitude).max() ?? 0
      for (a, b) in zip(expected, found) {
        // A gradient is read from weights of size 1 or less that it was taken from.
        guard abs(a - b) > 1e-5 * largest + 3e-7 else { continue }
        Issue.record("\(parameter.name): \(b), not \(a)")
        break
      }
    }
    for (name, score) in alone.scores.tasks {
      let other = try #require(among.scores[name])
      #expect(other.present == score.present && score.present <= 9)
      #expect(abs(try #require(other.loss) - (try #require(score.loss))) <= 1e-5 * abs(try #require(score.loss)))
    }
  }

  /// Samples with a label are counted; of numbers and pixels, samples with at least one.
  @Test func presentSamplesAreCounted() throws {
    let model = try PlanGradientTests.model(try #require(Self.nets.first { $0.testDescription.contains("numbers") }))
    let samples = PlanGradientTests.samples(23, of: model)
    let scores = try Evaluator(model, batchSize: 7, threads: 2).evaluate(samples)
    for head in model.graph.heads {
      #expect(scores[head.name]?.present == samples.target(of: head.name)?.presentCount)
    }
    #expect(scores["yes"]?.present == 20, "three of 23 are missing")
    // Weighted by classes 0 and 1, the loss is divided by the weights of the labels.
    let yes = try #require(samples.target(of: "yes"))
    guard case .classes(let column) = yes else { return }
    let predicted = try Evaluator(model, batchSize: 23, threads: 1, predicts: true)
      .predict(samples, at: Array(0..<23)).first { $0.head == "yes" }
    var (sum, weight) = (0.0, 0.0)
    for (label, probabilities) in zip(column.values, try #require(predicted).values) where label >= 0 {
      let classWeight: Double = label == 0 ? 1 : 3
      // Smoothing by 0.1 over two classes.
      let target = label == 0 ? 0.05 : 0.95
      let logs = (yes: log(Double(probabilities[1])), no: log(1 - Double(probabilities[1])))
      let entropy: Double = -target * logs.yes - (1 - target) * logs.no
      sum += classWeight * entropy
      weight += classWeight
    }
    #expect(abs(try #require(scores["yes"]?.loss) - sum / weight) <= 1e-5)
  }

  /// Item and group from one trunk; group is left out where `group` is false.
  private func model(group: Bool = true) throws -> MultiTaskModel {
    try fashionModel(item: 1, group: group ? 0.5 : nil, seed: 4)
  }

  private func train(
    _ model: MultiTaskModel, _ samples: Samples, callbacks: [any Callback] = []
  ) throws -> (state: TrainingState, history: History) {
    let trainer = try Trainer(model, optimizer: .adam(), threads: 2)
    let history = try trainer.fit(samples, test: samples, epochs: 2, batchSize: 16, callbacks: callbacks)
    return (try trainer.state(), history)
  }

  @Test func aTaskThatAllDataLackChangesNoOther() throws {
    let labelled = formulaSamples(first: 0, count: 40)
    let unlabelled = formulaSamples(first: 0, count: 40) { _ in true }
    let stream = labelled.streams[0]
    let withoutColumn = Samples(
      name: "formula", count: 40, inputs: stream.inputs, targets: stream.targets.filter { $0.key == "item" })
    let (twin, _) = try train(model(group: false), labelled)
    let initial = try model()
    for samples in [unlabelled, withoutColumn] {
      let (state, history) = try train(model(), samples)
      for parameter in state.parameters {
        let expected =
          parameter.name.hasPrefix("group.")
          ? initial[parameter: parameter.name]?.values : twin.parameters.first { $0.name == parameter.name }?.values
        #expect(parameter.values == expected, "\(parameter.name)")
      }
      for epoch in history.epochs {
        for scores in [epoch.training, try #require(epoch.test)] {
          #expect(scores.loss.isFinite)
          let group = try #require(scores["group"])
          #expect(group.loss == nil && group.present == 0 && group.metrics.allSatisfy { $0.value == nil })
          #expect(scores["item"]?.present == 40)
        }
      }
    }
  }

  /// One of 64 samples has a group: three of four minibatches have none.
  @Test func aTaskThatAMinibatchLacksHasNoLossInIt() throws {
    let recorder = StepRecorder()
    let (state, history) = try train(
      model(), formulaSamples(first: 0, count: 64) { $0 != 37 }, callbacks: [recorder])
    let groups = recorder.steps.compactMap { $0.scores["group"] }
    #expect(groups.count == 8)
    #expect(groups.count { $0.loss == nil && $0.present == 0 && $0.accuracy == nil } == 6)
    #expect(groups.count { ($0.loss ?? -1) > 0 && $0.present == 1 && $0.accuracy != nil } == 2)
    #expect(history.epochs.map { $0.training["group"]?.present } == [1, 1])
    #expect(state.parameters.allSatisfy { $0.values.allSatisfy(\.isFinite) })
    #expect(recorder.steps.allSatisfy { $0.scores.loss.isFinite })
  }
}
