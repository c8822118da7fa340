# SPDX-License-Identifier: Apache-2.0
"""The networks that are compared: one entry per net says its inputs, layers, heads and optimizer for every peer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Conv2D:
    """Convolution with stride 1, bias and ReLU; `padding` is "valid" or "same"; `kernel` is odd."""

    filters: int
    kernel: int
    padding: str = "valid"


@dataclass(frozen=True)
class MaxPool2D:
    """Max pooling whose stride is its window."""

    window: int


@dataclass(frozen=True)
class Flatten:
    """All of a sample's elements in one row, in the order [H, W, C]."""


@dataclass(frozen=True)
class Dense:
    """Fully connected layer with bias and ReLU."""

    units: int


@dataclass(frozen=True)
class Linear:
    """Fully connected layer with bias alone: what a head ends with."""

    units: int


@dataclass(frozen=True)
class Input:
    """Samples of `shape`, [H, W, C] or [K]. Images are uint8 in files and are multiplied by `scale` in memory."""

    shape: tuple
    scale: float = 1 / 255


@dataclass(frozen=True)
class Branch:
    """Layers behind an input, another branch or the outputs of a head, which `source` names."""

    source: str
    layers: tuple


SOFTMAX = "softmax"  # cross-entropy of the logits' softmax with one class a sample
BINARY = "binary"  # cross-entropy of each logit's sigmoid with its own 0 or 1
SQUARES = "squares"  # mean of the squared differences


@dataclass(frozen=True)
class Head(Branch):
    """One task; every loss is the mean over a sample's outputs and over the samples, times `weight`.

    `label_shape` is that of a sample's label in the file: () for one class, [H, W, C] for a mask. A mask's outputs stay
    in one row: the loss over [H*W*C] is the loss over [H, W, C].
    """

    loss: str = SOFTMAX
    label_shape: tuple = ()
    weight: float = 1.0

    @property
    def outputs(self):
        return self.layers[-1].units


@dataclass(frozen=True)
class Net:
    """A network and how it is trained: by Adam, from Glorot-uniform weights and zero biases.

    `samples` of the training files make an epoch of a second or three on two cores.
    """

    inputs: dict
    branches: dict
    heads: dict
    batch_size: int
    samples: int
    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-7

    @property
    def nodes(self):
        """{name: branch or head}, each behind its source."""
        return self.branches | self.heads


def image(height, width, channels):
    return {"image": Input((height, width, channels))}


NETS = {
    "fashion-mnist": Net(
        inputs=image(28, 28, 1),
        branches={
            "trunk": Branch(
                "image",
                (
                    Conv2D(32, 3),
                    MaxPool2D(2),
                    Conv2D(64, 3),
                    MaxPool2D(2),
                    Conv2D(128, 3),
                    Flatten(),
                    Dense(1024),
                ),
            )
        },
        heads={
            "item": Head("trunk", (Dense(100), Linear(10)), weight=0.5),
            "group": Head("trunk", (Dense(100), Linear(3)), weight=0.5),
        },
        batch_size=200,
        samples=20_000,
        beta1=0.5,
        epsilon=1e-8,
    ),
    "cifar10": Net(
        inputs=image(32, 32, 3),
        branches={
            "trunk": Branch(
                "image", (Conv2D(32, 3, "same"), Conv2D(32, 3), MaxPool2D(2), Flatten(), Dense(128), Dense(64))
            )
        },
        heads={"object": Head("trunk", (Linear(10),)), "color": Head("trunk", (Linear(2),))},
        batch_size=32,
        samples=8_000,
    ),
    "cifar100": Net(
        inputs=image(32, 32, 3),
        branches={
            "trunk": Branch(
                "image", (Conv2D(20, 5), MaxPool2D(2), Conv2D(50, 5), MaxPool2D(2), Flatten(), Dense(500))
            )
        },
        # The label is computed from the sublabel's logits.
        heads={"sublabel": Head("trunk", (Linear(100),)), "label": Head("sublabel", (Linear(20),))},
        batch_size=64,
        samples=12_800,
    ),
    "paintings": Net(
        inputs=image(64, 64, 3),
        branches={
            "trunk": Branch(
                "image",
                (
                    Conv2D(32, 3, "same"),
                    MaxPool2D(2),
                    Conv2D(64, 3, "same"),
                    MaxPool2D(2),
                    Conv2D(128, 3, "same"),
                    MaxPool2D(2),
                    Flatten(),
                    Dense(256),
                ),
            )
        },
        heads={
            "artist": Head("trunk", (Linear(8),)),
            "style": Head("trunk", (Linear(10),)),
            "genre": Head("trunk", (Linear(23),)),
        },
        batch_size=64,
        samples=2_048,
    ),
    "simultaneous": Net(
        inputs={"features": Input((10,)), "measurements": Input((5,))} | image(32, 32, 3),
        branches={},
        heads={
            "classification": Head("features", (Dense(64), Dense(32), Linear(1)), BINARY),
            "segmentation": Head(
                "image",
                (Conv2D(32, 3), MaxPool2D(2), Conv2D(64, 3), MaxPool2D(2), Flatten(), Linear(3072)),
                BINARY,
                label_shape=(32, 32, 3),
            ),
            "regression": Head("measurements", (Dense(64), Dense(32), Linear(1)), SQUARES, label_shape=(1,)),
        },
        batch_size=64,
        samples=5_120,
    ),
}
