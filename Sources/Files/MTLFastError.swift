// SPDX-License-Identifier: Apache-2.0
// The one error type of the project: what, where, both values, how to fix.

/// An error with one clear line for the user.
///
/// The message says what is wrong, where, which values were found and expected, and how to fix it:
/// `Head 'parity': labels contain 7 at row 112 but the head has 2 classes (0...1). Check the label column or set classes: 8.`
public struct MTLFastError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What went wrong, as far as a program wants to tell errors apart.
  public enum Kind: String, Sendable {
    /// A wrong argument, recipe key or API value.
    case usage
    /// A file that was found but whose content can't be used.
    case badData
    /// A file, folder or data set that was not found.
    case missingInput
    /// A file that could not be written.
    case writeFailed
    /// A loss or gradient that is NaN or infinite.
    case nonFinite
    /// The kernels or the system refused: out of memory, unsupported instruction set.
    case system
  }

  public let kind: Kind
  public let message: String
  /// What helps, where that is more than the message says. It has no words: those are the program's.
  public let remedy: Remedy?

  public init(_ kind: Kind, _ message: String, remedy: Remedy? = nil) {
    self.kind = kind
    self.message = message
    self.remedy = remedy
  }

  public var description: String { message }

  /// The same error with the place where it happened before it: `Task 'item': ...`
  package func within(_ place: String) -> MTLFastError {
    MTLFastError(kind, "\(place): \(message)", remedy: remedy)
  }
}
