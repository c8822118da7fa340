# SPDX-License-Identifier: Apache-2.0
"""Reads safetensors files and finds the first tensor in which two of them differ."""

import array
import json
import math
import struct
import sys

# What array.array calls the elements whose differences are told as numbers; of others only the count is told.
NUMBERS = {"F32": "f", "F64": "d", "I32": "i", "I64": "q", "U32": "I", "U64": "Q", "U8": "B", "I8": "b"}


class Safetensors:
    """A file: 8 bytes with the length of the header, little-endian; the header, which is JSON; the data."""

    def __init__(self, path):
        content = path.read_bytes()
        if len(content) < 8:
            raise ValueError(f"{path}: has {len(content)} bytes, which is no safetensors file")
        (length,) = struct.unpack_from("<Q", content)
        header = json.loads(content[8 : 8 + length])
        self.metadata = header.pop("__metadata__", {})
        self.entries = header
        self.data = memoryview(content)[8 + length :]

    def data_of(self, name):
        begin, end = self.entries[name]["data_offsets"]
        if not 0 <= begin <= end <= len(self.data):
            raise ValueError(f"tensor '{name}' ends outside of the file")
        return self.data[begin:end]


def distance(old, new, dtype):
    """How far two tensors of one type and shape are apart, in words."""
    if dtype not in NUMBERS or sys.byteorder != "little":
        count = sum(a != b for a, b in zip(old, new))
        return f"{count:,} of {len(old):,} bytes differ"
    olds, news = array.array(NUMBERS[dtype], bytes(old)), array.array(NUMBERS[dtype], bytes(new))
    size = olds.itemsize
    count, largest, first = 0, 0, None
    for index, (a, b) in enumerate(zip(olds, news)):
        if old[index * size : (index + 1) * size] == new[index * size : (index + 1) * size]:
            continue
        first = index if first is None else first
        count += 1
        difference = abs(a - b)
        # A NaN is farther away than any number.
        if math.isnan(difference) or (difference > largest and not math.isnan(largest)):
            largest = difference
    return (
        f"{count:,} of {len(olds):,} elements differ, by at most {largest:g}; "
        f"element {first}: {olds[first]!r} and {news[first]!r}"
    )


def difference(old, new):
    """The first tensor in which two files differ, in words; None where all are equal to the bit."""
    for name in sorted(set(old.entries) ^ set(new.entries)):
        return f"tensor {name} is in the {'old' if name in old.entries else 'new'} file only"
    for name in sorted(old.entries, key=lambda name: old.entries[name]["data_offsets"]):
        a, b = old.entries[name], new.entries[name]
        if (a["dtype"], a["shape"]) != (b["dtype"], b["shape"]):
            return f"tensor {name} is {a['dtype']} {a['shape']} and {b['dtype']} {b['shape']}"
        old_data, new_data = old.data_of(name), new.data_of(name)
        if len(old_data) != len(new_data):
            return f"tensor {name} has {len(old_data)} bytes and {len(new_data)}"
        if old_data != new_data:
            return f"tensor {name} {a['shape']}: {distance(old_data, new_data, a['dtype'])}"
    return None


def metadata_notes(old, new):
    """The keys of the metadata whose values differ. The file's own hash covers the metadata and is left out."""
    keys = sorted(key for key in set(old.metadata) | set(new.metadata) if key != "sha256")
    return [f"metadata {key}" for key in keys if old.metadata.get(key) != new.metadata.get(key)]
