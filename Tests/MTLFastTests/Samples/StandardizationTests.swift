// SPDX-License-Identifier: Apache-2.0
// Means and deviations of columns and channels.

import MTLFast
import Testing

struct StandardizationTests {
  @Test func ofColumns() throws {
    let values: [Float] = [1, 5, .nan, 2, 5, .nan, 3, 5, .nan, .nan, 5, .nan]
    let standardization = try Standardization(of: values, columns: 3)
    #expect(standardization.mean == [2, 5, 0])
    #expect(standardization.standardDeviation == [Float((2.0 / 3).squareRoot()), 1, 1])
  }

  /// Sums of squares in Float would lose everything here.
  @Test func ofLargeMeans() throws {
    let values: [Float] = (0..<1000).map { 1_000_000 + Float($0 % 2) }
    let standardization = try Standardization(of: values, columns: 1)
    #expect(standardization.mean == [1_000_000.5])
    #expect(standardization.standardDeviation == [0.5])
  }

  @Test func ofChannels() throws {
    let bytes: [UInt8] = [0, 7, 255, 7, 0, 7, 255, 7]
    let standardization = try Standardization(of: bytes, channels: 2, scale: 2)
    #expect(standardization.mean == [255, 14])
    #expect(standardization.standardDeviation == [255, 1])
    let floats = try Standardization(of: bytes.map { 2 * Float($0) }, columns: 2)
    #expect(floats == standardization)
  }

  @Test func refusesWhatIsNoTable() {
    expectError(.badData, "Standardization: 3 values are not whole rows of 2 columns.") {
      try Standardization(of: [1, 2, 3], columns: 2)
    }
    expectError(.badData, "Standardization: 4 bytes are not whole pixels of 3 channels.") {
      try Standardization(of: [1, 2, 3, 4], channels: 3, scale: 1)
    }
    expectError(.badData, "Standardization: row 1, column 0 is infinite. Correct it.") {
      try Standardization(of: [1, 2, .infinity, 4], columns: 2)
    }
  }
}
