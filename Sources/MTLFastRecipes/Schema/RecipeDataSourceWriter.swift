// SPDX-License-Identifier: Apache-2.0
// A recipe's `data` as YAML text.

import MTLFast

extension Recipe.Stream {
  /// `format: csv`, `path: labels.csv`, ...
  var settings: [String] {
    var settings = source.format.map { ["format: \($0)"] } ?? []
    switch source {
    case .catalogue(let name): settings.append("source: \(quoted(name))")
    case .csv(let table): settings += table.settings
    case .images(let table, let column):
      settings += table.settings + ["images: \(quoted(column.column))"]
      if !column.box.isEmpty { settings.append("box: \(yamlList(column.box))") }
    case .masks(let parts):
      settings += parts.settings { "{images: \(quoted($0.images)), masks: \(quoted($0.masks))}" }
    case .arrays(let parts): settings += parts.settings(quoted)
    case .idx(let parts):
      settings += parts.settings { "{images: \(quoted($0.images)), labels: \(quoted($0.labels))}" }
    case .synthetic(let synthetic):
      settings += [
        "generator: \(synthetic.generator.rawValue)", "seed: \(synthetic.seed)", "training: \(synthetic.training)",
        "test: \(synthetic.test)",
      ]
    }
    switch validation {
    case .none where source.namesValidation: break
    case .none: settings.append("validation: none")
    case .test: settings.append("validation: test")
    case .fraction(let fraction):
      let stratify = fraction.stratify.map { ["stratify: \(quoted($0))"] } ?? []
      settings.append(
        "validation: \(yamlFlow(["fraction: \(shortText(fraction.share))"] + stratify + ["seed: \(fraction.seed)"]))")
    }
    return settings
  }
}

extension Recipe.Table {
  fileprivate var settings: [String] {
    guard parts.validation == nil, parts.test == nil else { return parts.settings(quoted) }
    var settings = ["path: \(quoted(parts.training))"]
    if let split {
      settings.append("split: \(yamlFlow(["column: \(quoted(split.column))"] + split.parts.settings(quoted)))")
    }
    return settings
  }
}

extension Recipe.Parts {
  fileprivate func settings(_ text: (File) -> String) -> [String] {
    [("training", training), ("validation", validation), ("test", test)].compactMap { key, file in
      file.map { "\(key): \(text($0))" }
    }
  }
}
