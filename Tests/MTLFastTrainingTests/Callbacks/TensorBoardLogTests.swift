// SPDX-License-Identifier: Apache-2.0
// Event files: what is in them, how they go on after a resume, and what TensorBoard's own reader finds.

import Files
import Foundation
import MTLFast
import TestSupport
import Testing

@testable import MTLFastTraining

@Suite struct TensorBoardLogTests {
  let folder: TemporaryFolder
  let run: RunFolder

  init() throws {
    folder = try TemporaryFolder()
    run = try RunFolder.create(at: "\(folder.path)/run", recipeText: smallRecipe)
  }

  private func model() throws -> MultiTaskModel {
    try MultiTaskModel(
      input: .image(height: 28, width: 28, channels: 1),
      trunk: [Conv2D(filters: 4, kernelSize: 5, stride: 3, activation: .relu), Flatten()],
      heads: [.classification("item", classes: 10, weight: 0.5), .classification("group", classes: 3)], seed: 3)
  }

  private func start(_ log: TensorBoardLog, step: Int, epoch: Int) throws {
    try log.trainingDidStart(
      TrainingStart(
        graph: model().graph, epochs: 3, stepsPerEpoch: 4, sampleCount: 8, batchSize: 2, threads: 1, step: step,
        epoch: epoch, saved: [:], requestStop: { _ in }))
  }

  private let scores = Scores(
    loss: 0.75,
    tasks: [
      ("item", TaskScore(loss: 1.5, metrics: [(.accuracy, 0.5), (.balancedAccuracy, 0.25)], present: 4)),
      ("group", TaskScore(loss: nil, metrics: [(.accuracy, nil)], present: 0)),
    ])

  private func endStep(_ log: TensorBoardLog, _ step: Int, gradientNorm: Double? = nil) throws {
    try log.stepDidEnd(
      StepRecord(
        step: step, epoch: (step + 3) / 4, stepInEpoch: (step + 3) % 4 + 1, stepsPerEpoch: 4, sampleCount: 2,
        scores: scores, learningRate: 0.5, gradientNorm: gradientNorm, seconds: 0.5)
    ) { smallState() }
  }

  private func endEpoch(_ log: TensorBoardLog, _ epoch: Int) throws {
    try log.epochDidEnd(
      EpochRecord(
        epoch: epoch, step: 4 * epoch, training: scores, validation: nil, test: scores, learningRate: 0.5,
        trainingSeconds: 1, evaluationSeconds: 1, samplesPerSecond: 1)
    ) { smallState() }
  }

  /// Each event of the run's file: its step and its first tag, or what it is.
  private func events() throws -> [String] {
    let path = try #require(try TensorBoardLog.path(in: run))
    let file = try WholeFile(path: path)
    var reader = RecordReader(file.bytes)
    var lines: [String] = []
    while let data = reader.next() {
      let event = try TensorBoardEvent(serializedBytes: Array(data))
      switch event.what {
      case .fileVersion(let version): lines.append("\(event.step) \(version)")
      case .graphDef: lines.append("\(event.step) graph")
      default: lines.append("\(event.step) \(event.summary.value.first?.tag ?? "")")
      }
    }
    #expect(reader.offset == file.bytes.count)
    return lines
  }

  private let head = ["0 brain.Event:2", "0 graph"]
  private let epochOne = ["4 test/loss/total", "4 weights/trunk.conv2d_1.kernel"]
  private func steps(_ numbers: ClosedRange<Int>) -> [String] { numbers.map { "\($0) loss/total" } }

  @Test func theNameIsOneThatTensorBoardFinds() throws {
    #expect(try TensorBoardLog.path(in: run) == nil)
    try start(TensorBoardLog(in: run), step: 0, epoch: 0)
    let path = try #require(try TensorBoardLog.path(in: run))
    #expect(try path.wholeMatch(of: Regex(#".*/run/events\.out\.tfevents\.[0-9]{10}\.mtl-fast"#)) != nil)
    #expect(try events() == head)
  }

  @Test func whatAStepHolds() throws {
    let log = TensorBoardLog(in: run)
    try start(log, step: 0, epoch: 0)
    try endStep(log, 1, gradientNorm: 3)
    try log.trainingDidStop(step: 1) { smallState() }
    let file = try WholeFile(path: try #require(try TensorBoardLog.path(in: run)))
    let event = try withExtendedLifetime(file) {
      try TensorBoardEvent(serializedBytes: Array(#require(Array(RecordReader(file.bytes)).last)))
    }
    #expect(event.step == 1 && event.wallTime > 1e9)
    #expect(
      event.summary.value.map { "\($0.tag) \($0.simpleValue)" } == [
        "loss/total 0.75", "loss/item 1.5", "accuracy/item 0.5", "learning_rate 0.5", "gradient_norm 3.0",
        "samples_per_second 4.0",
      ])
  }

  @Test(arguments: [false, true]) func noStepIsThereTwiceAfterAResume(isTorn: Bool) throws {
    let log = TensorBoardLog(in: run)
    try start(log, step: 0, epoch: 0)
    for step in 1...4 { try endStep(log, step) }
    try endEpoch(log, 1)
    for step in 5...6 { try endStep(log, step) }
    try log.trainingDidStop(step: 6) { smallState() }
    #expect(try events() == head + steps(1...4) + epochOne + steps(5...6))
    if isTorn {
      let path = try #require(try TensorBoardLog.path(in: run))
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      try whole.dropLast(3).write(to: URL(fileURLWithPath: path))
    }
    let again = TensorBoardLog(in: run)
    try start(again, step: 4, epoch: 1)
    for step in 5...7 { try endStep(again, step) }
    try again.trainingDidStop(step: 7) { smallState() }
    #expect(try events() == head + steps(1...4) + epochOne + steps(5...7))
    #expect(try FileManager.default.contentsOfDirectory(atPath: run.path).filter { $0.contains("tfevents") }.count == 1)
  }

  /// Stopped after the last step of an epoch, killed after the epoch's scores: they come again.
  @Test func aStopBeforeTheEpochsScores() throws {
    let log = TensorBoardLog(in: run)
    try start(log, step: 0, epoch: 0)
    for step in 1...4 { try endStep(log, step) }
    try endEpoch(log, 1)
    let again = TensorBoardLog(in: run)
    try start(again, step: 4, epoch: 0)
    try endEpoch(again, 1)
    #expect(try events() == head + steps(1...4) + epochOne)
  }

  @Test func damageEndsWhatIsKept() throws {
    let log = TensorBoardLog(in: run)
    try start(log, step: 0, epoch: 0)
    for step in 1...6 { try endStep(log, step) }
    try log.trainingDidStop(step: 6) { smallState() }
    let path = try #require(try TensorBoardLog.path(in: run))
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let place = try #require(bytes.lastRange(of: Data("learning_rate".utf8))).lowerBound
    bytes[place] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
    try start(TensorBoardLog(in: run), step: 6, epoch: 1)
    #expect(try events() == head + steps(1...5))
    // One that isn't an event file from its first byte on is started anew.
    try Data("damaged".utf8).write(to: URL(fileURLWithPath: path))
    try start(TensorBoardLog(in: run), step: 6, epoch: 1)
    #expect(try events() == head)
  }

  // MARK: TensorBoard's own reader

  /// The python named by MTLF_TENSORBOARD_PYTHON, or else python3, where it has the tensorboard package.
  static let python: String? = {
    let name = ProcessInfo.processInfo.environment["MTLF_TENSORBOARD_PYTHON"] ?? "python3"
    return (try? run([name, "-c", "import tensorboard"])).map { _ in name }
  }()

  private final class Records: Callback {
    var steps: [StepRecord] = []
    var epochs: [EpochRecord] = []
    var weights: [[TrainingState.Tensor]] = []
    var afterStepTwo: TrainingState?
    func stepDidEnd(_ record: StepRecord, state: () throws -> TrainingState) throws {
      steps.append(record)
      if record.step == 2 { afterStepTwo = try state() }
    }
    func epochDidEnd(_ record: EpochRecord, state: () throws -> TrainingState) throws {
      epochs.append(record)
      weights.append(try state().parameters)
    }
  }

  @Test(
    .enabled(
      if: python != nil, "neither MTLF_TENSORBOARD_PYTHON nor python3 names a python that has the tensorboard package"))
  func tensorBoardReadsWhatWasWritten() throws {
    let records = Records()
    let model = try model()
    // Two epochs of three steps; then once more from after the second step.
    let samples = formulaSamples(first: 0, count: 50) { $0 % 5 == 0 }
    for _ in 1...2 {
      let trainer = try Trainer(model, optimizer: .sgd(learningRate: 0.01, momentum: 0), threads: 2)
      if let state = records.afterStepTwo { try trainer.restore(state) }
      (records.steps, records.epochs, records.weights) = (Array(records.steps.prefix(trainer.step)), [], [])
      _ = try trainer.fit(
        samples, validation: samples, epochs: 2, batchSize: 20, callbacks: [TensorBoardLog(in: run), records])
    }
    #expect(records.steps.map(\.step) == Array(1...6))
    var expected: [String: [String]] = [:]
    func expect(_ tag: String, _ step: Int, _ value: Double?) {
      if let value { expected[tag, default: []].append("\(step):\(String(format: "%.9g", Double(Float(value))))") }
    }
    for record in records.steps {
      expect("loss/total", record.step, record.scores.loss)
      expect("learning_rate", record.step, Double(record.learningRate))
      expect("samples_per_second", record.step, Double(record.sampleCount) / record.seconds)
      for (task, score) in record.scores.tasks {
        expect("loss/\(task)", record.step, score.loss)
        expect("accuracy/\(task)", record.step, score.accuracy)
      }
    }
    for record in records.epochs {
      let scores = try #require(record.validation)
      expect("validation/loss/total", record.step, scores.loss)
      for (task, score) in scores.tasks {
        expect("validation/loss/\(task)", record.step, score.loss)
        for (metric, value) in score.metrics { expect("validation/\(metric.name)/\(task)", record.step, value) }
      }
    }
    let script = packageFolder.appendingPathComponent("Tests/tensorboard/read_events.py").path
    let lines = try Self.run([try #require(Self.python), script, run.path]).split(separator: "\n").map(String.init)
    #expect(
      lines.filter { $0.hasPrefix("scalar ") }
        == expected.sorted { $0.key < $1.key }.map { "scalar \($0.key) \($0.value.joined(separator: " "))" })
    let histograms = records.weights[0].indices.flatMap { index in
      zip(records.epochs, records.weights).map { record, tensors in
        let values = tensors[index].values
        let (least, greatest) = (values.min() ?? 0, values.max() ?? 0)
        // TensorBoard keeps the edges of histograms as Float.
        return "histogram weights/\(tensors[index].name) \(record.step) \(values.count) "
          + String(format: "%g %g %d", least, greatest, values.count)
      }
    }
    #expect(Set(lines.filter { $0.hasPrefix("histogram ") }) == Set(histograms))
    #expect(lines.filter { $0.hasPrefix("histogram ") }.count == histograms.count)
    let nodes = TensorBoardGraphDef(model.graph).node.map { node in
      let shape = node.attr["_output_shapes"]?.list.shape.first?.dim.map { String($0.size) } ?? []
      return (["node", node.name, node.op, "[\(shape.joined(separator: ", "))]"] + node.input).joined(separator: " ")
    }
    #expect(lines.filter { $0.hasPrefix("node ") } == nodes)
  }

  private struct Failed: Error { let output: String }

  private static func run(_ command: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failed(output: String(decoding: data, as: UTF8.self)) }
    return String(decoding: data, as: UTF8.self)
  }
}
