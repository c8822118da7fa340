// SPDX-License-Identifier: Apache-2.0
// The line of progress at each width of a terminal.

import MTLFast
import Testing

@testable import MTLFastData
@testable import mtl_fast

@Suite struct ProgressLineTests {
  private let line = ProgressLine(
    epoch: 3, epochs: 10, step: 141, steps: 300, samplesPerSecond: 15213.4, secondsLeft: 32,
    tasks: [("item", 0.4123, "85.1%"), ("group", 0.2, "-")])

  @Test(arguments: [
    (
      200,
      "epoch  3/10 [##############................]  47%  15213 samples/s  ETA 0:32  item 0.412 85.1%  group 0.200 -"
    ),
    (90, "epoch  3/10 [#####......]  47%  15213 samples/s  ETA 0:32  item 0.412 85.1%  group 0.200 -"),
    (79, "epoch  3/10  47%  15213 samples/s  ETA 0:32  item 0.412 85.1%  group 0.200 -"),
    (70, "epoch  3/10  47%  15213/s  ETA 0:32  item 0.412 85.1%  group 0.200 -"),
    (60, "epoch  3/10  47%  ETA 0:32  item 0.412 85.1%  group 0.200 -"),
    (57, "epoch  3/10  47%  15213/s  ETA 0:32  item 85.1%  group -"),
    (50, "epoch  3/10  47%  ETA 0:32  item 85.1%  group -"),
    (40, "epoch  3/10  47%  item 85.1%  group -"),
    (20, "epoch  3/10  47%  it"),
  ])
  func fitsTheTerminal(columns: Int, text: String) { #expect(line.text(columns: columns) == text) }

  @Test(arguments: 0...120) func isNeverWiderThanTheTerminal(columns: Int) {
    #expect(line.text(columns: columns).count <= columns)
    #expect(DownloadProgress.line(download, bytesPerSecond: 3e6, columns: columns).count <= columns)
  }

  @Test func longNamesKeepTheTime() {
    var line = line
    line.tasks = [("classification", 0.6, "59.4%"), ("segmentation", 0.6, "17.6%"), ("regression", 1, "0.123")]
    #expect(line.text(columns: 79) == "epoch  3/10  47%  ETA 0:32  classif. 59.4%  segment. 17.6%  regress. 0.123")
  }

  private let download = FetchProgress(
    fileName: "train-labels-idx1-ubyte.gz", fileIndex: 1, fileCount: 4, receivedBytes: 10_000, totalBytes: 20_000)

  @Test func aDownloadsLine() {
    #expect(
      DownloadProgress.line(download, bytesPerSecond: 2000, columns: 100)
        == "2/4 train-labels-idx1-ubyte.gz [##############..............] 10.0 kB of 20.0 kB  2.0 kB/s  ETA 0:05")
  }
}
