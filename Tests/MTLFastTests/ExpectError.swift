// SPDX-License-Identifier: Apache-2.0
// Errors by their exact text.

import MTLFast
import Testing

/// Expects an error of that kind with exactly that text.
func expectError<Value>(
  _ kind: MTLFastError.Kind, _ message: String, sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> Value
) {
  #expect(throws: MTLFastError(kind, message), sourceLocation: sourceLocation) { _ = try body() }
}
