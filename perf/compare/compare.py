# SPDX-License-Identifier: Apache-2.0
"""Runs mtl-fast, PyTorch and Keras on the same nets in alternating rounds and prints their training throughput.

Exit code 3: a system's ratio to the best peer is below its bar.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import report
from net_counts import Counts
from nets import NETS
from programs import (
    OUR_COMMAND,
    OURS,
    PEERS,
    SYSTEMS,
    ComparisonError,
    available_cores,
    measure,
    measure_peak,
    peer_python,
    write_data,
)

BELOW_A_BAR = 3


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--system", nargs="+", default=list(SYSTEMS), choices=SYSTEMS, metavar="NAME", dest="systems",
        help="of %(choices)s; default: all",
    )
    parser.add_argument("--epochs", type=int, default=5, help="of a run; the first is left out; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each program; default: %(default)s")
    parser.add_argument("--threads", type=int, default=available_cores(), help="default: the usable cores")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument(
        "--data", type=Path, metavar="DIR",
        help="real files of one --system instead of random ones; the test accuracy is printed too",
    )
    parser.add_argument("--peers-only", action="store_true", help="leave mtl-fast and the bars out")
    parser.add_argument("--ours", default=OUR_COMMAND, metavar="COMMAND", help="default: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures there")
    arguments = parser.parse_args()
    if arguments.epochs < 2 or arguments.rounds < 1:
        parser.error(f"needs 2 epochs and 1 round or more. Received: {arguments.epochs} and {arguments.rounds}")
    if arguments.data:
        if len(arguments.systems) != 1:
            parser.error(f"--data needs one --system. Received: {', '.join(arguments.systems)}")
        arguments.data = arguments.data.resolve()
    return arguments


def compare_system(system, arguments, folder):
    """A system's figures: of each program, the ratio to the best peer, and the peak of its sitting."""
    programs = [*PEERS] if arguments.peers_only else [OURS, *PEERS]
    data = arguments.data
    if data is None:
        data = folder / "data"
        data.mkdir()
        write_data(system, data)
    rounds = {program: [] for program in programs}
    peaks = []
    for number in range(arguments.rounds):
        # Each round starts with another program.
        first = number % len(programs)
        for program in programs[first:] + programs[:first]:
            print(f"{system}, round {number + 1}/{arguments.rounds}: {program}", file=sys.stderr, flush=True)
            peaks.append(measure_peak(arguments.threads))
            rounds[program].append(measure(program, arguments, system, data, folder / f"run-{number}"))
    return summarise(system, {program: best_of(runs) for program, runs in rounds.items()}, peaks)


def best_of(runs):
    """A program's best round by median throughput, with the least wall time and the greatest resident set."""
    best = max(runs, key=lambda figures: figures["median_samples_per_second"])
    return {
        "best_samples_per_second": best["median_samples_per_second"],
        "least_wall_seconds": min(figures["wall_seconds"] for figures in runs),
        "greatest_peak_rss_mb": max(figures["peak_rss_mb"] for figures in runs),
        "test_accuracy": best["test_accuracy"],
        "rounds": runs,
    }


def summarise(system, programs, peaks):
    rates = {program: figures["best_samples_per_second"] for program, figures in programs.items()}
    best_peer = max(PEERS, key=rates.get)
    flops = Counts(NETS[system]).flops
    peak = None if None in peaks else max(peaks)
    return {
        "system": system,
        "batch_size": NETS[system].batch_size,
        "flops": flops,
        "peak_gflops": peak,
        "shares_of_peak": {program: rate * flops / 1e9 / peak for program, rate in rates.items()} if peak else {},
        "best_peer": best_peer,
        "bar": SYSTEMS[system].bar,
        "ours_to_best_peer": rates[OURS] / rates[best_peer] if OURS in rates else None,
        "programs": programs,
    }


def compare(arguments):
    """Whether every system reached its bar."""
    for peer in PEERS:
        peer_python(peer)
    systems = []
    for system in arguments.systems:
        with tempfile.TemporaryDirectory() as folder:
            systems.append(compare_system(system, arguments, Path(folder)))
        print("\n".join(report.rounds_of(systems[-1])) + "\n", flush=True)
    facts = report.facts_of(arguments, systems)
    print("\n".join(report.table(facts, systems)))
    if arguments.json:
        arguments.json.write_text(json.dumps(facts | {"systems": systems}, indent=1) + "\n")
    return not any(report.is_below_bar(figures) for figures in systems)


def main():
    try:
        if not compare(parse_arguments()):
            sys.exit(BELOW_A_BAR)
    except ComparisonError as error:
        sys.exit(f"compare: {error}")


if __name__ == "__main__":
    main()
