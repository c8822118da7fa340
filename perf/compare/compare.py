# SPDX-License-Identifier: Apache-2.0
"""Runs mtl-fast, PyTorch and Keras on the same net in alternating rounds and prints their training throughput."""

import argparse
import datetime
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parent.parent
OURS = "mtl-fast"
OUR_COMMAND = (
    "{binary} train {net} --data {data} --epochs {epochs} --threads {threads} --seed {seed}"
    " --output {output} --json --quiet"
)
PEERS = {
    "pytorch": ("peer_torch.py", "MTLF_TORCH_PYTHON"),
    "keras": ("peer_keras.py", "MTLF_KERAS_PYTHON"),
}
# Without these, glibc returns large blocks to the system after each step and the peers pay for the page faults.
PEER_ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "268435456",
}
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
HOW_TO_INSTALL = (
    "make each peer's environment once: for P in torch keras; do python3 -m venv DIR/$P && "
    "DIR/$P/bin/pip install -r perf/compare/requirements-$P.txt; done; export MTLF_TORCH_PYTHON=DIR/torch/bin/python "
    "MTLF_KERAS_PYTHON=DIR/keras/bin/python"
)


class ComparisonError(Exception):
    """A reason why no figures can be given; its text goes to the user as one line."""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the data set's files")
    parser.add_argument("--net", default="fashion-mnist", help="a net of nets.py; default: %(default)s")
    parser.add_argument("--epochs", type=int, default=4, help="of a run; the first is left out; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each program; default: %(default)s")
    parser.add_argument("--threads", type=int, default=available_cores(), help="default: the usable cores")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--ours", default=OUR_COMMAND, metavar="COMMAND", help="default: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures there")
    arguments = parser.parse_args()
    if arguments.epochs < 2 or arguments.rounds < 1:
        parser.error(f"needs 2 epochs and 1 round or more. Received: {arguments.epochs} and {arguments.rounds}")
    arguments.data = arguments.data.resolve()
    return arguments


def available_cores():
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def peer_python(variable):
    python = os.environ.get(variable)
    if not python:
        raise ComparisonError(f"{variable} is not set; {HOW_TO_INSTALL}")
    if not os.access(python, os.X_OK):
        raise ComparisonError(f"{variable} names no program. Received: {python}; {HOW_TO_INSTALL}")
    return python


def commands_of(arguments, output):
    """{program: argument list}; our run writes its folder to `output`."""
    binary = shlex.quote(os.environ.get("MTLF_BINARY") or ".build/release/mtl-fast")
    values = vars(arguments) | {"output": output, "binary": binary}
    commands = {OURS: [part.format(**values) for part in shlex.split(arguments.ours)]}
    for program, (script, variable) in PEERS.items():
        commands[program] = [peer_python(variable), str(FOLDER / script), "--evaluate"]
        for name in ("data", "net", "epochs", "threads", "seed"):
            commands[program] += [f"--{name}", str(values[name])]
    return commands


def run(program, command):
    """Runs one program to its end: its stdout, the wall seconds and the peak resident set in units of 1e6 bytes."""
    environment = {name: value for name, value in os.environ.items() if name not in UNSET}
    if program in PEERS:
        environment |= PEER_ENVIRONMENT
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        try:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=environment, cwd=PROJECT)
        except OSError as error:
            raise ComparisonError(f"{program} could not be started: {error}") from error
        with process.stdout:
            output = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        wall_seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            last_line = errors.read().decode(errors="replace").strip().rpartition("\n")[2]
            raise ComparisonError(f"{program} ended with exit code {process.returncode}: {last_line}")
    unit = 1 if sys.platform == "darwin" else 1024
    return output, wall_seconds, usage.ru_maxrss * unit / 1e6


def parse_output(program, output):
    """(epochs, closing facts): mtl-fast prints one object with both, a peer a line per epoch and a closing line."""
    try:
        if program == OURS:
            closing = json.loads(output)
            epochs = closing.pop("epochs")
        else:
            *epochs, closing = [json.loads(line) for line in output.splitlines()]
        return [epoch["samples_per_second"] for epoch in epochs], closing
    except (ValueError, KeyError, TypeError) as error:
        raise ComparisonError(f"{program} printed something else than its figures: {error!r}") from error


def measure(program, command, arguments):
    """One run's figures; the median leaves the first epoch out."""
    output, wall_seconds, peak_rss_mb = run(program, command)
    rates, closing = parse_output(program, output)
    if len(rates) != arguments.epochs:
        raise ComparisonError(f"{program} reported {len(rates)} epochs instead of {arguments.epochs}")
    return {
        "samples_per_second": rates,
        "median_samples_per_second": statistics.median(rates[1:]),
        "wall_seconds": wall_seconds,
        "peak_rss_mb": peak_rss_mb,
        "seconds_to_first_step": closing.get("seconds_to_first_step"),
        "test_accuracy": closing.get("test_accuracy"),
        "versions": closing.get("versions"),
    }


def run_rounds(arguments):
    """{program: [figures of each round]}; each round starts with another program."""
    programs = [OURS, *PEERS]
    figures = {program: [] for program in programs}
    with tempfile.TemporaryDirectory() as folder:
        for round_number in range(arguments.rounds):
            commands = commands_of(arguments, os.path.join(folder, f"run-{round_number}"))
            first = round_number % len(programs)
            for program in programs[first:] + programs[:first]:
                print(f"round {round_number + 1}/{arguments.rounds}: {program}", file=sys.stderr, flush=True)
                figures[program].append(measure(program, commands[program], arguments))
    return figures


def summarise(rounds):
    """A program's best round by median throughput, with the least wall time and the greatest resident set."""
    best = max(rounds, key=lambda figures: figures["median_samples_per_second"])
    return {
        "best_samples_per_second": best["median_samples_per_second"],
        "least_wall_seconds": min(figures["wall_seconds"] for figures in rounds),
        "greatest_peak_rss_mb": max(figures["peak_rss_mb"] for figures in rounds),
        "test_accuracy": best["test_accuracy"],
        "rounds": rounds,
    }


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


def facts_of(arguments, figures):
    """When, on what and with which versions the figures were taken."""
    versions = {}
    for rounds in figures.values():
        versions |= rounds[0]["versions"] or {}
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": command_output(["git", "describe", "--always", "--dirty"]),
        "cpu": cpu_model(),
        "cores": available_cores(),
        "versions": versions,
        "net": arguments.net,
        "epochs": arguments.epochs,
        "threads": arguments.threads,
        "seed": arguments.seed,
    }


def format_report(facts, programs, ratio):
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    yield (
        f"{facts['net']}, {facts['epochs']} epochs, {facts['threads']} threads | {facts['cpu']}, {facts['cores']} cores"
        f" | {versions} | commit {facts['commit']} | {facts['date']}"
    )
    rounds = len(programs[OURS]["rounds"])
    titles = [f"round {number + 1}" for number in range(rounds)] + ["best", "wall s", "peak MB"]
    yield f"{'samples/s':<10}" + "".join(f"{title:>10}" for title in titles) + "  test accuracy"
    for program, summary in programs.items():
        rates = [figures["median_samples_per_second"] for figures in summary["rounds"]]
        rates.append(summary["best_samples_per_second"])
        yield (
            f"{program:<10}"
            + "".join(f"{rate:>10,.0f}" for rate in rates)
            + f"{summary['least_wall_seconds']:>10.1f}{summary['greatest_peak_rss_mb']:>10,.0f}"
            + f"  {format_accuracy(summary['test_accuracy'])}"
        )
    yield f"{OURS} / best peer: {ratio['ours_to_best_peer']:.2f} (best peer: {ratio['best_peer']})"


def format_accuracy(accuracy):
    if not accuracy:
        return "-"
    return ", ".join(f"{task} {value:.4f}" for task, value in accuracy.items())


def compare(arguments):
    figures = run_rounds(arguments)
    programs = {program: summarise(rounds) for program, rounds in figures.items()}
    best_peer = max(PEERS, key=lambda peer: programs[peer]["best_samples_per_second"])
    ratio = {
        "best_peer": best_peer,
        "ours_to_best_peer": programs[OURS]["best_samples_per_second"] / programs[best_peer]["best_samples_per_second"],
    }
    facts = facts_of(arguments, figures)
    print("\n".join(format_report(facts, programs, ratio)))
    if arguments.json:
        arguments.json.write_text(json.dumps(facts | {"programs": programs} | ratio, indent=1) + "\n")


def main():
    try:
        compare(parse_arguments())
    except ComparisonError as error:
        sys.exit(f"compare: {error}")


if __name__ == "__main__":
    main()
