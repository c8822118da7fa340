// SPDX-License-Identifier: Apache-2.0
// `mtl-fast recipes`: the recipes that come with the program.

import ArgumentParser
import MTLFastRecipes
import MTLFastTraining

struct Recipes: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List or show the built-in recipes.",
    discussion: """
      A recipe is a YAML file that says what is learnt from which data, and how. To make your own, start from one:
        mtl-fast recipes show paintings > my.yaml
        mtl-fast train my.yaml
      """,
    subcommands: [List.self, Show.self], defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the built-in recipes.")
    @OptionGroup var output: OutputOptions

    func run() throws {
      var table = TextTable([("recipe", .left), ("what it trains", .left)])
      for recipe in BuiltInRecipe.all { table.add([recipe.name, recipe.summary]) }
      let values = BuiltInRecipe.all.map { recipe -> JSONValue in
        .object(["name": .string(recipe.name), "summary": .string(recipe.summary)])
      }
      try output.print(table.text, json: .object(["recipes": .array(values)]))
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print a recipe's YAML.",
      discussion: """
        With changes, the recipe is printed as it is then trained, every setting written out.

        Examples:
          mtl-fast recipes show fashion-mnist > my.yaml
          mtl-fast recipes show fashion-mnist --epochs 3 --lambda 0.8
        """)

    @Argument(help: "A built-in recipe, a .yaml file, or a run folder.") var recipe: String
    @OptionGroup(title: "Changes of the recipe") var changes: RecipeChanges

    func run() throws {
      let source = try RecipeSource.find(recipe)
      let overrides = try changes.overrides()
      let resolved = try source.recipe(overrides: overrides)
      let text = overrides.isEmpty ? source.text : resolved.yaml()
      try Console.result(text.hasSuffix("\n") ? String(text.dropLast()) : text)
    }
  }
}
