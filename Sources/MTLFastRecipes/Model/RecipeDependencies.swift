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
  /// A head that it reads stays with weight 0: its layers are trained by the kept head alone. Node names stay, so initial
  /// weights do too. The head's loss, metrics and class weights stay; the parent of its classes goes with its task.
  /// Where `best` or `early_stopping` reads other tasks' scores, the first metric of this one takes their place.
  ///
  /// - Parameter keepingStreams: whether streams that the head doesn't need stay, with their inputs. An epoch then has as
  ///   many steps, and each step the same rows, as with all tasks.
  /// - Throws: `MTLFastError` of kind `usage` for an unknown task.
  public func singleTask(_ task: String, keepingStreams: Bool = false) throws -> Recipe {
    guard let head = heads.first(where: { $0.name == task }) else {
      throw MTLFastError(.usage, unknownName("task", task, in: "recipe '\(name)'", known: heads.map(\.name)))
    }
    let needed = dependencies(of: head)
    var single = self
    single.name = "\(name)-\(task)"
    single.heads = heads.filter { $0.name == task || needed.contains($0.name) }
    let kept = Set(single.heads.map(\.name))
    single.tasks = tasks.filter { kept.contains($0.name) }
    single.nodes = nodes.filter { needed.contains($0.name) }
    let neededInputs = inputs.filter { needed.contains($0.name) }
    single.inputs = inputs.filter { input in
      // A stream whose rows are counted must have a column.
      needed.contains(input.name) || keepingStreams && !neededInputs.contains { $0.stream == input.stream }
    }
    for index in single.tasks.indices {
      guard case .labels(var labels) = single.tasks[index].target, let parent = labels.parent,
        !kept.contains(parent.task)
      else { continue }
      labels.parent = nil
      single.tasks[index].target = .labels(labels)
      let name = single.tasks[index].name
      for index in single.heads.indices where single.heads[index].name == name {
        let metrics = single.heads[index].metrics?.filter { $0 != .consistency } ?? []
        single.heads[index].metrics = metrics.isEmpty ? nil : metrics
      }
    }
    for index in single.heads.indices { single.heads[index].weight = single.heads[index].name == task ? 1 : 0 }
    single.data.streams = data.streams.filter { stream in single.inputs.contains { $0.stream == stream.name } }
    if !single.data.streams.contains(where: { $0.source.namesTest }) { single.training.report = .none }
    single.select(byTask: task)
    return single
  }
}
