// SPDX-License-Identifier: Apache-2.0
// Buffers of exactly the size that a kernel may touch, with a trapping page at both ends, and comparisons of them.

import CReference
import Foundation
import Testing

/// Memory between two pages that trap. Filled with 0xff at first (NaN as floats), so that what a kernel doesn't write,
/// or reads before it is written, shows.
final class GuardedBuffer<Element: BitwiseCopyable>: Untouchable {
  let pointer: UnsafeMutablePointer<Element>
  let count: Int

  init(_ count: Int, _ side: reference_side = REFERENCE_FLUSH_RIGHT) throws {
    let bytes = count * MemoryLayout<Element>.stride
    let memory = try #require(reference_guarded_allocate(bytes, side))
    pointer = memory.bindMemory(to: Element.self, capacity: count)
    self.count = count
    forget()
  }

  convenience init(_ values: [Element], _ side: reference_side = REFERENCE_FLUSH_RIGHT) throws {
    try self.init(values.count, side)
    pointer.update(from: values, count: count)
  }

  deinit { reference_guarded_free(pointer, byteCount) }

  var byteCount: Int { count * MemoryLayout<Element>.stride }
  var array: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

  subscript(index: Int) -> Element {
    get { pointer[index] }
    set { pointer[index] = newValue }
  }

  /// Fills the buffer with 0xff.
  func forget() {
    UnsafeMutableRawPointer(pointer).initializeMemory(as: UInt8.self, repeating: 0xff, count: byteCount)
  }

  var isUntouched: Bool {
    UnsafeRawBufferPointer(start: pointer, count: byteCount).allSatisfy { $0 == 0xff }
  }

  func hasSameBits(as other: GuardedBuffer<Element>) -> Bool {
    count == other.count && memcmp(pointer, other.pointer, byteCount) == 0
  }
}

/// Something that can tell whether it was written to.
protocol Untouchable {
  var isUntouched: Bool { get }
}

/// A kernel's input: the same values flush with either trap, and widened for the reference.
struct Operand {
  let right: GuardedBuffer<Float>
  let left: GuardedBuffer<Float>
  let wide: GuardedBuffer<Double>

  init(_ count: Int, fill: (UnsafeMutablePointer<Float>) -> Void) throws {
    right = try GuardedBuffer(count, REFERENCE_FLUSH_RIGHT)
    left = try GuardedBuffer(count, REFERENCE_FLUSH_LEFT)
    wide = try GuardedBuffer(count)
    fill(right.pointer)
    left.pointer.update(from: right.pointer, count: count)
    reference_widen(Int64(count), right.pointer, wide.pointer)
  }

  init(_ values: [Float]) throws {
    try self.init(values.count) { $0.update(from: values, count: values.count) }
  }

  init(_ count: Int, _ values: Values, seed: UInt64) throws {
    try self.init(count) { values.fill(count, seed: seed, $0) }
  }

  subscript(side: reference_side) -> UnsafePointer<Float> {
    UnsafePointer(side == REFERENCE_FLUSH_LEFT ? left.pointer : right.pointer)
  }

  var count: Int { right.count }
  var doubles: [Double] { wide.array }
}

/// What operands are made of.
enum Values {
  /// Whole numbers up to a limit, so that sums in fp32 are exact.
  case integers(Int32)
  /// From -1 to 1.
  case reals
  /// Whole numbers with a NaN here and there.
  case integersAndNaN(Int32)

  func fill(_ count: Int, seed: UInt64, _ values: UnsafeMutablePointer<Float>) {
    switch self {
    case .integers(let limit): reference_fill_integers(Int64(count), seed, limit, values)
    case .reals: reference_fill_reals(Int64(count), seed, values)
    case .integersAndNaN(let limit):
      reference_fill_integers(Int64(count), seed, limit, values)
      for index in stride(from: Int(seed % 7), to: count, by: 23) { values[index] = .nan }
    }
  }
}

extension GuardedBuffer where Element == Float {
  /// Fails unless each element is the float nearest to the expected one, bit for bit; names the first that isn't.
  func expectEqual(
    _ expected: GuardedBuffer<Double>, _ what: @autoclosure () -> String, shape: [Int32] = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let index = Int(reference_first_difference(Int64(count), pointer, expected.pointer))
    guard index >= 0 else { return }
    let position = coordinates(of: index, in: shape)
    Issue.record(
      "\(what()) at \(position): \(pointer[index]) instead of \(expected[index])", sourceLocation: sourceLocation)
  }

  /// Fails where an element is further from the expected one than `bound`; names the worst.
  func expectNear(
    _ expected: GuardedBuffer<Double>, bound: Double, _ what: @autoclosure () -> String, shape: [Int32] = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var error = 0.0
    let index = Int(reference_worst_error(Int64(count), pointer, expected.pointer, &error))
    guard error > bound else { return }
    let position = coordinates(of: index, in: shape)
    Issue.record(
      "\(what()) at \(position): \(pointer[index]) instead of \(expected[index]), error \(error) > \(bound)",
      sourceLocation: sourceLocation)
  }

  /// Fails unless the bits are those of another run; names the first element that differs.
  func expectSameBits(
    as other: GuardedBuffer<Float>, _ what: @autoclosure () -> String, shape: [Int32] = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    guard !hasSameBits(as: other) else { return }
    let index = (0..<count).first { pointer[$0].bitPattern != other[$0].bitPattern } ?? 0
    let position = coordinates(of: index, in: shape)
    Issue.record("\(what()) at \(position): \(pointer[index]) and \(other[index])", sourceLocation: sourceLocation)
  }
}

/// How far sums of `terms` products in fp32 may be from the exact ones: eps * sqrt(terms), of the largest.
func bound(terms: Int, _ expected: GuardedBuffer<Double>) -> Double {
  let eps = 0x1p-23
  return eps * Double(terms).squareRoot() * reference_largest_magnitude(Int64(expected.count), expected.pointer)
}

/// "[n, h, w, c]" of a row-major index, or the index alone.
private func coordinates(of index: Int, in shape: [Int32]) -> String {
  var rest = index
  var position: [Int] = []
  for size in shape.reversed() {
    position.append(rest % Int(size))
    rest /= Int(size)
  }
  return shape.isEmpty ? "[\(index)]" : "\(Array(position.reversed()))"
}
