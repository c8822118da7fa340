# SPDX-License-Identifier: Apache-2.0
"""The programs that are compared: their commands for each system, and one run of them."""

import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parent.parent


@dataclass(frozen=True)
class System:
    """A net of nets.py as mtl-fast knows it, and the least ratio to the best peer that it must reach."""

    recipe: str
    bar: float = 1.2


SYSTEMS = {
    "fashion-mnist": System("fashion-mnist", bar=1.7),
    "cifar10": System("cifar10"),
    "cifar100": System("cifar100"),
    "paintings": System("perf/compare/recipes/paintings.yaml"),
    "simultaneous": System("perf/compare/recipes/simultaneous.yaml"),
}
OURS = "mtl-fast"
OUR_COMMAND = (
    "{binary} train {recipe} --data {data} --epochs {epochs} --threads {threads} --seed {seed}"
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


def available_cores():
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def peer_python(peer):
    _, variable = PEERS[peer]
    python = os.environ.get(variable)
    if not python:
        raise ComparisonError(f"{variable} is not set; {HOW_TO_INSTALL}")
    if not os.access(python, os.X_OK):
        raise ComparisonError(f"{variable} names no program. Received: {python}; {HOW_TO_INSTALL}")
    return python


def our_command(arguments, system, data, output):
    """The argument list of a run of ours on the files in `data`, which writes its folder to `output`."""
    binary = shlex.quote(os.environ.get("MTLF_BINARY") or ".build/release/mtl-fast")
    places = {"recipe": SYSTEMS[system].recipe, "data": data, "output": output, "binary": binary}
    return [part.format(**vars(arguments) | places) for part in shlex.split(arguments.ours)]


def peer_command(peer, arguments, system, data):
    command = [peer_python(peer), str(FOLDER / PEERS[peer][0]), "--net", system, "--data", str(data)]
    for name in ("epochs", "threads", "seed"):
        command += [f"--{name}", str(getattr(arguments, name))]
    return command + (["--evaluate"] if arguments.data else [])


def write_data(system, directory):
    """A system's random files, written by the first peer's Python, which has numpy."""
    run("net_data.py", [peer_python(next(iter(PEERS))), str(FOLDER / "net_data.py"), system, str(directory)])


def measure_peak(threads):
    """GFLOP/s of multiply-adds in registers on all threads, or None without the program that MTLF_BENCH names."""
    bench = os.environ.get("MTLF_BENCH")
    return float(run("peak", [bench, "peak"], {"MTLF_THREADS": str(threads)})[0]) if bench else None


def run(program, command, additions=None):
    """Runs one program to its end: its stdout, the wall seconds and the peak resident set in units of 1e6 bytes."""
    environment = {name: value for name, value in os.environ.items() if name not in UNSET} | (additions or {})
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
            scores = closing.get("test") or {}
            closing["test_accuracy"] = {
                task: score["accuracy"] for task, score in scores.items() if "accuracy" in score
            }
        else:
            *epochs, closing = [json.loads(line) for line in output.splitlines()]
        return [epoch["samples_per_second"] for epoch in epochs], closing
    except (ValueError, KeyError, TypeError) as error:
        raise ComparisonError(f"{program} printed something else than its figures: {error!r}") from error


def measure(program, arguments, system, data, output):
    """One run's figures; the median leaves the first epoch out."""
    if program == OURS:
        printed, wall_seconds, peak_rss_mb = run(OURS, our_command(arguments, system, data, output))
    else:
        printed, wall_seconds, peak_rss_mb = run(
            program, peer_command(program, arguments, system, data), PEER_ENVIRONMENT
        )
    rates, closing = parse_output(program, printed)
    if len(rates) != arguments.epochs:
        raise ComparisonError(f"{program} reported {len(rates)} epochs instead of {arguments.epochs}")
    return {
        "samples_per_second": rates,
        "median_samples_per_second": statistics.median(rates[1:]),
        "wall_seconds": wall_seconds,
        "peak_rss_mb": peak_rss_mb,
        "seconds_to_first_step": closing.get("seconds_to_first_step"),
        # Random labels can't be learnt.
        "test_accuracy": closing.get("test_accuracy") if arguments.data else None,
        "versions": closing.get("versions"),
    }
