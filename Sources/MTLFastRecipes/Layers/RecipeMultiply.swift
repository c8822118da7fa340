// SPDX-License-Identifier: Apache-2.0
// Products in recipes.

import MTLFast

extension Multiply: PlainRecipeLayer {
  static var sentence: String { "The product of two nodes of one shape, element by element" }
}
