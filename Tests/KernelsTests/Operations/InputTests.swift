// SPDX-License-Identifier: Apache-2.0
// Rows of a data set as the first layer gets them: scaled, normalised, augmented.

import CKernels
import CReference
import Testing

extension KernelTests {
  struct InputTests {
    static let shapes: [(Int, Int, Int)] = [
      (1, 1, 1), (4, 5, 3), (3, 7, 1), (5, 16, 2), (8, 11, 3), (2, 3, 17), (6, 33, 1), (3, 2, 130), (2, 2, 1100),
    ]

    /// Images of whole numbers in both forms, and one way to load them.
    struct Data {
      let height, width, channels: Int
      let count = 5
      let bytes: GuardedBuffer<UInt8>
      let floats: GuardedBuffer<Float>
      let factors, offsets: GuardedBuffer<Float>

      init(_ height: Int, _ width: Int, _ channels: Int, _ side: reference_side = REFERENCE_FLUSH_RIGHT) throws {
        (self.height, self.width, self.channels) = (height, width, channels)
        let values = (0..<5 * height * width * channels).map { UInt8($0 * 37 / 3 % 255 + 1) }
        bytes = try GuardedBuffer(values, side)
        floats = try GuardedBuffer(values.map(Float.init), side)
        factors = try GuardedBuffer((0..<width * channels).map { Float($0 % channels % 3 + 1) }, side)
        offsets = try GuardedBuffer((0..<width * channels).map { Float($0 % channels % 2) - 3 }, side)
      }

      var elements: Int { height * width * channels }

      func input(isBytes: Bool, isAffine: Bool, scale: Float = 0.5) -> mtlf_input_rows {
        mtlf_input_rows(
          data: isBytes ? UnsafeRawPointer(bytes.pointer) : UnsafeRawPointer(floats.pointer),
          is_bytes: isBytes ? 1 : 0, scale: scale, factors: isAffine ? UnsafePointer(factors.pointer) : nil,
          offsets: isAffine ? UnsafePointer(offsets.pointer) : nil, augmentation: nil)
      }

      /// What a raw value becomes at a place of a row.
      func value(_ raw: Float, _ place: Int, isAffine: Bool) -> Float {
        isAffine ? factors[place] * raw + offsets[place] : 0.5 * raw
      }

      /// An image of a row, by its draws' plain reading.
      func expected(_ row: Int, _ epoch: UInt64, _ augmentation: mtlf_augmentation?, isAffine: Bool) -> [Float] {
        let m = augmentation.map { Movement($0, height, width, row: row, epoch: epoch) } ?? Movement()
        return (0..<elements).map { i in
          let (y, x, c) = (i / channels / width, i / channels % width, i % channels)
          if m.cutsOut(y, x) { return 0 }
          let place = i % (width * channels)
          guard let (sy, sx) = m.source(y, x, height, width) else { return value(0, place, isAffine: isAffine) }
          let raw = floats[row * elements + (sy * width + sx) * channels + c]
          return value(raw, place, isAffine: isAffine)
        }
      }
    }

    /// The draws of a sample: flip, top, left, and the cutout's centre, from words 0 to 4 of its stream.
    struct Movement {
      var isFlipped = false
      var (top, left) = (0, 0)
      var cutout: (y: Range<Int>, x: Range<Int>) = (0..<0, 0..<0)

      init() {}

      init(_ augmentation: mtlf_augmentation, _ height: Int, _ width: Int, row: Int, epoch: UInt64) {
        let stream = epoch << 32 | UInt64(row)
        func draw(_ place: UInt64, _ n: Int) -> Int {
          Int((UInt64(reference_random_u32(augmentation.key, stream, place)) * UInt64(n)) >> 32)
        }
        isFlipped = augmentation.flip != 0 && draw(0, 2) == 1
        top = draw(1, 2 * Int(augmentation.pad) + 1) - Int(augmentation.pad)
        left = draw(2, 2 * Int(augmentation.pad) + 1) - Int(augmentation.pad)
        let side = Int(augmentation.cutout)
        let start = (y: draw(3, height) - side / 2, x: draw(4, width) - side / 2)
        cutout = (start.y..<start.y + side, start.x..<start.x + side)
      }

      func cutsOut(_ y: Int, _ x: Int) -> Bool { cutout.y.contains(y) && cutout.x.contains(x) }

      func source(_ y: Int, _ x: Int, _ height: Int, _ width: Int) -> (Int, Int)? {
        let (sy, sx) = (y + top, x + left)
        guard (0..<height).contains(sy), (0..<width).contains(sx) else { return nil }
        return (sy, isFlipped ? width - 1 - sx : sx)
      }
    }

    /// Loads with rows `gap` floats further apart than they are long, and checks that the gaps stay.
    private func load(
      _ data: Data, _ input: mtlf_input_rows, row: Int, epoch: UInt64, gap: Int, _ configuration: Configuration
    ) throws -> [Float] {
      var context = configuration.context
      var input = input
      let run = data.width * data.channels
      let output = try GuardedBuffer<Float>((data.height - 1) * (run + gap) + run, configuration.side)
      var view = mtlf_view(
        data: output.pointer, element: MTLF_F32, height: Int32(data.height), width: Int32(data.width),
        channels: Int32(data.channels), sample_stride: 0, row_stride: run + gap)
      internal_load_sample(&context, &input, Int64(row), epoch, &view)
      let all = output.array
      var rows: [Float] = []
      for y in 0..<data.height {
        let start = y * (run + gap)
        rows += all[start..<start + run]
        let end = min(start + run + gap, all.count)
        #expect(all[start + run..<end].allSatisfy { $0.isNaN }, "gaps, \(configuration)")
      }
      return rows
    }

    @Test(arguments: shapes) func equalsItsDefinition(_ height: Int, _ width: Int, _ channels: Int) throws {
      let augmentations: [mtlf_augmentation?] = [
        nil, mtlf_augmentation(flip: 1, pad: 0, cutout: 0, key: 5),
        mtlf_augmentation(flip: 0, pad: 2, cutout: 0, key: 6),
        mtlf_augmentation(flip: 1, pad: 3, cutout: 3, key: 7), mtlf_augmentation(flip: 1, pad: 40, cutout: 100, key: 8),
        mtlf_augmentation(flip: 0, pad: 0, cutout: 2, key: 9),
      ]
      for configuration in try Configuration.all(threads: [1, 2]) {
        let data = try Data(height, width, channels, configuration.side)
        for augmentation in augmentations {
          for (isBytes, isAffine) in [(true, true), (true, false), (false, true), (false, false)] {
            for row in 0..<data.count {
              var input = data.input(isBytes: isBytes, isAffine: isAffine)
              let epoch = UInt64(row % 3)
              let gap = row % 2 * 4
              let actual: [Float]
              if var augmentation {
                actual = try withUnsafePointer(to: &augmentation) {
                  input.augmentation = $0
                  return try load(data, input, row: row, epoch: epoch, gap: gap, configuration)
                }
              } else {
                actual = try load(data, input, row: row, epoch: epoch, gap: gap, configuration)
              }
              #expect(
                actual == data.expected(row, epoch, augmentation, isAffine: isAffine),
                "row \(row), bytes \(isBytes), affine \(isAffine), \(String(describing: augmentation)), \(configuration)"
              )
            }
          }
        }
      }
    }

    @Test func noRowIsZeros() throws {
      for configuration in try Configuration.all(threads: [1]) {
        let data = try Data(3, 5, 2)
        let input = data.input(isBytes: true, isAffine: true)
        for gap in [0, 4] {
          let actual = try load(data, input, row: -1, epoch: 0, gap: gap, configuration)
          #expect(actual == [Float](repeating: 0, count: 30), "\(configuration)")
        }
      }
    }

    @Test(arguments: [(4, 5, 1), (6, 7, 3), (1, 9, 2)]) func masksMoveAsTheirImages(
      _ height: Int, _ width: Int, _ channels: Int
    ) throws {
      let elements = height * width * channels
      let configuration = try Configuration.all(threads: [1])[0]
      let data = try Data(height, width, channels)
      for pad in [Int32(0), 1, 3, 20] {
        var augmentation = mtlf_augmentation(flip: 1, pad: pad, cutout: 0, key: 77)
        for row in 0..<data.count {
          for epoch in [UInt64(0), 1, 1 << 31] {
            // The mask is the image itself; an image has no 0, so that padding shows.
            let mask = Array(data.bytes.array[row * elements..<(row + 1) * elements])
            let moved = try GuardedBuffer<UInt8>(elements)
            internal_augment_mask(
              &augmentation, Int32(height), Int32(width), Int32(channels), mask, Int64(row), epoch, moved.pointer)
            let image = try withUnsafePointer(to: &augmentation) {
              var input = data.input(isBytes: true, isAffine: false, scale: 1)
              input.augmentation = $0
              return try load(data, input, row: row, epoch: epoch, gap: 0, configuration)
            }
            #expect(moved.array == image.map { $0 == 0 ? UInt8(MTLF_IGNORED) : UInt8($0) }, "row \(row), pad \(pad)")
          }
        }
      }
      let mask = [UInt8](repeating: 3, count: elements)
      var copy = [UInt8](repeating: 0, count: elements)
      internal_augment_mask(nil, Int32(height), Int32(width), Int32(channels), mask, 0, 0, &copy)
      #expect(copy == mask)
      internal_augment_mask(nil, Int32(height), Int32(width), Int32(channels), nil, -1, 0, &copy)
      #expect(copy == [UInt8](repeating: UInt8(MTLF_IGNORED), count: elements))
    }

    /// Where one pixel of a mask goes, over many rows: half of them flipped, every offset equally often.
    @Test func drawsAreEven() throws {
      let side = 16
      let rows = 20_000
      var augmentation = mtlf_augmentation(flip: 1, pad: 2, cutout: 0, key: 1234)
      var mask = [UInt8](repeating: 0, count: side * side)
      mask[7 * side + 4] = 1
      var flips = 0
      var tops = [Int](repeating: 0, count: 5)
      var lefts = tops
      var moved = mask
      for row in 0..<rows {
        internal_augment_mask(&augmentation, Int32(side), Int32(side), 1, mask, Int64(row), 3, &moved)
        let at = try #require(moved.firstIndex(of: 1))
        let (y, x) = (at / side, at % side)
        // Unflipped the pixel is at 4 - left, flipped at 11 - left; left is -2...2.
        let isFlipped = x > 7
        flips += isFlipped ? 1 : 0
        tops[7 - y + 2] += 1
        lefts[(isFlipped ? 11 : 4) - x + 2] += 1
      }
      // Five standard deviations: sqrt(n p (1 - p)).
      #expect(abs(flips - rows / 2) < 5 * 71)
      #expect(tops.allSatisfy { abs($0 - rows / 5) < 5 * 57 } && lefts.allSatisfy { abs($0 - rows / 5) < 5 * 57 })
    }

    @Test func drawsDependOnKeyEpochAndRowAlone() throws {
      let configuration = try Configuration.all(threads: [1])[0]
      let data = try Data(8, 8, 1)
      func image(_ key: UInt64, _ epoch: UInt64, _ row: Int) throws -> [Float] {
        var augmentation = mtlf_augmentation(flip: 1, pad: 3, cutout: 3, key: key)
        return try withUnsafePointer(to: &augmentation) {
          var input = data.input(isBytes: true, isAffine: true)
          input.augmentation = $0
          return try load(data, input, row: row, epoch: epoch, gap: 0, configuration)
        }
      }
      #expect(try image(1, 2, 3) == image(1, 2, 3))
      #expect(try Set((0..<12).map { try image(1, $0, 3) }).count > 8)
      #expect(try Set((0..<12).map { try image($0, 2, 3) }).count > 8)
    }
  }
}
