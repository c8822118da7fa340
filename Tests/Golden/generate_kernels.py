# SPDX-License-Identifier: Apache-2.0
"""Writes kernels.json: small golden vectors of every kernel from PyTorch in double precision.

A case holds its op, its geometry, its seed and its outputs, flat in row-major order. Its inputs are not stored: tensor
number r of the case with seed s is quarters(shape, 16 * s + r) of integer_formula.py, multiples of 0.25 from -2 to 2,
so that ReLU kinks and pool ties occur and that float32 holds every product and sum of a convolution or a dense layer
exactly. Layouts are plain: images [N, H, W, C], filters [KH, KW, C_in, C_out], dense kernels [inputs, units].

op                       tensors by number                              outputs
conv2d                   0 input, 1 filter, 2 bias, 3 d_output          output, d_input, d_filter, d_bias
max_pool2d               0 input, 3 d_output                            output, d_input (ties: first in row-major order)
avg_pool2d               0 input, 3 d_output                            output, d_input (padding is not counted)
dense                    0 input, 1 kernel, 2 bias, 3 d_output          output, d_input, d_kernel, d_bias
softmax_cross_entropy    0 logits, times logit_scale                    loss, present, correct, d_logits
sigmoid                  0 input, times input_scale; 3 d_output         output, d_input
adam                     0 parameters, 1 to 3 gradients by step         step_1 to step_3: parameters; m, v at the end
sgd                      0 parameters, 1 to 3 gradients by step         step_1 to step_3: parameters; velocity

ReLU, where "relu" is true, follows the bias, and its derivative at 0 is 0. Padding "same" is Keras's (the odd pixel at
the bottom and right); the pads are in the case in any event.
softmax_cross_entropy: label[n] = mixed(n, 16*s + 4) mod classes; where "missing" is k > 0, label[n] is -1 when
mixed(n, 16*s + 5) mod k = 0; where "row_weights" is true, the weight of row n is (1 + mixed(n, 16*s + 6) mod 4) / 2,
else 1. loss = sum over present rows of weight * loss / sum of present weights, null where none is present; d_logits is
the gradient of head_weight * loss; correct counts the present rows whose first greatest logit is the label's.
adam: m = beta1*m + (1-beta1)*g; v = beta2*v + (1-beta2)*g^2;
      w -= learning_rate * (m / (1-beta1^t)) / (sqrt(v / (1-beta2^t)) + epsilon)
sgd:  v = momentum*v + g; w -= learning_rate * v
"""

import json
from pathlib import Path

import numpy
import torch
from torch.nn import functional

from integer_formula import mixed, quarters

INPUT, KERNEL, BIAS, D_OUTPUT, LABEL, MISSING, ROW_WEIGHT = range(7)
STREAMS_PER_CASE = 16


def tensor(shape, seed, number):
    return torch.from_numpy(quarters(shape, STREAMS_PER_CASE * seed + number))


def leaf(shape, seed, number):
    return tensor(shape, seed, number).requires_grad_()


def pads_of(size, window, stride, padding):
    """(before, after) of one dimension; explicit padding is given as such a pair."""
    if padding == "valid":
        return 0, 0
    if padding == "same":
        total = max((-(-size // stride) - 1) * stride + window - size, 0)
        return total // 2, total - total // 2
    return padding


def geometry_of(image, stride, padding, **window):
    """What conv2d and pooling share; `padding` is "valid", "same" or ((top, bottom), (left, right))."""
    rows, columns = padding if isinstance(padding, tuple) else (padding, padding)
    window_h, window_w = window.values()
    pad_top, pad_bottom = pads_of(image[1], window_h, stride[0], rows)
    pad_left, pad_right = pads_of(image[2], window_w, stride[1], columns)
    return {
        "batch": image[0],
        "height": image[1],
        "width": image[2],
        **window,
        "stride_h": stride[0],
        "stride_w": stride[1],
        "padding": "explicit" if isinstance(padding, tuple) else padding,
        "pad_top": pad_top,
        "pad_bottom": pad_bottom,
        "pad_left": pad_left,
        "pad_right": pad_right,
    }


def pad_images(images, geometry, value):
    """Images [N, C, H, W] with the case's padding filled with a value."""
    pads = [geometry[name] for name in ("pad_left", "pad_right", "pad_top", "pad_bottom")]
    return functional.pad(images, pads, value=value)


def to_nchw(images):
    return images.permute(0, 3, 1, 2)


def to_nhwc(images):
    return images.permute(0, 2, 3, 1)


def back_propagate(output, seed):
    """Runs backward from the case's d_output."""
    output.backward(tensor(output.shape, seed, D_OUTPUT))


def conv2d_case(seed, image, channels_out, kernel, stride=(1, 1), padding="valid", relu=False):
    geometry = geometry_of(image, stride, padding, kernel_h=kernel[0], kernel_w=kernel[1])
    images = leaf(image, seed, INPUT)
    filters = leaf((*kernel, image[3], channels_out), seed, KERNEL)
    bias = leaf((channels_out,), seed, BIAS)
    padded = pad_images(to_nchw(images), geometry, 0.0)
    output = to_nhwc(functional.conv2d(padded, filters.permute(3, 2, 0, 1), bias, stride))
    output = functional.relu(output) if relu else output
    back_propagate(output, seed)
    outputs = {"output": output, "d_input": images.grad, "d_filter": filters.grad, "d_bias": bias.grad}
    channels = {"channels_in": image[3], "channels_out": channels_out}
    return {"op": "conv2d", "seed": seed, **geometry, **channels, "relu": relu, **flat(outputs)}


def max_pool2d(images, geometry):
    return functional.max_pool2d(pad_images(images, geometry, -torch.inf), *window_and_stride(geometry))


def avg_pool2d(images, geometry):
    """Window sums over the number of the window's pixels that are not padding."""
    sums, counts = (
        functional.avg_pool2d(pad_images(values, geometry, 0.0), *window_and_stride(geometry), divisor_override=1)
        for values in (images, torch.ones_like(images))
    )
    return sums / counts


def window_and_stride(geometry):
    return (geometry["pool_h"], geometry["pool_w"]), (geometry["stride_h"], geometry["stride_w"])


def pool2d_case(seed, pool, image, window, stride, padding="valid"):
    geometry = geometry_of(image, stride, padding, pool_h=window[0], pool_w=window[1])
    images = leaf(image, seed, INPUT)
    output = to_nhwc(pool(to_nchw(images), geometry))
    back_propagate(output, seed)
    outputs = {"output": output, "d_input": images.grad}
    return {"op": pool.__name__, "seed": seed, **geometry, "channels": image[3], **flat(outputs)}


def dense_case(seed, batch, inputs, units, relu=False):
    values = leaf((batch, inputs), seed, INPUT)
    kernel = leaf((inputs, units), seed, KERNEL)
    bias = leaf((units,), seed, BIAS)
    output = torch.addmm(bias, values, kernel)
    output = functional.relu(output) if relu else output
    back_propagate(output, seed)
    outputs = {"output": output, "d_input": values.grad, "d_kernel": kernel.grad, "d_bias": bias.grad}
    geometry = {"batch": batch, "inputs": inputs, "units": units}
    return {"op": "dense", "seed": seed, **geometry, "relu": relu, **flat(outputs)}


def row_integers(n, seed, number, modulus):
    values = mixed(numpy.arange(n), STREAMS_PER_CASE * seed + number) % modulus
    return torch.from_numpy(values.astype(numpy.int64))


def softmax_cross_entropy_case(seed, batch, classes, logit_scale=1, missing=0, row_weights=False, head_weight=1):
    logits = (tensor((batch, classes), seed, INPUT) * logit_scale).requires_grad_()
    labels = row_integers(batch, seed, LABEL, classes)
    if missing:
        labels = torch.where(row_integers(batch, seed, MISSING, missing) == 0, -1, labels)
    weights = (1 + row_integers(batch, seed, ROW_WEIGHT, 4)) / 2 if row_weights else torch.ones(batch)
    present = int((labels >= 0).sum())
    losses = functional.cross_entropy(logits, labels, ignore_index=-1, reduction="none")
    loss = (weights * losses).sum() / (weights[labels >= 0].sum() if present else 1)
    (head_weight * loss).backward()
    return {
        "op": "softmax_cross_entropy",
        "seed": seed,
        "batch": batch,
        "classes": classes,
        "logit_scale": logit_scale,
        "missing": missing,
        "row_weights": row_weights,
        "head_weight": head_weight,
        "loss": loss.item() if present else None,
        "present": present,
        "correct": int((logits.argmax(1) == labels).sum()),
        **flat({"d_logits": logits.grad}),
    }


def sigmoid_case(seed, n, input_scale):
    values = (tensor((n,), seed, INPUT) * input_scale).requires_grad_()
    output = torch.sigmoid(values)
    back_propagate(output, seed)
    outputs = {"output": output, "d_input": values.grad}
    return {"op": "sigmoid", "seed": seed, "n": n, "input_scale": input_scale, **flat(outputs)}


def three_steps(optimizer, parameters, seed):
    """{"step_1": parameters, ...} after the steps with the case's gradients."""
    results = {}
    for step in (1, 2, 3):
        parameters.grad = tensor(parameters.shape, seed, step)
        optimizer.step()
        results[f"step_{step}"] = parameters.detach().clone()
    return results


def adam_case(seed, n, learning_rate, beta1, beta2, epsilon):
    parameters = leaf((n,), seed, INPUT)
    optimizer = torch.optim.Adam([parameters], lr=learning_rate, betas=(beta1, beta2), eps=epsilon)
    outputs = three_steps(optimizer, parameters, seed)
    state = optimizer.state[parameters]
    outputs |= {"m": state["exp_avg"], "v": state["exp_avg_sq"]}
    settings = {"learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon}
    return {"op": "adam", "seed": seed, "n": n, **settings, **flat(outputs)}


def sgd_case(seed, n, learning_rate, momentum):
    parameters = leaf((n,), seed, INPUT)
    optimizer = torch.optim.SGD([parameters], lr=learning_rate, momentum=momentum)
    outputs = three_steps(optimizer, parameters, seed)
    if momentum:
        outputs["velocity"] = optimizer.state[parameters]["momentum_buffer"]
    return {"op": "sgd", "seed": seed, "n": n, "learning_rate": learning_rate, "momentum": momentum, **flat(outputs)}


def flat(tensors):
    """Flat lists in row-major order; whole numbers are written without a fraction."""
    return {name: [short(value) for value in values.detach().flatten().tolist()] for name, values in tensors.items()}


def short(value):
    return int(value) if value.is_integer() else value


# Without their seeds, which number them.
CASES = [
    (conv2d_case, dict(image=(2, 5, 6, 1), channels_out=3, kernel=(3, 3))),
    (conv2d_case, dict(image=(2, 6, 5, 3), channels_out=4, kernel=(3, 3), relu=True)),
    (conv2d_case, dict(image=(1, 5, 5, 2), channels_out=17, kernel=(3, 3), padding="same", relu=True)),
    (conv2d_case, dict(image=(2, 4, 5, 2), channels_out=3, kernel=(1, 1), relu=True)),
    (conv2d_case, dict(image=(3, 1, 1, 3), channels_out=2, kernel=(3, 3), padding="same")),
    (conv2d_case, dict(image=(1, 7, 8, 2), channels_out=5, kernel=(5, 5), relu=True)),
    (conv2d_case, dict(image=(1, 6, 7, 2), channels_out=3, kernel=(2, 2), padding="same")),
    (conv2d_case, dict(image=(1, 7, 6, 2), channels_out=3, kernel=(4, 3), padding="same", relu=True)),
    (conv2d_case, dict(image=(2, 7, 9, 2), channels_out=3, kernel=(3, 3), stride=(2, 2), relu=True)),
    (conv2d_case, dict(image=(2, 6, 8, 2), channels_out=3, kernel=(3, 3), stride=(2, 2), padding="same")),
    (conv2d_case, dict(image=(1, 8, 7, 2), channels_out=3, kernel=(3, 2), stride=(2, 3), padding="same", relu=True)),
    (conv2d_case, dict(image=(1, 8, 9, 2), channels_out=3, kernel=(2, 2), stride=(3, 3))),
    (conv2d_case, dict(image=(1, 9, 8, 1), channels_out=2, kernel=(1, 1), stride=(3, 2), padding="same", relu=True)),
    (conv2d_case, dict(image=(1, 5, 4, 2), channels_out=3, kernel=(3, 3), padding=((2, 0), (1, 2)), relu=True)),
    (conv2d_case, dict(image=(1, 6, 5, 2), channels_out=3, kernel=(3, 4), stride=(2, 1), padding=((0, 1), (3, 0)))),
    (pool2d_case, dict(pool=max_pool2d, image=(2, 4, 6, 3), window=(2, 2), stride=(2, 2))),
    (pool2d_case, dict(pool=max_pool2d, image=(2, 5, 7, 2), window=(2, 2), stride=(2, 2))),
    (pool2d_case, dict(pool=max_pool2d, image=(1, 7, 7, 5), window=(3, 3), stride=(2, 2))),
    (pool2d_case, dict(pool=max_pool2d, image=(1, 6, 5, 3), window=(3, 3), stride=(1, 1), padding="same")),
    (pool2d_case, dict(pool=max_pool2d, image=(1, 7, 8, 2), window=(2, 3), stride=(2, 3), padding="same")),
    (pool2d_case, dict(pool=max_pool2d, image=(1, 8, 8, 2), window=(2, 2), stride=(3, 3))),
    (pool2d_case, dict(pool=max_pool2d, image=(1, 5, 6, 2), window=(3, 3), stride=(2, 2), padding=((1, 0), (0, 2)))),
    (pool2d_case, dict(pool=max_pool2d, image=(2, 3, 3, 17), window=(3, 3), stride=(3, 3))),
    (pool2d_case, dict(pool=avg_pool2d, image=(2, 4, 6, 3), window=(2, 2), stride=(2, 2))),
    (pool2d_case, dict(pool=avg_pool2d, image=(2, 5, 7, 2), window=(2, 2), stride=(2, 2), padding="same")),
    (pool2d_case, dict(pool=avg_pool2d, image=(1, 7, 7, 5), window=(3, 3), stride=(2, 2))),
    (pool2d_case, dict(pool=avg_pool2d, image=(1, 6, 5, 3), window=(3, 3), stride=(1, 1), padding="same")),
    (pool2d_case, dict(pool=avg_pool2d, image=(1, 8, 8, 2), window=(2, 2), stride=(3, 3))),
    (pool2d_case, dict(pool=avg_pool2d, image=(1, 5, 6, 2), window=(3, 3), stride=(2, 2), padding=((1, 0), (0, 2)))),
    (pool2d_case, dict(pool=avg_pool2d, image=(2, 3, 3, 17), window=(3, 3), stride=(3, 3))),
    (dense_case, dict(batch=1, inputs=1, units=1)),
    (dense_case, dict(batch=5, inputs=7, units=3)),
    (dense_case, dict(batch=4, inputs=9, units=17, relu=True)),
    (dense_case, dict(batch=7, inputs=33, units=10, relu=True)),
    (dense_case, dict(batch=13, inputs=6, units=35)),
    (softmax_cross_entropy_case, dict(batch=6, classes=10)),
    (softmax_cross_entropy_case, dict(batch=7, classes=3, head_weight=0.5)),
    (softmax_cross_entropy_case, dict(batch=9, classes=17, missing=3, head_weight=0.25)),
    (softmax_cross_entropy_case, dict(batch=8, classes=5, row_weights=True)),
    (softmax_cross_entropy_case, dict(batch=11, classes=4, missing=2, row_weights=True, head_weight=2)),
    (softmax_cross_entropy_case, dict(batch=4, classes=3, missing=1)),
    (softmax_cross_entropy_case, dict(batch=5, classes=1)),
    (softmax_cross_entropy_case, dict(batch=6, classes=7, logit_scale=60)),
    (sigmoid_case, dict(n=19, input_scale=1)),
    (sigmoid_case, dict(n=19, input_scale=8)),
    (sigmoid_case, dict(n=35, input_scale=60)),
    (adam_case, dict(n=19, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7)),
    (adam_case, dict(n=19, learning_rate=0.001, beta1=0.5, beta2=0.999, epsilon=1e-8)),
    (adam_case, dict(n=7, learning_rate=0.1, beta1=0.5, beta2=0.75, epsilon=0.5)),
    (sgd_case, dict(n=19, learning_rate=0.01, momentum=0)),
    (sgd_case, dict(n=19, learning_rate=0.125, momentum=0.9)),
]


def main():
    lines = [json.dumps(case(seed, **members)) for seed, (case, members) in enumerate(CASES, start=1)]
    Path(__file__).with_name("kernels.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
