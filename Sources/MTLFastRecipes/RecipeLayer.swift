// SPDX-License-Identifier: Apache-2.0
// The layers that a recipe can name.

import MTLFast

/// One entry of a `layers` list.
public enum RecipeLayer: Hashable, Sendable {
  case conv2d(Conv2D)
  case maxPool2d(MaxPool2D)
  case avgPool2d(AvgPool2D)
  case dense(Dense)
  case relu(ReLU)
  case sigmoid(Sigmoid)
  case flatten(Flatten)
  case dropout(Dropout)

  public var layer: any Layer {
    switch self {
    case .conv2d(let layer): layer
    case .maxPool2d(let layer): layer
    case .avgPool2d(let layer): layer
    case .dense(let layer): layer
    case .relu(let layer): layer
    case .sigmoid(let layer): layer
    case .flatten(let layer): layer
    case .dropout(let layer): layer
    }
  }
}
