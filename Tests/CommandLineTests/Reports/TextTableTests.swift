// SPDX-License-Identifier: Apache-2.0
// Columns line up and no line ends in spaces.

import Testing

@testable import mtl_fast

@Suite struct TextTableTests {
  @Test func columnsLineUp() {
    var table = TextTable([("layer", .left), ("parameters", .right), ("note", .left)])
    table.add(["dense", "1,024", ""])
    table.add(["a longer name", "7", "x"])
    #expect(
      table.text == """
        layer          parameters  note
        dense               1,024
        a longer name           7  x
        """)
  }
}
