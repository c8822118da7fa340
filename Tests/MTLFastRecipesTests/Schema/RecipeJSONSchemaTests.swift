// SPDX-License-Identifier: Apache-2.0
// The JSON Schema of recipes: valid, with every recipe of the package, against every mistake that it can say.

import Foundation
import MTLFastRecipes
import TestSupport
import Testing

@Suite struct RecipeJSONSchemaTests {
  /// A Python with the packages jsonschema and yaml: `$MTLF_JSONSCHEMA_PYTHON`, or python3.
  static let python: String? = {
    let named = ProcessInfo.processInfo.environment["MTLF_JSONSCHEMA_PYTHON"] ?? "python3"
    return (try? run([named, "-c", "import jsonschema, yaml"])) == nil ? nil : named
  }()

  private static func run(_ arguments: [String], input: String = "") throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    let (output, source) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = source
    try process.run()
    source.fileHandleForWriting.write(Data(input.utf8))
    try source.fileHandleForWriting.close()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
    return String(decoding: data, as: UTF8.self)
  }

  /// Reads a schema and a list of recipes, and prints `1` for each that the schema accepts, otherwise `0`.
  private static let script = """
    import json, sys, yaml, jsonschema
    schema, texts = json.load(sys.stdin)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    # Numbers such as 1e-7 are texts to YAML 1.1; recipes are read by YAML 1.2.
    import re
    yaml.SafeLoader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+(\\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789"))
    print("".join("1" if validator.is_valid(yaml.safe_load(text)) else "0" for text in texts))
    """

  private func verdicts(_ texts: [String]) throws -> [Bool] {
    let python = try #require(Self.python)
    let data = try JSONSerialization.data(withJSONObject: texts)
    let input = "[\(RecipeJSONSchema.value.text), \(String(decoding: data, as: UTF8.self))]"
    let output = try Self.run([python, "-c", Self.script], input: input)
    return output.compactMap { $0 == "1" ? true : $0 == "0" ? false : nil }
  }

  @Test(.enabled(if: RecipeJSONSchemaTests.python != nil, "no Python with jsonschema and yaml"))
  func everyRecipeIsAccepted() throws {
    let folder = packageFolder.appendingPathComponent("Recipes")
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "yaml" }
    #expect(files.count >= 2)
    let own = try files.map { try String(contentsOf: $0, encoding: .utf8) }
    let odd = RecipeTexts.small([
      7: "  item: {labels: 1, classes: [0, 1, true]}", 8: "  group: {labels: label}",
      3: "data: {format: npz, training: a}",
      15: "      - batch_norm:\n      - flatten", 20: "  optimizer: {adam: }",
    ])
    let texts = BuiltInRecipe.all.map(\.text) + own + [RecipeTexts.small, RecipeTexts.full, odd]
    // As a run keeps them, too.
    let written = try texts.map { try Recipe.parse($0, file: "my.yaml").yaml() }
    for (text, isAccepted) in zip(texts + written, try verdicts(texts + written)) { #expect(isAccepted, "\(text)") }
  }

  @Test(.enabled(if: RecipeJSONSchemaTests.python != nil, "no Python with jsonschema and yaml"))
  func mistakesAreRefused() throws {
    let mistakes = [
      (1, "recipe: 2"), (2, "name: a b"), (2, "nmae: small"), (2, ""), (3, "data: {source: fashion-mnits}"),
      (3, "data: {format: cvs, path: a}"), (3, "data: {format: images, path: a, images: f, box: [a, b]}"),
      (3, "data: {source: fashion-mnist, validation: {fraction: 1}}"), (5, "  image: {shape: [28, 28]}"),
      (5, "  image: {shape: [28, 28, 1], scale: one}"), (5, "  image: {shape: [28, 28, 1], fit: corp}"),
      (5, "  image: {shape: [28, 28, 1], augment: {flip: 1}}"), (7, "  item: {label: label}"),
      (7, "  item: {labels: label, classes: [a]}"), (7, "  item: {classes: [a, b]}"),
      (8, "  group: {labels: label, map: {shoes: [5, x], rest: [7]}}"),
      (8, "  group: {labels: label, map: {shoes: [5, 7]}}"), (13, "      - conv2d: {fliters: 4, kernel: 3}"),
      (13, "      - conv2d: {filters: 4}"), (13, "      - conv2d: {filters: 0, kernel: 3}"),
      (13, "      - conv2d: {filters: 4, kernel: 3, padding: smae}"),
      (13, "      - conv2d: {filters: 4, kernel: 3, activation: rlu}"), (13, "      - cnv2d: {filters: 4, kernel: 3}"),
      (14, "      - max_pool2d"), (14, "      - dropout: 1"), (17, "  item: {from: trunk, weight: -1}"),
      (17, "  item: {from: trunk, loss: mse}"), (17, "  item: {from: trunk, metrics: [f1]}"),
      (17, "  item: {from: trunk, label_smoothing: 1}"), (17, "  item: {from: trunk, class_weights: atuo}"),
      (20, "  batch_size: 1.5"), (20, "  batch_size:"), (20, "  optimizer: {adam: {beta1: 1}}"),
      (20, "  optimizer: {adm: {}}"), (20, "  report: tset"), (20, "  seed: -1"),
      (20, "  early_stopping: {on: loss}"), (20, "  schedule: {cosine: {final: 2}}"),
    ]
    let texts = mistakes.map { RecipeTexts.small(line: $0.0, $0.1) }
    for text in texts { #expect(throws: (any Error).self) { try Recipe.parse(text, file: "my.yaml") } }
    for (mistake, isAccepted) in zip(mistakes, try verdicts(texts)) {
      #expect(!isAccepted, "the schema accepts \(mistake.1)")
    }
  }
}
