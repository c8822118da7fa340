// SPDX-License-Identifier: Apache-2.0
// A model's parameters as steps keep them: packed, in all forms that are read, with optimizer slots and gradients.

import Kernels
import MTLFast

/// The weights of a model, which training and prediction steps share.
package final class Parameters {
  /// One layer's weight and where its tensors lie.
  package struct Entry {
    package let node: Int
    /// Index of the kernel (or gamma) in the model's parameters; the bias (or beta) follows it.
    let parameter: Int
    package let weight: KernelWeight
    /// Of a batch normalisation, whose running mean and variance follow beta.
    let statistics: BatchNormStatistics?
  }

  package let context: KernelContext
  package private(set) var entries: [Entry] = []
  package var arenaBytes: Int { arena.bytes }
  private let arena: AlignedBuffer
  package let slotNames: [String]
  private var entryOfNode: [Int: Int] = [:]

  /// What one weight needs, in floats.
  private struct Room {
    var kernel = 0, bias = 0
    var forms: [(form: WeightForm, floats: Int)] = []
    var copies = 0
    var gradientStride: Int { copies > 0 ? kernel + bias : 0 }
    func total(slots: Int) -> Int {
      (kernel + bias) * (1 + slots) + forms.reduce(0) { $0 + $1.floats } + gradientStride * copies
    }
  }

  /// - Parameters:
  ///   - optimizer: nil where nothing is trained.
  ///   - gradients: how the gradient of each trained node's weight is kept.
  ///   - forms: the forms of each node's weight that operations read.
  package init(
    model: MultiTaskModel, optimizer: Optimizer?, context: KernelContext, gradients: [Int: GradientKeeping] = [:],
    forms: [Int: Set<WeightForm>] = [:]
  ) throws {
    self.context = context
    switch optimizer {
    case .adam: slotNames = ["adam_m", "adam_v"]
    case .sgd: slotNames = ["momentum"]
    case nil: slotNames = []
    }
    let panel = context.panel
    func aligned(_ floats: Int) -> Int { (floats + 15) / 16 * 16 }
    var rooms: [Room] = []
    var found: [(node: Int, parameter: Int, inputs: Int, units: Int, window: Int)] = []
    var total = 0
    for (index, parameter) in model.parameters.enumerated()
    where parameter.specification.role == .kernel || parameter.specification.role == .gamma {
      // Gamma is a kernel of one row.
      let isGamma = parameter.specification.role == .gamma
      let dimensions = (isGamma ? [1] : []) + parameter.specification.dimensions
      let units = dimensions[dimensions.count - 1]
      let inputs = dimensions.dropLast().reduce(1, *)
      let window = dimensions.count == 4 ? dimensions[1] * dimensions[2] : inputs
      guard inputs <= Int32.max / 2, units <= Int32.max / 2 else {
        throw MTLFastError(.usage, "Parameter '\(parameter.name)' of shape \(dimensions) is too large.")
      }
      var room = Room()
      room.kernel = aligned(context.packedFloats(rows: inputs, columns: units))
      room.bias = aligned((units + panel - 1) / panel * panel)
      for form in (forms[parameter.node] ?? []).sorted(by: { "\($0)" < "\($1)" }) {
        let elements = context.elements(of: form, inputs: inputs, units: units, window: window)
        room.forms.append((form, aligned((elements * form.element.bytes + 3) / 4)))
      }
      switch gradients[parameter.node] {
      case .byGroup: room.copies = KernelPlan.maximumGroups
      case .whole: room.copies = 1
      case .fused, nil: room.copies = 0
      }
      rooms.append(room)
      found.append((parameter.node, index, inputs, units, window))
      total += room.total(slots: slotNames.count)
    }
    let (bytes, overflows) = total.multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
    arena = try AlignedBuffer(bytes: overflows ? -1 : bytes, for: "parameters")
    var next = arena.floats
    func take(_ floats: Int) -> UnsafeMutablePointer<Float> {
      defer { next += floats }
      return next
    }
    for (room, item) in zip(rooms, found) {
      let (kernel, bias) = (take(room.kernel), take(room.bias))
      var slots: [(kernel: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>)] = []
      for _ in slotNames { slots.append((take(room.kernel), take(room.bias))) }
      let stored = room.forms.map { ($0.form, UnsafeMutableRawPointer(take($0.floats))) }
      let gradient = take(room.gradientStride * room.copies)
      var statistics: BatchNormStatistics?
      if case .layer(.batchNorm(let layer)) = model.graph.nodes[item.node].operation {
        statistics = try BatchNormStatistics(channels: item.units, momentum: layer.momentum, epsilon: layer.epsilon)
      }
      let weight = KernelWeight(
        inputs: item.inputs, units: item.units,
        packedFloats: context.packedFloats(rows: item.inputs, columns: item.units), window: item.window,
        decays: model.parameters[item.parameter].specification.role == .kernel, kernel: kernel, bias: bias,
        forms: stored, gradient: room.copies > 0 ? (gradient, room.copies, room.gradientStride) : nil, slots: slots)
      entryOfNode[item.node] = entries.count
      entries.append(Entry(node: item.node, parameter: item.parameter, weight: weight, statistics: statistics))
    }
    try load(model.parameters.map(\.values))
  }

  package func entry(of node: Int) throws -> Entry {
    guard let place = entryOfNode[node] else {
      throw MTLFastError(.system, "Node \(node) has no weights. Its layer has none to train.")
    }
    return entries[place]
  }

  // MARK: What steps need

  /// - Throws: `MTLFastError` of kind `system` where a step reads a form of a weight that isn't kept.
  func require(_ forms: Set<WeightForm>, of node: Int) throws {
    let weight = try entry(of: node).weight
    if let missing = forms.first(where: { !weight.has($0) }) {
      throw MTLFastError(.system, "Node \(node) keeps no form \(missing) of its weight. Make parameters for the step.")
    }
  }

  /// - Throws: `MTLFastError` of kind `system` where a step keeps a gradient that has no room.
  func require(_ keeping: GradientKeeping, of node: Int) throws {
    guard try keeping == .fused || entry(of: node).weight.gradient != nil else {
      throw MTLFastError(.system, "Node \(node) has no room for its gradient. Make parameters for the step.")
    }
  }

  // MARK: Values in the model's order and plain layout

  /// Takes the values of all parameters.
  package func load(_ parameters: [[Float]]) throws {
    for entry in entries {
      let weight = entry.weight
      try context.pack(
        rows: weight.inputs, columns: weight.units, parameters[entry.parameter], into: weight.kernel)
      copy(parameters[entry.parameter + 1], to: weight.bias)
      entry.statistics?.load(mean: parameters[entry.parameter + 2], variance: parameters[entry.parameter + 3])
      try context.refresh(weight)
    }
  }

  /// The values of all parameters.
  package func values() throws -> [[Float]] {
    try entries.flatMap {
      [try unpack($0, $0.weight.kernel), values(of: $0, $0.weight.bias)] + ($0.statistics?.running ?? [])
    }
  }

  /// The optimizer's slots: for each parameter, for each slot, its name's ending and values; none for parameters that
  /// aren't trained.
  package func slots() throws -> [[(ending: String, values: [Float])]] {
    try entries.flatMap { entry in
      let slots = Array(zip(slotNames, entry.weight.slots))
      return [
        try slots.map { ($0, try unpack(entry, $1.kernel)) },
        slots.map { ($0, values(of: entry, $1.bias)) },
      ] + (entry.statistics == nil ? [] : [[], []])
    }
  }

  package func loadSlots(_ slots: [[[Float]]]) throws {
    for entry in entries {
      for (index, slot) in entry.weight.slots.enumerated() {
        try context.pack(
          rows: entry.weight.inputs, columns: entry.weight.units, slots[entry.parameter][index], into: slot.kernel)
        copy(slots[entry.parameter + 1][index], to: slot.bias)
      }
    }
  }

  private func copy(_ values: [Float], to target: UnsafeMutablePointer<Float>) {
    target.update(from: values, count: values.count)
  }

  private func unpack(_ entry: Entry, _ packed: UnsafeMutablePointer<Float>) throws -> [Float] {
    try context.unpack(rows: entry.weight.inputs, columns: entry.weight.units, packed)
  }

  private func values(of entry: Entry, _ bias: UnsafeMutablePointer<Float>) -> [Float] {
    Array(UnsafeBufferPointer(start: bias, count: entry.weight.units))
  }
}
