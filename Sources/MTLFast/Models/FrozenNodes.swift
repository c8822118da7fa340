// SPDX-License-Identifier: Apache-2.0
// The nodes that a list of names freezes.

extension ModelGraph {
  /// The nodes with parameters that are named, each by its own name (`trunk.conv2d_1`) or by what stands before a dot of
  /// it (`trunk`).
  ///
  /// - Throws: `MTLFastError` of kind `usage` for a name that no node with parameters has, or where nothing is left to
  ///   train.
  public func frozenNodes(named names: [String]) throws -> Set<Int> {
    let trained = Set(parameterSpecifications.map(\.node))
    var frozen: Set<Int> = []
    for name in names {
      let found = trained.filter { nodes[$0].name == name || nodes[$0].name.hasPrefix("\(name).") }
      guard !found.isEmpty else {
        let known = trained.sorted().map { nodes[$0].name }
        let units = known.compactMap { $0.split(separator: ".").first.map(String.init) }
        throw MTLFastError(
          .usage, unknownName("node with weights", name, in: "freeze", known: Array(Set(known + units)).sorted()))
      }
      frozen.formUnion(found)
    }
    guard frozen.isEmpty || frozen.count < trained.count else {
      throw MTLFastError(.usage, "freeze names every node with weights, so nothing would be learnt. Leave one out.")
    }
    return frozen
  }
}
