// SPDX-License-Identifier: Apache-2.0
// `mtl-fast recipes`: the recipes that come with the program.

import ArgumentParser
import MTLFast
import MTLFastRecipes
import MTLFastTraining

struct Recipes: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List or show the built-in recipes.",
    discussion: """
      A recipe is a YAML file that says what is learnt from which data, and how. To make your own, start from one:
        mtl-fast recipes show paintings > my.yaml
        mtl-fast train my.yaml

      Editors with the YAML language server complete and check recipes by the schema that is named in their first line:
        mtl-fast recipes schema > recipe.schema.json
      """,
    subcommands: [List.self, Show.self, Keys.self, Schema.self], defaultSubcommand: List.self)

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
      let text = overrides.isEmpty ? source.text : try resolved.yaml()
      let hasSchema = text.contains("yaml-language-server:")
      let line = hasSchema ? "" : "# yaml-language-server: $schema=recipe.schema.json\n"
      try Console.result(line + (text.hasSuffix("\n") ? String(text.dropLast()) : text))
    }
  }

  struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the keys of a part of recipes, with their values, defaults and meaning.",
      discussion: """
        Examples:
          mtl-fast recipes keys            the parts
          mtl-fast recipes keys training
          mtl-fast recipes keys layers
        """)

    @Argument(help: "A part: training, heads, layers, data.csv, ...; without it all are named.") var part: String?

    func run() throws {
      let tables = RecipeTable.all
      guard let part else {
        return try Console.result(tables.map(\.name).joined(separator: "\n"))
      }
      let below = tables.map(\.name).filter { $0.hasPrefix("\(part).") }
      guard let table = tables.first(where: { $0.name == part }) else {
        if !below.isEmpty { return try Console.result(below.joined(separator: "\n")) }
        throw MTLFastError(.usage, unknownName("part", part, in: "recipes", known: tables.map(\.name)))
      }
      let entries = table.plainRows.map { row in
        let facts = zip(table.header, row).dropFirst().dropLast().compactMap { header, text -> String? in
          text.isEmpty ? nil : header == "default" && text != "required" ? "default \(text)" : text
        }
        return wrapped("\(row[0]): \(facts.joined(separator: "; "))") + "\n  "
          + wrapped("\(row[row.count - 1]).", columns: 78)
      }
      try Console.result(entries.joined(separator: "\n"))
    }
  }

  struct Schema: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the format of recipes as JSON Schema.",
      discussion: """
        Of draft 2020-12. Keep it beside your recipes, under the name that the first line of 'recipes show' says:
          mtl-fast recipes schema > recipe.schema.json
        """)

    func run() throws { try Console.result(RecipeJSONSchema.value.text) }
  }
}
