// SPDX-License-Identifier: Apache-2.0
// How a recipe is found by name.

import Foundation
import MTLFastRecipes
import TestSupport
import Testing

@Suite struct RecipeSourceTests {
  @Test func builtInRecipesParse() throws {
    for name in BuiltInRecipe.names { #expect(try RecipeSource.find(name).recipe().name == name) }
  }

  @Test func theRecipeOnRealDataParses() throws {
    let source = try RecipeSource.find(packageFolder.appendingPathComponent("Recipes/simultaneous-real.yaml").path)
    #expect(source.folder?.hasSuffix("/Recipes") == true)
    let recipe = try source.recipe()
    #expect(try Recipe.parse(recipe.yaml(), file: "again.yaml") == recipe)
  }

  @Test(arguments: [
    (
      "fasion-mnist",
      "missingInput Recipe 'fasion-mnist' is not known. Built-in recipes: cifar10, cifar100, fashion-mnist, paintings, simultaneous, simultaneous-fcn, simultaneous-shared. Did you mean 'fashion-mnist'? A recipe of your own is given as its file: my.yaml."
    ),
    ("nowhere/my.yaml", "missingInput nowhere/my.yaml: no such file."),
    ("/", "missingInput /: is a folder without recipe.yaml, so it is no run."),
  ])
  func whatIsNotFound(name: String, message: String) {
    #expect(failure { try RecipeSource.find(name) } == message)
  }

  @Test(arguments: [
    ("csv", "{format: csv, path: FILE}"), ("npz", "{format: npz, training: FILE}"),
    ("PNG", "{format: images, path: TABLE.csv, images: COLUMN}"),
  ])
  func dataIsNoRecipe(ending: String, example: String) throws {
    let folder = try DataFolder()
    let file = try folder.file("data.\(ending)")
    try folder.write([0x93, 1, 255], to: "data.\(ending)")
    #expect(
      failure { try RecipeSource.find(file) }
        == "badData \(file): is no recipe (YAML). A recipe names its data: data: \(example).".replacing(
          "FILE", with: file))
  }
}
