# SPDX-License-Identifier: Apache-2.0
"""A net's parameters and the floating-point operations of one training step, from its table alone.

Run by itself, it prints them for every net: `python3 perf/compare/net_counts.py`.
"""

import math

from nets import NETS, Conv2D, Dense, Flatten, Linear, MaxPool2D


class Counts:
    """What a net has and does.

    parameters       of all layers
    flops            of a sample and step: 2 * multiply-accumulates of forward, d_weight, and d_input where anything
                     before the layer is trained; over taps inside the image. A convolution with its pool counts what
                     the pool reads: an odd last row or column that it drops isn't computed.
    flatten_widths   of its flatten layers, in order
    """

    def __init__(self, net):
        self.parameters = 0
        self.flops = 0
        self.flatten_widths = []
        shapes = {name: input.shape for name, input in net.inputs.items()}
        for name, node in net.nodes.items():
            shapes[name] = self._add(node.layers, shapes[node.source], is_first=node.source in net.inputs)

    def _add(self, layers, shape, is_first):
        """The shape behind the layers."""
        for layer, following in zip(layers, (*layers[1:], None)):
            match layer:
                case Conv2D(filters, kernel, padding):
                    height, width, channels = shape
                    margin = kernel // 2 if padding == "same" else 0
                    shape = (height + 2 * margin - kernel + 1, width + 2 * margin - kernel + 1, filters)
                    window = following.window if isinstance(following, MaxPool2D) else 1
                    taps = math.prod(
                        count_taps(size, output // window * window, kernel, margin)
                        for size, output in zip((height, width), shape)
                    )
                    self._add_products(taps * channels * filters, is_first)
                    self.parameters += (kernel * kernel * channels + 1) * filters
                    is_first = False
                case Dense(units) | Linear(units):
                    (inputs,) = shape
                    self._add_products(inputs * units, is_first)
                    self.parameters += (inputs + 1) * units
                    shape = (units,)
                    is_first = False
                case MaxPool2D(window):
                    shape = (shape[0] // window, shape[1] // window, shape[2])
                case Flatten():
                    shape = (math.prod(shape),)
                    self.flatten_widths.append(shape[0])
        return shape

    def _add_products(self, products, is_first):
        self.flops += 2 * products * (2 if is_first else 3)


def count_taps(size, outputs, kernel, margin):
    """How many of the `kernel` taps of each of the first `outputs` positions along a side lie inside it."""
    return sum(
        0 <= position + tap - margin < size for position in range(outputs) for tap in range(kernel)
    )


def main():
    print(f"{'net':<16}{'parameters':>12}{'flatten':>9}{'MFLOP':>8}")
    for name, net in NETS.items():
        counts = Counts(net)
        print(f"{name:<16}{counts.parameters:>12,}{counts.flatten_widths[0]:>9,}{counts.flops / 1e6:>8.1f}")


if __name__ == "__main__":
    main()
