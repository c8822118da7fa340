// SPDX-License-Identifier: Apache-2.0
// Activations as layers of recipes.

import MTLFast

extension ReLU: PlainRecipeLayer {}
extension Sigmoid: PlainRecipeLayer {}
extension GELU: PlainRecipeLayer {}
extension SiLU: PlainRecipeLayer {}
extension Tanh: PlainRecipeLayer {}
extension LeakyReLU: PlainRecipeLayer {}
