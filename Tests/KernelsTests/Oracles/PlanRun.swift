// SPDX-License-Identifier: Apache-2.0
// One operation run as a plan, images inside halos, and parameters as plans hold them.

import CKernels
import CReference
import Testing

extension Configuration {
  /// Runs one operation as a plan, in shards of two samples.
  func run<Payload>(
    _ payload: Payload, shard: mtlf_shard_function? = nil, units: mtlf_units_function? = nil,
    block: mtlf_block_function? = nil, batch: Int32, _ settings: mtlf_step = mtlf_step()
  ) throws {
    var (step, context) = (settings, context)
    let rows = [Int32](0..<batch)
    let status = withUnsafePointer(to: payload) { payload in
      var op = mtlf_op(shard: shard, units: units, block: block, account: MTLF_ACCOUNT_OTHER, payload: payload)
      var job = mtlf_job(is_shards: shard == nil ? 0 : 1, first_op: 0, op_count: 1)
      var stage = mtlf_stage(first_job: 0, job_count: 1)
      return rows.withUnsafeBufferPointer { rows in
        withUnsafePointer(to: rows.baseAddress) { indices in
          step.indices = indices
          step.sample_count = batch
          return withUnsafePointer(to: &op) { op in
            withUnsafePointer(to: &job) { job in
              withUnsafePointer(to: &stage) { stage in
                var plan = mtlf_plan()
                plan.ops = op
                plan.jobs = job
                plan.stages = stage
                plan.stage_count = 1
                plan.batch_capacity = batch
                plan.shard_size = 2
                plan.thread_capacity = 3
                return mtlf_plan_run(&plan, 0, 1, &step, &context)
              }
            }
          }
        }
      }
    }
    try #require(status == MTLF_OK)
  }
}

/// Images [N, H, W, C] inside halos, whose elements lie between two pages that trap.
final class HaloImages {
  let buffer: GuardedBuffer<Float>
  let tensor: mtlf_tensor
  private let inside: [Int]

  /// - Parameter pads: pixels of the halo: top, bottom, left, right.
  /// - Parameter halo: what the halo is filled with; and the images, where there are no values.
  init(
    _ shape: [Int32], pads: [Int32] = [0, 0, 0, 0], halo: Float = .nan, _ values: [Float]? = nil,
    _ side: reference_side = REFERENCE_FLUSH_RIGHT
  ) throws {
    let (height, width, channels) = (Int(shape[1]), Int(shape[2]), Int(shape[3]))
    let row = (width + Int(pads[2] + pads[3])) * channels
    let sample = (height + Int(pads[0] + pads[1])) * row
    let first = Int(pads[0]) * row + Int(pads[2]) * channels
    buffer = try GuardedBuffer([Float](repeating: halo, count: Int(shape[0]) * sample), side)
    inside = (0..<Int(shape[0])).flatMap { n in
      (0..<height).flatMap { y in (0..<width * channels).map { n * sample + y * row + first + $0 } }
    }
    for (index, value) in zip(inside, values ?? []) { buffer[index] = value }
    let view = mtlf_view(
      data: buffer.pointer + first, element: MTLF_F32, height: shape[1], width: shape[2], channels: shape[3],
      sample_stride: sample, row_stride: row)
    tensor = mtlf_tensor(view: view, thread_stride: 0)
  }

  /// The images without their halos.
  var values: [Float] { inside.map { buffer[$0] } }
  var halo: [Float] {
    let images = Set(inside)
    return (0..<buffer.count).filter { !images.contains($0) }.map { buffer[$0] }
  }
}

/// A layer's weight with a gradient for each group, which no pass has written to.
final class PlanWeight {
  private(set) var value = mtlf_weight()
  let kernel, bias, gradient: GuardedBuffer<Float>
  private let isa: mtlf_context

  /// - Parameter kernel: [inputs, units]
  /// - Parameter bias: [units]
  init(inputs: Int32, units: Int32, kernel plain: [Float], bias plainBias: [Float], _ configuration: Configuration)
    throws
  {
    var context = configuration.context
    isa = context
    let panel = Int(mtlf_panel_columns(&context))
    let wide = (Int(units) + panel - 1) / panel * panel
    let floats = mtlf_packed_floats(Int64(inputs), Int64(units), &context)
    kernel = try GuardedBuffer(floats)
    bias = try GuardedBuffer(plainBias + [Float](repeating: 0, count: wide - Int(units)))
    gradient = try GuardedBuffer(MTLF_MAX_GROUPS * (floats + wide))
    try #require(mtlf_pack_f32(Int64(inputs), Int64(units), plain, kernel.pointer, &context) == MTLF_OK)
    value.inputs = inputs
    value.units = units
    value.window = inputs
    value.kernel = kernel.pointer
    value.bias = bias.pointer
    value.gradient = gradient.pointer
    value.gradient_copies = Int32(MTLF_MAX_GROUPS)
    value.gradient_stride = floats + wide
  }

  /// The sums of the gradients of the first groups, kernel and bias as the layer's user sees them.
  func summedGradient(groups: Int) throws -> (kernel: [Float], bias: [Float]) {
    var context = isa
    var sums = [Float](repeating: 0, count: value.gradient_stride)
    for group in 0..<groups {
      for i in sums.indices where i < kernel.count + Int(value.units) {
        sums[i] += gradient[group * value.gradient_stride + i]
      }
    }
    let (inputs, units) = (Int(value.inputs), Int(value.units))
    var plain = [Float](repeating: .nan, count: inputs * units)
    try #require(mtlf_unpack_f32(Int64(inputs), Int64(units), sums, &plain, &context) == MTLF_OK)
    return (plain, Array(sums[kernel.count..<kernel.count + units]))
  }
}
