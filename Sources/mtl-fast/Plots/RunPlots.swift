// SPDX-License-Identifier: Apache-2.0
// The pictures of runs, drawn together.

import MTLFast
import MTLFastTraining

/// Runs that are drawn as one curve per task: one run, or several that differ by their seeds.
struct PlotGroup {
  let name: String
  /// With the tasks that are drawn of each; nil for all in its logs.
  let runs: [(folder: RunFolder, tasks: Set<String>?)]
}

/// For each task its training metric and loss against the iteration, its held-out metric against the epoch, and the
/// confusion matrices.
struct RunPlots {
  private struct LoggedRun {
    let folder: RunFolder
    let tasks: Set<String>?
    let logs: RunLogs

    func has(_ task: String) -> Bool { tasks?.contains(task) ?? true }
  }

  private struct Group {
    let name: String
    let runs: [LoggedRun]
  }

  /// What is named on every picture: the recipe.
  let title: String
  private let groups: [Group]

  /// Reads the logs.
  ///
  /// - Throws: `MTLFastError` of kind `badData` where a log is damaged.
  init(title: String, groups: [PlotGroup]) throws {
    self.title = title
    self.groups = try groups.map { group in
      Group(
        name: group.name,
        runs: try group.runs.map { LoggedRun(folder: $0.folder, tasks: $0.tasks, logs: try RunLogs($0.folder)) })
    }
  }

  /// The logs that were read, in the order of groups and runs.
  var logs: [(folder: RunFolder, logs: RunLogs)] { groups.flatMap(\.runs).map { ($0.folder, $0.logs) } }

  /// Draws every picture that there are values for and returns them in the order of the tasks.
  ///
  /// - Throws: `MTLFastError`, as of `Gnuplot.draw`.
  func draw(into folder: String) throws -> [Picture] {
    var names: Set<String> = []
    return try drawings.map { drawing in
      // Tasks whose names differ in characters that no file name has.
      var (name, number) = (drawing.name, 2)
      while !names.insert(name).inserted {
        name = "\(drawing.name)-\(number)"
        number += 1
      }
      try Gnuplot.draw(drawing.script, name: name, into: folder)
      return Picture(title: drawing.title, name: name, folder: folder)
    }
  }

  // MARK: What is drawn

  struct Drawing {
    let title: String
    let name: String
    let script: GnuplotScript
  }

  var drawings: [Drawing] {
    tasks.flatMap { task in
      metrics(of: task).map { trainingMetric(of: task, $0) } + [trainingLoss(of: task)]
        + metrics(of: task).map { epochs(of: task, $0) } + confusions(of: task)
    }.compactMap { $0 }
  }

  /// The tasks of all runs, in the order of their recipes.
  private var tasks: [String] {
    var tasks: [String] = []
    for run in groups.flatMap(\.runs) {
      for task in run.logs.tasks where run.has(task.name) && !tasks.contains(task.name) { tasks.append(task.name) }
    }
    return tasks
  }

  /// One, unless runs score the task by different metrics.
  private func metrics(of task: String) -> [Metric] {
    var metrics: [Metric] = []
    for run in groups.flatMap(\.runs) where run.has(task) {
      if let metric = run.logs[task]?.metric, !metrics.contains(metric) { metrics.append(metric) }
    }
    return metrics
  }

  private func trainingMetric(of task: String, _ metric: Metric) -> Drawing? {
    steps(of: task, what: metric.title, named: metric.name, yTitle: metric.axisTitle) { curves in
      curves.metric == metric ? curves.values.map(metric.axisValue) : nil
    }
  }

  private func trainingLoss(of task: String) -> Drawing? {
    steps(of: task, what: "loss", named: "loss", yTitle: "loss (mean over the minibatch)") { $0.losses }
  }

  private func steps(
    of task: String, what: String, named name: String, yTitle: String, _ values: (RunLogs.StepCurves) -> [Double]?
  ) -> Drawing? {
    /// Of each group the steps and values of its runs.
    let found = groups.map { group in
      group.runs.compactMap { run in
        (run.has(task) ? run.logs[task].flatMap(values) : nil).map { (x: run.logs.steps, y: $0) }
      }
    }
    let window = averagingWindow(steps: found.joined().map(\.x.count).max() ?? 0)
    let series = found.enumerated().compactMap { index, runs -> CurvePlot.Series? in
      guard let x = runs.map(\.x).min(by: { $0.count < $1.count }) else { return nil }
      let curve = Curve(x: x, runs: runs.map { movingAverage($0.y, window: window) })
      return curve.isEmpty ? nil : CurvePlot.Series(title: groups[index].name, curve: curve, color: index)
    }
    guard !series.isEmpty else { return nil }
    let average = window > 1 ? "\(title), moving average of \(window) steps, fewer at the start" : title
    let heading = "\(task): training \(what)"
    return Drawing(
      title: heading, name: Picture.fileName(task, "training", name),
      script: CurvePlot(titles: [heading, average], axis: .steps, yTitle: yTitle, series: series).script)
  }

  private func epochs(of task: String, _ metric: Metric) -> Drawing? {
    var series: [CurvePlot.Series] = []
    for (index, group) in groups.enumerated() {
      for (place, split) in [("test", CurvePlot.Style.test), ("validation", .validation), ("training", .training)]
        .enumerated()
      {
        // Beside those of other groups, the curves of training would be in the way.
        guard split.0 != "training" || groups.count == 1 else { continue }
        let runs = group.runs.filter { $0.has(task) && $0.logs[task]?.metric == metric }.compactMap { run in
          let epochs = run.logs.epochs
          let values = epochs.map { epoch in
            epoch.tasks(of: split.0)?.first { $0.name == task }?[metric].map(metric.axisValue) ?? .nan
          }
          return values.allSatisfy(\.isNaN) ? nil : (x: epochs.map { Double($0.epoch) }, y: values)
        }
        guard let x = runs.map(\.x).min(by: { $0.count < $1.count }) else { continue }
        let name = split.0 == "training" ? "training, mean over the epoch" : split.0
        series.append(
          CurvePlot.Series(
            title: groups.count == 1 ? name : "\(group.name), \(name)", curve: Curve(x: x, runs: runs.map(\.y)),
            color: groups.count == 1 ? place : index, style: split.1))
      }
    }
    // Without held-out samples the picture would only repeat the training.
    guard series.contains(where: { $0.style != .training }) else { return nil }
    let heading = "\(task): \(metric.title) after each epoch"
    return Drawing(
      title: heading, name: Picture.fileName(task, "epochs", metric.name),
      script: CurvePlot(titles: [heading, title], axis: .epochs, yTitle: metric.axisTitle, series: series).script)
  }

  private func confusions(of task: String) -> [Drawing] {
    groups.flatMap { group in
      ["test", "validation"].compactMap { split in
        let matrices = group.runs.filter { $0.has(task) }.flatMap { run in
          run.logs.confusions.filter { $0.task == task && $0.split == split }
        }
        guard let matrix = ConfusionMatrix.sum(matrices) else { return nil }
        let runs = matrix.runs > 1 ? ", \(matrix.runs) runs added up" : ""
        let heading = "\(task): \(split) confusion"
        let place = groups.count > 1 ? ", \(group.name)" : ""
        let name = Picture.fileName(task, "confusion", split)
        return Drawing(
          title: heading + place, name: groups.count > 1 ? "\(name)-\(Picture.fileName(group.name))" : name,
          script: ConfusionPlot(
            titles: [heading, "\(title)\(place), after epoch \(matrix.epoch)\(runs)"], matrix: matrix
          ).script)
      }
    }
  }
}
