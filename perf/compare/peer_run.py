# SPDX-License-Identifier: Apache-2.0
"""What every peer shares: its arguments, its in-memory data, its clock and its JSON lines.

Import this module before the framework: its import starts the clock of `wall_seconds`.
"""

import time

PROGRAM_START = time.perf_counter()

import argparse
import json
import os
import platform
import resource
import statistics
import sys

import numpy

import net_data
from net_counts import Counts
from nets import BINARY, NETS, SOFTMAX


def parse_arguments(description):
    """The arguments; `net` is the net's entry, `net_name` its name."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", required=True, metavar="DIR", help="folder of the files of net_data.py")
    parser.add_argument("--net", dest="net_name", default="fashion-mnist", choices=NETS, help="default: %(default)s")
    parser.add_argument("--epochs", type=int, default=10, help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=available_cores(), help="default: the usable cores")
    parser.add_argument("--seed", type=int, default=0, help="of weights and shuffling; default: %(default)s")
    parser.add_argument("--evaluate", action="store_true", help="accuracy on the test set after the last epoch")
    arguments = parser.parse_args()
    if arguments.epochs < 1 or arguments.threads < 1:
        parser.error(f"--epochs and --threads start at 1. Received: {arguments.epochs} and {arguments.threads}")
    arguments.net = NETS[arguments.net_name]
    return arguments


def available_cores():
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def read_split(arguments, split):
    """{input: float32 [N, *shape]} and {head: int32 classes [N], or float32 [N, outputs]}."""
    return net_data.read(arguments.net_name, arguments.data, split)


def sample_count(inputs):
    return len(next(iter(inputs.values())))


def check_parameters(arguments, count):
    """Refuses a model that isn't the table's."""
    expected = Counts(arguments.net).parameters
    if count != expected:
        raise SystemExit(f"{arguments.net_name} has {expected:,} parameters. Received: {count:,}")


def accuracies(net, outputs, labels):
    """Share of classes with the greatest logit, and of bits with the right sign, for each head that has any."""
    shares = {}
    for name, head in net.heads.items():
        if head.loss == SOFTMAX:
            shares[name] = float((outputs[name].argmax(axis=1) == labels[name]).mean())
        elif head.loss == BINARY:
            shares[name] = float(((outputs[name] > 0) == labels[name]).mean())
    return shares


class Report:
    """Writes one JSON line per epoch and a last one that sums the run up."""

    def __init__(self, program):
        self.program = program
        self.rates = []
        self.seconds_to_first_step = None

    def step_done(self):
        if self.seconds_to_first_step is None:
            self.seconds_to_first_step = time.perf_counter() - PROGRAM_START

    def epoch_done(self, seconds, samples, losses):
        """`losses` holds each head's mean training loss of the epoch, not weighted."""
        self.rates.append(samples / seconds)
        self.write(
            epoch=len(self.rates),
            seconds=round(seconds, 4),
            samples_per_second=round(self.rates[-1], 1),
            losses={name: round(loss, 5) for name, loss in losses.items()},
        )

    def run_done(self, test_accuracy, versions):
        """The median leaves the first epoch out, unless there is no other."""
        self.write(
            median_samples_per_second=round(statistics.median(self.rates[1:] or self.rates), 1),
            wall_seconds=round(time.perf_counter() - PROGRAM_START, 3),
            seconds_to_first_step=round(self.seconds_to_first_step, 3),
            peak_rss_mb=round(peak_rss_mb(), 1),
            test_accuracy=test_accuracy,
            versions={"python": platform.python_version(), "numpy": numpy.__version__} | versions,
        )

    def write(self, **values):
        print(json.dumps({"program": self.program} | values), flush=True)


def peak_rss_mb():
    """The process's largest resident set in units of 1e6 bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
