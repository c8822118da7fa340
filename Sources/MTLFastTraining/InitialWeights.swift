// SPDX-License-Identifier: Apache-2.0
// Weights of another training as the first ones of a model.

import MTLFast

extension MultiTaskModel {
  /// Takes the weights of one node (`trunk`, a head's `artist`, a layer's `trunk.conv2d_1`) from a checkpoint, or of every
  /// node that belongs to no head and that both have. Returns the names of the parameters that were taken.
  ///
  /// - Parameter source: what the checkpoint is called in messages.
  /// - Throws: `MTLFastError` of kind `usage` where the node is missing on a side, a shape differs, or nothing is common;
  ///   the model is then as it was.
  public func start(from state: TrainingState, node: String?, source: String) throws -> [String] {
    let heads = graph.heads.map(\.name)
    func belongs(_ parameter: String, to node: String) -> Bool { parameter.hasPrefix("\(node).") }
    let wanted = parameters.filter { parameter in
      guard let node else { return !heads.contains { belongs(parameter.name, to: $0) } }
      return belongs(parameter.name, to: node)
    }
    if let node, wanted.isEmpty {
      throw MTLFastError(
        .usage,
        "\(source): the model has no weights in '\(node)'. It has \(parameters.map(\.name).joined(separator: ", ")).",
        remedy: .changingInitialWeights)
    }
    let given = Dictionary(state.parameters.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    if let node, let missing = wanted.first(where: { given[$0.name] == nil }) {
      let known = state.parameters.map(\.name).joined(separator: ", ")
      throw MTLFastError(
        .usage, "\(source): the checkpoint has no '\(missing.name)' for '\(node)'. It has \(known).",
        remedy: .changingInitialWeights)
    }
    let common = wanted.filter { given[$0.name] != nil }
    guard !common.isEmpty else {
      throw MTLFastError(
        .usage,
        "\(source): model and checkpoint have no weights of the same name outside heads. Name a node: RUN:NODE.",
        remedy: .changingInitialWeights)
    }
    let misfits = common.compactMap { parameter -> String? in
      guard let tensor = given[parameter.name], tensor.dimensions != parameter.specification.dimensions else {
        return nil
      }
      return "'\(parameter.name)' is \(tensor.dimensions) there but \(parameter.specification.dimensions) in the model"
    }
    guard misfits.isEmpty else {
      throw MTLFastError(
        .usage,
        "\(source): shapes don't fit: \(misfits.joined(separator: "; ")). Use the same layers, or name a node that fits.",
        remedy: .changingInitialWeights)
    }
    for parameter in common {
      if let tensor = given[parameter.name] { try setParameter(parameter.name, to: tensor.values) }
    }
    return common.map(\.name)
  }
}
