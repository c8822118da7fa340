# SPDX-License-Identifier: Apache-2.0
"""Trains a net of nets.py in PyTorch: eager, fp32, channels_last, fused Adam."""

import peer_run

import time

import torch
from torch import nn
from torch.nn import functional

import nets


class MultiTaskNet(nn.Module):
    """Images [N, C, H, W] -> {head name: logits [N, classes]}."""

    def __init__(self, net):
        super().__init__()
        self.trunk = build_layers(net.trunk, channels=net.image_shape[2])
        self.heads = nn.ModuleDict({name: build_head(head) for name, head in net.heads.items()})

    def forward(self, images):
        features = self.trunk(images)
        return {name: head(features) for name, head in self.heads.items()}


class FlattenPixels(nn.Module):
    """[N, C, H, W] -> [N, H*W*C]: on channels_last memory a view, where nn.Flatten would copy."""

    def forward(self, images):
        return images.permute(0, 2, 3, 1).flatten(1)


def build_layers(layers, channels=None):
    """The layers in sequence; a dense layer takes its input width from the first call."""
    modules = []
    for layer in layers:
        match layer:
            case nets.Conv2D(filters, kernel, padding):
                modules += [nn.Conv2d(channels, filters, kernel, padding=padding), nn.ReLU(inplace=True)]
                channels = filters
            case nets.MaxPool2D(window):
                modules.append(nn.MaxPool2d(window))
            case nets.Flatten():
                modules.append(FlattenPixels())
            case nets.Dense(units):
                modules += [nn.LazyLinear(units), nn.ReLU(inplace=True)]
    return nn.Sequential(*modules)


def build_head(head):
    return build_layers(head.layers).append(nn.LazyLinear(head.classes))


def build_model(net):
    """The net with Glorot-uniform weights and zero biases, its filters stored channels_last."""
    height, width, channels = net.image_shape
    model = MultiTaskNet(net)
    with torch.no_grad():
        model(torch.zeros(1, channels, height, width))
    for parameter in model.parameters():
        if parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)
        else:
            nn.init.zeros_(parameter)
    return model.to(memory_format=torch.channels_last)


def select_images(images, rows):
    """Rows of images [N, H, W, C] as [rows, C, H, W] in channels_last memory, without a second copy."""
    return images.index_select(0, rows).permute(0, 3, 1, 2)


def train_epoch(net, model, optimizer, images, labels, report):
    """One pass over the reshuffled data; returns each head's mean loss."""
    loss_sums = torch.zeros(len(net.heads))
    for rows in torch.randperm(len(images)).split(net.batch_size):
        optimizer.zero_grad()
        logits = model(select_images(images, rows))
        losses = [functional.cross_entropy(logits[name], labels[name][rows]) for name in net.heads]
        sum(head.loss_weight * loss for head, loss in zip(net.heads.values(), losses)).backward()
        optimizer.step()
        loss_sums += torch.stack(losses).detach() * len(rows)
        report.step_done()
    return dict(zip(net.heads, (loss_sums / len(images)).tolist()))


def train(arguments, model, report):
    net = arguments.net
    images, labels = read_tensors(arguments, "train")
    optimizer = torch.optim.Adam(
        model.parameters(), lr=net.learning_rate, betas=(net.beta1, net.beta2), eps=net.epsilon, fused=True
    )
    for _ in range(arguments.epochs):
        start = time.perf_counter()
        losses = train_epoch(net, model, optimizer, images, labels, report)
        report.epoch_done(time.perf_counter() - start, len(images), losses)


def read_tensors(arguments, split):
    images, labels = peer_run.read_split(arguments, split)
    return torch.from_numpy(images), {name: torch.from_numpy(values).long() for name, values in labels.items()}


@torch.no_grad()
def evaluate(arguments, model):
    """Test accuracy of each head."""
    images, labels = read_tensors(arguments, "test")
    batches = [model(select_images(images, rows)) for rows in torch.arange(len(images)).split(1000)]
    logits = {name: torch.cat([batch[name] for batch in batches]).numpy() for name in labels}
    return peer_run.accuracies(logits, {name: values.numpy() for name, values in labels.items()})


def main():
    arguments = peer_run.parse_arguments(__doc__)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    model = build_model(arguments.net)
    report = peer_run.Report("pytorch")
    train(arguments, model, report)
    report.run_done(evaluate(arguments, model) if arguments.evaluate else None, {"torch": torch.__version__})


if __name__ == "__main__":
    main()
