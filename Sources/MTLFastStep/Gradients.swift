// SPDX-License-Identifier: Apache-2.0
// How gradients come together: what readers send to a node, and their sum.

import Kernels
import MTLFast

/// Who sends a gradient to a node.
enum GradientSender: Hashable {
  /// A node that reads it.
  case node(Int)
  /// A head whose logits it is.
  case head(Int)
}

/// Gradients of a node's output from its readers.
struct IncomingGradients {
  var values: [(value: Int, sender: GradientSender)] = []
  /// Dense layers that read the node: the gradients of their outputs, packed samples or bf16 rows.
  var terms: [DenseOperation.Term] = []

  var isEmpty: Bool { values.isEmpty && terms.isEmpty }
}

/// The sum of all gradients of a node's output.
struct GatheredGradient {
  let value: Int
  /// The same as packed samples.
  var packed: Int?
  /// Whether it has already passed the node's ReLU.
  var isMasked = false
}

/// What some tasks send to a node at which a step can be left: the gradient of the node's output, of the whole minibatch.
package struct TaskGradient {
  /// The heads that it comes from; more than one where a node that reads this one is shared as well.
  package let heads: [Int]
  package let value: Int
}

extension Lowering {
  /// Sends a gradient to an input of a node.
  mutating func send(_ gradient: Int, to input: Int, from node: Int) {
    incoming[input].values.append((gradient, .node(node)))
  }

  /// A cleared value that gradients of `input` by `node` are added to, in the halo of the input's own value.
  mutating func addZeroedGradient(of input: Int, by node: Int, halo: Halo = .none) -> Int {
    addZeroed(gradientName(of: input, by: node), shape(input), halo: halo, node: node, account: account(node))
  }

  /// A value for the gradient of `input` that `node` writes.
  mutating func addGradientValue(of input: Int, by node: Int, alias: Int? = nil) -> Int {
    program.addValue(gradientName(of: input, by: node), shape(input), alias: alias)
  }

  private func gradientName(of input: Int, by node: Int) -> String { "d_\(name(input)).by_\(name(node))" }

  mutating func addZeroed(
    _ name: String, _ shape: Shape, halo: Halo = .none, node: Int, account: StepAccount
  ) -> Int {
    let gradient = program.addValue(name, shape, halo: halo)
    add(.zero(ZeroOperation(value: gradient)), node, account: account)
    return gradient
  }

  mutating func addGradient(_ gradient: Int, to sum: Int, node: Int) {
    add(.copy(CopyOperation(from: gradient, to: sum, adds: true)), node)
  }

  /// The sum of all gradients of a node's output; nil where there are none.
  mutating func gatherGradient(of index: Int, mayMask: Bool) throws -> GatheredGradient? {
    let found = incoming[index]
    guard !found.isEmpty else { return nil }
    if settings.boundaries.contains(.taskGradientsReady(node: index)) {
      return try gatherTaskGradients(of: index, found)
    }
    return gather(found, of: index, named: "d_\(name(index))", mayMask: mayMask)
  }

  private mutating func gather(
    _ found: IncomingGradients, of index: Int, named name: String, mayMask: Bool
  ) -> GatheredGradient {
    guard !found.terms.isEmpty else {
      let first = found.values[0].value
      for other in found.values.dropFirst() { addGradient(other.value, to: first, node: index) }
      return GatheredGradient(value: first)
    }
    let element = value[index].map { program.values[$0].element } ?? .float32
    let gradient = program.addValue(name, shape(index), element: element)
    var sum = GatheredGradient(value: gradient, isMasked: mayMask && found.values.isEmpty)
    if sum.isMasked, case .layer(let layer) = graph.nodes[index].operation,
      layer.lowered.readsPackedGradient(index, in: self)
    {
      sum.packed = program.addValue("\(name).packed", shape(index), storage: .packedSamples)
    }
    let flops = found.terms.reduce(0) { $0 + shape($1.node).elementCount * shape(index).elementCount * 2 }
    let terms = DenseOperation.Pass.inputGradient(
      found.terms, dInput: gradient, mask: sum.isMasked ? value[index] : nil, packed: sum.packed)
    add(.dense(DenseOperation(pass: terms)), index, account: .dense, flops: flops)
    for other in found.values.map(\.value).sorted() { addGradient(other, to: gradient, node: index) }
    return sum
  }

  // MARK: Tasks apart

  /// Each task's gradient by itself, the boundary, and then their sum.
  private mutating func gatherTaskGradients(of index: Int, _ found: IncomingGradients) throws -> GatheredGradient {
    var groups: [(heads: [Int], incoming: IncomingGradients)] = []
    func place(_ sender: GradientSender) -> Int {
      let heads = heads(behind: sender)
      if let place = groups.firstIndex(where: { $0.heads == heads }) { return place }
      groups.append((heads, IncomingGradients()))
      return groups.count - 1
    }
    for value in found.values { groups[place(value.sender)].incoming.values.append(value) }
    for term in found.terms { groups[place(.node(term.node))].incoming.terms.append(term) }
    groups.sort { $0.heads.lexicographicallyPrecedes($1.heads) }
    var apart: [TaskGradient] = []
    for group in groups {
      let names = group.heads.map { graph.heads[$0].name }.joined(separator: "+")
      let gathered = gather(group.incoming, of: index, named: "d_\(name(index)).of_\(names)", mayMask: false)
      program.kept.insert(program.storage(of: gathered.value))
      apart.append(TaskGradient(heads: group.heads, value: gathered.value))
    }
    program.taskGradients[index] = apart
    program.addBoundary(.taskGradientsReady(node: index))
    // What the host leaves of them is summed up in a value of its own, so that it may be read after the step.
    let sum = program.addValue("d_\(name(index))", shape(index), isInWorkingSet: false)
    for (place, task) in apart.enumerated() {
      add(.copy(CopyOperation(from: task.value, to: sum, adds: place > 0)), index)
    }
    return GatheredGradient(value: sum)
  }

  /// The heads whose losses depend on what a sender stands for.
  private func heads(behind sender: GradientSender) -> [Int] {
    switch sender {
    case .head(let head): [head]
    case .node(let node): graph.heads(behind: node)
    }
  }
}
