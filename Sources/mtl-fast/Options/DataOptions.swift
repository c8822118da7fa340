// SPDX-License-Identifier: Apache-2.0
// The option that says where the data are.

import ArgumentParser
import MTLFastData

struct DataOptions: ParsableArguments {
  @Option(
    name: .customLong("data"),
    help: ArgumentHelp(
      "The folder with the data set's files.",
      discussion: "Without it: $MTLF_DATA, your cache folder, the system's package folder.", valueName: "dir"))
  var folder: String?

  var search: DatasetSearch { DatasetSearch(folder: folder) }
}
