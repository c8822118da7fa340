// SPDX-License-Identifier: Apache-2.0
// What a training ends with is frozen to the bit: a run that an older version began must go on as it would have.

import Foundation
import Testing

/// The tensors of two small trainings, as hashes for the instruction sets that most machines have.
///
/// Strips of pixels, groups of the minibatch, shards smaller than groups, the tree in which groups are summed and the
/// optimizer all show in it. A hash that changes means that every interrupted run in the world would end with other
/// bits: change the code, not the hash.
@Suite(.serialized) struct FrozenResultsTests {
  static let recipe = """
    recipe: 1
    name: frozen
    data:
      format: idx
      training: {images: train-images-idx3-ubyte, labels: train-labels-idx1-ubyte}
      validation: {fraction: 0.8}
    inputs:
      image: {shape: [28, 28, 1], scale: 1/255, augment: {flip: true, pad: 2}}
    tasks:
      item: {labels: label, classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]}
      half: {labels: label, map: {low: [0, 1, 2, 3, 4], high: [5, 6, 7, 8, 9]}}
    model:
      trunk:
        from: image
        layers:
          - conv2d: {filters: 40, kernel: 3, padding: same, activation: relu}
          - conv2d: {filters: 72, kernel: 1}
          - batch_norm
          - relu
          - conv2d: {filters: 72, kernel: 1, activation: sigmoid}
          - conv2d: {filters: 20, kernel: 3, stride: 2, padding: same, activation: relu}
          - max_pool2d: 2
          - flatten
          - dense: {units: 64, activation: relu}
          - dropout: 0.2
    heads:
      item: {from: trunk, layers: [dense: {units: 20, activation: relu}], weight: 0.7}
      half: {from: item.logits, weight: 0.3}
    training:
      optimizer: {adamw: {learning_rate: 0.001, weight_decay: 0.01}}
      batch_size: 50
      epochs: 1
      seed: 3
    """

  /// FNV-1a over the tensors of a safetensors file, 64 bits.
  static func hash(of file: Data) throws -> String {
    let header = file.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
    try #require(file.count > 8 + header)
    let hash = file.dropFirst(8 + header).reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3
    }
    return String(hash, radix: 16)
  }

  /// Where gradients are kept, summed and clipped before any update.
  static let clipped = recipe.replacingOccurrences(
    of: "optimizer: {adamw: {learning_rate: 0.001, weight_decay: 0.01}}",
    with: "optimizer: {sgd: {learning_rate: 0.05, momentum: 0.9, weight_decay: 0.01}}\n  gradient_clipping: 0.05")

  @Test(arguments: [
    ("scalar", recipe, "ceedecf3bd69c45a"), ("avx2", recipe, "a8474622befdc5d0"),
    ("scalar", clipped, "7b757c388e237a84"), ("avx2", clipped, "d776f34308d490c9"),
  ])
  func tensorsAreThoseOfTheFirstVersion(isa: String, recipe: String, expected: String) throws {
    let folder = try TrainingTests.DataFolder()
    try Data(recipe.utf8).write(to: URL(fileURLWithPath: "\(folder.path)/frozen.yaml"))
    let run = try ProgramRun(
      ["train", "\(folder.path)/frozen.yaml", "--output", folder.run("run"), "--threads", "2", "--quiet"],
      environment: ["MTLF_ISA": isa])
    if run.errors.contains("unknown or missing here") { return }
    #expect(run.status == 0, "\(run.errors)")
    let name = try #require(try folder.checkpoints("run").last)
    #expect(try Self.hash(of: folder.contents("run/checkpoints/\(name)")) == expected, "\(isa)")
  }
}
