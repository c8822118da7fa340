# SPDX-License-Identifier: Apache-2.0
"""The recipes of the program and of Recipes/ as cases, with data cut so that an epoch takes seconds."""

import gzip
import hashlib
import itertools
import json
import os
import pathlib
import re
import struct
import subprocess

from runs import Case, digest_of

RECIPES = pathlib.Path(__file__).resolve().parents[2] / "Recipes"
# How many records of each file are kept. With 200 and 64 samples a step the last minibatch is smaller than the others.
KEPT = {"fashion-mnist": {"train": 7130, "t10k": 1000}, "cifar10": {"data_batch": 610, "test": 500},
        "cifar100": {"train": 4030, "test": 500}}
RECORD_BYTES = {"cifar10": 3073, "cifar100": 3074}
# Files for `predict`, the first ones that are found.
FILES = {
    "paintings": ["paintings/**/*.jpg"],
    "street-scenes": ["camvid32/test/images/*.png"],
    "simultaneous-real": ["camvid32/test/images/*.png", "tabular/auto_mpg.csv"],
}
THREADS = [(2, 2), (2, 1), (1, 3), (3, 2), (2, 3), (3, 1)]


def text_of(program, arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout


def names(program):
    """The built-in recipes, and the files of Recipes/."""
    lines = text_of(program, ["recipes", "list"]).splitlines()[1:]
    return [line.split()[0] for line in lines] + [str(path) for path in sorted(RECIPES.glob("*.yaml"))]


def cut_idx(content, count):
    dimensions = content[3]
    shape = list(struct.unpack_from(f">{dimensions}I", content, 4))
    size = len(content[4 + 4 * dimensions :]) // shape[0]
    shape[0] = min(count, shape[0])
    return content[:4] + struct.pack(f">{dimensions}I", *shape) + content[4 + 4 * dimensions :][: shape[0] * size]


def cut(name, origin, folder):
    """Writes the first records of a data set's files into a folder; False where it isn't a folder of such files."""
    written = False
    folder.mkdir(parents=True)
    for path in sorted(origin.iterdir() if origin.is_dir() else []):
        count = next((count for start, count in KEPT[name].items() if path.name.startswith(start)), None)
        if name == "fashion-mnist" and count and "ubyte" in path.name:
            packed = path.suffix == ".gz"
            content = cut_idx(gzip.decompress(path.read_bytes()) if packed else path.read_bytes(), count)
            (folder / path.name).write_bytes(gzip.compress(content, 1, mtime=0) if packed else content)
            written = True
        elif count and path.suffix == ".bin":
            with path.open("rb") as file:
                (folder / path.name).write_bytes(file.read(count * RECORD_BYTES[name]))
            written = True
        elif path.suffix == ".txt":
            (folder / path.name).write_bytes(path.read_bytes())
    return written


def make(program, name, index, folder):
    """The case of a recipe, with its data in folder/data, and the hash of these; the reason where data are missing."""
    path = pathlib.Path(name)
    is_file = path.suffix == ".yaml"
    text = path.read_text() if is_file else text_of(program, ["recipes", "show", name])
    case = Case(path.stem, "built-in recipe" if not is_file else "recipe of Recipes/", name, ["--epochs", "1"])
    case.threads = THREADS[index % len(THREADS)]
    folder.mkdir(parents=True)
    base = pathlib.Path(os.environ.get("MTLF_DATA", "."))
    digest = ""
    if name in KEPT:
        sets = json.loads(text_of(program, ["datasets", "list", "--json"]))["datasets"]
        found = next((entry.get("folder") for entry in sets if entry["name"] == name), None)
        if not found:
            return None, "its data aren't there"
        if not cut(name, pathlib.Path(found), folder / "data"):
            return None, f"its data aren't a folder of files: {found}"
        digest = digest_of(folder / "data")
        if name == "fashion-mnist":
            case.every = 5
    elif "generator:" in text:
        case.has_data = False
        case.options += ["--set", "data.training=1000", "--set", "data.validation={fraction: 0.1}"]
    else:
        folders = sorted(set(re.findall(r"[ {]([\w-]+)/[\w./-]*\w", re.sub("#.*", "", text))))
        folders = [name for name in folders if not name.isdigit()]
        missing = [name for name in folders if not (base / name).is_dir()]
        if missing:
            return None, f"$MTLF_DATA has no folder {', '.join(missing)}"
        (folder / "data").symlink_to(base.resolve())
        digest = hashlib.sha256("".join(digest_of(base / name) for name in folders).encode()).hexdigest()
        for pattern in FILES.get(path.stem, []):
            found = sorted(base.glob(pattern), key=str)
            case.files += [str(file.relative_to(base)) for file in itertools.islice(found, 3)]
    return case, digest + hashlib.sha256(text.encode()).hexdigest()
