// SPDX-License-Identifier: Apache-2.0
// The factor of an input's values, as a number or as a fraction.

/// A factor written as a number (`0.5`) or as a fraction (`1/255`), kept as written.
public struct Scale: Hashable, Sendable, CustomStringConvertible, ExpressibleByIntegerLiteral {
  public let numerator: Double
  public let denominator: Double

  /// - Returns: nil where the quotient is zero or not finite, as a Float too.
  public init?(_ numerator: Double, over denominator: Double = 1) {
    self.numerator = numerator
    self.denominator = denominator
    guard value.isFinite, value != 0 else { return nil }
  }

  public init(integerLiteral value: Int) {
    numerator = Double(value)
    denominator = 1
  }

  /// Parses `1/255` or `0.00392`.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { part in
      decimalNumber(String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()))
    }
    switch (parts.count, parts.first ?? nil, parts.last ?? nil) {
    case (1, let number?, _): self.init(number)
    case (2, let numerator?, let denominator?): self.init(numerator, over: denominator)
    default: return nil
    }
  }

  public var value: Float { Float(numerator / denominator) }

  /// `1/255`; parsing it gives the same scale.
  public var description: String {
    denominator == 1 ? shortText(numerator) : "\(shortText(numerator))/\(shortText(denominator))"
  }
}

/// A decimal number as recipes write it: digits, point, exponent. Neither hexadecimal nor `nan` nor `inf`.
func decimalNumber(_ text: String) -> Double? {
  guard text.utf8.allSatisfy({ (48...57).contains($0) || "+-.eE".utf8.contains($0) }) else { return nil }
  guard let value = Double(text), value.isFinite else { return nil }
  return value
}

/// `1` instead of `1.0`; otherwise the shortest text that parses to the same value.
func shortText(_ value: some BinaryFloatingPoint & LosslessStringConvertible) -> String {
  let text = "\(value)"
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}
