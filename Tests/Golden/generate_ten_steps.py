# SPDX-License-Identifier: Apache-2.0
"""Writes ten_steps.json: ten training steps of the fashion-mnist net in PyTorch, in float32 and in float64.

Nothing large is committed: weights, pixels and labels come from mixed(i, stream) of integer_formula.py, a 32-bit
unsigned integer. Swift makes the same values from this description.

Net       image [28, 28, 1]; conv 32@3 valid ReLU, max pool 2, conv 64@3 valid ReLU, max pool 2, conv 128@3 valid
          ReLU, flatten in (h, w, c) order to 1152, dense 1024 ReLU; heads item: dense 100 ReLU, dense 10;
          group: dense 100 ReLU, dense 3. Softmax cross-entropy; loss = 0.5 * item + 0.5 * group.
Optimizer Adam: beta1 0.5, beta2 0.999, epsilon 1e-8 added to the root of the corrected v; learning rate by case.
Weights   Filters [KH, KW, C_in, C_out] and dense weights [inputs, units]. Element i in row-major order:
              weight[i] = Float((mixed(i, stream) >> 8) - 8388608) * 2^-23 * limit        (signed subtraction)
          The first two factors are exact in float32; the product with limit is rounded once, to float32.
          limit = sqrt(6 / (fan_in + fan_out)) in double, rounded once to float32; the fans of a filter are
          KH*KW*C_in and KH*KW*C_out. Streams: conv1 1, conv2 2, conv3 3, trunk dense 4, item hidden 5, item logits 6,
          group hidden 7, group logits 8. Biases are zero.
Labels    item[n] = mixed(n, 9) mod 10 for sample n; group: items {5, 7, 9} -> 0, {3, 6, 8} -> 1, {0, 1, 2, 4} -> 2.
Pixels    uint8, element p = n*784 + row*28 + column of sample n. A class has 4x4 cells of 7x7 pixels; its cell
          k = (row / 7) * 4 + column / 7 is bright when mixed(item[n]*16 + k, 11) is odd (integer division):
              pixel[p] = (mixed(p, 10) mod 64) + (bright ? 192 : 0)
          The input is Float(pixel) * Float(1.0 / 255.0), the factor and the product rounded to float32.
Batches   step s (1 to 10) trains samples (s-1)*200 to s*200 - 1 in order; no shuffling.
Case "recipe"   learning rate 0.001 as in the recipe; all labels are present.
Case "gentle"   learning rate 0.0001; all labels are present.
Case "missing"  learning rate 0.0001. Step 5: group is missing (-1) where mixed(n, 12) mod 4 = 0. Step 8: every group
                label is missing, so group has no loss (null) and zero gradients, and Adam still takes its step for all
                parameters.

Per step, before its update: the loss of each task as the mean over present labels without the task's weight; the
total with both weights; the number of present labels whose first greatest logit is the label's. After the tenth
update: sum and sum of squares of every parameter tensor, in float64. "check" holds values that show whether the
formula was written down right.

Rounding can turn a ReLU or a pool winner over, and at the recipe's learning rate that grows some 5-fold a step, in any
program. "float32_spread" says by how much: per step, the greatest relative deviation of a loss from float64 among
float32 runs of PyTorch with and without oneDNN, from weights moved by up to one unit in the last place.
"""

import json
import math
import warnings
from pathlib import Path

import numpy
import torch
from torch.nn import functional

from integer_formula import mixed

STEPS = 10
BATCH = 200
SAMPLES = STEPS * BATCH
GROUP_OF_ITEM = numpy.array([2, 2, 2, 1, 2, 0, 1, 0, 1, 0])
LOSS_WEIGHTS = {"item": 0.5, "group": 0.5}
ITEM_STREAM, PIXEL_STREAM, PATTERN_STREAM, MISSING_STREAM = 9, 10, 11, 12
NUDGE_STREAM = 1000
NUDGES = 3
MISSING = -1

# Name, stream and plain shape of every weight; its bias is named alike.
WEIGHTS = (
    ("conv1", 1, (3, 3, 1, 32)),
    ("conv2", 2, (3, 3, 32, 64)),
    ("conv3", 3, (3, 3, 64, 128)),
    ("dense", 4, (1152, 1024)),
    ("item.hidden", 5, (1024, 100)),
    ("item.logits", 6, (100, 10)),
    ("group.hidden", 7, (1024, 100)),
    ("group.logits", 8, (100, 3)),
)


def initial_weight(stream, shape):
    """Glorot-uniform float32 values in plain layout."""
    receptive = math.prod(shape[:-2])
    limit = numpy.float32(math.sqrt(6 / (receptive * (shape[-2] + shape[-1]))))
    steps = (mixed(numpy.arange(math.prod(shape)), stream) >> 8).astype(numpy.int64) - 8388608
    return (steps.astype(numpy.float32) * numpy.float32(2**-23) * limit).reshape(shape)


def make_labels():
    """Complete labels {task: int64 [SAMPLES]}."""
    items = (mixed(numpy.arange(SAMPLES), ITEM_STREAM) % 10).astype(numpy.int64)
    return {"item": items, "group": GROUP_OF_ITEM[items]}


def remove_labels(labels):
    """The labels of the case "missing"."""
    samples = numpy.arange(SAMPLES)
    step = samples // BATCH + 1
    sparse = (step == 5) & (mixed(samples, MISSING_STREAM) % 4 == 0)
    group = numpy.where(sparse | (step == 8), MISSING, labels["group"])
    return {"item": labels["item"], "group": group}


def make_pixels(items):
    """uint8 images [SAMPLES, 28, 28, 1]."""
    noise = mixed(numpy.arange(SAMPLES * 784), PIXEL_STREAM).reshape(SAMPLES, 28, 28) % 64
    cells = (mixed(numpy.arange(10 * 16), PATTERN_STREAM) & 1).reshape(10, 4, 4)
    bright = cells.repeat(7, axis=1).repeat(7, axis=2)[items]
    return (noise + bright * 192).astype(numpy.uint8)[..., None]


def nudged(weight, stream):
    """The weight with elements moved by -1, 0 or 1 unit in the last place."""
    direction = (mixed(numpy.arange(weight.size), stream) % 3).astype(numpy.int32) - 1
    return (weight.view(numpy.int32) + direction.reshape(weight.shape)).view(numpy.float32)


def make_parameters(dtype, nudge=0):
    """Leaf tensors in plain layout: every weight, then its bias."""
    parameters = {}
    for name, stream, shape in WEIGHTS:
        weight = initial_weight(stream, shape)
        if nudge:
            weight = nudged(weight, NUDGE_STREAM * nudge + stream)
        parameters[f"{name}.weight"] = torch.from_numpy(weight).to(dtype)
        parameters[f"{name}.bias"] = torch.zeros(shape[-1], dtype=dtype)
    for tensor in parameters.values():
        tensor.requires_grad_()
    return parameters


def conv2d(parameters, name, images):
    """Images [N, C_in, H, W]; the filter is stored [KH, KW, C_in, C_out]."""
    weight = parameters[f"{name}.weight"].permute(3, 2, 0, 1)
    return functional.relu(functional.conv2d(images, weight, parameters[f"{name}.bias"]))


def dense(parameters, name, values):
    """Values [N, inputs]; the weight is stored [inputs, units]."""
    return torch.addmm(parameters[f"{name}.bias"], values, parameters[f"{name}.weight"])


def forward(parameters, images):
    """Images [N, 28, 28, 1] -> {task: logits [N, classes]}."""
    values = images.permute(0, 3, 1, 2)
    values = functional.max_pool2d(conv2d(parameters, "conv1", values), 2)
    values = functional.max_pool2d(conv2d(parameters, "conv2", values), 2)
    values = conv2d(parameters, "conv3", values).permute(0, 2, 3, 1).flatten(1)
    features = functional.relu(dense(parameters, "dense", values))
    hidden = {task: functional.relu(dense(parameters, f"{task}.hidden", features)) for task in LOSS_WEIGHTS}
    return {task: dense(parameters, f"{task}.logits", values) for task, values in hidden.items()}


def mean_loss(logits, labels):
    """Mean over present labels; zero, with zero gradients, where none is present."""
    present = (labels != MISSING).sum().clamp(min=1)
    return functional.cross_entropy(logits, labels, ignore_index=MISSING, reduction="sum") / present


def train_step(parameters, optimizer, images, labels):
    """One step; returns its record."""
    logits = forward(parameters, images)
    losses = {task: mean_loss(logits[task], labels[task]) for task in LOSS_WEIGHTS}
    total = sum(weight * losses[task] for task, weight in LOSS_WEIGHTS.items())
    optimizer.zero_grad()
    total.backward()
    optimizer.step()
    record = {}
    for task in LOSS_WEIGHTS:
        present = labels[task] != MISSING
        record[f"{task}_loss"] = losses[task].item() if present.any() else None
        record[f"{task}_correct"] = int((logits[task].argmax(1) == labels[task]).sum())
        record[f"{task}_present"] = int(present.sum())
    return record | {"total_loss": total.item()}


def run(dtype, pixels, labels, learning_rate, nudge=0):
    """Ten steps in one precision: their records and the checksums of what they leave."""
    parameters = make_parameters(dtype, nudge)
    optimizer = torch.optim.Adam(parameters.values(), lr=learning_rate, betas=(0.5, 0.999), eps=1e-8, foreach=False)
    images = torch.from_numpy(pixels.astype(numpy.float32) * numpy.float32(1.0 / 255.0)).to(dtype)
    labels = {task: torch.from_numpy(values) for task, values in labels.items()}
    records = []
    for start in range(0, SAMPLES, BATCH):
        rows = slice(start, start + BATCH)
        batch = {task: values[rows] for task, values in labels.items()}
        records.append({"step": len(records) + 1} | train_step(parameters, optimizer, images[rows], batch))
    return {"steps": records, "final": checksums(parameters)}


def run_case(pixels, labels, learning_rate):
    """Both precisions and how far float32 runs stray."""
    float64 = run(torch.float64, pixels, labels, learning_rate)
    float32 = run(torch.float32, pixels, labels, learning_rate)
    runs = [float32]
    for nudge in range(1, NUDGES + 1):
        for onednn in (True, False):
            with torch.backends.mkldnn.flags(enabled=onednn):
                runs.append(run(torch.float32, pixels, labels, learning_rate, nudge))
    spread = [max(deviation(one["steps"][step], float64["steps"][step]) for one in runs) for step in range(STEPS)]
    return {"learning_rate": learning_rate, "float32_spread": spread, "float32": float32, "float64": float64}


def deviation(record, exact):
    """Greatest relative deviation of a loss, to two digits."""
    losses = [f"{task}_loss" for task in LOSS_WEIGHTS]
    greatest = max(abs(record[loss] / exact[loss] - 1) for loss in losses if exact[loss] is not None)
    return float(f"{greatest:.1e}")


def checksums(parameters):
    """{parameter: {sum, sum_of_squares}} in float64."""
    result = {}
    for name, tensor in parameters.items():
        values = tensor.detach().double()
        result[name] = {"sum": values.sum().item(), "sum_of_squares": values.square().sum().item()}
    return result


def checks(pixels, labels):
    """Values that show whether the formula was written down right."""
    return {
        "mixed": {f"stream_{stream}": mixed(numpy.arange(4), stream).tolist() for stream in (1, 2, 12)},
        "conv1_weight_begins": initial_weight(1, (3, 3, 1, 32)).flatten()[:4].astype(float).tolist(),
        "initial": checksums(make_parameters(torch.float32)),
        "pixels_begin": pixels.flatten()[:8].tolist(),
        "pixel_sum": int(pixels.sum(dtype=numpy.int64)),
        "items_begin": labels["item"][:8].tolist(),
        "label_sums": {task: int(values.sum()) for task, values in labels.items()},
    }


def write_json(path, value):
    """Compact JSON in which the members of "steps" and of any object of objects have a line each."""
    path.write_text(format_json(value, "") + "\n")


def format_json(value, indent):
    nested = isinstance(value, (dict, list)) and any(
        isinstance(member, dict) for member in (value.values() if isinstance(value, dict) else value)
    )
    if not nested:
        return json.dumps(value)
    inner = indent + " "
    if isinstance(value, dict):
        members = [f"{inner}{json.dumps(name)}: {format_json(member, inner)}" for name, member in value.items()]
        return "{\n" + ",\n".join(members) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + format_json(member, inner) for member in value) + f"\n{indent}]"


def main():
    warnings.filterwarnings("ignore", message="TF32 acceleration")
    labels = make_labels()
    pixels = make_pixels(labels["item"])
    cases = {
        "recipe": run_case(pixels, labels, 0.001),
        "gentle": run_case(pixels, labels, 0.0001),
        "missing": run_case(pixels, remove_labels(labels), 0.0001),
    }
    write_json(Path(__file__).with_name("ten_steps.json"), {"check": checks(pixels, labels), "cases": cases})


if __name__ == "__main__":
    main()
