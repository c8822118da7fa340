// SPDX-License-Identifier: Apache-2.0
// The layers that a model graph can hold.

/// Every layer that can be trained and run: a closed list, so that the compiler asks for what each of them needs.
///
/// `Layer` stays its face: a graph is built of `any Layer`, and `layer` gives it back.
public enum GraphLayer: Hashable, Sendable {
  case conv2D(Conv2D)
  case depthwiseConv2D(DepthwiseConv2D)
  case maxPool2D(MaxPool2D)
  case avgPool2D(AvgPool2D)
  case globalAveragePool2D(GlobalAveragePool2D)
  case dense(Dense)
  case relu(ReLU)
  case sigmoid(Sigmoid)
  case gelu(GELU)
  case silu(SiLU)
  case tanh(Tanh)
  case leakyReLU(LeakyReLU)
  case dropout(Dropout)
  case batchNorm(BatchNorm)
  case layerNorm(LayerNorm)
  case flatten(Flatten)
  case reshape(Reshape)
  case upsample2D(Upsample2D)
  case concatenate(Concatenate)
  case add(Add)
  case multiply(Multiply)

  public var layer: any Layer {
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
