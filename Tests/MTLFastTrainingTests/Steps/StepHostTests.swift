// SPDX-License-Identifier: Apache-2.0
// The boundaries of a step: nothing changes where a host only looks, and what it does is what is trained.

import Kernels
import MTLFast
import MTLFastStep
import Testing

@testable import MTLFastTraining

@Suite struct StepHostTests {
  /// Does what a test says at each boundary.
  final class Host: StepHost {
    let boundaries: Set<StepBoundary>
    let body: (StepPlace) throws -> [Float]?
    var places: [StepBoundary] = []
    var losses: [[Double?]] = []

    init(_ boundaries: Set<StepBoundary>, _ body: @escaping (StepPlace) throws -> [Float]? = { _ in nil }) {
      self.boundaries = boundaries
      self.body = body
    }

    func act(_ place: StepPlace) throws -> [Float]? {
      places.append(place.boundary)
      losses.append(place.losses)
      return try body(place)
    }
  }

  static func model(weights: (Float, Float) = (0.7, 1)) throws -> MultiTaskModel {
    var graph = ModelGraph()
    let input = try graph.addInput("input", shape: .image(height: 14, width: 14, channels: 2))
    let trunk = try graph.add(
      [
        Conv2D(filters: 6, kernelSize: 3, activation: .sigmoid), AvgPool2D(poolSize: 2), Flatten(),
        Dense(units: 96, activation: .sigmoid),
      ], prefix: "trunk", reading: input)
    for (name, classes, weight) in [("item", 10, weights.0), ("group", 3, weights.1)] {
      let hidden = try graph.add([Dense(units: 200, activation: .sigmoid)], prefix: name, reading: trunk)
      let node = try graph.add(Dense(units: classes), named: "\(name).logits", reading: hidden)
      var head = PlanGradientTests.classes(name, node, of: graph)
      head.weight = weight
      try graph.addHead(head)
    }
    return try MultiTaskModel(graph: graph, seed: 5)
  }

  static func shared(_ model: MultiTaskModel) throws -> Int { try #require(model.graph.index(of: "trunk.dense_1")) }

  static func train(
    _ model: MultiTaskModel, optimizer: Optimizer = .adam(), host: Host? = nil, clipping: Float? = nil,
    threads: Int = 2,
    epochs: Int = 2
  ) throws -> [[Float]] {
    let trainer = try Trainer(
      model, optimizer: optimizer, gradientClipping: clipping, threads: threads, host: host)
    _ = try trainer.fit(PlanGradientTests.samples(40, of: model), epochs: epochs, batchSize: 17)
    return try trainer.state().parameters.map(\.values)
  }

  @Test(arguments: [nil, 0.01] as [Float?]) func aHostThatOnlyLooksChangesNoBit(clipping: Float?) throws {
    let plain = try Self.train(try Self.model(), clipping: clipping)
    for boundaries in [[.lossesComplete], [.gradientsReady], [.lossesComplete, .gradientsReady]] as [Set<StepBoundary>]
    {
      for threads in [1, 3] {
        let host = Host(boundaries)
        #expect(try Self.train(try Self.model(), host: host, clipping: clipping, threads: threads) == plain)
        // Two epochs of three minibatches.
        #expect(host.places.count == 6 * boundaries.count)
        #expect(host.losses.allSatisfy { $0.count == 2 && $0.allSatisfy { ($0 ?? 0) > 0 } })
      }
    }
  }

  @Test func weightsOfTheMinibatchTakeThePlaceOfTheHeads() throws {
    let host = Host([.lossesComplete]) { _ in [0.2, 1.7] }
    let found = try Self.train(try Self.model(), host: host)
    #expect(try found == Self.train(try Self.model(weights: (0.2, 1.7))))
  }

  /// With SGD, half the gradient is half the learning rate.
  @Test func gradientsMayBeChangedBeforeTheUpdate() throws {
    let host = Host([.gradientsReady]) { place in
      for entry in place.step.parameters.entries {
        let gradient = try #require(entry.weight.gradient)
        for index in 0..<entry.weight.packedFloats { gradient.kernel[index] *= 0.5 }
        for index in 0..<entry.weight.units { gradient.bias[index] *= 0.5 }
      }
      return nil
    }
    let found = try Self.train(try Self.model(), optimizer: .sgd(learningRate: 0.25), host: host)
    #expect(try found == Self.train(try Self.model(), optimizer: .sgd(learningRate: 0.125)))
  }

  @Test func theGradientsOfTasksAddUpToTheWhole() throws {
    let model = try Self.model()
    let host = Host([.taskGradientsReady(node: try Self.shared(model))])
    let (apart, whole) = (try Self.train(model, host: host), try Self.train(try Self.model()))
    for (one, other) in zip(apart.joined(), whole.joined()) { #expect(abs(one - other) <= 1e-4) }
    #expect(host.places.count == 6)
  }

  /// A task whose gradient is cleared at the shared node trains its own layers and leaves the trunk to the other.
  @Test func aTaskMayBeTakenOutAtTheSharedNode() throws {
    let model = try Self.model()
    let shared = try Self.shared(model)
    var apart: [TaskGradient] = []
    let host = Host([.taskGradientsReady(node: shared)]) { place in
      apart = place.step.taskGradients[shared] ?? []
      let last = try #require(apart.last)
      let tensor = try #require(place.step.tensor(of: last.value))
      for sample in 0..<place.sampleCount {
        for index in 0..<tensor.channels { tensor.floats[sample * tensor.sampleStride + index] = 0 }
      }
      return nil
    }
    let found = try Self.train(model, optimizer: .sgd(learningRate: 0.1), host: host, epochs: 1)
    #expect(apart.map(\.heads) == [[0], [1]])
    let other = try Self.train(try Self.model(weights: (0.7, 0)), optimizer: .sgd(learningRate: 0.1), epochs: 1)
    for (index, parameter) in model.parameters.enumerated() {
      let difference = zip(found[index], other[index]).reduce(0) { max($0, abs($1.0 - $1.1)) }
      if parameter.name.hasPrefix("group.") {
        #expect(difference > 1e-4, "\(parameter.name) is trained by its own task")
      } else {
        #expect(difference < 1e-6, "\(parameter.name) is the other task's")
      }
    }
  }

  @Test func aLossThatIsNoNumberEndsTheStep() throws {
    let model = try Self.model()
    try model.setParameter("item.logits.bias", to: [.infinity] + [Float](repeating: 0, count: 9))
    let host = Host([.lossesComplete, .gradientsReady])
    let error = #expect(throws: MTLFastError.self) { try Self.train(model, host: host) }
    #expect(error?.message.contains("the loss of task 'item' is not a finite number") == true)
    #expect(host.places.isEmpty)
    let later = Host([.gradientsReady])
    #expect(throws: MTLFastError.self) { try Self.train(model, host: later) }
    #expect(later.places.isEmpty)
  }

  @Test(arguments: [[1], [1, .nan]] as [[Float]]) func weightsThatCanNotBe(weights: [Float]) throws {
    let host = Host([.lossesComplete]) { _ in weights }
    let error = #expect(throws: MTLFastError.self) { try Self.train(try Self.model(), host: host) }
    #expect(error?.message.hasSuffix("Give 2 numbers where losses are complete.") == true)
  }
}
