// SPDX-License-Identifier: Apache-2.0
// Logs read back, also of a run that is still training, and damaged ones.

import MTLFast
import Testing

@testable import mtl_fast

@Suite struct RunLogsTests {
  let runs: LoggedRuns
  init() throws { runs = try LoggedRuns() }

  private let line =
    #"{"epoch":1,"loss":0.9,"step":1,"tasks":{"a":{"loss":2.5,"r2":0.25},"b":{"loss":null,"iou":null}}}"#

  @Test func stepsAndEpochsAreRead() throws {
    let next = #"{"epoch":1,"loss":0.9,"step":2,"tasks":{"a":{"loss":2,"r2":0.5},"b":{"loss":1,"iou":0.75}}}"#
    let scores = #"{"a":{"loss":2,"mae":3.5,"r2":0.5,"present":9}}"#
    let epoch = #"{"epoch":1,"loss":1,"step":2,"tasks":\#(scores),"test":null,"validation":\#(scores)}"#
    let logs = try RunLogs(
      runs.add("run", steps: "\(line)\n\(next)\n", history: "\(epoch)\n"))
    #expect(logs.steps == [1, 2])
    #expect(logs.tasks.map(\.name) == ["a", "b"])
    #expect(logs["a"]?.metric == .r2 && logs["a"]?.values == [0.25, 0.5] && logs["a"]?.losses == [2.5, 2])
    let second = try #require(logs["b"])
    #expect(second.metric == .intersectionOverUnion && second.values[0].isNaN && second.values[1] == 0.75)
    #expect(logs.epochs.map(\.epoch) == [1])
    #expect(logs.epochs[0].parts.map(\.split) == ["training", "validation"])
    #expect(logs.epochs[0].tasks(of: "validation")?.first?[.meanAbsoluteError] == 3.5)
  }

  @Test func aTornLastLineIsLeftOut() throws {
    let logs = try RunLogs(runs.add("run", steps: "\(line)\n{\"epoch\":1,\"lo", history: "{"))
    #expect(logs.steps == [1])
    #expect(logs.epochs.isEmpty)
  }

  @Test func aRunWithoutStepsIsEmpty() throws {
    let logs = try RunLogs(runs.add("run", steps: ""))
    #expect(logs.steps.isEmpty && logs.tasks.isEmpty && logs.confusions.isEmpty)
  }

  @Test(arguments: [
    (#"{"epoch":1,"step":2"#, "expected ',' or '}' at column 20"),
    ("{}", "it has no 'step' and 'tasks'"),
    (#"{"step":1,"tasks":{}}"#, "step 1 does not come after those before"),
    (#"{"step":0,"tasks":{}}"#, "step 0 can't be"),
    (#"{"step":9223372036854775807,"tasks":{}}"#, "step 9223372036854775807 can't be"),
    (#"{"step":2,"tasks":{"c":{"loss":1,"speed":1}}}"#, "'speed' is no metric"),
    (#"{"step":2,"tasks":{"c":3}}"#, "task 'c' has no scores"),
  ])
  func aDamagedLineIsToldWithItsNumber(damaged: String, what: String) throws {
    let run = try runs.add("run", steps: "\(line)\n\(damaged)\n")
    #expect(
      throws: MTLFastError(
        .badData, "\(run.path)/steps.jsonl:2: is damaged: \(what). Train the run again, or draw another one.")
    ) { try RunLogs(run) }
  }

  @Test(arguments: [
    ("0", "epoch 0 can't be"), ("9223372036854775807", "epoch 9223372036854775807 can't be"),
    ("281474976710657", "epoch 281474976710657 can't be"), ("2", "epoch 2 does not come after those before"),
  ])
  func anEpochThatCannotBeIsToldWithItsLine(epoch: String, what: String) throws {
    let history = #"{"epoch":2,"tasks":{}}"# + "\n{\"epoch\":\(epoch),\"tasks\":{}}\n"
    let run = try runs.add("run", steps: "\(line)\n", history: history)
    #expect(
      throws: MTLFastError(
        .badData, "\(run.path)/history.jsonl:2: is damaged: \(what). Train the run again, or draw another one.")
    ) { try RunLogs(run) }
  }

  @Test func matricesAreReadAndAddedUp() throws {
    let text = #"{"epoch":2,"test":{"a":{"classes":["x","y"],"confusion":[[3,1],[0,0]]}},"validation":null}"#
    let matrix = try #require(try RunLogs(runs.add("run", steps: "", confusion: text)).confusions.first)
    #expect(matrix.task == "a" && matrix.split == "test" && matrix.epoch == 2 && matrix.classes == ["x", "y"])
    #expect(matrix.percentages == [[75, 25], [0, 0]])
    let sum = try #require(ConfusionMatrix.sum([matrix, matrix]))
    #expect(sum.counts == [[6, 2], [0, 0]] && sum.runs == 2)
    let wrong = try runs.add("wrong", steps: "", confusion: text.replacing("[0,0]", with: "[0]"))
    #expect(throws: MTLFastError.self) { try RunLogs(wrong) }
  }
}
