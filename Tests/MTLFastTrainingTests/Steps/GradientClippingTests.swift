// SPDX-License-Identifier: Apache-2.0
// Clipping by the global norm, against gradients that a plain step of SGD shows.

import MTLFast
import MTLFastTraining
import Testing

@Suite struct GradientClippingTests {
  private static let plain = Optimizer.sgd(learningRate: 1)

  /// The parameters before and after training, and the records of its steps.
  private func train(
    _ optimizer: Optimizer = plain, clipping: Float?, steps: Int = 1, threads: Int = 2
  ) throws -> (before: [[Float]], after: [[Float]], steps: [StepRecord]) {
    let model = try fashionModel()
    let before = model.parameters.map(\.values)
    let trainer = try Trainer(model, optimizer: optimizer, gradientClipping: clipping, threads: threads)
    let recorder = StepRecorder()
    _ = try trainer.fit(
      formulaSamples(first: 0, count: 40 * steps), epochs: 1, batchSize: 40, callbacks: [recorder])
    return (before, try trainer.state().parameters.map(\.values), recorder.steps)
  }

  private func norm(_ before: [[Float]], _ after: [[Float]]) -> Double {
    zip(before.joined(), after.joined()).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }.squareRoot()
  }

  @Test func aLimitScalesTheWholeGradient() throws {
    let free = try train(clipping: nil)
    #expect(free.steps[0].gradientNorm == nil)
    let length = norm(free.before, free.after)
    let limit = Float(length / 3)
    let clipped = try train(clipping: limit)
    let told = try #require(clipped.steps[0].gradientNorm)
    #expect(abs(told - length) < 1e-4 * length)
    #expect(abs(norm(clipped.before, clipped.after) - Double(limit)) < 1e-4 * length)
    // The direction stays: every parameter's step is a third.
    for (before, (whole, third)) in zip(free.before, zip(free.after, clipped.after)) {
      for index in before.indices {
        let expected = (before[index] - whole[index]) / 3
        #expect(abs(before[index] - third[index] - expected) <= 1e-6 + 1e-3 * abs(expected))
      }
    }
  }

  /// Normalisations, whose gradients come from a block, frozen nodes, and a last minibatch that has fewer groups.
  @Test func everyKindOfGradientCounts() throws {
    func train(_ clipping: Float?) throws -> (before: [[Float]], after: [[Float]], norms: [Double?]) {
      let model = try MultiTaskModel(
        input: .image(height: 28, width: 28, channels: 1),
        trunk: [
          Conv2D(filters: 8, kernelSize: 3, activation: .relu), MaxPool2D(poolSize: 2), BatchNorm(),
          Conv2D(filters: 8, kernelSize: 3), BatchNorm(), ReLU(), Flatten(), Dense(units: 64, activation: .relu),
        ],
        heads: [.classification("item", classes: 10), .classification("group", classes: 3)], seed: 3)
      let before = model.parameters.filter(\.specification.role.isTrained).map(\.values)
      let trainer = try Trainer(
        model, optimizer: Self.plain, gradientClipping: clipping, freezing: ["trunk.conv2d_1", "group"])
      let recorder = StepRecorder()
      // One step of five samples: five groups of one.
      _ = try trainer.fit(formulaSamples(first: 0, count: 5), epochs: 1, batchSize: 40, callbacks: [recorder])
      let trained = Set(model.parameters.filter(\.specification.role.isTrained).map(\.name))
      let after = try trainer.state().parameters.filter { trained.contains($0.name) }.map(\.values)
      return (before, after, recorder.steps.map(\.gradientNorm))
    }
    let free = try train(nil)
    let length = norm(free.before, free.after)
    let clipped = try train(Float(length / 4))
    let told = try #require(clipped.norms[0])
    #expect(abs(told - length) < 1e-4 * length)
    #expect(abs(norm(clipped.before, clipped.after) - length / 4) < 1e-4 * length)
  }

  @Test func aLimitThatIsNotReachedChangesNoBit() throws {
    for optimizer in [Self.plain, .adam()] {
      let free = try train(optimizer, clipping: nil, steps: 3)
      let clipped = try train(optimizer, clipping: 1e6, steps: 3)
      #expect(free.after == clipped.after)
    }
  }

  @Test(arguments: [1, 3]) func threadsChangeNoBit(threads: Int) throws {
    let expected = try train(.adam(), clipping: 0.01, steps: 2, threads: 2)
    let other = try train(.adam(), clipping: 0.01, steps: 2, threads: threads)
    #expect(expected.after == other.after)
    #expect(expected.steps.map(\.gradientNorm) == other.steps.map(\.gradientNorm))
  }

  @Test func aLimitMustBeAboveZero() throws {
    #expect {
      _ = try Trainer(fashionModel(), optimizer: Self.plain, gradientClipping: 0)
    } throws: {
      ($0 as? MTLFastError)?.message == "gradient_clipping is 0.0. Use a number above 0."
    }
  }
}
