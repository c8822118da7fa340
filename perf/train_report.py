# SPDX-License-Identifier: Apache-2.0
"""Prints a training's throughput, its share of the peak, and where the steps' time went."""

import json
import statistics
import sys

ACCOUNTS = ("conv", "dense", "heads", "optimizer", "loader", "waiting", "other")
# The share between plans, of shuffling and of handing each step to the team, that still counts as adding up.
LARGEST_REST = 0.05


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def throughput(training, summary, peak):
    """Lines on samples a second: the median leaves out the first epoch, as in perf/compare."""
    rates = [epoch["samples_per_second"] for epoch in training["epochs"]]
    rate = statistics.median(rates[1:] or rates)
    flops = summary["training_flops"]
    yield "epoch       " + "".join(f"{number:>10}" for number in range(1, len(rates) + 1))
    yield "samples/s   " + "".join(f"{value:>10,.0f}" for value in rates)
    median_of = f"median of epochs 2 to {len(rates)}" if len(rates) > 1 else "one epoch"
    yield f"{rate:,.0f} samples/s ({median_of}), {training['threads']} threads, seed {training['seed']}"
    yield (
        f"{flops / 1e6:.2f} MFLOP a sample and step: {rate * flops / 1e9:.1f} GFLOP/s,"
        f" {rate * flops / 1e9 / peak:.1%} of the peak ({peak:.1f} GFLOP/s)"
    )
    accuracies = ", ".join(f"{task} {score['accuracy']:.4f}" for task, score in training["test"].items())
    yield f"test accuracy: {accuracies}"


def accounts(training):
    """Lines on thread-seconds; what no account holds is a line of its own, so that they add up to the steps."""
    steps = training["threads"] * sum(epoch["training_seconds"] for epoch in training["epochs"])
    rest = steps - sum(training["accounts"].values())
    rows = [(name, training["accounts"][name]) for name in ACCOUNTS] + [("between plans", rest), ("steps", steps)]
    yield f"{'time of':<16}{'thread-seconds':>14}{'share':>9}"
    for name, seconds in rows:
        yield f"{name:<16}{seconds:>14.3f}{seconds / steps:>9.1%}"
    callbacks = training["callback_seconds"]
    yield f"logs, checkpoints and progress: {callbacks:.3f} s, {callbacks / training['step_seconds']:.2%} of the steps' time"
    if not -0.001 <= rest / steps <= LARGEST_REST:
        raise SystemExit(f"the accounts don't add up to the steps: {rest / steps:.1%} is missing")


def main():
    if len(sys.argv) < 4:
        raise SystemExit("usage: train_report.py SUMMARY.json TRAINING.json PEAK...")
    summary, training = read(sys.argv[1]), read(sys.argv[2])
    peak = max(float(argument) for argument in sys.argv[3:])
    for line in throughput(training, summary, peak):
        print(line)
    print()
    for line in accounts(training):
        print(line)


if __name__ == "__main__":
    main()
