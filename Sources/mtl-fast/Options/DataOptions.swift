// SPDX-License-Identifier: Apache-2.0
// The option that says where the data are.

import ArgumentParser
import Files
import MTLFastData

struct DataOptions: ParsableArguments {
  @Option(
    name: .customLong("data"),
    help: ArgumentHelp(
      "The folder with the data: a data set's files, or what a recipe's paths begin at.",
      discussion:
        "Without it: $MTLF_DATA; then for paths the recipe's folder and the current one, for known data sets your cache folder and the system's package folder.",
      valueName: "dir"))
  var folder: String?

  @Flag(help: "Leave out image files that can't be read, and say which, instead of stopping.")
  var skipBad = false

  /// Where data are looked for; says so where $MTLF_DATA names no folder.
  var search: DatasetSearch {
    let search = DatasetSearch(folder: folder)
    if folder == nil, let named = search.environment("MTLF_DATA"), !named.isEmpty, !FilePath.exists(named) {
      Console.note("Warning: MTLF_DATA is '\(named)', which is not there.")
    }
    return search
  }
}
