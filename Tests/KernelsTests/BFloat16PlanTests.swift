// SPDX-License-Identifier: Apache-2.0
// Operations of plans on views of bfloat16: sums of whole numbers are exact, so that only the one rounding shows.

import CKernels
import CReference
import Testing

extension KernelTests {
  struct BFloat16PlanTests {
    private static func rounded(_ values: GuardedBuffer<Double>) -> [UInt16] {
      values.array.map { internal_bf16_of_f32(Float($0)) }
    }

    private static func rounded(_ values: GuardedBuffer<Float>) -> [UInt16] { values.array.map(internal_bf16_of_f32) }

    private static func vectors<T>(_ buffer: GuardedBuffer<T>, _ channels: Int32) -> mtlf_tensor {
      image(buffer, 1, 1, channels)
    }

    private static func image<T>(_ buffer: GuardedBuffer<T>, _ height: Int32, _ width: Int32, _ channels: Int32)
      -> mtlf_tensor
    {
      let row = Int(width * channels)
      let view = mtlf_view(
        data: buffer.pointer, element: T.self == Float.self ? MTLF_F32 : MTLF_BF16, height: height, width: width,
        channels: channels, sample_stride: row * Int(height), row_stride: row)
      return mtlf_tensor(view: view, thread_stride: 0)
    }

    /// A layer's weight with the bfloat16 form of its kernel.
    private struct Weight {
      var value = mtlf_weight()
      let kernel, bias, gradient: GuardedBuffer<Float>
      let slots: [GuardedBuffer<Float>]
      let form: GuardedBuffer<UInt16>

      init(_ oracle: DenseOracle, _ dense: mtlf_dense, copies: Int32, _ configuration: Configuration) throws {
        var context = configuration.context
        let panel = Int(mtlf_panel_columns(&context))
        let wide = (Int(dense.units) + panel - 1) / panel * panel
        let floats = mtlf_packed_floats(Int64(dense.inputs), Int64(dense.units), &context)
        kernel = try GuardedBuffer(floats)
        bias = try GuardedBuffer(oracle.bias.right.array + [Float](repeating: 0, count: wide - Int(dense.units)))
        gradient = try GuardedBuffer([Float](repeating: 0, count: floats + wide))
        slots = try [floats, wide].map { try GuardedBuffer([Float](repeating: 0, count: $0)) }
        form = try GuardedBuffer(floats)
        try #require(
          mtlf_pack_f32(Int64(dense.inputs), Int64(dense.units), oracle.kernel.right.pointer, kernel.pointer, &context)
            == MTLF_OK)
        value.inputs = dense.inputs
        value.units = dense.units
        value.window = dense.inputs
        value.kernel = kernel.pointer
        value.bias = bias.pointer
        value.gradient = gradient.pointer
        value.gradient_copies = copies
        value.gradient_stride = floats + wide
        value.kernel_slot.0 = slots[0].pointer
        value.bias_slot.0 = slots[1].pointer
        value.forms.0 = mtlf_weight_form(layout: MTLF_LAYOUT_PACKED, element: MTLF_BF16, values: form.pointer)
        value.form_count = 1
        try #require(mtlf_plan_refresh(&value, &context) == MTLF_OK)
      }
    }

    @Test(arguments: [
      DenseShape(1, 1, 1), DenseShape(5, 16, 10), DenseShape(7, 97, 33), DenseShape(40, 120, 50),
      DenseShape(3, 200, 17),
    ]) func denseLayersRoundEachSumOnce(_ shape: DenseShape) throws {
      let oracle = try DenseOracle(shape, .integers(4))
      let dense = shape.dense
      let input = try GuardedBuffer(Self.rounded(oracle.input.right))
      let dOutput = try GuardedBuffer(Self.rounded(oracle.dOutput.right))
      for configuration in try Configuration.all(threads: [1, 2]) {
        var weight = try Weight(oracle, dense, copies: 1, configuration)
        #expect(weight.form.array == Self.rounded(weight.kernel), "form, \(configuration)")
        let output = try GuardedBuffer<UInt16>(oracle.activated.count)
        let wideOutput = try GuardedBuffer<Float>(oracle.activated.count)
        let dInput = try GuardedBuffer<UInt16>(oracle.dInput.count)
        try withUnsafePointer(to: &weight.value) { pointer in
          for target in [Self.vectors(output, dense.units), Self.vectors(wideOutput, dense.units)] {
            let forward = mtlf_dense_op(
              weight: pointer, kernel: weight.form.pointer, relu: 1, input: Self.vectors(input, dense.inputs),
              output: target)
            try configuration.run(forward, units: mtlf_dense_units, block: mtlf_dense_block, batch: dense.batch)
          }
          var term = mtlf_dense_term(
            kernel: weight.form.pointer, inputs: dense.inputs, units: dense.units, d_output_packed: nil,
            d_output: Self.vectors(dOutput, dense.units).view)
          try withUnsafePointer(to: &term) { term in
            let backward = mtlf_dense_d_input_op(
              terms: term, term_count: 1, d_input: Self.vectors(dInput, dense.inputs), mask: mtlf_tensor(), packed: nil)
            try configuration.run(
              backward, units: mtlf_dense_d_input_units, block: mtlf_dense_d_input_block, batch: dense.batch)
          }
          let dKernel = mtlf_dense_d_kernel_op(
            weight: pointer, input: Self.vectors(input, dense.inputs), d_output: Self.vectors(dOutput, dense.units))
          try configuration.run(
            dKernel, units: mtlf_dense_d_kernel_units, block: mtlf_dense_d_kernel_block, batch: dense.batch)
        }
        #expect(output.array == Self.rounded(oracle.activated), "output, \(configuration)")
        #expect(wideOutput.array == oracle.activated.array.map(Float.init), "output of floats, \(configuration)")
        #expect(dInput.array == Self.rounded(oracle.dInput), "d_input, \(configuration)")
        var context = configuration.context
        let dKernel = try GuardedBuffer<Float>(oracle.dKernel.count)
        try #require(
          mtlf_unpack_f32(
            Int64(dense.inputs), Int64(dense.units), weight.gradient.pointer, dKernel.pointer, &context) == MTLF_OK)
        #expect(dKernel.array == oracle.dKernel.array.map(Float.init), "d_kernel, \(configuration)")
        let dBias = weight.gradient.array.dropFirst(weight.kernel.count).prefix(Int(dense.units))
        #expect(Array(dBias) == oracle.dBias.array.map(Float.init), "d_bias, \(configuration)")

        // The same with the update in the pass: the masters by SGD, and their form anew.
        var fused = try Weight(oracle, dense, copies: 0, configuration)
        var step = mtlf_step()
        step.optimizer = MTLF_OPTIMIZER_SGD
        step.sgd = mtlf_sgd(learning_rate: 0.5, momentum: 0, weight_decay: 0)
        try withUnsafePointer(to: &fused.value) { pointer in
          let update = mtlf_dense_d_kernel_op(
            weight: pointer, input: Self.vectors(input, dense.inputs), d_output: Self.vectors(dOutput, dense.units))
          try configuration.run(
            update, units: mtlf_dense_d_kernel_units, block: mtlf_dense_d_kernel_block, batch: dense.batch, step)
        }
        let expected = zip(weight.kernel.array, weight.gradient.array).map { $0 - 0.5 * $1 }
        #expect(fused.kernel.array == expected, "kernel, \(configuration)")
        #expect(fused.form.array == Self.rounded(fused.kernel), "form after the update, \(configuration)")
      }
    }

    @Test func elementwiseOperationsRoundTheResultsOfFloats() throws {
      let (batch, height, width, channels) = (Int32(5), Int32(3), Int32(7), Int32(40))
      let count = Int(batch * height * width * channels)
      let x = try GuardedBuffer(Self.rounded(Operand(count, .reals, seed: 1).right))
      let d = try GuardedBuffer(Self.rounded(Operand(count, .reals, seed: 2).right))
      let wideX = try GuardedBuffer(x.array.map(internal_f32_of_bf16))
      let wideD = try GuardedBuffer(d.array.map(internal_f32_of_bf16))
      func tensor<T>(_ buffer: GuardedBuffer<T>) -> mtlf_tensor { Self.image(buffer, height, width, channels) }
      for configuration in try Configuration.all(threads: [1, 2]) {
        for function in [MTLF_ACTIVATION_RELU, MTLF_ACTIVATION_SIGMOID] {
          let (y, wideY) = (try GuardedBuffer<UInt16>(count), try GuardedBuffer<Float>(count))
          let forward = mtlf_activation_op(function: function, input: tensor(x), output: tensor(y))
          try configuration.run(forward, shard: mtlf_activation_shard, batch: batch)
          let wideForward = mtlf_activation_op(function: function, input: tensor(wideX), output: tensor(wideY))
          try configuration.run(wideForward, shard: mtlf_activation_shard, batch: batch)
          #expect(y.array == Self.rounded(wideY), "\(function), \(configuration)")
          let (dX, wideDX) = (try GuardedBuffer<UInt16>(count), try GuardedBuffer<Float>(count))
          let backward = mtlf_activation_backward_op(
            function: function, value: tensor(x), d_output: tensor(d), d_input: tensor(dX))
          try configuration.run(backward, shard: mtlf_activation_backward_shard, batch: batch)
          let wideBackward = mtlf_activation_backward_op(
            function: function, value: tensor(wideX), d_output: tensor(wideD), d_input: tensor(wideDX))
          try configuration.run(wideBackward, shard: mtlf_activation_backward_shard, batch: batch)
          #expect(dX.array == Self.rounded(wideDX), "backward of \(function), \(configuration)")
        }
        let sum = try GuardedBuffer(x.array)
        try configuration.run(mtlf_copy_op(from: tensor(d), to: tensor(sum)), shard: mtlf_add_shard, batch: batch)
        #expect(
          sum.array == zip(wideX.array, wideD.array).map { internal_bf16_of_f32($0 + $1) }, "sum, \(configuration)")
        let (copy, wideCopy) = (try GuardedBuffer<UInt16>(count), try GuardedBuffer<Float>(count))
        try configuration.run(
          mtlf_copy_op(from: tensor(wideX), to: tensor(copy)), shard: mtlf_copy_shard, batch: batch)
        try configuration.run(
          mtlf_copy_op(from: tensor(d), to: tensor(wideCopy)), shard: mtlf_copy_shard, batch: batch)
        #expect(copy.array == x.array && wideCopy.array == wideD.array, "copies, \(configuration)")
        try configuration.run(mtlf_zero_op(values: tensor(copy), halo: 0), shard: mtlf_zero_shard, batch: batch)
        #expect(copy.array.allSatisfy { $0 == 0 }, "zero, \(configuration)")
      }
    }
  }
}
