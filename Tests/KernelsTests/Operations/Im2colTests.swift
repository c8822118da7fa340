// SPDX-License-Identifier: Apache-2.0
// Windows as rows and back, against the reference.

import CKernels
import CReference
import Testing

extension KernelTests {
  struct Im2colTests {
    @Test(arguments: ConvShape.all) func equalsTheReference(_ shape: ConvShape) throws {
      var conv = shape.conv
      let imageFloats = shape.input.elements / Int(conv.batch)
      let columnFloats = Int(shape.outputHeight * shape.outputWidth) * shape.outputTerms
      let image = try Operand(imageFloats, .integers(9), seed: 1)
      let columns = try Operand(columnFloats, .integers(9), seed: 2)
      let expectedColumns = try GuardedBuffer<Double>(columnFloats)
      reference_im2col(&conv, image.wide.pointer, expectedColumns.pointer)
      let expectedImage = try GuardedBuffer(image.doubles)
      reference_col2im(&conv, columns.wide.pointer, expectedImage.pointer)
      for side in [REFERENCE_FLUSH_RIGHT, REFERENCE_FLUSH_LEFT] {
        let gathered = try GuardedBuffer<Float>(columnFloats, side)
        try #require(mtlf_im2col_f32(&conv, image[side], gathered.pointer) == MTLF_OK)
        gathered.expectEqual(expectedColumns, "columns", shape: [Int32(shape.outputTerms)])
        // Adds to what is there.
        let summed = try GuardedBuffer(image.right.array, side)
        try #require(mtlf_col2im_f32(&conv, columns[side], summed.pointer) == MTLF_OK)
        summed.expectEqual(expectedImage, "image", shape: Array(shape.input.dropFirst()))
      }
    }

    /// <columns, im2col(image)> = <col2im(columns), image>: one is the other's transpose.
    @Test(arguments: ConvShape.few) func referenceIsItsOwnTranspose(_ shape: ConvShape) throws {
      var conv = shape.conv
      let image = try reals(shape.input.elements / Int(conv.batch), seed: 1)
      let columns = try reals(Int(shape.outputHeight * shape.outputWidth) * shape.outputTerms, seed: 2)
      let gathered = [Double].filled(columns.count) { reference_im2col(&conv, image, $0) }
      let summed = [Double].filled(image.count) { reference_col2im(&conv, columns, $0) }
      #expect(abs(dot(columns, gathered) - dot(summed, image)) < 1e-9)
    }

    @Test func wrongArgumentsAreRefused() throws {
      let shape = ConvShape(1, 5, 6, 3, to: 1, pads: [1, 1, 1, 1])
      var conv = shape.conv
      let columns = try GuardedBuffer<Float>(30 * 27)
      let image = try GuardedBuffer<Float>(90)
      let (rows, pixels) = (columns.pointer, image.pointer)
      let table: [(String, () -> mtlf_status)] = [
        ("im2col, no descriptor", { mtlf_im2col_f32(nil, pixels, rows) }),
        ("im2col, no image", { mtlf_im2col_f32(&conv, nil, rows) }),
        ("im2col, no columns", { mtlf_im2col_f32(&conv, pixels, nil) }),
        ("col2im, no descriptor", { mtlf_col2im_f32(nil, rows, pixels) }),
        ("col2im, no columns", { mtlf_col2im_f32(&conv, nil, pixels) }),
        ("col2im, no image", { mtlf_col2im_f32(&conv, rows, nil) }),
      ]
      for (name, call) in table { expectRefusal(MTLF_ERR_NULL_POINTER, name, outputs: [columns, image], call) }
      for (name, conv) in ConvShape.impossible {
        var conv = conv
        expectRefusal(MTLF_ERR_BAD_SHAPE, name, outputs: [columns]) { mtlf_im2col_f32(&conv, pixels, rows) }
        expectRefusal(MTLF_ERR_BAD_SHAPE, name, outputs: [image]) { mtlf_col2im_f32(&conv, rows, pixels) }
      }
    }
  }
}
