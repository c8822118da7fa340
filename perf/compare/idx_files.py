# SPDX-License-Identifier: Apache-2.0
"""Reads gzipped IDX files of unsigned bytes (the MNIST format) into numpy arrays."""

import gzip
import math
import os
import struct

import numpy

UNSIGNED_BYTE = 0x08


def read(directory, name):
    """The file's array, uint8, in the shape that its header states."""
    path = os.path.join(directory, name)
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
