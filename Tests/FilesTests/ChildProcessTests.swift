// SPDX-License-Identifier: Apache-2.0
// Programs that are run: what they read, what they complain, what isn't there.

import Files
import TestSupport
import Testing

@Suite struct ChildProcessTests {
  @Test func aProgramIsRunToItsEnd() throws {
    let folder = try TemporaryFolder()
    try folder.write("echo complaint >&2; exit $(cat <<< 3)", to: "script")
    let (script, errors) = ("\(folder.path)/script", "\(folder.path)/errors")
    #expect(try ChildProcess.run("bash", [], input: script, errors: errors) == .failed(status: 3 << 8))
    #expect(try folder.text("errors") == "complaint\n")
    try folder.write("exit 0", to: "script")
    #expect(try ChildProcess.run("bash", ["-s"], input: script, errors: "/dev/null") == .done)
  }

  @Test func aMissingProgramIsTold() throws {
    let name = "mtl-fast-no-such-program"
    #expect(!ChildProcess.isInstalled(name))
    #expect(ChildProcess.isInstalled("sh"))
    #expect(try ChildProcess.run(name, [], input: "/dev/null", errors: "/dev/null") == .missing)
  }
}
