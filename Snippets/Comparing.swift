// SPDX-License-Identifier: Apache-2.0
// The second example of docs/swift.md: does training three tasks together help?

import MTLFastData
import MTLFastRecipes
import MTLFastTraining

var recipe = try RecipeSource.find("simultaneous-shared").recipe()
recipe.training.epochs = 2
let data = try RecipeData(recipe, search: DatasetSearch())
let settings = try ComparisonSettings(seed: recipe.training.seed, count: 2)
let comparison = try TwinComparison(data, settings: settings)
let folder = try ComparisonFolder.create(for: recipe.name, recipeText: data.resolved.yaml(), settings: settings)

/// `stop.request()`, on any thread, ends it after the step that is running; `run(in: folder)` goes on.
let stop = StopRequest()
if let result = try comparison.run(in: folder, stop: stop) {
  for (task, p) in zip(result.tasks, result.adjusted) {
    let scores = task.scores
    print(scores.task, scores.metric.name, scores.together, scores.alone)
    if let interval = scores.difference?.interval, let p { print("  together - alone:", interval, "p:", p) }
  }
  if let gain = result.gain { print("mean relative gain in percent:", gain.mean) }
} else {
  print("stopped:", folder.path)
}
