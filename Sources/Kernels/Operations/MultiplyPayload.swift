// SPDX-License-Identifier: Apache-2.0
// What a product works on.

internal import CKernels

/// to = a * b, element by element and whatever their halos: a product, or the gradient of one of its factors.
package struct MultiplyPayload: KernelPayload {
  let a: KernelTensor, b: KernelTensor, to: KernelTensor

  package init(_ a: KernelTensor, _ b: KernelTensor, to: KernelTensor) { (self.a, self.b, self.to) = (a, b, to) }

  package func encode() -> EncodedOperation {
    EncodedOperation(mtlf_multiply_op(a: a.kernel, b: b.kernel, to: to.kernel), shard: mtlf_multiply_shard)
  }
}
