// SPDX-License-Identifier: Apache-2.0
// A model's parameters as the kernels keep them: packed, with optimizer slots and gradients beside them.

import Kernels
import MTLFast

/// The packed weights of a model, which training and prediction plans share.
final class ParameterStore {
  /// One layer's weight and where its tensors lie.
  struct Entry {
    let node: Int
    let inputs: Int
    let units: Int
    /// Index of the kernel (or gamma) in the model's parameters; the bias (or beta) follows it.
    let parameter: Int
    let pointer: UnsafeMutablePointer<mtlf_weight>
    /// Of a batch normalisation, whose running mean and variance follow beta.
    let norm: BatchNormStore?
  }

  let context: KernelContext
  private(set) var entries: [Entry] = []
  var arenaBytes: Int { arena.count * MemoryLayout<Float>.stride }
  private let arena: AlignedBuffer
  private let weights: UnsafeMutablePointer<mtlf_weight>
  let slotNames: [String]

  /// How a layer's weight is trained.
  enum Gradient {
    /// Per group of shards, summed by the update.
    case perGroup
    /// One, made by the pass over the whole minibatch and kept for the update.
    case single
    /// In the registers of the pass that makes it.
    case fused
  }

  /// - Parameters:
  ///   - gradient: nil for a node that isn't trained here.
  ///   - needsTransposed: whether d_input runs in shards and reads the transposed form.
  init(
    model: MultiTaskModel, optimizer: Optimizer?, context: KernelContext, gradient: (Int) -> Gradient,
    needsTransposed: (Int) -> Bool
  ) throws {
    self.context = context
    switch optimizer {
    case .adam: slotNames = ["adam_m", "adam_v"]
    case .sgd: slotNames = ["momentum"]
    case nil: slotNames = []
    }
    let panel = context.panel
    func aligned(_ floats: Int) -> Int { (floats + 15) / 16 * 16 }
    struct Layout {
      var kernel = 0, bias = 0, transposed = 0, stride = 0, copies = 0
    }
    var layouts: [Layout] = []
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
      var layout = Layout()
      layout.kernel = aligned(mtlf_packed_floats(Int64(inputs), Int64(units), context.pointer))
      layout.bias = aligned((units + panel - 1) / panel * panel)
      if optimizer != nil {
        if needsTransposed(parameter.node) {
          layout.transposed = aligned(
            mtlf_plan_transposed_floats(Int64(inputs), Int64(units), Int64(window), context.pointer))
        }
        let copies = [.perGroup: Int(MTLF_MAX_GROUPS), .single: 1, .fused: 0][gradient(parameter.node)] ?? 0
        if copies > 0 {
          layout.stride = layout.kernel + layout.bias
          layout.copies = copies
        }
      }
      layouts.append(layout)
      found.append((parameter.node, index, inputs, units, window))
      total += (layout.kernel + layout.bias) * (1 + slotNames.count) + layout.transposed + layout.stride * layout.copies
    }
    arena = try AlignedBuffer(count: total, for: "parameters")
    weights = .allocate(capacity: max(1, found.count))
    var next = arena.base
    func take(_ floats: Int) -> UnsafeMutablePointer<Float>? {
      guard floats > 0 else { return nil }
      defer { next += floats }
      return next
    }
    for (position, (layout, item)) in zip(layouts, found).enumerated() {
      var weight = mtlf_weight()
      weight.inputs = Int32(item.inputs)
      weight.units = Int32(item.units)
      weight.window = Int32(item.window)
      weight.kernel = take(layout.kernel)
      weight.bias = take(layout.bias)
      if slotNames.count > 0 {
        weight.kernel_slot.0 = take(layout.kernel)
        weight.bias_slot.0 = take(layout.bias)
      }
      if slotNames.count > 1 {
        weight.kernel_slot.1 = take(layout.kernel)
        weight.bias_slot.1 = take(layout.bias)
      }
      weight.transposed = take(layout.transposed)
      weight.gradient = take(layout.stride * layout.copies)
      weight.gradient_stride = layout.copies > 1 ? layout.stride : 0
      var norm: BatchNormStore?
      if case .layer(let layer as BatchNorm) = model.graph.nodes[item.node].operation {
        norm = try BatchNormStore(node: item.node, layer: layer, channels: item.units)
        weight.no_decay = 1
      }
      (weights + position).initialize(to: weight)
      entries.append(
        Entry(
          node: item.node, inputs: item.inputs, units: item.units, parameter: item.parameter,
          pointer: weights + position, norm: norm))
    }
    try load(model.parameters.map(\.values))
  }

  deinit { weights.deallocate() }

  func weight(of node: Int) -> UnsafeMutablePointer<mtlf_weight>? { entries.first { $0.node == node }?.pointer }
  func norm(of node: Int) -> UnsafeMutablePointer<mtlf_batch_norm>? { entries.first { $0.node == node }?.norm?.pointer }

  /// Takes the values of all parameters, in the model's order and plain layout.
  func load(_ parameters: [[Float]]) throws {
    for entry in entries {
      try pack(parameters[entry.parameter], entry, entry.pointer.pointee.kernel)
      copy(parameters[entry.parameter + 1], to: entry.pointer.pointee.bias)
      entry.norm?.load(mean: parameters[entry.parameter + 2], variance: parameters[entry.parameter + 3])
      try check(mtlf_plan_refresh(entry.pointer, context.pointer), in: "weights")
    }
  }

  /// The values of all parameters, in the model's order and plain layout.
  func parameters() throws -> [[Float]] {
    try entries.flatMap {
      [try unpack($0, $0.pointer.pointee.kernel), values(of: $0, $0.pointer.pointee.bias)] + ($0.norm?.running ?? [])
    }
  }

  /// The optimizer's slots: for each parameter, for each slot, its name's ending and values in plain layout; none for
  /// parameters that aren't trained.
  func slots() throws -> [[(ending: String, values: [Float])]] {
    try entries.flatMap { entry in
      let weight = entry.pointer.pointee
      let kernels = [weight.kernel_slot.0, weight.kernel_slot.1].prefix(slotNames.count)
      let biases = [weight.bias_slot.0, weight.bias_slot.1].prefix(slotNames.count)
      return [
        try zip(slotNames, kernels).map { ($0, try unpack(entry, $1)) },
        zip(slotNames, biases).map { ($0, values(of: entry, $1)) },
      ] + (entry.norm == nil ? [] : [[], []])
    }
  }

  func loadSlots(_ slots: [[[Float]]]) throws {
    for entry in entries {
      let weight = entry.pointer.pointee
      let kernels = [weight.kernel_slot.0, weight.kernel_slot.1]
      let biases = [weight.bias_slot.0, weight.bias_slot.1]
      for index in slotNames.indices {
        try pack(slots[entry.parameter][index], entry, kernels[index])
        copy(slots[entry.parameter + 1][index], to: biases[index])
      }
    }
  }

  private func pack(_ values: [Float], _ entry: Entry, _ target: UnsafeMutablePointer<Float>?) throws {
    try check(
      mtlf_pack_f32(Int64(entry.inputs), Int64(entry.units), values, target, context.pointer), in: "packing weights")
  }

  private func copy(_ values: [Float], to target: UnsafeMutablePointer<Float>?) {
    target?.update(from: values, count: values.count)
  }

  private func unpack(_ entry: Entry, _ packed: UnsafeMutablePointer<Float>?) throws -> [Float] {
    let count = entry.inputs * entry.units
    return try [Float](unsafeUninitializedCapacity: count) { plain, filled in
      try check(
        mtlf_unpack_f32(Int64(entry.inputs), Int64(entry.units), packed, plain.baseAddress, context.pointer),
        in: "unpacking weights")
      filled = count
    }
  }

  private func values(of entry: Entry, _ bias: UnsafeMutablePointer<Float>?) -> [Float] {
    Array(UnsafeBufferPointer(start: bias, count: entry.units))
  }
}
