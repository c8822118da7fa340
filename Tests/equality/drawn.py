# SPDX-License-Identifier: Apache-2.0
"""Draws recipes by a seed, over every layer, loss, optimizer, schedule and kind of data."""

import dataclasses
import math
import random
import re

import data
from data import Source
from network import Draw, Node

# What a training may cost, in floating-point operations: seconds, not minutes.
MOST_FLOPS = 30e9
MOST_FLOPS_SCALAR = 8e9

# Images and minibatches whose shards are smaller than the groups of samples, a sixteenth of the minibatch.
LARGE = [
    ((32, 32, 3), 200), ((64, 64, 3), 100), ((24, 24, 2), 256), ((40, 48, 2), 160), ((36, 36, 1), 180),
    ((80, 72, 1), 96), ((28, 30, 1), 230), ((48, 48, 3), 130), ((96, 96, 3), 64), ((26, 26, 3), 200),
    ((64, 96, 2), 72), ((32, 28, 2), 170)]


@dataclasses.dataclass
class DrawnRecipe:
    """A recipe and how it is trained. With `resumed` a checkpoint is written after so many steps."""

    name: str
    covers: str
    text: str
    sources: list
    files: list
    options: list
    environment: dict
    threads: tuple
    resumed: int | None
    seed: str

    def write(self, folder):
        """Writes the data and the recipe."""
        for source in self.sources:
            maker = random.Random(f"{self.seed} {source.stream}")
            data.write(folder / "data" / (source.stream or "data"), maker, source)
        (folder / "recipe.yaml").write_text(self.text)


def flow(value):
    """A value as YAML, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def recipe_text(recipe):
    lines = []
    for key, value in recipe.items():
        if isinstance(value, dict) and key not in ("training", "data"):
            lines.append(f"{key}:")
            lines += [f"  {name}: {flow(item)}" for name, item in value.items()]
        else:
            lines.append(f"{key}: {flow(value)}")
    return "\n".join(lines) + "\n"


class Recipe:
    """Puts one recipe together: data, then nodes, heads and training."""

    def __init__(self, draw, index, large, resumed):
        self.draw, self.random = draw, draw.random
        self.large, self.resumed, self.batch = large, resumed, None
        self.name = f"drawn-{index:02}"
        self.inputs, self.tasks, self.nodes, self.heads, self.sources = {}, {}, {}, {}, []
        self.words = []

    def source(self, format, stream=""):
        draw = self.draw
        if self.large:
            image, batch = draw("large image", LARGE)
            self.batch = self.batch or batch
        else:
            image = draw("image", [(12, 12, 3), (17, 15, 2), (28, 28, 1), (8, 10, 4), (24, 20, 3), (16, 16, 1)])
        channels = {"idx": [1], "images": [1, 3], "masks": [1, 3]}.get(format)
        if channels and image[2] not in channels:
            image = (*image[:2], channels[-1])
        source = Source(
            format, stream, image, vector=draw("vector", [5, 11, 3]), classes=draw("classes", [3, 4, 6, 5]),
            missing=0 if format == "idx" else draw("missing", [0, 0.3, 0, 0.1]),
            flat=draw("flat", [False, True]), folder=draw("folder", [False, False, True]))
        self.sources.append(source)
        return source

    def input(self, source, name):
        """Declares an input and returns its node."""
        draw, own = self.draw, source.named(name)
        origin = {"from": f"{source.stream}.{name}"} if source.stream else {}
        if name == "image":
            settings = {"shape": list(source.image), "scale": "1/255"} | origin
            if draw("normalize", [False, True]):
                settings["normalize"] = True
            if source.format == "images":
                settings["fit"] = draw("fit", ["crop", "letterbox", "stretch"])
            augment = draw("augment", [None, {"flip": True}, None, {"pad": 2, "flip": True}, {"cutout": 4}, {"pad": 3}])
            if augment:
                settings["augment"] = augment
                self.words.append("+".join(augment))
            shape = source.image
        elif source.format in ("csv", "images"):
            columns = draw("columns", [["a", "b", "c", "d"], ["f", "a"]])
            settings = {"columns": columns} | ({"from": source.stream} if source.stream else {})
            shape = [len(columns)]
        else:
            settings = {"shape": [source.vector], "normalize": draw("normalize", [False, True])} | origin
            shape = [source.vector]
        self.inputs[own] = settings
        return Node(draw, [own], shape, self.large)

    def keep(self, name, node):
        """Makes a node of the model and returns one that reads it."""
        self.nodes[name] = node
        return Node(self.draw, [name], node.shape, self.large)

    def joined(self, nodes, first):
        """A node that reads several and begins with the layer that joins them, `add` or `concatenate`."""
        shape = list(nodes[0].shape)
        if first == "concatenate":
            shape[-1] = sum(node.shape[-1] for node in nodes)
        node = Node(self.draw, [node.sources[0] for node in nodes], shape, self.large)
        node.add(first)
        return node

    def trunk(self, source):
        """The nodes of one source: a vector for heads of classes and numbers, and an image for masks or None."""
        draw, own = self.draw, source.named
        vector_only = source.format == "csv"
        full = None
        if not vector_only:
            image = self.input(source, "image")
            if source.format in ("npz", "masks") and draw("kind of trunk", ["image", "masks"]) == "masks" \
                    or source.format == "masks":
                full = self.decoder(source, image)
                image = full
            plan = draw("trunk", ["plain", "add", "concatenate", "plain"])
            self.words.append(plan)
            if plan == "plain":
                if full:
                    image = Node(draw, image.sources, image.shape, self.large)
                    image.halve()
                image.grow(draw("depth", [2, 3, 5, 4]))
            else:
                image.grow(2)
                if image.elements > 12000:
                    image.halve()
                stem = self.keep(own("stem"), image)
                branches = [stem]
                for number in range(1 if plan == "add" else 2):
                    branch = Node(draw, stem.sources, stem.shape, self.large)
                    branch.conv(keep=True, filters=stem.shape[2] if plan == "add" else None)
                    branch.small()
                    branches.append(self.keep(own(f"branch_{number}"), branch))
                image = self.joined(branches if plan == "add" else branches[1:], plan)
                image.small(("relu", "batch_norm", "sigmoid"))
            image.flatten()
            self.words.append(f"{source.format} {'x'.join(map(str, source.image))}")
        if vector_only or source.format in ("npz", "images") and draw("second input", [False, True, False]):
            vector = self.input(source, "vector")
            vector.grow_vector(3 if vector_only else 1)
            if vector_only:
                image = vector
            else:
                image = self.joined([self.keep(own("pixels"), image), self.keep(own("values"), vector)], "concatenate")
            self.words.append("vector")
        if not vector_only and draw("dense in trunk", [True, True, False]):
            image.dense()
            image.small()
        return self.keep(own("trunk"), image), full

    def decoder(self, source, image):
        """An encoder, a decoder, and the pixels of both: as large as the image."""
        draw, own = self.draw, source.named
        image.conv(keep=True)
        if draw("norm in encoder", [True, False]):
            image.small(("batch_norm", "relu", "batch_norm"))
        fine = self.keep(own("fine"), image)
        coarse = Node(draw, fine.sources, fine.shape, self.large)
        even = fine.shape[0] % 2 == 0 and fine.shape[1] % 2 == 0
        if even:
            coarse.halve()
        coarse.conv(keep=True)
        if even:
            coarse.upsample(2)
        coarse = self.keep(own("coarse"), coarse)
        both = self.joined([fine, coarse], "concatenate")
        both.conv(keep=True)
        return self.keep(own("both"), both)

    def head(self, source, column, kind, node, **task):
        """A head of its own layers at a node."""
        draw, name = self.draw, source.named(column)
        self.tasks[name] = task
        layers = Node(draw, node.sources, node.shape, self.large)
        if len(node.shape) == 1 and draw("layers of head", [False, True, False]):
            layers.dense()
        head = layers.recipe() if layers.layers else {"from": node.sources[0]}
        self.nodes_of_heads.append(layers)
        loss = draw(f"loss {kind}", {
            "classes": [None, "softmax_cross_entropy"],
            "pair": ["binary_cross_entropy", None, "binary_cross_entropy"],
            "numbers": [None, "mean_absolute_error", "huber", {"huber": {"delta": 0.5}}, "mean_squared_error"],
            "pixels": [None],
            "masks": [None, "dice", "binary_cross_entropy_dice", "binary_cross_entropy"],
        }[kind])
        if loss:
            head["loss"] = loss
        self.words.append(re.sub(r"[{}]", "", flow(loss or kind)))
        if kind != "numbers":
            count = {"classes": source.classes, "pixels": 3}.get(kind, 2)
            # The dice loss is of the whole mask, so its pixels have no weights.
            weights = draw(f"class weights {kind}", [None, "auto", [1 + index / 2 for index in range(count)], None])
            if weights and "dice" not in str(loss):
                head["class_weights"] = weights
        if kind == "classes" and draw("label smoothing", [False, True, False]):
            head["label_smoothing"] = 0.1
        weight = draw("weight", [1, 0.5, 1, 2, 0.25, 0])
        if weight != 1 and (weight or any(other.get("weight", 1) for other in self.heads.values())):
            head["weight"] = weight
        self.heads[name] = head

    def add_heads(self, source, vector, full):
        """Heads for one source."""
        draw, most = self.draw, self.draw("heads", [3, 2, 4])
        table = source.format in ("csv", "images")
        if full:
            if source.format == "masks":
                meaning = draw("meaning", [{"map": {"one": [1], "two": [0, 2]}}, {"classes": ["x", "y", "z"]}])
                kind = "masks" if "map" in meaning else "pixels"
                self.head(source, "area", kind, full, mask="mask", **meaning, ignore=[255])
                if draw("mask of a vector", [False, True, False]):
                    self.head(source, "second", "masks", vector, mask="mask", map={"two": [2]}, ignore=[255])
                return
            self.head(source, "parts", "pixels", full, mask="parts", classes=["x", "y", "z"])
            self.head(source, "bits", "masks", full if draw("bits", [True, False]) else vector,
                      mask="bits", masks=["u", "v"])
        self.head(source, "kind", "classes", vector, labels="label" if source.format == "idx" else "kind")
        if source.format == "idx":
            lower = {"low": [0, 1], "high": list(range(2, source.classes))}
            self.head(source, "half", "pair", vector, labels="label", map=lower)
            return
        origin = vector
        if draw("head of a head", [False, True, False]):
            origin = Node(draw, [source.named("kind") + ".logits"], [source.classes])
            self.words.append("head of a head")
        self.head(source, "pair", "pair", origin, labels="pair", classes=["no", "yes"])
        if most > 2:
            normalize = draw("normalize numbers", [{}, {"normalize": False}])
            if draw("targets", [False, True]):
                self.head(source, "sizes", "numbers", vector, targets=["size", "weight"], **normalize)
            else:
                self.head(source, "size", "numbers", vector, target="size", **normalize)
        if most > 3 and table:
            self.head(source, "again", "numbers", vector, target="weight")

    def training(self):
        draw = self.draw
        training = {"optimizer": draw("optimizer", [
            "adam", {"sgd": {"learning_rate": 0.003, "momentum": 0.9}}, {"adamw": {"weight_decay": 0.05}}, "sgd",
            {"adam": {"learning_rate": 0.003, "beta1": 0.5, "epsilon": 0.00001}}, "adamw",
            {"sgd": {"learning_rate": 0.005, "momentum": 0.5, "weight_decay": 0.01}}, {"sgd": {"weight_decay": 0.001}},
        ])}
        schedule = draw("schedule", [
            None, {"step": {"every": 1, "factor": 0.5}}, "cosine", {"one_cycle": {"peak": 0.4}}, "one_cycle",
            {"cosine": {"final": 0.1, "warm_up": 0.5}}, {"constant": {"warm_up": 1}}])
        if schedule:
            training["schedule"] = schedule
        if draw("clipping", [False, True, False]):
            training["gradient_clipping"] = draw("norm", [1, 0.1, 5.0])
        frozen = draw("freeze", [None, None, "node", None, "layer", None])
        weighed = [name for name, node in self.nodes.items() if node.weighed]
        if frozen and weighed:
            name = self.random.choice(weighed)
            layer = next(kind for kind in map(kind_of, self.nodes[name].layers) if kind in (
                "conv2d", "dense", "batch_norm"))
            training["freeze"] = [name if frozen == "node" else f"{name}.{layer}_1"]
            self.words.append(f"frozen {frozen}")
        optimizer = training["optimizer"]
        self.words.append(optimizer if isinstance(optimizer, str) else next(iter(optimizer)))
        return training | {"seed": self.random.randrange(1000)}

    def sizes(self, training):
        """Draws the minibatch and how many samples there are, within what a training may cost."""
        draw = self.draw
        batch = self.batch if self.large else draw("batch", [16, 7, 25, 40, 12, 60])
        steps = 5.4 if self.resumed else draw("steps", [2.3, 3.4, 1.6])
        flops = sum(node.flops for node in [*self.nodes.values(), *self.nodes_of_heads]) * 3
        epochs = 2
        if flops * batch * steps * epochs > MOST_FLOPS:
            epochs = 1
        if flops * batch * steps > MOST_FLOPS:
            steps = 3.4 if self.resumed else 1.3
        training |= {"batch_size": batch, "epochs": epochs}
        for source in self.sources:
            source.count = max(24, math.ceil(batch * steps * (1 if source is self.sources[0] else 0.6)))
            source.test = draw("test", [12, 21])
        return flops * batch * steps * epochs

    def make(self, seed):
        draw = self.draw
        self.nodes_of_heads = []
        formats = [["npz"], ["csv", "npz"], ["npz"], ["images"], ["npz"], ["masks"], ["idx"], ["npz"], ["csv", "masks"]]
        if self.large:
            formats = [["npz"], ["npz"], ["npz", "csv"], ["npz"], ["masks"]]
        elif draw("table", [False, False, False, False, True]):
            formats = [["csv"]]
        formats = draw(f"formats {self.large} {len(formats)}", formats)
        for index, format in enumerate(formats):
            source = self.source(format, "abc"[index] if len(formats) > 1 else "")
            self.add_heads(source, *self.trunk(source))
        if len(formats) > 1:
            self.words.append("streams")
        if any(source.missing for source in self.sources):
            self.words.append("missing labels")
        training = self.training()
        cost = self.sizes(training)
        sections = {source.stream: source.section() for source in self.sources}
        choice = draw("validation", [
            "test", {"fraction": 0.2}, None, {"fraction": 0.25, "stratify": "kind"}, {"fraction": 0.25, "seed": 3}])
        for source in self.sources:
            if choice:
                own = choice
                if "stratify" in choice and (source.missing or source.format in ("masks", "idx")):
                    own = {"fraction": 0.25}
                sections[source.stream]["validation"] = own
        if isinstance(choice, dict):
            training["best_per_task"] = draw("best per task", [False, True])
            if draw("early stopping", [False, True]):
                training["early_stopping"] = 1
        if draw("report", [False, True]):
            training["report"] = "test"
        recipe = {
            "recipe": 1, "name": self.name, "data": sections[""] if "" in sections else {"streams": sections},
            "inputs": self.inputs, "tasks": self.tasks,
            "model": {name: node.recipe() for name, node in self.nodes.items() if node.layers},
            "heads": self.heads, "training": training}
        chosen = draw("instruction set", ["", "", "scalar", "", "", "vector", "", "scalar", ""])
        environment = {}
        if chosen == "vector" or chosen == "scalar" and cost > MOST_FLOPS_SCALAR:
            environment["MTLF_ISA"] = "vector"
        elif chosen:
            environment["MTLF_ISA"] = chosen
        if draw("im2col", [False] * 7 + [True]):
            environment["MTLF_CONV"] = "im2col"
        options = []
        if not self.resumed and len(self.heads) > 1 and draw("task", [False] * 6 + [True]):
            options = ["--task", self.random.choice(list(self.heads))]
        threads = (draw("old threads", [1, 2, 3]), draw("new threads", [1, 2, 3, 2]))
        covers = ", ".join(dict.fromkeys(self.words))
        # Other streams' files have no input that a single task needs.
        read = [source for source in self.sources if not options or options[-1].startswith(source.named(""))]
        files = [file for source in read for file in source.new_files()]
        return DrawnRecipe(self.name, covers, recipe_text(recipe), self.sources, files, options, environment, threads,
                           draw("every", [1, 2]) if self.resumed else None, f"{seed} {self.name}")


def kind_of(layer):
    return layer if isinstance(layer, str) else next(iter(layer))


def recipes(count, seed):
    """The recipes of a seed. Two of five have images so large that their shards get smaller than their groups of
    samples, and every sixth is killed and resumed."""
    draw = Draw(random.Random(seed))
    made = []
    for index in range(count):
        made.append(Recipe(draw, index, index % 5 in (0, 2), index % 6 == index // 6 % 6).make(seed))
    return made
