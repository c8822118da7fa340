// SPDX-License-Identifier: Apache-2.0
// What a run left behind, read back: its steps, its epochs, its confusion matrices.

import Files
import MTLFast
import MTLFastRecipes
import MTLFastTraining

/// The logs of one run. A run that is still training can be read: a last line without an end is left out.
struct RunLogs {
  /// The steps that are logged, in order.
  private(set) var steps: [Double] = []
  /// In the order of the recipe's heads.
  private(set) var tasks: [StepCurves] = []
  private(set) var epochs: [EpochScores] = []
  private(set) var confusions: [ConfusionMatrix] = []

  /// One task in every step; NaN where no label was present.
  struct StepCurves {
    let name: String
    /// The head's first metric; nil where no step had one.
    var metric: Metric?
    var losses: [Double] = []
    var values: [Double] = []
  }

  /// One line of history.jsonl.
  struct EpochScores {
    let epoch: Int
    /// `training`, and what was scored after the epoch: `validation`, `test`.
    let parts: [(split: String, tasks: [TaskScores])]

    func tasks(of split: String) -> [TaskScores]? { parts.first { $0.split == split }?.tasks }
  }

  struct TaskScores {
    let name: String
    let loss: Double?
    /// By name.
    let metrics: [(metric: Metric, value: Double?)]

    subscript(metric: Metric) -> Double? { metrics.first { $0.metric == metric }?.value }
  }

  /// - Throws: `MTLFastError` of kind `badData` with file and line where a log is damaged.
  init(_ run: RunFolder) throws {
    var places: [String: Int] = [:]
    try Self.readLines(of: run.stepsPath) { line throws(LogDamage) in try add(step: line, places: &places) }
    try Self.readLines(of: run.historyPath) { line throws(LogDamage) in try add(epoch: line) }
    confusions = try ConfusionMatrix.read(from: run.confusionPath)
    sortTasks(of: run)
  }

  /// The curves of a task; nil where it is in no step.
  subscript(task: String) -> StepCurves? { tasks.first { $0.name == task } }

  private mutating func sortTasks(of run: RunFolder) {
    // Only the order is at stake: a recipe that can't be read is told of where it is used.
    let heads = (try? RecipeSource.find(run.recipePath).recipe())?.heads.map(\.name) ?? []
    func place(_ task: String) -> Int { heads.firstIndex(of: task) ?? heads.count }
    tasks.sort { (place($0.name), $0.name) < (place($1.name), $1.name) }
    confusions.sort { (place($0.task), $0.task, $0.split) < (place($1.task), $1.task, $1.split) }
  }

  // MARK: Lines

  private mutating func add(step line: JSONValue, places: inout [String: Int]) throws(LogDamage) {
    guard let step = line["step"]?.integer, let members = line["tasks"]?.members else {
      throw LogDamage("it has no 'step' and 'tasks'")
    }
    try Self.checkCount(step, "step")
    guard Double(step) > steps.last ?? 0 else { throw LogDamage("step \(step) does not come after those before") }
    steps.append(Double(step))
    for (name, score) in members {
      let place: Int
      if let known = places[name] {
        place = known
      } else {
        place = tasks.count
        places[name] = place
        // A task that begins later has nothing to show before.
        let nothing = [Double](repeating: .nan, count: steps.count - 1)
        tasks.append(StepCurves(name: name, metric: nil, losses: nothing, values: nothing))
      }
      guard let scores = score.members else { throw LogDamage("task '\(name)' has no scores") }
      var value: Double?
      for (key, number) in scores where key != "loss" {
        if tasks[place].metric == nil { tasks[place].metric = try Self.metric(key) }
        if tasks[place].metric?.name == key { value = number.number }
      }
      tasks[place].losses.append(scores["loss"]?.number ?? .nan)
      tasks[place].values.append(value ?? .nan)
    }
    for place in tasks.indices where tasks[place].losses.count < steps.count {
      tasks[place].losses.append(.nan)
      tasks[place].values.append(.nan)
    }
  }

  private mutating func add(epoch line: JSONValue) throws(LogDamage) {
    guard let epoch = line["epoch"]?.integer, let training = line["tasks"]?.members else {
      throw LogDamage("it has no 'epoch' and 'tasks'")
    }
    try Self.checkCount(epoch, "epoch")
    guard epoch > epochs.last?.epoch ?? 0 else { throw LogDamage("epoch \(epoch) does not come after those before") }
    var parts = [(split: "training", tasks: try Self.scores(training))]
    for split in ["validation", "test"] {
      if let members = line[split]?.members { parts.append((split, try Self.scores(members))) }
    }
    epochs.append(EpochScores(epoch: epoch, parts: parts))
  }

  /// Pictures count with steps and epochs as `Double`, which holds each of these exactly.
  private static func checkCount(_ count: Int, _ what: String) throws(LogDamage) {
    guard (1...1 << 48).contains(count) else { throw LogDamage("\(what) \(count) can't be") }
  }

  private static func scores(_ members: [String: JSONValue]) throws(LogDamage) -> [TaskScores] {
    var tasks: [TaskScores] = []
    for (name, score) in members.sorted(by: { $0.key < $1.key }) {
      var metrics: [(metric: Metric, value: Double?)] = []
      for (key, value) in (score.members ?? [:]).sorted(by: { $0.key < $1.key })
      where key != "loss" && key != "present" {
        metrics.append((try metric(key), value.number))
      }
      tasks.append(TaskScores(name: name, loss: score["loss"]?.number, metrics: metrics))
    }
    return tasks
  }

  private static func metric(_ name: String) throws(LogDamage) -> Metric {
    guard let metric = Metric(name: name) else { throw LogDamage("'\(name)' is no metric") }
    return metric
  }

  /// Calls `body` with the value of each whole line. A file that isn't there has none.
  private static func readLines(of path: String, _ body: (JSONValue) throws(LogDamage) -> Void) throws {
    guard FilePath.exists(path) else { return }
    let whole = try WholeFile(path: path)
    // The bytes are gone with the object.
    defer { withExtendedLifetime(whole) {} }
    let bytes = whole.bytes
    var (start, number) = (0, 1)
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      do throws(LogDamage) {
        let line: JSONValue
        do throws(JSONDamage) {
          line = try JSONValue(reading: bytes[start..<end])
        } catch {
          throw LogDamage("\(error.what) at column \(error.column)")
        }
        try body(line)
      } catch {
        throw MTLFastError(
          .badData, "\(path):\(number): is damaged: \(error.what). Train the run again, or draw another one.")
      }
      (start, number) = (end + 1, number + 1)
    }
  }
}

/// What is wrong with a line, as the middle of a sentence.
struct LogDamage: Error {
  let what: String
  init(_ what: String) { self.what = what }
}
