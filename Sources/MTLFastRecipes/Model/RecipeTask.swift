// SPDX-License-Identifier: Apache-2.0
// One task of a recipe: which column is to be learnt, and as what.

import MTLFast

extension Recipe {
  /// One thing to be learnt.
  public struct Task: Hashable, Sendable {
    public var name: String
    public var target: Target

    public init(name: String, target: Target) {
      self.name = name
      self.target = target
    }

    /// A classification of a label column.
    public init(name: String, labels: String, groups: [Group]? = nil, classes: ClassNames? = nil) {
      self.init(name: name, target: .labels(Labels(column: labels, groups: groups, classes: classes)))
    }
  }

  /// The kind of a task follows from its key: `labels`, `target` or `mask`.
  public enum Target: Hashable, Sendable {
    case labels(Labels)
    case values(Numbers)
    case mask(Mask)
  }

  /// Classification: one class for each sample.
  public struct Labels: Hashable, Sendable {
    public var column: String
    /// New classes made of the column's labels, in class order; nil takes the labels as they are.
    public var groups: [Group]?
    /// Names for the classes; nil takes those of the training data.
    public var classes: ClassNames?
    public var parent: Parent?

    public init(column: String, groups: [Group]? = nil, classes: ClassNames? = nil, parent: Parent? = nil) {
      self.column = column
      self.groups = groups
      self.classes = classes
      self.parent = parent
    }
  }

  /// Regression: one or more numbers for each sample.
  public struct Numbers: Hashable, Sendable {
    public var columns: [String]
    public var normalization: Normalization

    public init(columns: [String], normalization: Normalization = .training) {
      self.columns = columns
      self.normalization = normalization
    }
  }

  /// Segmentation: a label for each pixel.
  public struct Mask: Hashable, Sendable {
    public var column: String
    public var meaning: Meaning
    /// Pixel values without a label.
    public var ignored: [Int]

    public init(column: String, meaning: Meaning, ignored: [Int] = []) {
      self.column = column
      self.meaning = meaning
      self.ignored = ignored
    }

    public enum Meaning: Hashable, Sendable {
      /// One class for each pixel: its value is an index of these names. Names of ignored values make no class.
      case classes(ClassNames)
      /// Independent masks, each of the pixels with one of its values.
      case groups([Group])
      /// Independent masks, one for each channel: of the pixels that aren't 0.
      case channels([String])
    }
  }

  /// A list of names, or the file that has one a line.
  public enum ClassNames: Hashable, Sendable {
    case names([String])
    case file(String)

    public var names: [String]? { if case .names(let names) = self { names } else { nil } }
  }

  /// One class of a mapped task: the labels of the column that belong to it.
  public struct Group: Hashable, Sendable {
    public var name: String
    public var labels: [Int]

    public init(name: String, labels: [Int]) {
      self.name = name
      self.labels = labels
    }
  }

  /// The task whose classes hold the classes of this one.
  public struct Parent: Hashable, Sendable {
    public var task: String
    /// For each class the index of its parent; nil finds them in the training data.
    public var classes: [Int]?

    public init(task: String, classes: [Int]? = nil) {
      self.task = task
      self.classes = classes
    }
  }
}

extension Recipe.Task {
  /// The columns of the data that the task reads.
  public var columns: [String] {
    switch target {
    case .labels(let labels): [labels.column]
    case .values(let numbers): numbers.columns
    case .mask(let mask): [mask.column]
    }
  }

  /// Names of the classes, masks or numbers, as far as the recipe alone tells them.
  public var names: [String]? {
    switch target {
    case .labels(let labels): labels.groups?.map(\.name) ?? labels.classes?.names
    case .values(let numbers): numbers.columns
    case .mask(let mask): mask.names
    }
  }

  /// What the head of this task is; nil where only the data tell its classes.
  public var headTask: Head.Task? {
    guard let names else { return nil }
    switch target {
    case .labels: return .classification(classNames: names)
    case .values(let numbers):
      guard case .by(let means, let deviations) = numbers.normalization, means.count == names.count,
        deviations.count == names.count
      else { return .regression(names.map { RegressionTarget($0) }) }
      return .regression(
        names.indices.map { RegressionTarget(names[$0], mean: means[$0], standardDeviation: deviations[$0]) })
    case .mask(let mask):
      if case .classes = mask.meaning { return .segmentation(classNames: names) }
      return .masks(names: names)
    }
  }
}

extension Recipe.Mask {
  var names: [String]? {
    switch meaning {
    case .classes(let classes):
      classes.names.map { names in names.indices.filter { !ignored.contains($0) }.map { names[$0] } }
    case .groups(let groups): groups.map(\.name)
    case .channels(let names): names
    }
  }
}
