// SPDX-License-Identifier: Apache-2.0
// How a parameter tensor gets its first values.

/// The distribution of a parameter's first values. Draws are keyed by (seed, parameter name, element), in plain layout.
public enum Initializer: String, CaseIterable, Sendable {
  case zeros
  case ones
  /// Uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010).
  case glorotUniform = "glorot_uniform"
  /// Uniform in +-sqrt(6 / fan_in) (He et al., Delving Deep into Rectifiers, 2015).
  case heUniform = "he_uniform"

  /// Half the width of the uniform distribution.
  public func limit(fanIn: Int, fanOut: Int) -> Float {
    switch self {
    case .zeros, .ones: 0
    case .glorotUniform: Float((6 / Double(fanIn + fanOut)).squareRoot())
    case .heUniform: Float((6 / Double(fanIn)).squareRoot())
    }
  }
}
