// SPDX-License-Identifier: Apache-2.0
// Recipe texts that the tests start from, and the message of an error.

import MTLFast
import MTLFastRecipes
import Testing

enum RecipeTexts {
  /// A small recipe that uses every part of the format; the numbers of its lines stand in the tests.
  static let small = """
    recipe: 1
    name: small
    data: {source: fashion-mnist}
    inputs:
      image: {shape: [28, 28, 1], scale: 1/255}
    tasks:
      item: {labels: label}
      group: {labels: label, map: {shoes: [5, 7, 9], "other one": [0, 1]}}
    model:
      trunk:
        from: image
        layers:
          - conv2d: {filters: 4, kernel: 3}
          - max_pool2d: 2
          - flatten
    heads:
      item: {from: trunk, layers: [dense: 10], weight: 0.5}
      group: {from: item.logits}
    training:
      batch_size: 8
    """

  /// The small recipe with one line (counted from 1) replaced.
  static func small(line: Int, _ text: String) -> String { small([line: text]) }

  /// The small recipe with some lines (counted from 1) replaced.
  static func small(_ replacements: [Int: String]) -> String {
    let lines = small.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    return lines.map { replacements[$0 + 1] ?? String($1) }.joined(separator: "\n")
  }
}

extension RecipeTexts {
  /// Two streams, an input and a task of every kind; the numbers of its lines stand in the tests.
  static let full = """
    recipe: 1
    name: full
    data:
      streams:
        people: {format: csv, path: a/people.csv, split: {column: use, training: in, validation: "1", test: out}}
        views: {format: masks, training: {images: i, masks: m}, validation: {fraction: 0.25, seed: 4}}
    inputs:
      age: {columns: [years, "shoe, size"], from: people}
      rest: {columns: all, from: people, normalize: false}
      view: {shape: [8, 8, 3], from: views.image, scale: 1/255, fit: letterbox, normalize: true, augment: {flip: true, cutout: 3}}
    tasks:
      job: {labels: job, parent: {task: field, classes: [0, 0, 1]}, classes: [smith, baker, poet]}
      field: {labels: field, classes: [craft, art]}
      income: {targets: [wage, rent], mean: [1e3, 0.1], standard_deviation: [0.3333333, 2]}
      scene: {mask: mask, classes: names.txt, ignore: [0, 11]}
      roads: {mask: mask, map: {road: [3, 4], any: [3]}}
    model:
      body: {from: [age, rest], layers: [concatenate, batch_norm, dense: {units: 4}]}
      eye:
        from: view
        layers:
          - conv2d: {filters: 4, kernel: 3, padding: same}
          - batch_norm: {momentum: 0.9, epsilon: 1e-5}
      twice: {from: [eye, eye.conv2d_1], layers: [add, max_pool2d: 2, upsample2d: 2]}
      alias: {from: eye, layers: []}
    heads:
      job: {from: body, metrics: [top_2_accuracy, consistency], class_weights: {poet: 3}, label_smoothing: 0.1}
      field: {from: job.logits, class_weights: auto, loss: binary_cross_entropy}
      income: {from: [body, body.dense_1], layers: [add], loss: {huber: {delta: 0.5}}, metrics: [mae]}
      scene: {from: twice, class_weights: auto, weight: 0}
      roads: {from: alias, layers: [global_average_pool2d, dense: 8, reshape: [2, 2, 2], flatten], loss: dice}
    training: {optimizer: {adamw: {}}, report: test}
    """

  /// The recipe `full` with some lines (counted from 1) replaced.
  static func parseFull(_ replacements: [Int: String] = [:]) throws -> Recipe {
    let lines = full.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    return try Recipe.parse(lines.map { replacements[$0 + 1] ?? String($1) }.joined(separator: "\n"), file: "my.yaml")
  }
}

/// The error that a body throws, with its kind in front, and its remedy, where it has one, behind:
/// `badData my.yaml:1:1: is empty.`
func failure(_ body: () throws -> some Any) -> String {
  do {
    return "no error: \(try body())"
  } catch let error as MTLFastError {
    return "\(error.kind.rawValue) \(error.message)" + (error.remedy.map { " -> \($0)" } ?? "")
  } catch {
    return "another error: \(error)"
  }
}
