// SPDX-License-Identifier: Apache-2.0
// Every row in exactly one part, the same for the same seed, each class by the same share.

import MTLFast
import Testing

struct SplitTests {
  private func expectPartition(_ rows: SplitRows, count: Int) {
    #expect((rows.training + rows.validation + rows.test).sorted() == Array(0..<count))
    for part in [rows.training, rows.validation, rows.test] { #expect(part == part.sorted()) }
  }

  @Test func byFraction() throws {
    func rows(seed: UInt64) throws -> SplitRows {
      try SplitRule.rows(count: 101, fraction: 0.25, stratify: nil, seed: seed, place: "d")
    }
    let drawn = try rows(seed: 3)
    expectPartition(drawn, count: 101)
    #expect(drawn.validation.count == 25)
    #expect(drawn == (try rows(seed: 3)))
    #expect(drawn != (try rows(seed: 4)))
  }

  /// 50 a, 33 b, 10 c, 7 missing: 20 % are 10, 6.6, 2 and 1.4, and the one that is left goes to b.
  @Test func stratified() throws {
    let counts: [Int32: Int] = [0: 50, 1: 33, 2: 10, -1: 7]
    var values: [Int32] = []
    for index in 0..<50 {
      for (label, count) in counts.sorted(by: { $0.key < $1.key }) where index < count { values.append(label) }
    }
    let labels = LabelColumn(values: values, classNames: ["a", "b", "c"])
    let rows = try SplitRule.rows(count: 100, fraction: 0.2, stratify: labels, seed: 1, place: "d")
    expectPartition(rows, count: 100)
    let drawn = [-1, 0, 1, 2].map { label in rows.validation.count { values[$0] == label } }
    #expect(drawn == [1, 10, 7, 2])
  }

  @Test(arguments: [0, 1, -0.5, 1.5, .nan]) func fractionThatIsNone(fraction: Double) {
    expectError(
      .usage, "d: the validation fraction is \(fraction) but has to be above 0 and below 1: 0.1 is a tenth."
    ) { try SplitRule.rows(count: 10, fraction: fraction, stratify: nil, seed: 0, place: "d") }
  }

  @Test func partWithoutSamples() {
    expectError(
      .badData,
      "d: a fraction of 0.1 of 4 rows leaves 0 for validation and 4 for training, and each needs at least 1. "
        + "Choose another fraction, or add rows."
    ) { try SplitRule.rows(count: 4, fraction: 0.1, stratify: nil, seed: 0, place: "d") }
  }

  // MARK: Of a data set

  private func dataset() throws -> Dataset {
    try Dataset(
      name: "d",
      inputs: [
        "image": .bytes(shape: [1, 2, 1], values: Array(0..<20)),
        "x": .floats(shape: [1], values: (0..<10).map { Float($0) }),
      ],
      targets: [
        "label": .classes(LabelColumn(values: [0, 1, 0, 1, 0, 1, 0, 1, 0, 1], classNames: ["a", "b"])),
        "value": .values(ValueColumn(names: ["p", "q"], values: (0..<20).map { Float($0) })),
        "mask": .mask(MaskColumn(shape: [1, 1, 1], values: Array(0..<10).map { $0 % 2 }, classNames: ["m"])),
      ])
  }

  @Test func takesRowsOfEveryColumn() throws {
    let taken = try dataset().rows([7, 2], name: "part")
    #expect(taken.name == "part")
    #expect(taken.count == 2)
    if case .bytes(_, let values)? = taken.inputs["image"] { #expect(values == [14, 15, 4, 5]) }
    if case .floats(_, let values)? = taken.inputs["x"] { #expect(values == [7, 2]) }
    #expect(taken.labels["label"]?.values == [1, 0])
    if case .values(let column)? = taken.targets["value"] { #expect(column.values == [14, 15, 4, 5]) }
    if case .mask(let column)? = taken.targets["mask"] { #expect(column.values == [1, 0]) }
  }

  @Test func dividesADataset() throws {
    let (training, validation) = try dataset().split(fraction: 0.4, stratify: "label", seed: 5)
    #expect(training.name == "d (training part)")
    #expect(training.count == 6)
    #expect(validation.labels["label"]?.values.sorted() == [0, 0, 1, 1])
  }

  @Test func refusesWhatIsNotThere() throws {
    expectError(.usage, "d: sample 10 was asked for but there are 10 (0...9).") { try dataset().rows([10], name: "p") }
    expectError(.badData, "p: has no samples.") { try dataset().rows([], name: "p") }
    expectError(
      .badData, "unknown label column 'lable' in d. Known label columns: label. Did you mean 'label'?"
    ) { try dataset().split(fraction: 0.5, stratify: "lable", seed: 0) }
  }
}
