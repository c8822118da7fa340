// SPDX-License-Identifier: Apache-2.0
// The format of recipes as JSON Schema, made of the same declarations that read them.

import MTLFast
import MTLFastTraining

/// What a recipe may hold, as far as JSON Schema can say it: keys, types, ranges, words. What parts must agree on, shapes
/// above all, it can't.
public enum RecipeJSONSchema {
  /// Of draft 2020-12.
  public static var value: JSONValue {
    .object([
      "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A recipe of mtl-fast", "type": "object",
      "properties": .object([
        "recipe": .object(["const": .integer(1), "description": "The version of the format"]),
        "name": described(.pattern(namePattern), "Names the run folder"),
        "data": described(data, "Where the samples come from"),
        "inputs": described(named(Recipe.Input.schema(of: "", in: nil).shape), "What the model reads, by name"),
        "tasks": described(
          named(.any(Recipe.Task.shapes.map { .mapping($0) })), "What is to be learnt, by name"),
        "model": described(
          .names(Recipe.ModelNode.schema(of: "").shape, atLeast: 0), "Named layers that heads share"),
        "heads": described(
          .names(Recipe.Head.schema(of: "").shape, atLeast: 1), "One for each task, under its name"),
        "training": described(Recipe.Training.schema.shape, "How to train"),
      ]),
      "required": .array(["recipe", "name", "data", "inputs", "tasks", "heads"]),
      "additionalProperties": .bool(false), "$defs": .object(["layer": GraphLayer.variants.shape.json]),
    ])
  }

  private static let namePattern = "^[A-Za-z][A-Za-z0-9_-]{0,63}$"

  private static var data: ValueShape {
    let stream = ValueShape.any(Recipe.Stream.shapes.map { .mapping($0.keys) })
    let streams = MappingShape(keys: [
      .init(
        name: "streams", shape: .names(stream, atLeast: 1), isRequired: true,
        sentence: "Sources whose rows have nothing to do with each other, by name", standard: nil)
    ])
    return .any([stream, .mapping(streams)])
  }

  private static func named(_ shape: ValueShape) -> ValueShape { .names(shape, atLeast: 1) }

  private static func described(_ shape: ValueShape, _ sentence: String) -> JSONValue {
    guard case .object(var members) = shape.json else { return shape.json }
    members["description"] = .string(sentence)
    return .object(members)
  }
}
