// SPDX-License-Identifier: Apache-2.0
// A model graph in TensorBoard's words: scopes, operations, shapes, and the heads' losses.

import MTLFast

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension TensorBoardGraphDef {
  /// Node `trunk.conv2d_1` becomes `trunk/conv2d_1`, which TensorBoard shows within `trunk`. Each head ends in a node
  /// `item/loss`, and all of them in `loss/total`.
  init(_ graph: ModelGraph) {
    var taken: Set<String> = []
    /// TensorBoard would take two nodes of one name for one.
    func unique(_ name: String) -> String {
      var (unique, number) = (name, 1)
      while !taken.insert(unique).inserted {
        number += 1
        unique = "\(name)_\(number)"
      }
      return unique
    }
    let names = graph.nodes.map { unique($0.name.split(separator: ".").joined(separator: "/")) }
    for (node, name) in zip(graph.nodes, names) {
      var attributes = ["_output_shapes": TensorBoardAttrValue(shapeOfBatch: node.shape)]
      var operation = "Placeholder"
      if case .layer(let held) = node.operation {
        let layer = held.layer
        operation = Self.operationName(type(of: layer).kind)
        if !layer.settings.isEmpty { attributes["settings"] = TensorBoardAttrValue(text: layer.settings) }
      }
      self.node.append(
        TensorBoardNodeDef(name: name, op: operation, input: node.inputs.map { names[$0] }, attr: attributes))
    }
    var losses: [String] = []
    for head in graph.heads {
      let name = unique("\(head.name)/loss")
      losses.append(name)
      node.append(
        TensorBoardNodeDef(
          name: name, op: Self.operationName(head.loss.name), input: [names[head.logits]],
          attr: [
            "_output_shapes": TensorBoardAttrValue(shape: []), "weight": TensorBoardAttrValue(number: head.weight),
          ]
        ))
    }
    node.append(
      TensorBoardNodeDef(
        name: unique("loss/total"), op: "WeightedSum", input: losses,
        attr: ["_output_shapes": TensorBoardAttrValue(shape: [])]))
  }

  /// `max_pool2d` as TensorFlow spells such names: `MaxPool2D`.
  private static func operationName(_ kind: String) -> String {
    kind.split(separator: "_").map { word in
      let word = word.hasSuffix("2d") ? word.dropLast() + "D" : word
      return word.prefix(1).uppercased() + word.dropFirst()
    }.joined()
  }
}

extension TensorBoardNodeDef {
  fileprivate init(name: String, op: String, input: [String], attr: [String: TensorBoardAttrValue]) {
    self.name = name
    self.op = op
    self.input = input
    self.attr = attr
  }
}

extension TensorBoardAttrValue {
  fileprivate init(text: String) { s = Data(text.utf8) }
  fileprivate init(number: Float) { f = number }
  /// The batch's size is unknown.
  fileprivate init(shapeOfBatch shape: Shape) { self.init(shape: [-1] + shape.dimensions) }
  fileprivate init(shape: [Int]) {
    var tensor = TensorBoardTensorShapeProto()
    tensor.dim = shape.map { size in
      var dimension = TensorBoardTensorShapeProto.Dim()
      dimension.size = Int64(size)
      return dimension
    }
    list.shape = [tensor]
  }
}
