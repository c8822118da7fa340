// SPDX-License-Identifier: Apache-2.0
// What is wrong with a recipe: all of it, each mistake with its place.

import MTLFast

/// One mistake.
struct RecipeMistake: Error, Hashable, CustomStringConvertible {
  let location: SourceLocation
  let message: String

  /// `my.yaml:12:5: unknown key 'fliters' in conv2d. ...`
  var description: String { "\(location): \(message)" }
}

/// Collects mistakes while a recipe is read.
final class Mistakes {
  private var found: [RecipeMistake] = []
  private var known: Set<RecipeMistake> = []
  /// How often something was wrong: two values of one option may be wrong in the same words.
  private(set) var count = 0
  /// As many are told; who mends these sees the others.
  static let shown = 20
  /// As many are kept. A file may have more than anyone will read.
  private static let kept = 1000

  var isEmpty: Bool { count == 0 }

  func add(_ mistake: RecipeMistake) {
    count += 1
    if found.count < Self.kept, known.insert(mistake).inserted { found.append(mistake) }
  }

  func add(_ location: SourceLocation, _ message: @autoclosure () -> String) {
    guard found.count < Self.kept else {
      count += 1
      return
    }
    add(RecipeMistake(location: location, message: message()))
  }

  /// The result of `body`; nil where it ends in a mistake, which is kept.
  @discardableResult
  func note<Value>(_ body: () throws(RecipeMistake) -> Value) -> Value? {
    do throws(RecipeMistake) { return try body() } catch {
      add(error)
      return nil
    }
  }

  /// The result of `body`; nil where it ends in a mistake, which is kept. Any other error goes on its way.
  func attempt<Value>(_ body: () throws -> Value) rethrows -> Value? {
    do {
      return try body()
    } catch let mistake as RecipeMistake {
      add(mistake)
      return nil
    }
  }

  /// - Throws: all of them together, where there are some.
  func check() throws { if !isEmpty { throw error } }

  /// All of them, a line each, in the order of the file; those of options come first. Of kind `usage` where options alone
  /// are wrong, otherwise `badData`.
  var error: MTLFastError {
    let sorted = found.enumerated().sorted {
      ($0.element.location.order, $0.offset) < ($1.element.location.order, $1.offset)
    }
    var lines = sorted.prefix(Self.shown).map { "\($0.element)" }
    if sorted.count > Self.shown { lines.append("... and \(sorted.count - Self.shown) more mistakes.") }
    let isUsage = found.allSatisfy { if case .option = $0.location.origin { true } else { false } }
    return MTLFastError(isUsage ? .usage : .badData, lines.joined(separator: "\n"))
  }
}

extension SourceLocation {
  /// Options before the file, the file by line and column.
  fileprivate var order: Place {
    switch origin {
    case .option: Place(line: 0, column: 0)
    case .file(_, let line, let column): Place(line: line, column: column)
    }
  }

  fileprivate struct Place: Comparable {
    let line: Int
    let column: Int

    static func < (a: Place, b: Place) -> Bool { (a.line, a.column) < (b.line, b.column) }
  }
}
