// SPDX-License-Identifier: Apache-2.0
// Finite differences, by which the reference's own gradients are checked.

import Testing

/// Fails unless `gradient` is that of `loss` at `x`, by central differences.
func expectGradient(
  _ gradient: [Double], of loss: ([Double]) -> Double, at x: [Double], step: Double = 1e-4, tolerance: Double = 1e-6,
  _ what: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  for index in x.indices {
    var above = x
    var below = x
    above[index] += step
    below[index] -= step
    let slope = (loss(above) - loss(below)) / (2 * step)
    if abs(slope - gradient[index]) > tolerance * max(1, abs(slope)) {
      Issue.record("\(what)[\(index)]: \(gradient[index]), by differences \(slope)", sourceLocation: sourceLocation)
      return
    }
  }
}

/// The sum of products: a loss whose gradient by `outputs` is `weights`.
func dot(_ outputs: [Double], _ weights: [Double]) -> Double {
  zip(outputs, weights).reduce(0) { $0 + $1.0 * $1.1 }
}

/// Numbers from -1 to 1 in double precision, the same for the same seed.
func reals(_ count: Int, seed: UInt64) throws -> [Double] {
  try Operand(count, .reals, seed: seed).doubles
}

extension Array where Element == Double {
  /// An array that a C function fills.
  static func filled(_ count: Int, by fill: (UnsafeMutablePointer<Double>) -> Void) -> [Double] {
    [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
      buffer.initialize(repeating: 0)
      if let base = buffer.baseAddress { fill(base) }
      initialized = count
    }
  }
}
