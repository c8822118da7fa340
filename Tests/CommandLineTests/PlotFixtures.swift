// SPDX-License-Identifier: Apache-2.0
// Runs that are written by hand.

import Foundation
import MTLFastTraining

@testable import mtl_fast

/// A folder with runs whose logs are given.
final class LoggedRuns {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "mtl-fast-plots-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func add(_ name: String, steps: String, history: String = "", confusion: String? = nil) throws -> RunFolder {
    let run = try RunFolder.create(at: "\(path)/\(name)", recipeText: "recipe: 1\n")
    try write(steps, to: run.stepsPath)
    try write(history, to: run.historyPath)
    if let confusion { try write(confusion, to: run.confusionPath) }
    return run
  }

  /// A run of two tasks whose accuracy rises with the steps, from `start` percent.
  func addRising(_ name: String, steps: Int, from start: Int, tasks: [String] = ["item", "group"]) throws -> RunFolder {
    var text = ""
    for step in 1...steps {
      let share = Double(start) / 100 + 0.3 * Double(step) / Double(steps)
      let scores = tasks.map { "\"\($0)\":{\"accuracy\":\(share),\"loss\":\(1 - share)}" }.joined(separator: ",")
      text += "{\"epoch\":1,\"learning_rate\":0.001,\"loss\":1.0,\"step\":\(step),\"tasks\":{\(scores)}}\n"
    }
    let scores = tasks.map { "\"\($0)\":{\"accuracy\":0.5,\"loss\":0.5,\"present\":10}" }.joined(separator: ",")
    let history = (1...3).map {
      "{\"epoch\":\($0),\"loss\":1,\"step\":\($0),\"tasks\":{\(scores)},\"test\":{\(scores)},\"validation\":null}\n"
    }
    return try add(name, steps: text, history: history.joined())
  }

  private func write(_ text: String, to path: String) throws {
    try text.write(toFile: path, atomically: false, encoding: .utf8)
  }
}
