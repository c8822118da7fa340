// SPDX-License-Identifier: Apache-2.0
// The loss weights of a sweep: decimal numbers in equal steps.

import MTLFast

/// A loss weight as it is written and as a number.
public struct Lambda: Sendable, Hashable {
  /// `0.3`, without zeros at its end.
  public let text: String
  public let value: Double

  /// - Parameters:
  ///   - count: how many units of the last decimal.
  ///   - decimals: how many there are.
  init(count: Int, decimals: Int) {
    var digits = String(count)
    digits = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    var text = decimals == 0 ? digits : "\(digits.dropLast(decimals)).\(digits.suffix(decimals))"
    if decimals > 0 { while text.hasSuffix("0") { text.removeLast() } }
    if text.hasSuffix(".") { text.removeLast() }
    self.text = text
    value = Double(text) ?? 0
  }

  /// The weights of the two heads.
  public var weights: [Float] { [Float(value), Float(1 - value)] }
}

extension Lambda {
  /// The values of `from:to:step`, counted in units of the last decimal, so that none of them is off by a rounding.
  ///
  ///     try Lambda.range("0:1:0.25").map(\.text)  // ["0", "0.25", "0.5", "0.75", "1"]
  ///
  /// - Throws: `MTLFastError` of kind `usage`.
  public static func range(_ text: String) throws -> [Lambda] {
    func refuse(_ what: String) -> MTLFastError {
      MTLFastError(
        .usage, "lambda \(text): \(what). Write from:to:step, such as 0:1:0.1.", remedy: .changingLambda)
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 3 else { throw refuse("a range has three numbers") }
    let decimals =
      parts.map { $0.split(separator: ".", omittingEmptySubsequences: false).dropFirst().first?.count ?? 0 }
      .max() ?? 0
    guard decimals <= 6 else { throw refuse("a number has more than 6 decimals") }
    let numbers = try parts.map { part -> Int in
      guard let number = units(part, decimals: decimals) else {
        throw refuse("'\(part)' is no decimal number of 0 or more")
      }
      return number
    }
    let (from, to, step, one) = (numbers[0], numbers[1], numbers[2], units("1", decimals: decimals) ?? 1)
    guard step > 0 else { throw refuse("the step is 0") }
    guard from <= to, to <= one else { throw refuse("a range goes upwards and stays within 0 to 1") }
    let count = (to - from) / step + 1
    guard count <= 101 else { throw refuse("a range has at most 101 values, and this one has \(count)") }
    return (0..<count).map { Lambda(count: from + $0 * step, decimals: decimals) }
  }

  /// `0.25` in units of the last of some decimals.
  private static func units(_ text: String, decimals: Int) -> Int? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), text.count <= 12, parts.contains(where: { !$0.isEmpty }),
      text.utf8.allSatisfy({ (48...57).contains($0) || $0 == 46 })
    else { return nil }
    let fraction = parts.count == 2 ? String(parts[1]) : ""
    return Int("0" + parts[0] + fraction + String(repeating: "0", count: decimals - fraction.count))
  }
}
