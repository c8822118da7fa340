// SPDX-License-Identifier: Apache-2.0
// The options that say what the kernels run on. They change the time, never the result.

import ArgumentParser

struct ComputeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("How many threads to use. Without it: every core that this process may use.", valueName: "n"))
  var threads: Int?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be a whole number from 1 to 1024. Received: \(threads).")
    }
  }
}
