# SPDX-License-Identifier: Apache-2.0
"""Compares what two trainings left in their folders."""

import dataclasses
import json
import math

import safetensors


@dataclasses.dataclass
class Comparison:
    """The first difference in words, or None; notes; and how much was compared."""

    difference: str | None = None
    notes: list = dataclasses.field(default_factory=list)
    tensors: int = 0
    numbers: int = 0
    masks: int = 0

    def differs(self, text):
        self.difference = self.difference or text


def first_difference(old, new, path=""):
    """The place where two JSON values differ first, in words; None where they are equal. NaN equals NaN."""
    if type(old) is not type(new):
        return f"{path}: {old!r} and {new!r}"
    if isinstance(old, dict):
        for key in old.keys() | new.keys():
            if key not in old or key not in new:
                return f"{path}.{key}: is in the {'old' if key in old else 'new'} result only"
        found = (first_difference(old[key], new[key], f"{path}.{key}") for key in old)
    elif isinstance(old, list):
        if len(old) != len(new):
            return f"{path}: {len(old)} and {len(new)} values"
        found = (first_difference(a, b, f"{path}[{index}]") for index, (a, b) in enumerate(zip(old, new)))
    elif old == new and not (isinstance(old, float) and math.copysign(1, old) != math.copysign(1, new)):
        return None
    elif isinstance(old, float) and math.isnan(old) and math.isnan(new):
        return None
    else:
        return f"{path}: {old!r} and {new!r}"
    return next((text for text in found if text), None)


def count(value):
    """How many numbers a JSON value holds."""
    if isinstance(value, (dict, list)):
        return sum(map(count, value.values() if isinstance(value, dict) else value))
    return int(isinstance(value, (int, float)))


def compare_json(result, name, old, new):
    try:
        old, new = json.loads(old), json.loads(new)
    except json.JSONDecodeError:
        if old != new:
            result.differs(f"{name}: {old[:120]!r} and {new[:120]!r}")
        return
    if isinstance(old, dict) and isinstance(new, dict):
        # Times are all that may differ.
        old.pop("timing", None)
        new.pop("timing", None)
    place = first_difference(old, new)
    if place:
        result.differs(f"{name}{place}")
    result.numbers += count(old)


def compare_lines(result, name, old, new):
    old_lines, new_lines = old.read_text().splitlines(), new.read_text().splitlines()
    for number, (a, b) in enumerate(zip(old_lines, new_lines), 1):
        compare_json(result, f"{name} line {number} ", a, b)
    if len(old_lines) != len(new_lines):
        result.differs(f"{name}: {len(old_lines)} and {len(new_lines)} lines")


def compare_tensors(result, name, old, new):
    try:
        old, new = safetensors.Safetensors(old), safetensors.Safetensors(new)
        found = safetensors.difference(old, new)
    except (ValueError, KeyError) as error:
        result.differs(f"{name}: {error}")
        return
    if found:
        result.differs(f"{name}: {found}")
    result.notes += safetensors.metadata_notes(old, new)
    result.tensors += len(old.entries)


def compare_outputs(result, old, new):
    old, new = json.loads(old.read_text()), json.loads(new.read_text())
    for name in old.keys() | new.keys():
        if name not in old or name not in new:
            result.differs(f"{name}: only one program has a best model")
            continue
        a, b = old[name], new[name]
        if a["status"] != b["status"]:
            result.differs(f"{name}: status {a['status']} and {b['status']} {b.get('error', '')[:200]}")
        elif a.get("error") != b.get("error"):
            result.notes.append(f"{name} fails with other words")
        elif a["status"]:
            result.notes.append(f"{name} fails in both: {a['error'].strip()[:160]}")
        compare_json(result, f"{name} ", a["result"], b["result"])


def names_of(folder):
    """The files of a folder whose content must be equal, those with the weights first."""
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    files = [path for path in files if not path.name.startswith(".")]
    return sorted(files, key=lambda path: (path.suffix != ".safetensors", path.parts))


def compare(old, new):
    """Compares the folders of one case of both programs, file by file.

    All checkpoints and best models tensor by tensor, the logs without their times, the confusion matrices, the scores
    and predictions, the predicted masks. The resolved recipe and the metadata of checkpoints may differ with a note.
    """
    result = Comparison()
    names, others = names_of(old), names_of(new)
    if not any(path.suffix == ".safetensors" for path in names):
        result.differs("there is no checkpoint to compare")
    for name in sorted(set(names) ^ set(others)):
        result.differs(f"{name} is of the {'old' if name in names else 'new'} program only")
    for name in names:
        if name not in others:
            continue
        a, b = old / name, new / name
        if name.suffix == ".safetensors":
            compare_tensors(result, str(name), a, b)
        elif name.suffix == ".jsonl":
            compare_lines(result, str(name), a, b)
        elif name.name == "outputs.json":
            compare_outputs(result, a, b)
        elif name.suffix == ".json":
            # A line for each epoch, or one value.
            compare_lines(result, str(name), a, b)
        elif name.suffix == ".png":
            result.masks += 1
            if a.read_bytes() != b.read_bytes():
                result.differs(f"{name}: the predicted masks differ")
        elif a.read_bytes() != b.read_bytes():
            result.notes.append(f"{name} differs")
    return result
