// SPDX-License-Identifier: Apache-2.0
// Products in recipes.

import MTLFast

extension Multiply: PlainRecipeLayer {}
