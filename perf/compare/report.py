# SPDX-License-Identifier: Apache-2.0
"""What a comparison prints: the rounds of each system, then one table of all of them."""

import datetime
import platform
import subprocess
import sys
from pathlib import Path

from programs import OURS, PEERS, PROJECT, available_cores


def cpu_model():
    if sys.platform == "darwin":
        return command_output(["sysctl", "-n", "machdep.cpu.brand_string"])
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "CPU part"):
            return value.strip()
    return platform.machine()


def command_output(command):
    """What a command prints, or "unknown" where it fails."""
    try:
        return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def facts_of(arguments, systems):
    """When, on what and with which versions the figures were taken."""
    versions = {}
    for figures in systems[0]["programs"].values():
        versions |= figures["rounds"][0]["versions"] or {}
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": command_output(["git", "describe", "--always", "--dirty"]),
        "cpu": cpu_model(),
        "cores": available_cores(),
        "versions": versions,
        "rounds": arguments.rounds,
        "epochs": arguments.epochs,
        "threads": arguments.threads,
        "seed": arguments.seed,
    }


def rounds_of(figures):
    """Lines on every round of a system."""
    rounds = len(figures["programs"][figures["best_peer"]]["rounds"])
    titles = [f"round {number + 1}" for number in range(rounds)] + ["best", "wall s", "peak MB"]
    yield f"{figures['system']}, batch {figures['batch_size']}, {figures['flops'] / 1e6:.1f} MFLOP a sample and step"
    yield f"{'samples/s':<10}" + "".join(f"{title:>10}" for title in titles) + "  test accuracy"
    for program, summary in figures["programs"].items():
        rates = [run["median_samples_per_second"] for run in summary["rounds"]]
        rates.append(summary["best_samples_per_second"])
        yield (
            f"{program:<10}"
            + "".join(f"{rate:>10,.0f}" for rate in rates)
            + f"{summary['least_wall_seconds']:>10.1f}{summary['greatest_peak_rss_mb']:>10,.0f}"
            + f"  {format_accuracy(summary['test_accuracy'])}"
        )


def format_accuracy(accuracy):
    if not accuracy:
        return "-"
    return ", ".join(f"{task} {value:.4f}" for task, value in accuracy.items())


def is_below_bar(figures):
    return figures["ours_to_best_peer"] is not None and figures["ours_to_best_peer"] < figures["bar"]


def table(facts, systems):
    """Lines on the best of each system: samples/s, and the share of the peak in parentheses."""
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    yield (
        f"best of {facts['rounds']} rounds of {facts['epochs']} epochs, {facts['threads']} threads | {facts['cpu']},"
        f" {facts['cores']} cores | {versions} | commit {facts['commit']} | {facts['date']}"
    )
    programs = [OURS, *PEERS]
    titles = "".join(f"{program:>17}" for program in programs)
    yield f"{'samples/s':<15}{titles}{'peak GFLOP/s':>14}{'ratio':>7}{'bar':>5}"
    for figures in systems:
        cells = "".join(f"{format_rate(figures, program):>17}" for program in programs)
        peak, ratio = figures["peak_gflops"], figures["ours_to_best_peer"]
        yield (
            f"{figures['system']:<15}{cells}"
            + (f"{peak:>14.1f}" if peak else f"{'-':>14}")
            + (f"{ratio:>7.2f}" if ratio else f"{'-':>7}")
            + f"{figures['bar']:>5}"
            + ("  MISS" if is_below_bar(figures) else "")
        )
    yield f"ratio: {OURS} / best peer; in parentheses: share of the peak"
    missed = [figures["system"] for figures in systems if is_below_bar(figures)]
    if missed:
        yield f"below the bar: {', '.join(missed)}"


def format_rate(figures, program):
    """Such as "12,345 (67.8 %)"; a program that didn't run is "-"."""
    if program not in figures["programs"]:
        return "-"
    rate = figures["programs"][program]["best_samples_per_second"]
    share = figures["shares_of_peak"].get(program)
    return f"{rate:,.0f}" + (f" ({share:.1%})" if share else "")
