// SPDX-License-Identifier: Apache-2.0
// What the pixel values of a mask mean to a task.

import MTLFast
import MTLFastData

extension Recipe.Mask {
  /// Of masks as their files hold them.
  func column(of raw: RawMasks) throws -> MaskColumn {
    switch meaning {
    case .classes(let classes): return withoutIgnored(try raw.classes(classes.names ?? [], ignore: ignored))
    case .groups(let groups): return try raw.binary(groups.map { ($0.name, $0.labels) }, ignore: ignored)
    case .channels(let names) where names.count == 1:
      let values = (1...255).filter { !ignored.contains($0) }
      return try raw.binary([(names[0], values)], ignore: ignored)
    case .channels(let names):
      guard ignored.isEmpty else {
        throw MTLFastError(.usage, "ignore has no meaning for masks by colour. Leave it out.")
      }
      return try raw.colours(names)
    }
  }

  /// Of masks in memory.
  func column(of stored: MaskColumn, place: String) throws -> MaskColumn {
    if case .channels(let names) = meaning {
      guard names.count == stored.shape.channels else {
        throw MTLFastError(
          .badData, "\(place) has \(stored.shape.channels) masks but masks names \(names.count). Name each.")
      }
      return MaskColumn(shape: stored.shape, values: stored.values, classNames: names)
    }
    guard stored.shape.channels == 1 else {
      throw MTLFastError(
        .badData, "\(place) has \(stored.shape.channels) masks, not one value a pixel. Name them: masks: [...].")
    }
    let pixels = stored.shape.elementCount
    switch meaning {
    case .classes(let classes):
      let names = classes.names ?? []
      var values = stored.values
      for (index, value) in values.enumerated() where ignored.contains(Int(value)) || value == MaskColumn.ignored {
        values[index] = MaskColumn.ignored
      }
      if let index = values.firstIndex(where: { $0 != MaskColumn.ignored && $0 >= names.count }) {
        throw MTLFastError(
          .badData,
          "\(place): sample \(index / pixels) holds \(values[index]) but there are \(names.count) classes (0...\(names.count - 1)). Name more classes, or ignore: [\(values[index])]."
        )
      }
      return withoutIgnored(MaskColumn(shape: stored.shape, values: values, classNames: names))
    case .groups(let groups):
      let lists = groups.map { group in Set(group.labels) }
      let values = stored.values.flatMap { value -> [UInt8] in
        if value == MaskColumn.ignored || ignored.contains(Int(value)) {
          return lists.map { _ in MaskColumn.ignored }
        }
        return lists.map { $0.contains(Int(value)) ? 1 : 0 }
      }
      return MaskColumn(
        shape: .image(height: stored.shape.height, width: stored.shape.width, channels: groups.count), values: values,
        classNames: groups.map(\.name))
    case .channels: return stored
    }
  }

  /// Classes without those whose value is ignored, counted anew.
  private func withoutIgnored(_ column: MaskColumn) -> MaskColumn {
    let kept = column.classNames.indices.filter { !ignored.contains($0) }
    guard kept.count < column.classNames.count else { return column }
    var table = [UInt8](repeating: MaskColumn.ignored, count: 256)
    for (index, value) in kept.enumerated() { table[value] = UInt8(index) }
    return MaskColumn(
      shape: column.shape, values: column.values.map { table[Int($0)] }, classNames: kept.map { column.classNames[$0] })
  }
}
