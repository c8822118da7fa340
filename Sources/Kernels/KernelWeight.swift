// SPDX-License-Identifier: Apache-2.0
// A layer's weight as the kernels keep it.

internal import CKernels

/// How the values of a weight lie.
package enum WeightLayout: Hashable, Sendable {
  /// Panels of the `[K, N]` matrix.
  case packed
  /// `[K / window][ceil(window / panel)][N][panel]`, for d_input in shards.
  case transposed

  var kernel: mtlf_layout {
    switch self {
    case .packed: MTLF_LAYOUT_PACKED
    case .transposed: MTLF_LAYOUT_TRANSPOSED
    }
  }
}

/// A weight's values once more, in another layout or element type; every update writes them anew.
package struct WeightForm: Hashable, Sendable {
  package let layout: WeightLayout
  package let element: ElementType

  package init(_ layout: WeightLayout, _ element: ElementType) {
    self.layout = layout
    self.element = element
  }
}

/// One layer's weight: masters (fp32, packed), other forms, gradients and optimizer slots, in memory that its owner keeps.
package final class KernelWeight {
  /// K and N of the `[K, N]` matrix.
  package let inputs: Int, units: Int
  /// Floats of the packed kernel.
  package let packedFloats: Int
  /// Contiguous inputs of one filter row.
  package let window: Int
  let pointer: UnsafeMutablePointer<mtlf_weight>

  /// - Parameters:
  ///   - decays: whether the kernel has weight decay; the bias never has.
  ///   - gradient: room for `copies` gradients, `stride` floats apart, each of the packed kernel and then the bias.
  ///   - slots: the optimizer's, of kernel and bias.
  package init(
    inputs: Int, units: Int, packedFloats: Int, window: Int, decays: Bool, kernel: UnsafeMutablePointer<Float>,
    bias: UnsafeMutablePointer<Float>, forms: [(WeightForm, UnsafeMutableRawPointer)],
    gradient: (base: UnsafeMutablePointer<Float>, copies: Int, stride: Int)?,
    slots: [(kernel: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>)]
  ) {
    (self.inputs, self.units, self.packedFloats, self.window) = (inputs, units, packedFloats, window)
    var weight = mtlf_weight()
    weight.inputs = Int32(inputs)
    weight.units = Int32(units)
    weight.window = Int32(window)
    weight.no_decay = decays ? 0 : 1
    weight.kernel = kernel
    weight.bias = bias
    withUnsafeMutableBytes(of: &weight.forms) {
      let places = $0.bindMemory(to: mtlf_weight_form.self)
      for (place, (form, values)) in zip(places.indices, forms) {
        places[place] = mtlf_weight_form(layout: form.layout.kernel, element: form.element.kernel, values: values)
      }
    }
    weight.form_count = Int32(min(forms.count, Int(MTLF_MAX_FORMS)))
    if let gradient {
      weight.gradient = gradient.base
      weight.gradient_copies = Int32(gradient.copies)
      weight.gradient_stride = gradient.stride
    }
    if slots.count > 0 { (weight.kernel_slot.0, weight.bias_slot.0) = (slots[0].kernel, slots[0].bias) }
    if slots.count > 1 { (weight.kernel_slot.1, weight.bias_slot.1) = (slots[1].kernel, slots[1].bias) }
    pointer = .allocate(capacity: 1)
    pointer.initialize(to: weight)
  }

  deinit { pointer.deallocate() }

  package var kernel: UnsafeMutablePointer<Float> { pointer.pointee.kernel }
  package var bias: UnsafeMutablePointer<Float> { pointer.pointee.bias }
  package var slots: [(kernel: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>)] {
    let weight = pointer.pointee
    return [(weight.kernel_slot.0, weight.bias_slot.0), (weight.kernel_slot.1, weight.bias_slot.1)].compactMap {
      if let kernel = $0.0, let bias = $0.1 { (kernel, bias) } else { nil }
    }
  }
  /// The gradient, once its groups' copies are summed into the first: the packed kernel's, `[packedFloats]`, and the bias's,
  /// `[units]`; nil where none is kept.
  package var gradient: (kernel: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>)? {
    pointer.pointee.gradient.map { ($0, $0 + packedFloats) }
  }

  package func has(_ form: WeightForm) -> Bool { values(form) != nil }

  func values(_ form: WeightForm) -> UnsafeMutableRawPointer? {
    if form == WeightForm(.packed, .float32) { return UnsafeMutableRawPointer(kernel) }
    return withUnsafeBytes(of: &pointer.pointee.forms) { places in
      places.bindMemory(to: mtlf_weight_form.self).prefix(Int(pointer.pointee.form_count)).first {
        $0.layout == form.layout.kernel && $0.element == form.element.kernel
      }?.values
    }
  }
}

extension KernelContext {
  /// Floats of a `[rows, columns]` matrix in packed panels; 0 where the size overflows.
  package func packedFloats(rows: Int, columns: Int) -> Int {
    mtlf_packed_floats(Int64(rows), Int64(columns), pointer)
  }

  /// Elements of one more form of a weight.
  package func elements(of form: WeightForm, inputs: Int, units: Int, window: Int) -> Int {
    switch form.layout {
    case .packed: packedFloats(rows: inputs, columns: units)
    case .transposed: mtlf_plan_transposed_floats(Int64(inputs), Int64(units), Int64(window), pointer)
    }
  }

  /// The plain `[rows, columns]` values in packed panels.
  package func pack(rows: Int, columns: Int, _ plain: [Float], into packed: UnsafeMutablePointer<Float>) throws {
    try check(mtlf_pack_f32(Int64(rows), Int64(columns), plain, packed, pointer), in: "packing weights")
  }

  package func unpack(rows: Int, columns: Int, _ packed: UnsafeMutablePointer<Float>) throws -> [Float] {
    try [Float](unsafeUninitializedCapacity: rows * columns) { plain, filled in
      try check(
        mtlf_unpack_f32(Int64(rows), Int64(columns), packed, plain.baseAddress, pointer), in: "unpacking weights")
      filled = rows * columns
    }
  }

  /// Makes a weight's forms anew after its kernel was written.
  package func refresh(_ weight: KernelWeight) throws {
    try check(mtlf_plan_refresh(weight.pointer, pointer), in: "weights")
  }

  /// The units that a weight's update is made of.
  package func updateUnits(inputs: Int, units: Int) -> Int {
    Int(mtlf_plan_update_units(Int64(inputs), Int64(units), pointer))
  }

  /// Floats of workspace that each thread needs for a convolution of so many units over windows of so many floats.
  package func convolutionWorkspace(units: Int, windowFloats: Int) -> Int {
    let copied = pointer.pointee.conv_path == MTLF_CONV_IM2COL ? windowFloats : 0
    return mtlf_plan_workspace_floats(Int64(units + copied))
  }
}
