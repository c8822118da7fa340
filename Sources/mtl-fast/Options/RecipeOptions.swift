// SPDX-License-Identifier: Apache-2.0
// The argument that names a recipe and the options that change it.

import ArgumentParser
import MTLFastRecipes

struct RecipeOptions: ParsableArguments {
  @Argument(help: "A built-in recipe, a .yaml file, or a run folder. Without it: fashion-mnist.")
  var recipe: String?

  @OptionGroup(title: "Changes of the recipe")
  var changes: RecipeChanges

  /// The recipe, changed and checked.
  func load() throws -> Recipe { try load(from: source()) }

  /// Another recipe than the argument's, with the same changes.
  func load(from source: RecipeSource) throws -> Recipe { try source.recipe(overrides: try changes.overrides()) }

  /// The text of the argument's recipe, or of another one.
  func source(of name: String? = nil) throws -> RecipeSource {
    try RecipeSource.find(name ?? recipe ?? BuiltInRecipe.standard.name)
  }
}

/// The options that change a recipe.
struct RecipeChanges: ParsableArguments {
  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Set one value: --set training.epochs=3. May be repeated.",
      discussion:
        "List entries go by index: --set model.trunk.layers.0.conv2d.filters=16. Quote braces: --set 'training.optimizer={sgd: {momentum: 0.9}}'.",
      valueName: "path=value"))
  var assignments: [String] = []

  @Option(
    help: ArgumentHelp(
      "For two heads: the first one's loss weight; the second's is 1 - lambda.", valueName: "0...1"))
  var lambda: String?

  @Option(help: ArgumentHelp("The factor of every pixel: 1/255, or 1 for raw 0-255 pixels.", valueName: "factor"))
  var pixelScale: String?

  @Option(help: ArgumentHelp("How often all samples are trained on.", valueName: "n"))
  var epochs: String?

  @Option(help: ArgumentHelp("The samples of one step.", valueName: "n"))
  var batchSize: String?

  @Option(
    help: ArgumentHelp(
      "Of weights, order, dropout and augmentation; the same seed gives the same bits, with any number of threads.",
      valueName: "n"))
  var seed: String?

  /// In the order in which they apply: `--set` before the options that have a name of their own.
  func overrides() throws -> [RecipeOverride] {
    var overrides = try assignments.map { try RecipeOverride.set($0, option: "--set") }
    if let lambda { overrides.append(.lambda(lambda, option: "--lambda")) }
    if let pixelScale { overrides.append(.pixelScale(pixelScale, option: "--pixel-scale")) }
    if let epochs { overrides.append(.training("epochs", epochs, option: "--epochs")) }
    if let batchSize { overrides.append(.training("batch_size", batchSize, option: "--batch-size")) }
    if let seed { overrides.append(.training("seed", seed, option: "--seed")) }
    return overrides
  }
}
