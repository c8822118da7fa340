# SPDX-License-Identifier: Apache-2.0
"""Writes small data sets drawn by a seed: NumPy arrays, tables, PNG images and masks, IDX files."""

import array
import dataclasses
import gzip
import io
import struct
import sys
import zipfile
import zlib


@dataclasses.dataclass
class Source:
    """One source of data: its format, how many samples of which kind, and the share of missing labels."""

    format: str
    stream: str
    image: tuple = ()
    vector: int = 5
    classes: int = 4
    missing: float = 0
    flat: bool = False
    folder: bool = False
    count: int = 0
    test: int = 12

    def named(self, name):
        return f"{self.stream}-{name}" if self.stream else name

    def path(self, name):
        return f"{self.stream or 'data'}/{name}"

    def section(self):
        path = self.path
        if self.format == "npz":
            ending = "" if self.folder else ".npz"
            return {"format": "npz", "training": path("train" + ending), "test": path("test" + ending)}
        if self.format == "csv" or self.format == "images":
            split = {"column": "split", "training": "train", "test": "test"}
            files = {"images": "file"} if self.format == "images" else {}
            if files and self.flat:
                files["box"] = ["x0", "y0", "x1", "y1"]
            return {"format": self.format, "path": path("all.csv")} | files | {"split": split}
        if self.format == "masks":
            parts = {part: {"images": path(f"{folder}/images"), "masks": path(f"{folder}/masks")}
                     for part, folder in (("training", "train"), ("test", "test"))}
            return {"format": "masks"} | parts
        parts = {part: {"images": path(f"{file}-images.idx"), "labels": path(f"{file}-labels.idx.gz")}
                 for part, file in (("training", "train"), ("test", "test"))}
        return {"format": "idx"} | parts

    def new_files(self):
        """What `predict` reads."""
        return [self.path({"npz": "new.npz", "csv": "new.csv", "images": "new.csv", "idx": "new.png"}.get(
            self.format, "new/images/000.png"))]


def little_endian(code, values):
    numbers = array.array(code, values)
    if sys.byteorder != "little":
        numbers.byteswap()
    return numbers.tobytes()


def npy(descr, shape, content):
    """A .npy file of version 1.0: [shape] elements of type descr, such as '<f4'."""
    sizes = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sizes}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content


def npz(arrays, compressed):
    """A .npz file of .npy files by name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as archive:
        for name, content in arrays.items():
            # The time is always the same, and so are the bytes.
            entry = zipfile.ZipInfo(f"{name}.npy", (2000, 1, 1, 0, 0, 0))
            entry.compress_type = archive.compression
            archive.writestr(entry, content)
    return file.getvalue()


def png(height, width, channels, pixels):
    """A PNG of 8 bits a channel, grey or red, green, blue; pixels are [height, width, channels]."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    row = width * channels
    lines = b"".join(b"\0" + pixels[y * row : (y + 1) * row] for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines, 1)) + chunk(b"IEND", b"")
    )


def idx(shape, content):
    """An IDX file of unsigned bytes."""
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape) + content


# Half of the images have few different values, so that the windows of pooling layers hold equal ones.
FEW_VALUES = bytes(value // 64 * 64 for value in range(256))


def image_bytes(random, count):
    noise = random.randbytes(count)
    return noise.translate(FEW_VALUES) if random.random() < 0.5 else noise


def labels(random, count, classes, missing):
    """Class indices, each class about as often; -1 where a share `missing` of them is left out."""
    values = [index % classes for index in range(count)]
    random.shuffle(values)
    return [-1 if random.random() < missing else value for value in values]


def numbers(random, count, missing=0):
    return [float("nan") if random.random() < missing else random.gauss(3, 2) for _ in range(count)]


def mask_bytes(random, height, width, classes, missing):
    """Class indices in rectangles: [height, width]; 255 where a rectangle has no label."""
    rows = [bytearray([random.randrange(classes)]) * width for _ in range(height)]
    for _ in range(3):
        top, left = random.randrange(height), random.randrange(width)
        bottom, right = random.randint(top + 1, height), random.randint(left + 1, width)
        value = 255 if random.random() < missing else random.randrange(classes)
        for row in rows[top:bottom]:
            row[left:right] = bytes([value]) * (right - left)
    return b"".join(rows)


def arrays(random, count, source):
    """The arrays of a source of format npz, by name."""
    height, width, channels = source.image
    made = {}
    pixels = image_bytes(random, count * height * width * channels)
    shape = [count, height * width * channels] if source.flat else [count, height, width, channels]
    made["image"] = npy("|u1", shape, pixels)
    made["vector"] = npy("<f4", [count, source.vector], little_endian("f", numbers(random, count * source.vector)))
    made["kind"] = npy("<i8", [count], little_endian("q", labels(random, count, source.classes, source.missing)))
    made["pair"] = npy("<i4", [count], little_endian("i", labels(random, count, 2, source.missing)))
    made["size"] = npy("<f4", [count], little_endian("f", numbers(random, count, source.missing)))
    made["weight"] = npy("<f8", [count], little_endian("d", numbers(random, count)))
    masks = b"".join(mask_bytes(random, height, width, 3, source.missing) for _ in range(count))
    made["parts"] = npy("|u1", [count, height, width], masks)
    bits = bytes(byte & 1 for byte in random.randbytes(count * height * width * 2))
    made["bits"] = npy("|u1", [count, height, width, 2], bits)
    return made


def table(random, count, source, split=None, files=None):
    """A table: numbers a to f, a class, one of two classes, two targets; with the names of image files."""
    names = ["oak", "elm", "ash", "fir", "yew", "box"][: source.classes]
    kinds = labels(random, count, source.classes, source.missing)
    pairs = labels(random, count, 2, source.missing)
    header = "a,b,c,d,e,f,kind,pair,size,weight"
    lines = [header + (",split" if split else "") + (",file,x0,y0,x1,y1" if files else "")]
    for index in range(count):
        cells = [f"{value:.4f}" for value in numbers(random, 6)]
        cells.append(names[kinds[index]] if kinds[index] >= 0 else "")
        cells.append(["no", "yes"][pairs[index]] if pairs[index] >= 0 else "")
        size, weight = random.gauss(2, 1), random.gauss(0, 1)
        cells += ["" if random.random() < source.missing else f"{size:.3f}", f"{weight:.3f}"]
        if split:
            cells.append(split[index])
        if files:
            cells += [files[index], "1", "2", "25", "27"]
        lines.append(",".join(cells))
    return ("\n".join(lines) + "\n").encode()


def write(folder, random, source):
    """Writes the files of a source into a folder."""
    folder.mkdir(parents=True)
    parts = [("train", source.count), ("test", source.test), ("new", 5)]
    if source.format == "npz":
        for part, count in parts:
            if source.folder:
                (folder / part).mkdir()
                for name, content in arrays(random, count, source).items():
                    (folder / part / f"{name}.npy").write_bytes(content)
            if not source.folder or part == "new":
                packed = npz(arrays(random, count, source), compressed=random.random() < 0.5)
                (folder / f"{part}.npz").write_bytes(packed)
    elif source.format == "csv":
        split = ["train"] * source.count + ["test"] * source.test
        (folder / "all.csv").write_bytes(table(random, len(split), source, split))
        (folder / "new.csv").write_bytes(table(random, 5, source))
    elif source.format == "images":
        _, _, channels = source.image
        split = ["train"] * source.count + ["test"] * source.test
        files = [f"{index:03}.png" for index in range(len(split))]
        for file in files:
            height, width = random.randint(27, 40), random.randint(27, 40)
            (folder / file).write_bytes(png(height, width, 3, image_bytes(random, height * width * 3)))
        (folder / "all.csv").write_bytes(table(random, len(split), source, split, files))
        (folder / "new.csv").write_bytes(table(random, 3, source, None, files[:3]))
    elif source.format == "masks":
        height, width, channels = source.image
        for part, count in parts:
            (folder / part / "images").mkdir(parents=True)
            (folder / part / "masks").mkdir()
            for index in range(count):
                image = png(height, width, channels, image_bytes(random, height * width * channels))
                (folder / part / "images" / f"{index:03}.png").write_bytes(image)
                if random.random() >= source.missing / 2:
                    mask = png(height, width, 1, mask_bytes(random, height, width, 3, source.missing))
                    (folder / part / "masks" / f"{index:03}.png").write_bytes(mask)
    elif source.format == "idx":
        height, width, _ = source.image
        for part, count in parts:
            images = idx([count, height, width], image_bytes(random, count * height * width))
            values = idx([count], bytes(labels(random, count, source.classes, 0)))
            (folder / f"{part}-images.idx").write_bytes(images)
            # The time in a gzip file's head is that of 1970.
            (folder / f"{part}-labels.idx.gz").write_bytes(gzip.compress(values, mtime=0))
        image = png(height, width, 1, image_bytes(random, height * width))
        (folder / "new.png").write_bytes(image)
