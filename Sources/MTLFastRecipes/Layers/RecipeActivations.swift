// SPDX-License-Identifier: Apache-2.0
// Activations as layers of recipes.

import MTLFast

extension ReLU: PlainRecipeLayer { static var sentence: String { "The larger of x and 0" } }
extension Sigmoid: PlainRecipeLayer { static var sentence: String { "1 / (1 + exp(-x))" } }
extension GELU: PlainRecipeLayer { static var sentence: String { "x / 2 * (1 + erf(x / sqrt(2)))" } }
extension SiLU: PlainRecipeLayer { static var sentence: String { "x / (1 + exp(-x))" } }
extension Tanh: PlainRecipeLayer { static var sentence: String { "The hyperbolic tangent" } }
extension LeakyReLU: PlainRecipeLayer { static var sentence: String { "x where it is positive, 0.01 x elsewhere" } }
