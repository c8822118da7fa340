// SPDX-License-Identifier: Apache-2.0
// Copies, sums and zeros, which lowering puts between the passes of layers.

import Kernels
import MTLFast

/// Copies a value, or adds it to another, whatever their halos and element types.
package struct CopyOperation: OperationKind {
  let from: Int, to: Int
  var adds = false

  package var operands: [Operand] { [.reads(from), adds ? .adds(to) : .writes(to)] }
  package var parameters: [ParameterUse] { [] }
  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork { .shard }
  package var verb: String { adds ? "add" : "copy" }
  package func payload(in memory: StepMemory) -> any KernelPayload {
    CopyPayload(from: memory.tensor(from), to: memory.tensor(to), adds: adds)
  }
}

/// Clears a value, halo included.
package struct ZeroOperation: OperationKind {
  let value: Int

  package var operands: [Operand] { [.clears(value)] }
  package var parameters: [ParameterUse] { [] }
  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork { .shard }
  package var verb: String { "clear" }
  package func payload(in memory: StepMemory) -> any KernelPayload { ZeroPayload(memory.tensor(value)) }
}
