// SPDX-License-Identifier: Apache-2.0
// The layers that a recipe can name.

import MTLFast

/// One entry of a `layers` list.
public enum RecipeLayer: Hashable, Sendable {
  case conv2d(Conv2D)
  case maxPool2d(MaxPool2D)
  case avgPool2d(AvgPool2D)
  case globalAveragePool2d(GlobalAveragePool2D)
  case dense(Dense)
  case relu(ReLU)
  case sigmoid(Sigmoid)
  case dropout(Dropout)
  case batchNorm(BatchNorm)
  case flatten(Flatten)
  case reshape(Reshape)
  case upsample2d(Upsample2D)
  case concatenate(Concatenate)
  case add(Add)

  public var layer: any Layer {
    switch self {
    case .conv2d(let layer): layer
    case .maxPool2d(let layer): layer
    case .avgPool2d(let layer): layer
    case .globalAveragePool2d(let layer): layer
    case .dense(let layer): layer
    case .relu(let layer): layer
    case .sigmoid(let layer): layer
    case .dropout(let layer): layer
    case .batchNorm(let layer): layer
    case .flatten(let layer): layer
    case .reshape(let layer): layer
    case .upsample2d(let layer): layer
    case .concatenate(let layer): layer
    case .add(let layer): layer
    }
  }
}
