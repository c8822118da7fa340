# SPDX-License-Identifier: Apache-2.0
"""Trains a net of nets.py in PyTorch: eager, fp32, channels_last, fused Adam."""

import peer_run

import time

import torch
from torch import nn
from torch.nn import functional

import nets

LOSSES = {
    nets.SOFTMAX: functional.cross_entropy,
    nets.BINARY: functional.binary_cross_entropy_with_logits,
    nets.SQUARES: functional.mse_loss,
}


class MultiTaskNet(nn.Module):
    """{input: [N, C, H, W] or [N, K]} -> {head: outputs [N, units]}."""

    def __init__(self, net):
        super().__init__()
        self.net = net
        self.nodes = nn.ModuleDict({name: build_layers(node.layers) for name, node in net.nodes.items()})

    def forward(self, inputs):
        values = dict(inputs)
        for name, node in self.net.nodes.items():
            values[name] = self.nodes[name](values[node.source])
        return {name: values[name] for name in self.net.heads}


class FlattenPixels(nn.Module):
    """[N, C, H, W] -> [N, H*W*C]: on channels_last memory a view, where nn.Flatten would copy."""

    def forward(self, images):
        return images.permute(0, 2, 3, 1).flatten(1)


def build_layers(layers):
    """The layers in sequence; they take their input widths from the first call."""
    modules = []
    for layer in layers:
        match layer:
            case nets.Conv2D(filters, kernel, padding):
                margin = kernel // 2 if padding == "same" else 0
                modules += [nn.LazyConv2d(filters, kernel, padding=margin), nn.ReLU(inplace=True)]
            case nets.MaxPool2D(window):
                modules.append(nn.MaxPool2d(window))
            case nets.Flatten():
                modules.append(FlattenPixels())
            case nets.Dense(units):
                modules += [nn.LazyLinear(units), nn.ReLU(inplace=True)]
            case nets.Linear(units):
                modules.append(nn.LazyLinear(units))
    return nn.Sequential(*modules)


def build_model(net):
    """The net with Glorot-uniform weights and zero biases, its filters stored channels_last."""
    model = MultiTaskNet(net)
    with torch.no_grad():
        model({name: select(torch.zeros(1, *input.shape), torch.arange(1)) for name, input in net.inputs.items()})
    for parameter in model.parameters():
        if parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)
        else:
            nn.init.zeros_(parameter)
    return model.to(memory_format=torch.channels_last)


def select(values, rows):
    """Rows of an input; images [N, H, W, C] as [rows, C, H, W] in channels_last memory, without a second copy."""
    selected = values.index_select(0, rows)
    return selected.permute(0, 3, 1, 2) if selected.dim() == 4 else selected


def train_epoch(net, model, optimizer, inputs, labels, report):
    """One pass over the reshuffled data; returns each head's mean loss."""
    samples = peer_run.sample_count(inputs)
    loss_sums = torch.zeros(len(net.heads))
    for rows in torch.randperm(samples).split(net.batch_size):
        optimizer.zero_grad()
        outputs = model({name: select(values, rows) for name, values in inputs.items()})
        losses = [LOSSES[head.loss](outputs[name], labels[name][rows]) for name, head in net.heads.items()]
        sum(head.weight * loss for head, loss in zip(net.heads.values(), losses)).backward()
        optimizer.step()
        loss_sums += torch.stack(losses).detach() * len(rows)
        report.step_done()
    return dict(zip(net.heads, (loss_sums / samples).tolist()))


def train(arguments, model, report):
    net = arguments.net
    inputs, labels = read_tensors(arguments, "train")
    optimizer = torch.optim.Adam(
        model.parameters(), lr=net.learning_rate, betas=(net.beta1, net.beta2), eps=net.epsilon, fused=True
    )
    for _ in range(arguments.epochs):
        start = time.perf_counter()
        losses = train_epoch(net, model, optimizer, inputs, labels, report)
        report.epoch_done(time.perf_counter() - start, peer_run.sample_count(inputs), losses)


def read_tensors(arguments, split):
    """The split with classes as int64, which the loss takes."""
    inputs, labels = peer_run.read_split(arguments, split)
    labels = {name: torch.from_numpy(values) for name, values in labels.items()}
    return (
        {name: torch.from_numpy(values) for name, values in inputs.items()},
        {name: values if values.is_floating_point() else values.long() for name, values in labels.items()},
    )


@torch.no_grad()
def evaluate(arguments, model):
    """Test accuracy of each head that has one."""
    inputs, labels = read_tensors(arguments, "test")
    batches = [
        model({name: select(values, rows) for name, values in inputs.items()})
        for rows in torch.arange(peer_run.sample_count(inputs)).split(1000)
    ]
    outputs = {name: torch.cat([batch[name] for batch in batches]).numpy() for name in labels}
    return peer_run.accuracies(arguments.net, outputs, {name: values.numpy() for name, values in labels.items()})


def main():
    arguments = peer_run.parse_arguments(__doc__)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    model = build_model(arguments.net)
    peer_run.check_parameters(arguments, sum(parameter.numel() for parameter in model.parameters()))
    report = peer_run.Report("pytorch")
    train(arguments, model, report)
    report.run_done(evaluate(arguments, model) if arguments.evaluate else None, {"torch": torch.__version__})


if __name__ == "__main__":
    main()
