// SPDX-License-Identifier: Apache-2.0
// The option that says in which form a result is printed.

import ArgumentParser
import MTLFastTraining

struct OutputOptions: ParsableArguments {
  @Flag(help: "Print the result as one JSON object.")
  var json = false

  /// Prints a result in the form that was asked for.
  func print(_ text: @autoclosure () -> String, json value: @autoclosure () -> JSONValue) throws {
    try Console.result(json ? value().text : text())
  }
}
