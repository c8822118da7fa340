// SPDX-License-Identifier: Apache-2.0
// What a head of a recipe depends on: nodes, inputs, the stream of its rows.

import MTLFast

extension Recipe {
  /// The names of all inputs, nodes and other heads that a head reads, directly or through others.
  ///
  /// A name that nothing has is left out: the graph's builder names it.
  func dependencies(of head: Head) -> Set<String> {
    var found: Set<String> = []
    var waiting = head.from
    while let reference = waiting.popLast() {
      let unit = NodeReference(reference).unit
      guard found.insert(unit).inserted else { continue }
      waiting += nodes.first { $0.name == unit }?.from ?? heads.first { $0.name == unit }?.from ?? []
    }
    return found
  }

  /// The inputs that a head depends on, in the order of the recipe.
  func inputs(of head: Head) -> [Input] {
    let names = dependencies(of: head)
    return inputs.filter { names.contains($0.name) }
  }

  /// The stream whose rows hold a task's labels: that of the inputs of its head.
  func stream(ofTask task: String) -> Stream? {
    guard let head = heads.first(where: { $0.name == task }), let input = inputs(of: head).first else { return nil }
    return data.stream(named: input.stream)
  }

  /// The same recipe with one task alone: its head at weight 1, and the nodes, inputs and streams that this head needs.
  ///
  /// The head's loss, metrics and class weights stay; the parent of its classes goes with its task.
  ///
  /// - Throws: `MTLFastError` of kind `usage` for an unknown task, or a head that reads another head.
  public func singleTask(_ task: String) throws -> Recipe {
    guard let head = heads.first(where: { $0.name == task }) else {
      throw MTLFastError(.usage, unknownName("task", task, in: "recipe '\(name)'", known: heads.map(\.name)))
    }
    let kept = dependencies(of: head)
    if let other = heads.first(where: { kept.contains($0.name) }) {
      throw MTLFastError(
        .usage,
        "Recipe '\(name)': head '\(task)' reads head '\(other.name)', so it can't be trained without that head.")
    }
    var single = self
    single.name = "\(name)-\(task)"
    single.tasks = tasks.filter { $0.name == task }
    single.inputs = inputs.filter { kept.contains($0.name) }
    single.nodes = nodes.filter { kept.contains($0.name) }
    single.heads = [head]
    single.heads[0].weight = 1
    single.heads[0].metrics = head.metrics?.filter { $0 != .consistency }
    if single.heads[0].metrics?.isEmpty == true { single.heads[0].metrics = nil }
    for index in single.tasks.indices {
      guard case .labels(var labels) = single.tasks[index].target else { continue }
      labels.parent = nil
      single.tasks[index].target = .labels(labels)
    }
    single.data.streams = data.streams.filter { stream in single.inputs.contains { $0.stream == stream.name } }
    if !single.data.streams.contains(where: { $0.source.namesTest }) { single.training.report = .none }
    single.removeSelectionOfMissingParts()
    return single
  }
}
