// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them, without Foundation's formatters.

/// `0.2714` for four digits after the point; `-` where there is no number.
func fixed(_ value: Double?, _ digits: Int) -> String {
  guard let value else { return "-" }
  guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
  let factor = (0..<digits).reduce(1.0) { product, _ in product * 10 }
  let scaled = (value.magnitude * factor).rounded()
  guard scaled < 1e10 * factor else {
    var (mantissa, exponent) = (value, 0)
    while mantissa.magnitude >= 9.95 {
      mantissa /= 10
      exponent += 1
    }
    return "\(fixed(mantissa, 1))e\(exponent)"
  }
  let digitsText = String(Int(scaled))
  let padded = String(repeating: "0", count: max(0, digits + 1 - digitsText.count)) + digitsText
  let sign = value < 0 && scaled > 0 ? "-" : ""
  return digits == 0 ? sign + padded : "\(sign)\(padded.dropLast(digits)).\(padded.suffix(digits))"
}

/// `90.51%`; `-` where there is no number.
func percent(_ share: Double?, _ digits: Int = 2) -> String {
  share.map { "\(fixed($0 * 100, digits))%" } ?? "-"
}

/// `1,474,560`
func grouped(_ value: Int) -> String {
  let digits = String(value.magnitude)
  var text = ""
  for (index, digit) in digits.enumerated() {
    if index > 0, (digits.count - index) % 3 == 0 { text += "," }
    text.append(digit)
  }
  return value < 0 ? "-" + text : text
}

/// `0:07`, `12:30`, `1:02:03`
func clockTime(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds >= 0, seconds < 3.6e6 else { return "-:--" }
  let whole = Int(seconds.rounded())
  func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
  return whole < 3600
    ? "\(whole / 60):\(two(whole % 60))" : "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))"
}

/// `1.5 MB`, in powers of 1000.
func byteCount(_ bytes: Int) -> String {
  switch bytes {
  case ..<1000: "\(bytes) B"
  case ..<1_000_000: "\(fixed(Double(bytes) / 1e3, 1)) kB"
  case ..<1_000_000_000: "\(fixed(Double(bytes) / 1e6, 1)) MB"
  default: "\(fixed(Double(bytes) / 1e9, 1)) GB"
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
