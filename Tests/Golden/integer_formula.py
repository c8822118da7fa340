# SPDX-License-Identifier: Apache-2.0
"""The integer formula from which golden inputs are made, the same in Python and in Swift (see README.md).

    mixed(i, stream) = murmur3's 32-bit finaliser of (i * 2654435761 + stream * 2246822519) mod 2^32

Source: Austin Appleby, MurmurHash3 (fmix32), 2011, public domain.
"""

import math

import numpy


def mixed(indices, stream):
    """The formula for an array of indices; uint32 arithmetic wraps."""
    x = indices.astype(numpy.uint32) * numpy.uint32(2654435761) + numpy.uint32(stream * 2246822519 & 0xFFFFFFFF)
    x = (x ^ (x >> 16)) * numpy.uint32(0x85EBCA6B)
    x = (x ^ (x >> 13)) * numpy.uint32(0xC2B2AE35)
    return x ^ (x >> 16)


def quarters(shape, stream):
    """Multiples of 0.25 from -2 to 2: ((mixed(i, stream) mod 17) - 8) / 4 for the row-major element number i."""
    values = mixed(numpy.arange(math.prod(shape)), stream) % 17
    return ((values.astype(numpy.float64) - 8) / 4).reshape(shape)
