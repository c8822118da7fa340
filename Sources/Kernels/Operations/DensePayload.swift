// SPDX-License-Identifier: Apache-2.0
// What the passes of a dense layer work on, by block of the output over the whole minibatch.

internal import CKernels

/// The forward pass, with bias and perhaps ReLU.
package struct DensePayload: KernelPayload {
  let weight: KernelWeight
  let appliesReLU: Bool
  let input: KernelTensor, output: KernelTensor

  package init(weight: KernelWeight, appliesReLU: Bool, input: KernelTensor, output: KernelTensor) {
    (self.weight, self.appliesReLU, self.input, self.output) = (weight, appliesReLU, input, output)
  }

  package func encode() -> EncodedOperation {
    EncodedOperation(
      mtlf_dense_op(
        weight: UnsafePointer(weight.pointer),
        kernel: UnsafeRawPointer(weight.values(WeightForm(.packed, input.element))), relu: appliesReLU ? 1 : 0,
        input: input.kernel, output: output.kernel), block: mtlf_dense_block, units: mtlf_dense_units)
  }
}

/// The gradient of a vector: the sum over all layers that read it.
package struct DenseInputGradientPayload: KernelPayload {
  /// A reader's weight and the gradient of its output: as packed samples of fp32, or as rows of bf16.
  package struct Term {
    let weight: KernelWeight
    let dOutput: KernelTensor

    package init(weight: KernelWeight, dOutput: KernelTensor) { (self.weight, self.dOutput) = (weight, dOutput) }
  }
  let terms: [Term]
  let dInput: KernelTensor
  /// The forward value whose ReLU the gradient passes.
  let mask: KernelTensor?
  /// Packed samples of the result.
  let packed: KernelTensor?

  package init(terms: [Term], dInput: KernelTensor, mask: KernelTensor?, packed: KernelTensor?) {
    (self.terms, self.dInput, self.mask, self.packed) = (terms, dInput, mask, packed)
  }

  package func encode() -> EncodedOperation {
    let list = EncodedOperation.Values(terms.map { $0.kernel })
    return EncodedOperation(
      mtlf_dense_d_input_op(
        terms: UnsafePointer(list.base), term_count: Int32(terms.count), d_input: dInput.kernel, mask: mask.kernel,
        packed: packed?.floats), block: mtlf_dense_d_input_block, units: mtlf_dense_d_input_units
    ).owning(list)
  }
}

extension DenseInputGradientPayload.Term {
  fileprivate var kernel: mtlf_dense_term {
    var term = mtlf_dense_term()
    term.kernel = UnsafeRawPointer(weight.values(WeightForm(.packed, dOutput.element)))
    term.inputs = Int32(weight.inputs)
    term.units = Int32(weight.units)
    switch dOutput.element {
    case .float32: term.d_output_packed = UnsafePointer(dOutput.floats)
    case .bfloat16: term.d_output = dOutput.kernel.view
    }
    return term
  }
}

/// The gradient of kernel and bias, or their update in the same pass where the weight keeps no gradient.
package struct DenseKernelGradientPayload: KernelPayload {
  let weight: KernelWeight
  let input: KernelTensor, dOutput: KernelTensor

  package init(weight: KernelWeight, input: KernelTensor, dOutput: KernelTensor) {
    (self.weight, self.input, self.dOutput) = (weight, input, dOutput)
  }

  package func encode() -> EncodedOperation {
    EncodedOperation(
      mtlf_dense_d_kernel_op(
        weight: UnsafePointer(weight.pointer), input: input.kernel, d_output: dOutput.kernel),
      block: mtlf_dense_d_kernel_block, units: mtlf_dense_d_kernel_units)
  }
}

/// Gradients of a minibatch as packed samples, which the gradient of the input reads.
package struct PackSamplesPayload: KernelPayload {
  let rows: KernelTensor
  let packed: KernelTensor

  package init(rows: KernelTensor, packed: KernelTensor) { (self.rows, self.packed) = (rows, packed) }

  package func encode() -> EncodedOperation {
    EncodedOperation(
      mtlf_pack_samples_op(rows: rows.kernel, packed: packed.floats), shard: mtlf_pack_samples_shard)
  }
}
