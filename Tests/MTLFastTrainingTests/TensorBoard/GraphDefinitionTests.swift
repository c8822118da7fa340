// SPDX-License-Identifier: Apache-2.0
// The model graph as TensorBoard gets it.

import MTLFast
import Testing

@testable import MTLFastTraining

@Suite struct GraphDefinitionTests {
  private func lines(_ graph: ModelGraph) -> [String] {
    TensorBoardGraphDef(graph).node.map { node in
      let shape = node.attr["_output_shapes"]?.list.shape.first?.dim.map(\.size) ?? []
      return "\(node.name) \(node.op) \(shape) \(node.input)"
    }
  }

  @Test func scopesOperationsShapesAndLosses() throws {
    let model = try MultiTaskModel(
      input: .image(height: 8, width: 8, channels: 1),
      trunk: [
        Conv2D(filters: 4, kernelSize: 3, activation: .relu), MaxPool2D(poolSize: 2), GlobalAveragePool2D(),
      ],
      heads: [.classification("item", classes: 3, weight: 0.5), .classification("group", classes: 2)], seed: 1)
    #expect(
      lines(model.graph) == [
        #"input Placeholder [-1, 8, 8, 1] []"#,
        #"trunk/conv2d_1 Conv2D [-1, 6, 6, 4] ["input"]"#,
        #"trunk/max_pool2d_1 MaxPool2D [-1, 3, 3, 4] ["trunk/conv2d_1"]"#,
        #"trunk/global_average_pool2d_1 GlobalAveragePool2D [-1, 4] ["trunk/max_pool2d_1"]"#,
        #"item/logits Dense [-1, 3] ["trunk/global_average_pool2d_1"]"#,
        #"group/logits Dense [-1, 2] ["trunk/global_average_pool2d_1"]"#,
        #"item/loss SoftmaxCrossEntropy [] ["item/logits"]"#,
        #"group/loss SoftmaxCrossEntropy [] ["group/logits"]"#,
        #"loss/total WeightedSum [] ["item/loss", "group/loss"]"#,
      ])
    let nodes = TensorBoardGraphDef(model.graph).node
    #expect(nodes.first { $0.name == "item/loss" }?.attr["weight"]?.f == 0.5)
    #expect(nodes[1].attr["settings"]?.s.isEmpty == false)
  }

  @Test func namesStayUnique() throws {
    var graph = ModelGraph()
    let input = try graph.addInput("loss", shape: .vector(4))
    let hidden = try graph.add(Dense(units: 4), named: "total.loss", reading: input)
    let sum = try graph.add(Add(), named: "loss.total", reading: [input, hidden])
    let output = try graph.add(Dense(units: 2), named: "total.logits", reading: sum)
    try graph.addHead(Head(name: "total", logits: output, task: .classification(classNames: ["a", "b"])))
    let names = TensorBoardGraphDef(graph).node.map(\.name)
    #expect(names == ["loss", "total/loss", "loss/total", "total/logits", "total/loss_2", "loss/total_2"])
  }
}
