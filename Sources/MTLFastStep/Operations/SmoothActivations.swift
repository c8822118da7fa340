// SPDX-License-Identifier: Apache-2.0
// Activations beside ReLU and sigmoid, as layers of their own.

import Kernels
import MTLFast

extension GELU: FunctionLayer {
  static var function: KernelActivation { .gelu }
}

extension SiLU: FunctionLayer {
  static var function: KernelActivation { .silu }
}

extension Tanh: FunctionLayer {
  static var function: KernelActivation { .tanh }
}

extension LeakyReLU: FunctionLayer {
  static var function: KernelActivation { .leakyReLU }
}
