// SPDX-License-Identifier: Apache-2.0
// The program that CKernels/README.md opens with is the one that is built and run.

import Foundation
import TestSupport
import Testing

extension KernelTests {
  struct ReadmeTests {
    @Test func programIsTheExample() throws {
      let folder = packageFolder.appending(path: "CKernels")
      let readme = try String(contentsOf: folder.appending(path: "README.md"), encoding: .utf8)
      let example = try String(contentsOf: folder.appending(path: "example/train_step.c"), encoding: .utf8)
      let blocks = readme.components(separatedBy: "```c\n").dropFirst()
      let program = try #require(blocks.first?.components(separatedBy: "```").first)
      #expect(program == example)
    }
  }
}
