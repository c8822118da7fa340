// SPDX-License-Identifier: Apache-2.0
// Made-up tasks that can be learnt: classification, segmentation and regression side by side.

import Kernels
import MTLFast

/// Data sets made by formula from a seed, the same on every platform.
public enum SyntheticTasks {
  /// Three unrelated tasks over three inputs, which a small network learns far better than a linear model does.
  ///
  ///     let splits = try SyntheticTasks.simultaneous(seed: 0)
  ///     splits.training.count           // 1000
  ///     splits.training.targets.count   // 3
  ///
  /// Inputs
  /// - `features`, floats `[10]`: two hidden numbers u and v, uniform in [-2, 2), are each measured five times with an
  ///   error uniform in [-0.5, 0.5).
  /// - `image`, bytes `[32, 32, 3]`: each colour is grey 128 with noise of -16...15 and, inside one disc of radius 7 to
  ///   10 that lies within the image, 112 lighter or 112 darker with equal chance.
  /// - `measurements`, floats `[5]`, uniform in [-2, 2).
  ///
  /// Targets
  /// - `classification`, classes `negative` and `positive`: with a the mean of features 0...4 and b of 5...9, positive
  ///   where a·(b + 0.5) > 0; then a tenth of the labels, drawn at random, is flipped. So no model can be right more
  ///   often than 0.90.
  /// - `segmentation`, masks `[32, 32, 3]`: the disc of red, of green and of blue. A disc shows by its distance from
  ///   grey, lighter or darker alike, so that a linear function of the pixels does no better than the mean mask.
  /// - `regression`, one value: 0.5·m0 + 0.5·m1² + 0.4·m2·m3 + 0.3·m4 and an error uniform in [-0.2, 0.2).
  ///
  /// Training and test samples come from streams of their own, so that more of one changes nothing in the other. All
  /// arithmetic is of integers or single operations of IEEE 754: no library function whose last bit may differ.
  ///
  /// - Throws: `MTLFastError` of kind `usage` where a count isn't 1...1,000,000.
  public static func simultaneous(
    seed: UInt64, trainingCount: Int = 1000, testCount: Int = 200
  ) throws -> DatasetSplits {
    DatasetSplits(
      training: try simultaneous(seed: seed, part: "training", count: trainingCount),
      test: try simultaneous(seed: seed, part: "test", count: testCount))
  }

  private static func simultaneous(seed: UInt64, part: String, count: Int) throws -> Dataset {
    guard (1...1_000_000).contains(count) else {
      throw MTLFastError(.usage, "simultaneous: \(count) \(part) samples were asked for. Choose 1 to 1000000.")
    }
    func stream(_ purpose: String) -> RandomStream {
      RandomStream(seed: seed, purpose: "simultaneous \(part) \(purpose)")
    }
    let (features, labels) = classification(stream, count: count)
    let (images, masks) = segmentation(stream, count: count)
    let measurements = stream("measurements").uniform(count: 5 * count, limit: 2)
    return try Dataset(
      name: "simultaneous \(part)",
      inputs: [
        "features": .floats(shape: [10], values: features), "image": .bytes(shape: imageShape, values: images),
        "measurements": .floats(shape: [5], values: measurements),
      ],
      targets: [
        "classification": .classes(LabelColumn(values: labels, classNames: ["negative", "positive"])),
        "segmentation": .mask(MaskColumn(shape: imageShape, values: masks, classNames: ["red", "green", "blue"])),
        "regression": .values(ValueColumn(names: ["value"], values: regression(stream, measurements, count: count))),
      ])
  }

  private static let side = 32
  private static let imageShape: Shape = .image(height: side, width: side, channels: 3)

  /// Features `[N, 10]` and labels `[N]`.
  private static func classification(_ stream: (String) -> RandomStream, count: Int) -> ([Float], [Int32]) {
    let hidden = stream("hidden").uniform(count: 2 * count, limit: 2)
    var features = stream("features").uniform(count: 10 * count, limit: 0.5)
    for index in features.indices { features[index] += hidden[index / 5] }
    func mean(_ first: Int) -> Float {
      (features[first] + features[first + 1] + features[first + 2] + features[first + 3] + features[first + 4]) / 5
    }
    var labels = (0..<count).map { mean(10 * $0) * (mean(10 * $0 + 5) + 0.5) > 0 ? Int32(1) : 0 }
    for index in stream("flips").permutation(count: count).prefix(count / 10) { labels[Int(index)] ^= 1 }
    return (features, labels)
  }

  /// Images and masks, `[N, 32, 32, 3]` both.
  private static func segmentation(_ stream: (String) -> RandomStream, count: Int) -> ([UInt8], [UInt8]) {
    let size = side * side * 3
    let discs = stream("discs").words(count: 12 * count)
    let noiseStream = stream("noise")
    var images = [UInt8](repeating: 0, count: size * count)
    var masks = [UInt8](repeating: 0, count: size * count)
    for sample in 0..<count {
      // A stream of noise for each image: one word gives four bytes of it.
      let noise = RandomStream(noiseStream, stream: UInt64(sample)).words(count: size / 4)
      for channel in 0..<3 {
        let word = 12 * sample + 4 * channel
        let radius = 7 + below(4, discs[word])
        let row = radius + below(side - 2 * radius, discs[word + 1])
        let column = radius + below(side - 2 * radius, discs[word + 2])
        let contrast = discs[word + 3] >> 31 == 0 ? 112 : -112
        for y in 0..<side {
          for x in 0..<side {
            let isInside = (y - row) * (y - row) + (x - column) * (x - column) <= radius * radius
            let element = (y * side + x) * 3 + channel
            let value = Int(noise[element / 4] >> UInt32(8 * (element % 4))) & 31
            // Between 0 and 255, both included.
            images[size * sample + element] = UInt8(128 - 16 + value + (isInside ? contrast : 0))
            masks[size * sample + element] = isInside ? 1 : 0
          }
        }
      }
    }
    return (images, masks)
  }

  /// Values `[N]` of measurements `[N, 5]`.
  private static func regression(_ stream: (String) -> RandomStream, _ m: [Float], count: Int) -> [Float] {
    zip(stream("error").uniform(count: count, limit: 0.2), stride(from: 0, to: 5 * count, by: 5)).map { error, i in
      let linear = 0.5 * m[i] + 0.3 * m[i + 4]
      let curved = 0.5 * (m[i + 1] * m[i + 1]) + 0.4 * (m[i + 2] * m[i + 3])
      return linear + curved + error
    }
  }

  /// A number in 0..<bound by the high half of a product, as in shuffling.
  private static func below(_ bound: Int, _ word: UInt32) -> Int { Int((UInt64(word) &* UInt64(bound)) >> 32) }
}
