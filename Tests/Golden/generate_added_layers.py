# SPDX-License-Identifier: Apache-2.0
"""Writes added_layers.json: depthwise_conv2d, layer_norm, multiply and the activations gelu, silu, tanh and leaky_relu,
each alone and all of them in ten training steps, from PyTorch in double precision.

Inputs come from mixed(i, stream) of integer_formula.py, as in kernels.json and ten_steps.json; u(i, stream) stands for
    Float((mixed(i, stream) >> 8) - 8388608) * 2^-23          (signed subtraction; exact in float32, from -1 to below 1)

"kernels": one case a line, its tensors flat in row-major order; its tensor number r is quarters(shape, 16*seed + r).

op                            tensors by number                          outputs
depthwise_conv2d              0 input, 1 filter, 2 bias, 3 d_output      output, d_input, d_filter, d_bias
layer_norm                    0 input plus input_offset, 1 gamma,        output, mean, inverse_deviation,
                              2 beta, 3 d_output                         d_input, d_gamma, d_beta
multiply                      0 a, 1 b, 3 d_output                       output, d_a, d_b
gelu, silu, tanh,             0 input, times input_scale; 3 d_output;    output, d_input
leaky_relu                    or, where "magnitudes" is there: input is
                              the magnitudes, then their negatives, and
                              d_output is 1 everywhere

float32 holds all results of depthwise_conv2d and multiply exactly. The filter is [KH, KW, C]; padding and "relu" are as
in kernels.json. gelu is the exact one, by erfc, which keeps its digits at negative values.
The slope 0.01 of leaky_relu and the epsilon 0.001 of layer_norm are rounded to float32 first; the derivative of
leaky_relu at 0 is the slope; the variance of layer_norm is the biased one.

"parameters" and "cases": ten training steps of a net
    input    image [12, 12, 3]
    trunk    conv2d 8@3 same gelu; depthwise_conv2d 3x3 same silu; layer_norm
    value    reads trunk: conv2d 8@1 leaky_relu
    gate     reads trunk: conv2d 8@1; sigmoid
    gated    multiply of value and gate
    body     reads gated: depthwise_conv2d 3x3 stride 2 valid tanh; flatten in (h, w, c) order to 200; dense 32 gelu;
             layer_norm; dense 24 silu; tanh
    item     reads body: dense 16 leaky_relu; dense 5 (logits)
    group    reads body: dense 12; gelu; dense 10; silu; dense 8; leaky_relu; dense 3 (logits)
    Softmax cross-entropy; loss = 0.5 * item + 0.5 * group.
Optimizer  Adam: beta1 0.9, beta2 0.999, epsilon 1e-7 added to the root of the corrected v; learning rate by case.
Parameters Each has its line: name, shape, stream, base and scale. Element i in row-major order, in float32, product and
           sum rounded one after the other:
               value[i] = base + u(i, stream) * scale
           Kernels have base 0 and scale sqrt(6 / (fan_in + fan_out)), with the fans of a filter KH*KW*C_in and
           KH*KW*C_out, of a depthwise filter KH*KW each, of a dense kernel inputs and units; bias, beta and gamma have
           scale 0.25 and base 0, 0 and 1. "sum" and "sum_of_squares" are those of the initial values.
Labels     item[n] = mixed(n, 90) mod 5 for sample n; group: items {0, 3} -> 0, {1, 4} -> 1, {2} -> 2.
Pixels     uint8, element p = n*432 + row*36 + column*3 + c of sample n. A class has 4x4 cells of 3x3 pixels; its cell
           k = (row / 3) * 4 + column / 3 is bright in channel c when mixed(item[n]*48 + k*3 + c, 92) is odd:
               pixel[p] = (mixed(p, 91) mod 64) + (bright ? 192 : 0)
           The input is Float(pixel) * Float(1.0 / 255.0), the factor and the product rounded to float32.
Batches    step s (1 to 10) trains samples (s-1)*16 to s*16 - 1 in order; no shuffling.
Cases      "fast": learning rate 0.001; "gentle": 0.0001.

Per step, before its update: the loss of each task without its weight, the total, the number of samples whose first
greatest logit is the label's, and "least_margin", the least distance of a sample's two greatest logits: counts can't
differ where it is far above the rounding of logits. "final": sum and sum of squares of every parameter after the tenth
update. "float32_spread": per step the greatest relative deviation of a loss from float64 among float32 runs with and
without oneDNN, from weights moved by up to one unit in the last place; "final_spread": the greatest of those runs'
deviations of a final sum over sqrt(count * sum_of_squares), and of a final sum of squares over itself.
"""

import math
from pathlib import Path

import numpy
import torch
from torch.nn import functional

from generate_kernels import BIAS, INPUT, KERNEL, back_propagate, flat, geometry_of, leaf, pad_images, tensor
from generate_kernels import to_nchw, to_nhwc
from generate_ten_steps import LOSS_WEIGHTS, NUDGE_STREAM, NUDGES, checksums, deviation, nudged, write_json
from integer_formula import mixed

EPSILON = float(numpy.float32(0.001))
NEGATIVE_SLOPE = float(numpy.float32(0.01))

# MARK: kernels


def exact_gelu(values):
    return values * 0.5 * torch.special.erfc(values * -math.sqrt(0.5))


def leaky_relu(values):
    return functional.leaky_relu(values, NEGATIVE_SLOPE)


ACTIVATIONS = {"gelu": exact_gelu, "silu": functional.silu, "tanh": torch.tanh, "leaky_relu": leaky_relu}

# From zero and the least normal float32 to where every activation has reached its end.
MAGNITUDES = [0, 2.0**-126, 2.0**-100, 2.0**-64, 2.0**-24, 2.0**-13, 2.0**-12, 2.0**-9, 0.0625, 0.25, 0.5, 0.75, 1]
MAGNITUDES += [1.25, 1.5, 2, 2.75, 3, 4, 5, 5.5, 6, 8, 9, 10, 12.5, 16, 20, 40, 87, 88, 90, 100, 1000, 2.0**100]


def activation_case(seed, op, n, input_scale):
    values = (tensor((n,), seed, INPUT) * input_scale).requires_grad_()
    output = ACTIVATIONS[op](values)
    back_propagate(output, seed)
    outputs = {"output": output, "d_input": values.grad}
    return {"op": op, "seed": seed, "n": n, "input_scale": input_scale, **flat(outputs)}


def magnitudes_case(seed, op):
    magnitudes = torch.tensor(MAGNITUDES, dtype=torch.float64)
    values = torch.cat([magnitudes, -magnitudes]).requires_grad_()
    output = ACTIVATIONS[op](values)
    output.backward(torch.ones_like(output))
    outputs = {"magnitudes": magnitudes, "output": output, "d_input": values.grad}
    return {"op": op, "seed": seed, "n": len(values), **flat(outputs)}


def multiply_case(seed, n):
    a, b = leaf((n,), seed, 0), leaf((n,), seed, 1)
    output = a * b
    back_propagate(output, seed)
    return {"op": "multiply", "seed": seed, "n": n, **flat({"output": output, "d_a": a.grad, "d_b": b.grad})}


def layer_norm_case(seed, rows, channels, input_offset=0):
    values = (tensor((rows, channels), seed, INPUT) + input_offset).requires_grad_()
    gamma, beta = leaf((channels,), seed, 1), leaf((channels,), seed, 2)
    output = functional.layer_norm(values, (channels,), gamma, beta, EPSILON)
    back_propagate(output, seed)
    mean, variance = values.mean(1), values.var(1, correction=0)
    outputs = {"output": output, "mean": mean, "inverse_deviation": (variance + EPSILON).rsqrt()}
    outputs |= {"d_input": values.grad, "d_gamma": gamma.grad, "d_beta": beta.grad}
    geometry = {"rows": rows, "channels": channels, "input_offset": input_offset, "epsilon": EPSILON}
    return {"op": "layer_norm", "seed": seed, **geometry, **flat(outputs)}


def depthwise_conv2d(images, filters, bias, stride):
    """Images [N, H, W, C] that hold their padding, filters [KH, KW, C]."""
    weight = filters.permute(2, 0, 1).unsqueeze(1)
    return to_nhwc(functional.conv2d(to_nchw(images), weight, bias, stride, groups=filters.shape[2]))


def depthwise_conv2d_case(seed, image, kernel, stride=(1, 1), padding="valid", relu=False):
    geometry = geometry_of(image, stride, padding, kernel_h=kernel[0], kernel_w=kernel[1])
    images = leaf(image, seed, INPUT)
    filters, bias = leaf((*kernel, image[3]), seed, KERNEL), leaf((image[3],), seed, BIAS)
    output = depthwise_conv2d(to_nhwc(pad_images(to_nchw(images), geometry, 0.0)), filters, bias, stride)
    output = functional.relu(output) if relu else output
    back_propagate(output, seed)
    outputs = {"output": output, "d_input": images.grad, "d_filter": filters.grad, "d_bias": bias.grad}
    return {"op": "depthwise_conv2d", "seed": seed, **geometry, "channels": image[3], "relu": relu, **flat(outputs)}


# Without their seeds, which number them from FIRST_SEED on.
FIRST_SEED = 101
KERNEL_CASES = [
    (depthwise_conv2d_case, dict(image=(2, 6, 5, 3), kernel=(3, 2), stride=(2, 1), padding=((1, 2), (0, 1)))),
    (depthwise_conv2d_case, dict(image=(2, 5, 6, 2), kernel=(3, 3), padding="same", relu=True)),
    (depthwise_conv2d_case, dict(image=(1, 6, 7, 17), kernel=(3, 3), stride=(2, 2))),
    (depthwise_conv2d_case, dict(image=(1, 7, 6, 5), kernel=(2, 4), stride=(3, 2), padding="same", relu=True)),
    (depthwise_conv2d_case, dict(image=(3, 1, 1, 4), kernel=(1, 1))),
    (layer_norm_case, dict(rows=3, channels=5)),
    (layer_norm_case, dict(rows=2, channels=17)),
    (layer_norm_case, dict(rows=2, channels=9, input_offset=1000)),
    (layer_norm_case, dict(rows=2, channels=1)),
    (multiply_case, dict(n=19)),
    *[(activation_case, dict(op=op, n=19, input_scale=1)) for op in ACTIVATIONS],
    *[(magnitudes_case, dict(op=op)) for op in ACTIVATIONS],
]

# MARK: ten steps

STEPS = 10
BATCH = 16
SAMPLES = STEPS * BATCH
GROUP_OF_ITEM = numpy.array([0, 1, 2, 0, 1])
ITEM_STREAM, PIXEL_STREAM, PATTERN_STREAM = 90, 91, 92
FIRST_PARAMETER_STREAM = 101

# Node and shape of its kernel; of its gamma.
LAYERS = (
    ("trunk.conv2d_1", (3, 3, 3, 8)),
    ("trunk.depthwise_conv2d_1", (3, 3, 8)),
    ("trunk.layer_norm_1", (8,)),
    ("value.conv2d_1", (1, 1, 8, 8)),
    ("gate.conv2d_1", (1, 1, 8, 8)),
    ("body.depthwise_conv2d_1", (3, 3, 8)),
    ("body.dense_1", (200, 32)),
    ("body.layer_norm_1", (32,)),
    ("body.dense_2", (32, 24)),
    ("item.dense_1", (24, 16)),
    ("item.logits", (16, 5)),
    ("group.dense_1", (24, 12)),
    ("group.dense_2", (12, 10)),
    ("group.dense_3", (10, 8)),
    ("group.logits", (8, 3)),
)


def specifications():
    """Every parameter: name, shape, stream, base and scale."""
    result = []

    def add(name, shape, base, scale):
        stream = FIRST_PARAMETER_STREAM + len(result)
        result.append({"name": name, "shape": list(shape), "stream": stream, "base": base, "scale": scale})

    for node, shape in LAYERS:
        if len(shape) == 1:
            add(f"{node}.gamma", shape, 1.0, 0.25)
            add(f"{node}.beta", shape, 0.0, 0.25)
        else:
            fans = 2 * math.prod(shape[:2]) if len(shape) == 3 else math.prod(shape[:-2]) * (shape[-2] + shape[-1])
            add(f"{node}.kernel", shape, 0.0, float(numpy.float32(math.sqrt(6 / fans))))
            add(f"{node}.bias", shape[-1:], 0.0, 0.25)
    return result


def initial_values(specification):
    shape, stream = specification["shape"], specification["stream"]
    steps = (mixed(numpy.arange(math.prod(shape)), stream) >> 8).astype(numpy.int64) - 8388608
    unit = steps.astype(numpy.float32) * numpy.float32(2**-23)
    return (numpy.float32(specification["base"]) + unit * numpy.float32(specification["scale"])).reshape(shape)


def make_parameters(dtype, nudge=0):
    """Leaf tensors by name."""
    parameters = {}
    for specification in specifications():
        values = initial_values(specification)
        if nudge:
            values = nudged(values, NUDGE_STREAM * nudge + specification["stream"])
        parameters[specification["name"]] = torch.from_numpy(values).to(dtype).requires_grad_()
    return parameters


def make_labels():
    items = (mixed(numpy.arange(SAMPLES), ITEM_STREAM) % 5).astype(numpy.int64)
    return {"item": items, "group": GROUP_OF_ITEM[items]}


def make_pixels(items):
    """uint8 images [SAMPLES, 12, 12, 3]."""
    noise = mixed(numpy.arange(SAMPLES * 432), PIXEL_STREAM).reshape(SAMPLES, 12, 12, 3) % 64
    cells = (mixed(numpy.arange(5 * 48), PATTERN_STREAM) & 1).reshape(5, 4, 4, 3)
    bright = cells.repeat(3, axis=1).repeat(3, axis=2)[items]
    return (noise + bright * 192).astype(numpy.uint8)


def forward(parameters, images):
    """Images [N, 12, 12, 3] -> {task: logits [N, classes]}."""

    def of(node, *roles):
        return [parameters[f"{node}.{role}"] for role in roles]

    def conv2d(node, images, pad):
        kernel, bias = of(node, "kernel", "bias")
        return to_nhwc(functional.conv2d(to_nchw(images), kernel.permute(3, 2, 0, 1), bias, padding=pad))

    def depthwise(node, images, pad, stride):
        return depthwise_conv2d(functional.pad(images, (0, 0, pad, pad, pad, pad)), *of(node, "kernel", "bias"), stride)

    def layer_norm(node, values):
        return functional.layer_norm(values, values.shape[-1:], *of(node, "gamma", "beta"), EPSILON)

    def dense(node, values):
        kernel, bias = of(node, "kernel", "bias")
        return torch.addmm(bias, values, kernel)

    gelu, silu = functional.gelu, functional.silu
    trunk = gelu(conv2d("trunk.conv2d_1", images, 1))
    trunk = layer_norm("trunk.layer_norm_1", silu(depthwise("trunk.depthwise_conv2d_1", trunk, 1, 1)))
    value = leaky_relu(conv2d("value.conv2d_1", trunk, 0))
    gate = torch.sigmoid(conv2d("gate.conv2d_1", trunk, 0))
    body = torch.tanh(depthwise("body.depthwise_conv2d_1", value * gate, 0, 2)).flatten(1)
    body = layer_norm("body.layer_norm_1", gelu(dense("body.dense_1", body)))
    body = torch.tanh(silu(dense("body.dense_2", body)))
    item = leaky_relu(dense("item.dense_1", body))
    group = gelu(dense("group.dense_1", body))
    group = silu(dense("group.dense_2", group))
    group = leaky_relu(dense("group.dense_3", group))
    return {"item": dense("item.logits", item), "group": dense("group.logits", group)}


def train_step(parameters, optimizer, images, labels):
    """One step; returns its record."""
    logits = forward(parameters, images)
    losses = {task: functional.cross_entropy(logits[task], labels[task]) for task in LOSS_WEIGHTS}
    total = sum(weight * losses[task] for task, weight in LOSS_WEIGHTS.items())
    optimizer.zero_grad()
    total.backward()
    optimizer.step()
    record = {}
    margins = []
    for task in LOSS_WEIGHTS:
        record[f"{task}_loss"] = losses[task].item()
        record[f"{task}_correct"] = int((logits[task].argmax(1) == labels[task]).sum())
        greatest = logits[task].topk(2, dim=1).values
        margins.append((greatest[:, 0] - greatest[:, 1]).min().item())
    return record | {"total_loss": total.item(), "least_margin": float(f"{min(margins):.1e}")}


def run(dtype, pixels, labels, learning_rate, nudge=0):
    """Ten steps in one precision: their records and the checksums of what they leave."""
    parameters = make_parameters(dtype, nudge)
    optimizer = torch.optim.Adam(parameters.values(), lr=learning_rate, betas=(0.9, 0.999), eps=1e-7, foreach=False)
    images = torch.from_numpy(pixels.astype(numpy.float32) * numpy.float32(1.0 / 255.0)).to(dtype)
    labels = {task: torch.from_numpy(values) for task, values in labels.items()}
    records = []
    for start in range(0, SAMPLES, BATCH):
        rows = slice(start, start + BATCH)
        batch = {task: values[rows] for task, values in labels.items()}
        records.append({"step": len(records) + 1} | train_step(parameters, optimizer, images[rows], batch))
    return {"steps": records, "final": [{"name": name} | sums for name, sums in checksums(parameters).items()]}


def run_case(pixels, labels, learning_rate):
    """The float64 run and how far float32 runs stray."""
    exact = run(torch.float64, pixels, labels, learning_rate)
    runs = [run(torch.float32, pixels, labels, learning_rate)]
    for nudge in range(1, NUDGES + 1):
        for onednn in (True, False):
            with torch.backends.mkldnn.flags(enabled=onednn):
                runs.append(run(torch.float32, pixels, labels, learning_rate, nudge))
    spread = [max(deviation(one["steps"][step], exact["steps"][step]) for one in runs) for step in range(STEPS)]
    final_spread = {"sum": 0.0, "sum_of_squares": 0.0}
    for one in runs:
        for specification, found, expected in zip(specifications(), one["final"], exact["final"]):
            squares = expected["sum_of_squares"]
            scales = {"sum": math.sqrt(math.prod(specification["shape"]) * squares), "sum_of_squares": squares}
            for name, scale in scales.items():
                final_spread[name] = max(final_spread[name], abs(found[name] - expected[name]) / scale)
    final_spread = {name: float(f"{value:.1e}") for name, value in final_spread.items()}
    return {"learning_rate": learning_rate, "float32_spread": spread, "final_spread": final_spread, **exact}


def checks(pixels, labels):
    """Values that show whether the formula was written down right."""
    return {
        "mixed": {f"stream_{stream}": mixed(numpy.arange(4), stream).tolist() for stream in (90, 91, 92, 101)},
        "first_kernel_begins": initial_values(specifications()[0]).flatten()[:4].astype(float).tolist(),
        "pixels_begin": pixels.flatten()[:8].tolist(),
        "pixel_sum": int(pixels.sum(dtype=numpy.int64)),
        "items_begin": labels["item"][:8].tolist(),
        "label_sums": {task: int(values.sum()) for task, values in labels.items()},
    }


def main():
    labels = make_labels()
    pixels = make_pixels(labels["item"])
    initial = checksums(make_parameters(torch.float32))
    golden = {
        "kernels": [case(seed, **members) for seed, (case, members) in enumerate(KERNEL_CASES, start=FIRST_SEED)],
        "check": checks(pixels, labels),
        "parameters": [specification | initial[specification["name"]] for specification in specifications()],
        "cases": {"fast": run_case(pixels, labels, 0.001), "gentle": run_case(pixels, labels, 0.0001)},
    }
    write_json(Path(__file__).with_name("added_layers.json"), golden)


if __name__ == "__main__":
    main()
