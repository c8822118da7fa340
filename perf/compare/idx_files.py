# SPDX-License-Identifier: Apache-2.0
"""Reads and writes gzipped IDX files of unsigned bytes (the MNIST format)."""

import gzip
import math
import struct

import numpy

UNSIGNED_BYTE = 0x08


def read(path):
    """The file's array, uint8, in the shape that its header states."""
    with gzip.open(path, "rb") as file:
        content = file.read()
    zero, element_type, rank = struct.unpack_from(">HBB", content)
    if zero != 0 or element_type != UNSIGNED_BYTE:
        raise ValueError(f"{path}: not an IDX file of unsigned bytes. Received: magic {content[:4].hex()}")
    shape = struct.unpack_from(f">{rank}I", content, 4)
    elements = numpy.frombuffer(content, dtype=numpy.uint8, offset=4 + 4 * rank)
    if elements.size != math.prod(shape):
        raise ValueError(f"{path}: header says {shape}. Received: {elements.size} bytes")
    return elements.reshape(shape)


def write(path, values):
    """A uint8 array of any shape."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(struct.pack(f">HBB{values.ndim}I", 0, UNSIGNED_BYTE, values.ndim, *values.shape))
        file.write(values.tobytes())
