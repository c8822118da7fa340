// SPDX-License-Identifier: Apache-2.0
// `mtl-fast plot`: pictures of trainings and a page with them.

import ArgumentParser
import Files
import MTLFast
import MTLFastRecipes
import MTLFastTraining

struct Plot: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw the curves and confusion matrices of runs.",
    discussion: """
      Draws, for each task, its training metric and loss against the iteration, its test and validation metric against \
      the epoch, and its confusion matrix after the last epoch, each as SVG and as PNG, and a page with all of them that \
      needs no other file. A run may still be training.

      One run is drawn into RUN/plots, its page is RUN/report.html. Several runs are drawn together, a curve for each, \
      into the folder plots beside the first one, with the page in it. Pictures of the same names are replaced.

      Examples:
        mtl-fast plot runs/latest
        mtl-fast plot runs/fashion-mnist-001 runs/fashion-mnist-002
        mtl-fast plot runs/cifar100-* --output pictures
      """)

  @Argument(help: ArgumentHelp("A run folder; several are drawn together.", valueName: "run"))
  var runs: [String]

  @Option(
    name: .customLong("output"),
    help: ArgumentHelp("The folder for pictures and page. Without it: as told above.", valueName: "dir"))
  var folder: String?

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if folder?.isEmpty == true { throw ValidationError("--output is empty. Name a folder.") }
  }

  func run() throws {
    let found = try named(try runs.map { try RunFolder.open($0) })
    let recipes = try found.map { try RecipeSource.find($0.folder.recipePath) }
    let parsed = try recipes.map { try $0.recipe() }
    let names = parsed.map(\.name).reduce(into: [String]()) { names, name in
      if !names.contains(name) { names.append(name) }
    }
    let plots = try RunPlots(
      title: names.joined(separator: ", "), groups: found.map { PlotGroup(name: $0.name, runs: [($0.folder, nil)]) })
    for (run, logs) in plots.logs where logs.steps.isEmpty {
      guard found.count > 1 else { throw nothing(in: run.path) }
      Console.note("\(run.path): has no steps yet, so it is not drawn.")
    }
    guard plots.logs.contains(where: { !$0.logs.steps.isEmpty }) else {
      throw nothing(in: runs.joined(separator: ", "))
    }
    try Gnuplot.requireInstalled()
    let (folder, page) = places(found[0].folder, isAlone: found.count == 1)
    let pictures = try plots.draw(into: folder)
    let report = RunReport(
      runs: found.indices.map { index in
        RunReport.Run(
          name: found[index].name, folder: found[index].folder, recipe: parsed[index], recipeText: recipes[index].text,
          logs: plots.logs[index].logs)
      })
    try report.page(pictures: pictures).write(to: page)
    try output.print(
      (pictures.flatMap { [$0.svgPath, $0.pngPath] } + [page]).joined(separator: "\n"),
      json: .object([
        "report": .string(page),
        "pictures": .array(
          pictures.map { picture in
            .object([
              "title": .string(picture.title), "svg": .string(picture.svgPath), "png": .string(picture.pngPath),
            ])
          }),
      ]))
  }

  private func nothing(in runs: String) -> MTLFastError {
    MTLFastError(
      .missingInput, "\(runs): no steps are logged yet, so there is nothing to draw. Train on, then try again.")
  }

  /// Where pictures and page go.
  private func places(_ first: RunFolder, isAlone: Bool) -> (folder: String, page: String) {
    if let folder {
      let folder = FilePath.withoutTrailingSlash(folder)
      return (folder, "\(folder)/report.html")
    }
    if isAlone { return (first.plotsPath, first.reportPath) }
    let plots = first.path.contains("/") ? FilePath.join(FilePath.folder(of: first.path), "plots") : "plots"
    return (plots, "\(plots)/report.html")
  }

  /// Each run with the name of its folder; with its path where folders have the same name.
  private func named(_ folders: [RunFolder]) throws -> [(name: String, folder: RunFolder)] {
    // `runs/latest` is told by the name of the run that it points to.
    let paths = folders.map { FilePath.resolved($0.path) }
    let names = paths.map(FilePath.name)
    for (index, path) in paths.enumerated() where paths[..<index].contains(path) {
      throw MTLFastError(.usage, "\(folders[index].path): is the same run as one before it. Name each run once.")
    }
    return folders.indices.map { index in
      (names.filter { $0 == names[index] }.count > 1 ? folders[index].path : names[index], folders[index])
    }
  }
}
