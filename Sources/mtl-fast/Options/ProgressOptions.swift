// SPDX-License-Identifier: Apache-2.0
// The option that says whether progress is shown.

import ArgumentParser

struct ProgressOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Print the result only, no progress.")
  var quiet = false
}
