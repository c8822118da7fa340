// SPDX-License-Identifier: Apache-2.0
// A recipe's layers as YAML text.

import MTLFast

extension RecipeLayer {
  /// `conv2d: {filters: 32, kernel: 3, stride: 1, padding: valid, activation: relu, initializer: glorot_uniform}`
  var recipeText: String {
    switch self {
    case .conv2d(let layer):
      "conv2d: {filters: \(layer.filters), kernel: \(size(layer.kernelHeight, layer.kernelWidth)), stride: \(size(layer.strideHeight, layer.strideWidth)), padding: \(layer.padding), activation: \(layer.activation.rawValue), initializer: \(layer.initializer.rawValue)}"
    case .maxPool2d(let layer): poolText(layer)
    case .avgPool2d(let layer): poolText(layer)
    case .dense(let layer):
      "dense: {units: \(layer.units), activation: \(layer.activation.rawValue), initializer: \(layer.initializer.rawValue)}"
    case .dropout(let layer): "dropout: {rate: \(shortText(layer.rate))}"
    case .batchNorm(let layer):
      "batch_norm: {momentum: \(shortText(layer.momentum)), epsilon: \(shortText(layer.epsilon))}"
    case .reshape(let layer): "reshape: \(yamlList(layer.shape.dimensions))"
    case .upsample2d(let layer): "upsample2d: {scale: \(size(layer.scaleHeight, layer.scaleWidth))}"
    case .relu, .sigmoid, .flatten, .globalAveragePool2d, .concatenate, .add: type(of: layer).kind
    }
  }

  private func poolText<Pool: Pool2D>(_ layer: Pool) -> String {
    "\(Pool.kind): {size: \(size(layer.poolHeight, layer.poolWidth)), stride: \(size(layer.strideHeight, layer.strideWidth)), padding: \(layer.padding)}"
  }

  private func size(_ height: Int, _ width: Int) -> String { height == width ? "\(height)" : "[\(height), \(width)]" }
}
