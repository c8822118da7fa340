# SPDX-License-Identifier: Apache-2.0
"""Reads and writes CIFAR's binary files: records of one or two label bytes and three planes of 32x32 bytes."""

import numpy

PLANES = (3, 32, 32)
PIXEL_BYTES = 3 * 32 * 32
CIFAR10_FILES = {"train": [f"data_batch_{number}.bin" for number in range(1, 6)], "test": ["test_batch.bin"]}
CIFAR100_FILES = {"train": ["train.bin"], "test": ["test.bin"]}


def read(directory, names, label_bytes):
    """Images [N, 32, 32, 3] and labels [N, label_bytes] of all the files, uint8."""
    records = numpy.concatenate([read_records(directory / name, label_bytes + PIXEL_BYTES) for name in names])
    planes = records[:, label_bytes:].reshape(-1, *PLANES)
    return planes.transpose(0, 2, 3, 1), records[:, :label_bytes]


def read_records(path, record_bytes):
    content = numpy.fromfile(path, numpy.uint8)
    if content.size % record_bytes:
        raise ValueError(f"{path}: records have {record_bytes} bytes. Received: {content.size} bytes")
    return content.reshape(-1, record_bytes)


def write(directory, names, images, labels):
    """Spreads the records evenly over the files."""
    planes = images.transpose(0, 3, 1, 2).reshape(len(images), PIXEL_BYTES)
    records = numpy.concatenate([labels, planes], axis=1)
    for name, part in zip(names, numpy.array_split(records, len(names))):
        part.tofile(directory / name)


def write_names(path, prefix, count):
    """One class name a line."""
    path.write_text("".join(f"{prefix} {number}\n" for number in range(count)))
