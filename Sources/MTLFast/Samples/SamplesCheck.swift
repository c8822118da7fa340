// SPDX-License-Identifier: Apache-2.0
// Whether samples fit a model.

import Files

extension Samples {
  /// Inputs that only heads without targets need may be missing.
  ///
  /// - Throws: `MTLFastError` where an input or target column is missing, misnamed, of another shape, kind or count, a
  ///   label lies outside its head's classes, or a head reads inputs of another stream than its targets'. A head may have
  ///   no targets as long as one has.
  public func check(against graph: ModelGraph) throws {
    guard !streams.isEmpty else { throw MTLFastError(.badData, "\(name): has no samples.") }
    for stream in streams { try checkCounts(of: stream, graph) }
    try checkInputs(of: graph)
    let heads = graph.heads.map(\.name)
    let given = streams.flatMap(\.targets.keys).sorted()
    // A twin leaves columns over, and a head may lack its own; both at once is a name gone wrong.
    if heads.contains(where: { !given.contains($0) }), let unknown = given.first(where: { !heads.contains($0) }) {
      throw MTLFastError(
        .usage, "\(name): labels are given for '\(unknown)' but the heads are \(heads.joined(separator: ", ")).")
    }
    guard !given.isEmpty else {
      throw MTLFastError(.usage, "\(name): has no labels for any of the heads \(heads.joined(separator: ", ")).")
    }
    for head in graph.heads {
      for stream in streams {
        guard let target = stream.targets[head.name] else { continue }
        try check(target, of: head, shape: graph.nodes[head.logits].shape, in: stream)
        if head.isMask { try checkMoves(of: head, graph, in: stream) }
        if let foreign = graph.inputs(of: head.logits).first(where: { stream.inputs[$0] == nil }) {
          guard input(named: foreign) != nil else {
            throw MTLFastError(.usage, "\(name): has no column for the input '\(foreign)'.")
          }
          throw MTLFastError(
            .badData,
            "Head '\(head.name)': its targets are of '\(stream.name)' but it depends on the input '\(foreign)', which is of other samples. A head needs all its inputs from the stream of its targets."
          )
        }
      }
    }
  }

  /// The part of `check` that concerns the inputs that there are: for predictions, which need neither targets nor all
  /// inputs.
  package func checkInputs(of graph: ModelGraph) throws {
    for node in graph.nodes {
      guard case .input = node.operation else { continue }
      guard let input = input(named: node.name) else { continue }
      guard input.column.shape == node.shape else {
        throw MTLFastError(
          .badData, "\(name): input '\(node.name)' is \(input.column.shape) but the model expects \(node.shape).")
      }
      if let (mean, deviation) = input.standardization {
        let count = node.shape.channels
        guard mean.count == count, deviation.count == count, deviation.allSatisfy({ $0 > 0 && $0.isFinite }) else {
          throw MTLFastError(
            .usage,
            "\(name): input '\(node.name)' has \(count) channels but \(mean.count) means and \(deviation.count) standard deviations; each must be above 0."
          )
        }
      }
      if let augmentation = input.augmentation, node.shape.isImage {
        guard augmentation.pad < min(node.shape.height, node.shape.width) else {
          throw MTLFastError(
            .usage,
            "Input '\(node.name)': augment.pad is \(augmentation.pad) but the image is \(node.shape). Use less than its sides."
          )
        }
      }
    }
  }

  private func checkCounts(of stream: Stream, _ graph: ModelGraph) throws {
    guard stream.count > 0, stream.count <= Int32.max else {
      throw MTLFastError(
        .badData, "\(stream.name): has \(stream.count) samples. Training and evaluation need 1 or more.")
    }
    for (input, value) in stream.inputs.sorted(by: { $0.key < $1.key }) where value.column.count != stream.count {
      throw MTLFastError(
        .badData, "\(stream.name): input '\(input)' has \(value.column.count) samples of \(stream.count).")
    }
    for (head, target) in stream.targets.sorted(by: { $0.key < $1.key }) where target.count != stream.count {
      throw MTLFastError(
        .badData, "\(stream.name): head '\(head)' has \(target.count) labels for \(stream.count) samples.")
    }
  }

  private func check(_ target: TargetColumn, of head: Head, shape: Shape, in stream: Stream) throws {
    func refuse(_ message: String) -> MTLFastError { MTLFastError(.badData, "Head '\(head.name)': \(message)") }
    switch (head.task, target) {
    case (.classification(let names), .classes(let column)):
      let wrong = column.values.withUnsafeBufferPointer { $0.firstIndex { $0 < -1 || $0 >= names.count } }
      if let row = wrong {
        let label = Int(column.values[row])
        throw refuse(
          "labels contain \(label) at row \(row) of \(stream.name) but the head has \(names.count) classes (0...\(names.count - 1)). Check the label column\(label < 0 ? "" : " or set classes: \(label + 1)")."
        )
      }
    case (.regression(let targets), .values(let column)):
      guard column.names.count == targets.count else {
        throw refuse("\(stream.name) has \(column.names.count) values a sample but the head predicts \(targets.count).")
      }
      if let at = column.values.firstIndex(where: { $0.isInfinite }) {
        throw refuse("\(stream.name) has an infinite value at row \(at / targets.count). Check the column.")
      }
    case (.segmentation(let names), .mask(let column)):
      let expected = Shape.image(height: shape.height, width: shape.width, channels: 1)
      guard column.shape == expected else {
        throw refuse("masks of \(stream.name) are \(column.shape) but the head's are \(expected).")
      }
      try checkPixels(column, below: names.count, head, stream)
    case (.masks, .mask(let column)):
      guard column.shape == shape else {
        throw refuse("masks of \(stream.name) are \(column.shape) but the head's are \(shape).")
      }
      try checkPixels(column, below: 2, head, stream)
    default:
      throw refuse("the targets of \(stream.name) are of another kind than its task. Check the recipe's task.")
    }
  }

  /// A mask can only move with its images where these move alike, and by whole pixels of the mask.
  private func checkMoves(of head: Head, _ graph: ModelGraph, in stream: Stream) throws {
    let shape = graph.nodes[head.logits].shape
    let names = graph.inputs(of: head.logits)
    let images = graph.nodes.filter { node in
      guard case .input = node.operation, node.shape.isImage else { return false }
      return names.contains(node.name)
    }
    let moves = images.map { node in
      let augmentation = stream.inputs[node.name]?.augmentation
      return (flip: augmentation?.flip ?? false, pad: augmentation?.pad ?? 0)
    }
    guard let first = moves.first, first.flip || first.pad > 0 || moves.contains(where: { $0 != first }) else { return }
    if let other = moves.firstIndex(where: { $0 != first }) {
      throw MTLFastError(
        .usage,
        "Head '\(head.name)': its masks can't move with both '\(images[0].name)' and '\(images[other].name)', whose augment differs. Give both the same flip and pad."
      )
    }
    if first.pad > 0,
      let image = images.first(where: { ($0.shape.height, $0.shape.width) != (shape.height, shape.width) })
    {
      throw MTLFastError(
        .usage,
        "Head '\(head.name)': its masks are \(shape.height)x\(shape.width) but '\(image.name)' is \(image.shape.height)x\(image.shape.width), so they can't move with augment.pad. Use masks of the image's size, or flip alone."
      )
    }
  }

  private func checkPixels(_ column: MaskColumn, below limit: Int, _ head: Head, _ stream: Stream) throws {
    let wrong = column.values.withUnsafeBufferPointer { values in
      values.firstIndex { $0 >= limit && $0 != MaskColumn.ignored }
    }
    guard let wrong else { return }
    throw MTLFastError(
      .badData,
      "Head '\(head.name)': the mask of row \(wrong / column.shape.elementCount) of \(stream.name) contains \(column.values[wrong]) but its labels are 0...\(limit - 1). Name others in ignore."
    )
  }
}
