// SPDX-License-Identifier: Apache-2.0
// Some rows of a column.

import MTLFast
import MTLFastData

extension InputColumn {
  /// The samples of those indices, in their order.
  func rows(_ rows: [Int]) -> InputColumn {
    guard rows != Array(0..<count) else { return self }
    return switch self {
    case .bytes(let shape, let values): .bytes(shape: shape, values: gather(values, rows, width: shape.elementCount))
    case .floats(let shape, let values): .floats(shape: shape, values: gather(values, rows, width: shape.elementCount))
    }
  }
}

extension MaskColumn {
  func rows(_ rows: [Int]) -> MaskColumn {
    let size = shape.elementCount
    guard rows != Array(0..<(values.count / max(1, size))) else { return self }
    return MaskColumn(shape: shape, values: gather(values, rows, width: size), classNames: classNames)
  }
}

private func gather<Value>(_ values: [Value], _ rows: [Int], width: Int) -> [Value] {
  var result: [Value] = []
  result.reserveCapacity(rows.count * width)
  for row in rows { result += values[row * width..<(row + 1) * width] }
  return result
}
