// SPDX-License-Identifier: Apache-2.0
// The values of a range of loss weights.

import MTLFast
import MTLFastTraining
import Testing

@Suite struct LambdaRangeTests {
  @Test func tenths() throws {
    let range = try Lambda.range("0:1:0.1")
    #expect(range.map(\.text) == ["0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1"])
    #expect(range.map(\.value) == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1])
    #expect(range[3].weights == [0.3, 0.7])
  }

  @Test(arguments: [
    ("0.05:0.2:.05", ["0.05", "0.1", "0.15", "0.2"]), ("0.5:1:0.3", ["0.5", "0.8"]), ("0:1:1", ["0", "1"]),
    ("0.5:0.5:0.1", ["0.5"]), ("0:0.003:0.001000", ["0", "0.001", "0.002", "0.003"]),
  ])
  func bothEndsWhereTheyHit(range: String, values: [String]) throws {
    #expect(try Lambda.range(range).map(\.text) == values)
  }

  @Test func aHundredAndOne() throws { #expect(try Lambda.range("0:1:0.01").count == 101) }

  @Test(arguments: [
    ("0:1", "a range has three numbers"), ("0:1:0", "the step is 0"),
    ("0:1:0.005", "a range has at most 101 values, and this one has 201"),
    ("0:2:1", "a range goes upwards and stays within 0 to 1"),
    ("1:0:0.1", "a range goes upwards and stays within 0 to 1"),
    ("0:1:a", "'a' is no decimal number of 0 or more"), ("-1:1:1", "'-1' is no decimal number of 0 or more"),
    ("0:1:0.1.1", "'0.1.1' is no decimal number of 0 or more"), ("0::1", "'' is no decimal number of 0 or more"),
    ("0:1:0.0000001", "a number has more than 6 decimals"), ("0:1e3:1", "'1e3' is no decimal number of 0 or more"),
  ])
  func others(range: String, what: String) {
    #expect {
      try Lambda.range(range)
    } throws: { error in
      error as? MTLFastError
        == MTLFastError(
          .usage, "lambda \(range): \(what). Write from:to:step, such as 0:1:0.1.", remedy: .changingLambda)
    }
  }
}
