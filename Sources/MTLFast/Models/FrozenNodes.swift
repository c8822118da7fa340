// SPDX-License-Identifier: Apache-2.0
// The nodes that a list of names freezes.

import Files

extension ModelGraph {
  /// The nodes with weights that are named, each by its own name (`trunk.conv2d_1`) or by what stands before a dot of it
  /// (`trunk`).
  ///
  /// - Throws: `MTLFastError` of kind `usage` for a name that no node with weights has, or where nothing is left to
  ///   train.
  public func frozenNodes(named names: [String]) throws -> Set<Int> {
    let trained = Set(parameterSpecifications.filter(\.specification.role.isTrained).map(\.node))
    func isPart(_ node: Int, of name: String) -> Bool {
      nodes[node].name == name || nodes[node].name.hasPrefix("\(name).")
    }
    var frozen: Set<Int> = []
    for name in names {
      let found = trained.filter { isPart($0, of: name) }
      guard !found.isEmpty else {
        if nodes.indices.contains(where: { isPart($0, of: name) }) {
          throw MTLFastError(.usage, "'\(name)' in freeze has no weights. Leave it out.")
        }
        var known = trained.sorted().map { nodes[$0].name }
        for name in known {
          if let dot = name.firstIndex(of: "."), !known.contains(String(name[..<dot])) {
            known.append(String(name[..<dot]))
          }
        }
        throw MTLFastError(.usage, unknownName("node", name, in: "freeze", known: known))
      }
      frozen.formUnion(found)
    }
    guard frozen.isEmpty || frozen.count < trained.count else {
      throw MTLFastError(
        .usage, "freeze holds every layer that has weights, so nothing would be learnt. Leave one out.")
    }
    return frozen
  }
}
