// SPDX-License-Identifier: Apache-2.0
// The pictures of a comparison and the page about it.

import MTLFast
import MTLFastTraining

/// Draws a comparison into its folder: `plots/` and `report.html`.
struct ComparisonPlots {
  let folder: ComparisonFolder
  /// What is named on every picture: the recipe.
  let title: String
  /// What is compared: `all tasks together against each alone, seeds 0, 1, 2`.
  let subtitle: String
  /// Nets that are drawn as one curve for each task; none in a sweep.
  var groups: [PlotGroup] = []
  /// Of a sweep.
  var lambda: LambdaPlot?
  let tables: [(title: String, table: TextTable)]
  /// What the numbers show, in words.
  let notes: [String]
  let recipeText: String

  /// - Returns: the page.
  /// - Throws: `MTLFastError`, as of `Gnuplot.draw`.
  func draw() throws -> String {
    let plots = "\(folder.path)/plots"
    var pictures: [Picture] = []
    if let lambda { pictures.append(try lambda.draw(into: plots)) }
    if !groups.isEmpty { pictures += try RunPlots(title: title, groups: groups).draw(into: plots) }
    let page = "\(folder.path)/report.html"
    try ReportPage(
      title: "\(title): \(subtitle)", tables: tables, pictures: pictures, notes: notes,
      texts: [("recipe.yaml", recipeText)]
    ).write(to: page)
    return page
  }
}
