// SPDX-License-Identifier: Apache-2.0
// Where the first weights of a training come from.

/// A training whose weights another one starts with.
public struct WeightSource: Sendable, Hashable, CustomStringConvertible {
  /// A run folder, whose newest checkpoint counts, or a .safetensors file.
  public let run: String
  /// The node, head or layer that is taken; nil for every node outside heads that both have.
  public let node: String?

  public init(run: String, node: String? = nil) {
    self.run = run
    self.node = node
  }

  /// `RUN` or `RUN:NODE`
  public init(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), !text[colon...].contains("/") else {
      self.init(run: text)
      return
    }
    self.init(run: String(text[..<colon]), node: String(text[text.index(after: colon)...]))
  }

  public var description: String { run + (node.map { ":\($0)" } ?? "") }
}
