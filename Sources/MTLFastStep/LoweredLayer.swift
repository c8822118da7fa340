// SPDX-License-Identifier: Apache-2.0
// What a layer must say to run in a step.

import Kernels
import MTLFast

/// A layer's passes, written as operations of a step. Neither has a default: a layer without a backward pass is no layer.
protocol LoweredLayer: Layer {
  /// What its time is put down to.
  static var account: StepAccount { get }

  /// Adds the forward pass and returns the value of the node's output.
  func lowerForward(_ node: Int, in lowering: inout Lowering) throws -> Int

  /// Adds the backward pass: the gradients of the layer's weights and of the inputs that want one, which are sent on by
  /// `Lowering.send`.
  func lowerBackward(_ node: Int, gradient: GatheredGradient, in lowering: inout Lowering) throws

  /// The zeros that it wants around an input.
  func haloWanted(around input: Shape) -> Halo
  /// Whether its output is the input itself, halo and all.
  func passesInputOn(for purpose: StepPurpose) -> Bool
  /// Whether it ends in a ReLU whose backward pass may be a mask on the gradient that its readers send.
  var endsInReLU: Bool { get }
  /// Whether it reads the gradient of its output as packed samples.
  func readsPackedGradient(_ node: Int, in lowering: Lowering) -> Bool
}

extension LoweredLayer {
  func haloWanted(around input: Shape) -> Halo { .none }
  func passesInputOn(for purpose: StepPurpose) -> Bool { false }
  var endsInReLU: Bool { false }
  func readsPackedGradient(_ node: Int, in lowering: Lowering) -> Bool { false }
}

extension GraphLayer {
  var lowered: any LoweredLayer {
    switch self {
    case .conv2D(let layer): layer
    case .depthwiseConv2D(let layer): layer
    case .maxPool2D(let layer): layer
    case .avgPool2D(let layer): layer
    case .globalAveragePool2D(let layer): layer
    case .dense(let layer): layer
    case .relu(let layer): layer
    case .sigmoid(let layer): layer
    case .gelu(let layer): layer
    case .silu(let layer): layer
    case .tanh(let layer): layer
    case .leakyReLU(let layer): layer
    case .dropout(let layer): layer
    case .batchNorm(let layer): layer
    case .layerNorm(let layer): layer
    case .flatten(let layer): layer
    case .reshape(let layer): layer
    case .upsample2D(let layer): layer
    case .concatenate(let layer): layer
    case .add(let layer): layer
    case .multiply(let layer): layer
    }
  }
}
