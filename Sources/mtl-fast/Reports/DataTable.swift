// SPDX-License-Identifier: Apache-2.0
// The data of a recipe as a table.

import MTLFast
import MTLFastRecipes

/// A row for each part of each stream: its samples, and how many labels of each task are present.
func dataTable(_ data: RecipeData) -> TextTable {
  var table = TextTable([("data", .left), ("samples", .right), ("labels present", .left)])
  for samples in [data.training, data.validatesOnTest ? nil : data.validation, data.test].compactMap({ $0 }) {
    for stream in samples.streams {
      let present = stream.targets.sorted { $0.key < $1.key }.map { "\($0) \(grouped($1.presentCount))" }
      table.add([stream.name, grouped(stream.count), present.joined(separator: ", ")])
    }
  }
  return table
}
