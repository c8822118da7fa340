// SPDX-License-Identifier: Apache-2.0
// Models that say how hard a task is: one that ignores its inputs, one that is linear in them.

import Files
import MTLFast

extension ModelGraph {
  /// The same inputs and heads with nothing between them: each head is one dense layer of its inputs.
  public func linear() throws -> ModelGraph {
    var linear = ModelGraph()
    var vectors: [String: Int] = [:]
    for node in nodes {
      guard case .input = node.operation else { continue }
      let input = try linear.addInput(node.name, shape: node.shape)
      vectors[node.name] =
        node.shape.isVector ? input : try linear.add(Flatten(), named: "\(node.name).flatten_1", reading: input)
    }
    for head in heads {
      let names = inputs(of: head.logits)
      let read = names.compactMap { vectors[$0] }
      guard let first = read.first else { continue }
      let joined =
        read.count == 1 ? first : try linear.add(Concatenate(), named: "\(head.name).concatenate_1", reading: read)
      let shape = nodes[head.logits].shape
      let node = try linear.addOutput(
        head.task, loss: head.loss, named: head.name, reading: joined, maskSize: (shape.height, shape.width))
      try linear.addHead(
        Head(
          name: head.name, logits: node, task: head.task, loss: head.loss, weight: head.weight,
          labelSmoothing: head.labelSmoothing, classWeights: head.classWeights, hierarchy: head.hierarchy,
          metrics: head.metrics))
    }
    return linear
  }
}

extension MultiTaskModel {
  /// The model that knows nothing of its inputs: it always says how often each class occurs in the training samples (at
  /// each pixel, for masks), or their mean.
  public static func constant(for graph: ModelGraph, samples: Samples) throws -> MultiTaskModel {
    let model = try MultiTaskModel(graph: graph.linear(), seed: 0)
    for parameter in model.parameters {
      try model.setParameter(parameter.name, to: [Float](repeating: 0, count: parameter.values.count))
    }
    for head in model.graph.heads {
      guard let target = samples.target(of: head.name) else { continue }
      // The last dense layer's node may stand before a reshape.
      let layer = ["\(head.name).logits", "\(head.name).output"].first { model[parameter: "\($0).bias"] != nil }
      guard let layer else { continue }
      try model.setParameter("\(layer).bias", to: constantOutputs(of: head, target))
    }
    return model
  }

  private static func constantOutputs(of head: Head, _ target: TargetColumn) -> [Float] {
    let names = head.task.names.count
    /// One more of each than there is, so that what never occurs is unlikely, not impossible.
    func logOdds(_ yes: Int, _ no: Int) -> Float { Float(log(Double(yes + 1) / Double(no + 1))) }
    switch target {
    case .classes(let column):
      var counts = [Int](repeating: 0, count: names)
      for label in column.values where label >= 0 { counts[Int(label)] += 1 }
      guard head.loss == .softmaxCrossEntropy else { return [logOdds(counts[1], counts[0])] }
      return counts.map { logOdds($0, 0) }
    case .values(let column):
      guard case .regression(let targets) = head.task else { return [] }
      return targets.indices.map { index in
        let values = stride(from: index, to: column.values.count, by: names).map { column.values[$0] }.filter {
          !$0.isNaN
        }
        guard !values.isEmpty else { return 0 }
        let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
        return (Float(mean) - targets[index].mean) / targets[index].standardDeviation
      }
    case .mask(let column):
      let size = column.shape.elementCount
      var counts = [[Int]](repeating: [Int](repeating: 0, count: size), count: 256)
      for (index, value) in column.values.enumerated() { counts[Int(value)][index % size] += 1 }
      guard head.loss == .softmaxCrossEntropy else {
        return (0..<size).map { logOdds(counts[1][$0], counts[0][$0]) }
      }
      return (0..<size).flatMap { pixel in (0..<names).map { logOdds(counts[$0][pixel], 0) } }
    }
  }
}
