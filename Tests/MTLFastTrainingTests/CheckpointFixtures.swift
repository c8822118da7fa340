// SPDX-License-Identifier: Apache-2.0
// A small training state, files made byte by byte, and a look at what is on the disk.

import Files
import Foundation
import MTLFast
import MTLFastTraining
import TestSupport

/// Values whose bits tell every way of storing them apart: signed zeros, NaN with a payload, infinities, a subnormal.
let awkwardValues: [Float] = [
  0, -0.0, 1, -2.5, .pi, .infinity, -.infinity, Float(bitPattern: 0x7fc0_1234), .leastNonzeroMagnitude,
  .greatestFiniteMagnitude, Float(bitPattern: 0xffa0_0001), 1e-30,
]

/// Two parameters with Adam's slots, stopped in the fourth epoch.
func smallState(step: Int = 905, seed: UInt64 = .max) -> TrainingState {
  let shapes: [(String, [Int])] = [("trunk.conv2d_1.kernel", [2, 2, 1, 3]), ("trunk.conv2d_1.bias", [3])]
  func tensor(_ name: String, _ dimensions: [Int]) -> TrainingState.Tensor {
    .init(name: name, dimensions: dimensions, values: Array(awkwardValues[..<dimensions.reduce(1, *)]))
  }
  return TrainingState(
    parameters: shapes.map { tensor($0, $1) },
    slots: shapes.flatMap { name, dimensions in ["adam_m", "adam_v"].map { tensor("\(name).\($0)", dimensions) } },
    step: step, epoch: 3, stepInEpoch: 5,
    sums: [
      TaskSum(loss: 0.1 + 0.2, weight: 999.5, present: 1000, counts: [731, 0, 269]),
      TaskSum(loss: -.nan, present: 0, sums: [0.25, -1]),
    ],
    seed: seed)
}

let smallRecipe = "recipe: 1\nname: \"klein\" # \t\\ \u{1} \u{2028} é ü 漢字 😀\n"

func smallCheckpoint(step: Int = 905) -> Checkpoint {
  Checkpoint(state: smallState(step: step), recipe: smallRecipe, tasks: ["item", "uni sex \"group\" 2"])
}

/// Everything of a checkpoint, with floating-point numbers as bits.
func bits(_ checkpoint: Checkpoint) -> String {
  let state = checkpoint.state
  let tensors = [state.parameters, state.slots].map { tensors in
    tensors.map { "\($0.name) \($0.dimensions) \($0.values.map(\.bitPattern))" }
  }
  let sums = state.sums.map {
    "\($0.loss.bitPattern),\($0.weight.bitPattern),\($0.present),\($0.counts),\($0.sums.map(\.bitPattern))"
  }
  return "\(tensors) \(state.step) \(state.epoch) \(state.stepInEpoch) \(sums) \(state.seed) \(checkpoint.tasks) "
    + "\(Array(checkpoint.recipe.utf8))"
}

extension TemporaryFolder {
  /// A safetensors file with any header and data.
  func writeSafetensors(_ header: String, data: [UInt8] = [], to name: String) throws {
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init)
    try write(length + Array(header.utf8) + data, to: name)
  }
}
