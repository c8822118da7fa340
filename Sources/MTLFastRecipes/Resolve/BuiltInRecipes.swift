// SPDX-License-Identifier: Apache-2.0
// The recipes that the program carries, embedded in its code so that the binary can be moved.

import MTLFast

/// A recipe file of the package.
public struct BuiltInRecipe: Sendable {
  public let name: String
  /// One line for lists.
  public let summary: String
  /// The file as it is, comments included.
  public var text: String { String(decoding: bytes(), as: UTF8.self) }
  private let bytes: @Sendable () -> [UInt8]

  /// Every recipe of the package, in the order in which they are listed.
  public static let all = [
    standard,
    BuiltInRecipe(
      name: "cifar10", summary: "object and its even or odd number, two heads on one convolutional trunk",
      bytes: { PackageResources.cifar10_yaml }),
    BuiltInRecipe(
      name: "cifar100", summary: "100 fine classes, and 20 coarse ones by a head that reads the fine one's logits",
      bytes: { PackageResources.cifar100_yaml }),
    BuiltInRecipe(
      name: "simultaneous", summary: "classification, segmentation and regression at once, nothing shared",
      bytes: { PackageResources.simultaneous_yaml }),
    BuiltInRecipe(
      name: "simultaneous-shared", summary: "the same three tasks on one shared representation of all inputs",
      bytes: { PackageResources.simultaneous_shared_yaml }),
    BuiltInRecipe(
      name: "simultaneous-fcn", summary: "the same three tasks, the masks from a decoder of convolutions",
      bytes: { PackageResources.simultaneous_fcn_yaml }),
    BuiltInRecipe(
      name: "paintings", summary: "painter, style and genre of a painting, three heads, from a table and its images",
      bytes: { PackageResources.paintings_yaml }),
  ]

  /// The recipe of a command that names none.
  public static let standard = BuiltInRecipe(
    name: "fashion-mnist", summary: "item and group of a garment, two heads on one convolutional trunk",
    bytes: { PackageResources.fashion_mnist_yaml })

  public static var names: [String] { all.map(\.name) }
}
