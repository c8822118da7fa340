# SPDX-License-Identifier: Apache-2.0
"""The networks that are compared: one entry per net says its data, layers, heads and optimizer for every peer."""

from collections.abc import Callable
from dataclasses import dataclass

import idx_files


@dataclass(frozen=True)
class Conv2D:
    """Convolution with stride 1, bias and ReLU; `padding` is "valid" or "same"."""

    filters: int
    kernel: int
    padding: str = "valid"


@dataclass(frozen=True)
class MaxPool2D:
    """Max pooling whose stride is its window."""

    window: int


@dataclass(frozen=True)
class Flatten:
    """All of a sample's elements in one row."""


@dataclass(frozen=True)
class Dense:
    """Fully connected layer with bias and ReLU."""

    units: int


@dataclass(frozen=True)
class Head:
    """One task: hidden layers, then a linear layer of `classes` logits with softmax cross-entropy."""

    classes: int
    layers: tuple = ()
    loss_weight: float = 1.0


@dataclass(frozen=True)
class Net:
    """A network and how it is trained.

    `read(directory, split)` returns uint8 images [N, H, W, C] and {head name: int32 labels [N]}; the split is
    "train" or "test". Weights start Glorot-uniform, biases at zero, and the optimizer is Adam.
    """

    read: Callable
    image_shape: tuple
    trunk: tuple
    heads: dict
    batch_size: int
    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-7
    pixel_scale: float = 1 / 255


# Group of each item: shoes {5, 7, 9} -> 0, gendered {3, 6, 8} -> 1, uni-sex {0, 1, 2, 4} -> 2.
FASHION_GROUP_OF_ITEM = (2, 2, 2, 1, 2, 0, 1, 0, 1, 0)


def read_fashion_mnist(directory, split):
    """Fashion-MNIST from its four IDX .gz files: images and the labels of both tasks."""
    prefix = {"train": "train", "test": "t10k"}[split]
    images = idx_files.read(directory, f"{prefix}-images-idx3-ubyte.gz")
    items = idx_files.read(directory, f"{prefix}-labels-idx1-ubyte.gz").astype("int32")
    groups = items.copy()
    for item, group in enumerate(FASHION_GROUP_OF_ITEM):
        groups[items == item] = group
    return images[..., None], {"item": items, "group": groups}


NETS = {
    "fashion-mnist": Net(
        read=read_fashion_mnist,
        image_shape=(28, 28, 1),
        trunk=(
            Conv2D(32, 3),
            MaxPool2D(2),
            Conv2D(64, 3),
            MaxPool2D(2),
            Conv2D(128, 3),
            Flatten(),
            Dense(1024),
        ),
        heads={
            "item": Head(classes=10, layers=(Dense(100),), loss_weight=0.5),
            "group": Head(classes=3, layers=(Dense(100),), loss_weight=0.5),
        },
        batch_size=200,
        beta1=0.5,
        epsilon=1e-8,
    ),
}
