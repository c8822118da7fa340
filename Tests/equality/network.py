# SPDX-License-Identifier: Apache-2.0
"""Draws the layers of a network, and knows the shape and the cost of each."""

import math

KERNELS = [1, 2, 3, 5, 7, 3, [3, 1], [1, 3], [5, 3], [2, 4], 4, 3]
POOLS = [
    2,
    {"size": 3, "stride": 2, "padding": "same"},
    {"size": 3, "stride": 1},
    [2, 1],
    {"size": [2, 3], "stride": [1, 2], "padding": [0, 1, 1, 1]},
    {"size": 2, "stride": 2, "padding": "same"},
    {"size": 3, "stride": 1, "padding": "same"},
    {"size": 5, "stride": 3, "padding": [2, 2, 1, 1]},
]
HALVES = [2, {"size": 3, "stride": 2, "padding": "same"}, {"size": 3, "stride": 2, "padding": [1, 0, 0, 1]}, 2]


class Draw:
    """Draws from lists like from a shuffled deck of cards: nothing comes twice before everything came once."""

    def __init__(self, random):
        self.random = random
        self.decks = {}

    def __call__(self, name, options):
        deck = self.decks.get(name)
        if not deck:
            deck = self.decks[name] = list(range(len(options)))
            self.random.shuffle(deck)
        return options[deck.pop() % len(options)]


def pair(size):
    return tuple(size) if isinstance(size, list) else (size, size)


def window(shape, size, stride, padding):
    """Height and width of what a window of this size leaves of [H, W, C]; None where it doesn't fit."""
    sides = padding if isinstance(padding, list) else [0, 0, 0, 0]
    result = []
    for axis in (0, 1):
        whole = shape[axis] + sides[2 * axis] + sides[2 * axis + 1]
        if padding == "same":
            result.append(math.ceil(shape[axis] / stride[axis]))
        elif whole < size[axis]:
            return None
        else:
            result.append((whole - size[axis]) // stride[axis] + 1)
    return result


class Node:
    """One node's layers, as a recipe has them."""

    def __init__(self, draw, sources, shape, large=False):
        self.draw, self.sources, self.shape, self.large = draw, sources, list(shape), large
        self.layers = []
        self.flops = 0
        self.weighed = False

    @property
    def elements(self):
        return math.prod(self.shape)

    def add(self, layer, shape=None, flops=0, weighed=False):
        self.layers.append(layer)
        self.shape = list(shape or self.shape)
        self.flops += flops
        self.weighed |= weighed

    def conv(self, keep=False, filters=None):
        """A convolution; with keep one that leaves height and width as they are."""
        height, width, channels = self.shape
        kernel = pair(self.draw("kernel", KERNELS))
        stride = pair(self.draw("stride", [1, 1, 2, 1, [2, 1], 1, 3, [1, 2]])) if not keep else (1, 1)
        padding = self.draw("padding", ["same", "valid", "explicit", "uneven", "same"])
        if keep and padding != "explicit":
            padding = "same"
        if padding == "explicit":
            padding = [(kernel[0] - 1) // 2, kernel[0] // 2, kernel[1] // 2, (kernel[1] - 1) // 2]
        elif padding == "uneven":
            padding = [kernel[0] - 1, 0, 0, kernel[1] - 1]
        result = window(self.shape, kernel, stride, padding)
        if result is None or (padding == "valid" and min(result) < 4):
            padding = "same"
            result = window(self.shape, kernel, stride, padding)
        options = [16, 32, 24, 12, 33] if self.large else [4, 8, 13, 16, 24, 5, 32]
        filters = filters or self.draw(f"filters {self.large}", options)
        flops = 2 * math.prod(result) * math.prod(kernel) * channels
        while flops * filters > 20e6 and filters > 8:
            filters //= 2
        settings = {"filters": filters, "kernel": list(kernel) if kernel[0] != kernel[1] else kernel[0]}
        if stride != (1, 1):
            settings["stride"] = list(stride) if stride[0] != stride[1] else stride[0]
        if padding != "valid":
            settings["padding"] = padding
        activation = self.draw("conv activation", ["relu", None, "relu", "sigmoid", None])
        if activation:
            settings["activation"] = activation
        if self.draw("conv initializer", [False, False, True]):
            settings["initializer"] = "he_uniform"
        self.add({"conv2d": settings}, result + [filters], flops * filters, weighed=True)

    def pool(self):
        kind = self.draw("pool kind", ["max_pool2d", "avg_pool2d"])
        setting = self.draw(kind, POOLS)
        named = setting if isinstance(setting, dict) else {"size": setting}
        size = pair(named["size"])
        result = window(self.shape, size, pair(named.get("stride", named["size"])), named.get("padding", "valid"))
        if result is None or min(result) < 2:
            return
        self.add({kind: setting}, result + self.shape[2:])

    def halve(self):
        """A pooling layer that halves an even height and width."""
        kind = self.draw("pool kind", ["max_pool2d", "avg_pool2d"])
        setting = self.draw(f"half {kind}", HALVES)
        named = setting if isinstance(setting, dict) else {"size": setting}
        result = window(self.shape, pair(named["size"]), (2, 2), named.get("padding", "valid"))
        self.add({kind: setting}, result + self.shape[2:])

    def upsample(self, scale):
        height, width, channels = self.shape
        down, across = pair(scale)
        self.add({"upsample2d": scale}, [height * down, width * across, channels])

    def small(self, keys=("batch_norm", "relu", "sigmoid", "dropout")):
        """A layer that leaves the shape as it is."""
        layer = self.draw(f"small {keys}", list(keys))
        settings = {
            "batch_norm": ["batch_norm", {"batch_norm": {"momentum": 0.9, "epsilon": 0.01}}],
            "dropout": [{"dropout": 0.25}, {"dropout": {"rate": 0.5}}],
        }
        self.add(self.draw(layer, settings.get(layer, [layer])), weighed=layer == "batch_norm")

    def grow(self, depth, keep=False):
        """So many layers of an image; with keep ones that leave height and width as they are."""
        kinds = ["conv", "pool", "pool", "small", "conv", "pool", "small", "conv", "upsample", "reshape"]
        for number in range(depth):
            kind = "conv" if number == 0 else self.draw("image layer", kinds)
            if kind == "small":
                self.small()
            elif keep or kind == "conv":
                self.conv(keep or self.large and number == 0)
            elif kind == "pool":
                self.pool()
            elif kind == "upsample" and self.elements < 6000:
                self.upsample(self.draw("scale", [2, [1, 2], [2, 1]]))
            elif kind == "reshape" and not self.large:
                height, width, channels = self.shape
                self.add({"reshape": [width, height, channels]}, [width, height, channels])
        while self.elements > 30000 and not keep:
            self.halve()

    def flatten(self):
        """Makes a vector of an image."""
        if len(self.shape) == 1:
            return
        if self.draw("flatten", ["flatten", "flatten", "global_average_pool2d", "reshape"]) == "global_average_pool2d":
            self.add("global_average_pool2d", self.shape[2:])
        elif self.draw("flatten by", ["flatten", "flatten", "reshape"]) == "reshape":
            self.add({"reshape": [self.elements]}, [self.elements])
        else:
            self.add("flatten", [self.elements])

    def dense(self, units=None):
        """A dense layer; every second one is large enough to run in blocks, from 16,384 weights on."""
        count = self.shape[0]
        if not units:
            units = self.draw("units", [8, 20, 33, 64])
            if self.draw("large dense", [False, True]):
                units = max(units, min(600, math.ceil(16384 / count) + self.draw("more units", [0, 3, 17])))
        activation = self.draw("dense activation", ["relu", "relu", None, "sigmoid"])
        settings = {"units": units} | ({"activation": activation} if activation else {})
        self.add({"dense": settings if activation else units}, [units], 2 * count * units, weighed=True)

    def grow_vector(self, depth):
        for number in range(depth):
            if number == 0 or self.draw("vector layer", [True, False]):
                self.dense()
            else:
                self.small()
        if depth > 1 and self.draw("image of a vector", [False, False, False, True]):
            self.dense(48)
            self.add({"reshape": [4, 4, 3]}, [4, 4, 3])
            self.conv(keep=True)
            self.flatten()

    def recipe(self):
        sources = self.sources if len(self.sources) > 1 else self.sources[0]
        return {"from": sources, "layers": self.layers}
