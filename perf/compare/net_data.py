# SPDX-License-Identifier: Apache-2.0
"""The files that every program trains a net on: made of random numbers, and read by the peers.

`python net_data.py NET DIR` writes them. Classes are drawn at random, so that nothing can be learnt from them but by
heart: throughput doesn't depend on it. `--samples` says how many there are to train on.
"""

import argparse
from pathlib import Path

import numpy

import cifar_files
import idx_files
from nets import BINARY, NETS, SOFTMAX

TEST_SAMPLES = 1000
# Group of each item: shoes {5, 7, 9} -> 0, gendered {3, 6, 8} -> 1, uni-sex {0, 1, 2, 4} -> 2.
FASHION_GROUP_OF_ITEM = numpy.array((2, 2, 2, 1, 2, 0, 1, 0, 1, 0), numpy.int32)
FASHION_PREFIX = {"train": "train", "test": "t10k"}
CIFAR100_LABELS = 20


def read_fashion_mnist(net, directory, split):
    prefix = directory / FASHION_PREFIX[split]
    images = idx_files.read(f"{prefix}-images-idx3-ubyte.gz")
    items = idx_files.read(f"{prefix}-labels-idx1-ubyte.gz")
    return {"image": images[..., None]}, {"item": items, "group": FASHION_GROUP_OF_ITEM[items]}


def write_fashion_mnist(net, directory, split, random, samples):
    prefix = directory / FASHION_PREFIX[split]
    idx_files.write(f"{prefix}-images-idx3-ubyte.gz", random_bytes(random, (samples, 28, 28)))
    idx_files.write(f"{prefix}-labels-idx1-ubyte.gz", random_bytes(random, samples, 10))


def read_cifar10(net, directory, split):
    images, labels = cifar_files.read(directory, cifar_files.CIFAR10_FILES[split], label_bytes=1)
    return {"image": images}, {"object": labels[:, 0], "color": labels[:, 0] % 2}


def write_cifar10(net, directory, split, random, samples):
    images, labels = random_bytes(random, (samples, 32, 32, 3)), random_bytes(random, (samples, 1), 10)
    cifar_files.write(directory, cifar_files.CIFAR10_FILES[split], images, labels)
    cifar_files.write_names(directory / "batches.meta.txt", "object", 10)


def read_cifar100(net, directory, split):
    images, labels = cifar_files.read(directory, cifar_files.CIFAR100_FILES[split], label_bytes=2)
    return {"image": images}, {"label": labels[:, 0], "sublabel": labels[:, 1]}


def write_cifar100(net, directory, split, random, samples):
    """Every sublabel has one parent."""
    images, sublabels = random_bytes(random, (samples, 32, 32, 3)), random_bytes(random, samples, 100)
    labels = numpy.stack([sublabels % CIFAR100_LABELS, sublabels], axis=1)
    cifar_files.write(directory, cifar_files.CIFAR100_FILES[split], images, labels)
    cifar_files.write_names(directory / "coarse_label_names.txt", "label", CIFAR100_LABELS)
    cifar_files.write_names(directory / "fine_label_names.txt", "sublabel", 100)


def npz_path(directory, split):
    return directory / f"{split}.npz"


def read_npz(net, directory, split):
    with numpy.load(npz_path(directory, split)) as arrays:
        return {name: arrays[name] for name in net.inputs}, {name: arrays[name] for name in net.heads}


def write_npz(net, directory, split, random, samples):
    """One array for each input and head, under its name: images and masks uint8, classes int32, the rest float32."""
    arrays = {name: random_input(random, (samples, *input.shape)) for name, input in net.inputs.items()}
    arrays |= {name: random_labels(random, samples, head) for name, head in net.heads.items()}
    numpy.savez(npz_path(directory, split), **arrays)


def random_input(random, shape):
    return random_bytes(random, shape) if len(shape) == 4 else random.standard_normal(shape, numpy.float32)


def random_labels(random, samples, head):
    shape = (samples, *head.label_shape)
    if head.loss == SOFTMAX:
        return random.integers(head.outputs, size=shape, dtype=numpy.int32)
    if head.loss == BINARY:
        return random.integers(2, size=shape, dtype=numpy.uint8 if head.label_shape else numpy.int32)
    return random.standard_normal(shape, numpy.float32)


def random_bytes(random, shape, end=256):
    return random.integers(end, size=shape, dtype=numpy.uint8)


FORMATS = {
    "fashion-mnist": (read_fashion_mnist, write_fashion_mnist),
    "cifar10": (read_cifar10, write_cifar10),
    "cifar100": (read_cifar100, write_cifar100),
    "paintings": (read_npz, write_npz),
    "simultaneous": (read_npz, write_npz),
}


def write(name, directory, samples=None):
    """The files of both splits, the same ones every time."""
    net = NETS[name]
    random = numpy.random.default_rng(0)
    for split, count in (("train", samples or net.samples), ("test", TEST_SAMPLES)):
        FORMATS[name][1](net, Path(directory), split, random, count)


def read(name, directory, split):
    """What a framework takes: {input: float32 [N, *shape]} and {head: labels}; the split is "train" or "test".

    Labels are int32 [N] for SOFTMAX, float32 [N, outputs] else. Images are multiplied by their scale.
    """
    net = NETS[name]
    inputs, labels = FORMATS[name][0](net, Path(directory), split)
    return (
        {input: as_floats(values, net.inputs[input].scale) for input, values in inputs.items()},
        {head: as_labels(values, net.heads[head]) for head, values in labels.items()},
    )


def as_floats(values, scale):
    floats = values.astype(numpy.float32)
    return floats * numpy.float32(scale) if values.dtype == numpy.uint8 else floats


def as_labels(values, head):
    if head.loss == SOFTMAX:
        return values.astype(numpy.int32)
    return values.reshape(len(values), head.outputs).astype(numpy.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("net", choices=NETS)
    parser.add_argument("directory", metavar="DIR", help="an existing folder")
    parser.add_argument("--samples", type=int, help="to train on; default: the net's")
    arguments = parser.parse_args()
    write(arguments.net, arguments.directory, arguments.samples)


if __name__ == "__main__":
    main()
