# SPDX-License-Identifier: Apache-2.0
"""Trains, evaluates and predicts with one program, also with a training that is killed and resumed."""

import dataclasses
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import time

TIMEOUT = 900


class Failure(Exception):
    """A program that didn't do what it was asked for."""

    def __init__(self, text, status=None):
        super().__init__(text)
        self.status = status


@dataclasses.dataclass
class Case:
    """One comparison: a recipe, how it is trained, and where its data are."""

    name: str
    covers: str
    recipe: str
    options: list = dataclasses.field(default_factory=list)
    environment: dict = dataclasses.field(default_factory=dict)
    threads: tuple = (2, 2)
    indices: list = dataclasses.field(default_factory=lambda: ["0", "1", "2"])
    files: list = dataclasses.field(default_factory=list)
    # A checkpoint is written after so many steps, and the training is killed in the middle of an epoch and resumed.
    every: int | None = None
    # Whether its folder has data of its own in `data`.
    has_data: bool = True

    def data(self):
        return ["--data", "../data"] if self.has_data else []


class Program:
    """One of the two programs. It runs in `case/SIDE`, beside `case/data`, so that no path tells the sides apart."""

    def __init__(self, path, cache_home):
        self.path = path
        self.cache_home = cache_home
        self.digest = hashlib.sha256(path.read_bytes()).hexdigest()

    def environment(self, case):
        environment = {key: value for key, value in os.environ.items() if key not in ("MTLF_ISA", "MTLF_CONV")}
        # Each side decodes images itself.
        return environment | {"XDG_CACHE_HOME": str(self.cache_home)} | case.environment

    def run(self, case, folder, arguments):
        try:
            return subprocess.run(
                [self.path, *arguments], cwd=folder, env=self.environment(case), capture_output=True,
                stdin=subprocess.DEVNULL, text=True, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            raise Failure(f"took more than {TIMEOUT} s: {' '.join(arguments)}") from None

    def train_arguments(self, case, threads):
        every = ["--checkpoint-every", str(case.every)] if case.every else []
        return ["train", case.recipe, *case.options, *case.data(), *every, "--threads", str(threads), "--quiet",
                "--output", "run"]

    def train(self, case, folder, threads):
        """Trains, scores and predicts; everything is in the folder afterwards."""
        folder.mkdir(parents=True)
        ended = self.run(case, folder, self.train_arguments(case, threads))
        if ended.returncode:
            raise Failure(told(ended), ended.returncode)
        self.score(case, folder, threads)

    def score(self, case, folder, threads):
        """What the trained model says, in outputs.json: status, result and, where it failed, the error."""
        best = ["--best"] if (folder / "run" / "best.safetensors").exists() else []
        common = [*case.data(), "--threads", str(threads), "--json"]
        calls = {
            "evaluate": ["evaluate", "run", "--confusion", *common],
            "predict --test-index": ["predict", "run", "--test-index", *case.indices, "--top", "3", "--masks",
                                     "masks-test", *common],
        }
        if case.files:
            files = [f"../data/{file}" for file in case.files]
            calls["predict FILE"] = ["predict", "run", *files, "--top", "2", "--masks", "masks-files", *common]
        if best:
            calls["evaluate --best"] = ["evaluate", "run", *best, *common]
        outputs = {}
        for name, arguments in calls.items():
            ended = self.run(case, folder, arguments)
            outputs[name] = {"status": ended.returncode, "result": ended.stdout}
            if ended.returncode:
                outputs[name]["error"] = ended.stderr
        (folder / "outputs.json").write_text(json.dumps(outputs, indent=1))

    def shards(self, case, folder):
        """Minibatch and samples a shard, as `summary --plan` tells them."""
        ended = self.run(case, folder, ["summary", case.recipe, *plan_options(case.options), *case.data(), "--plan"])
        words = ended.stdout.split("batches of ")[-1].split()
        if ended.returncode or len(words) < 5:
            return None
        return int(words[0]), int(words[4])

    def kill(self, case, folder, undisturbed, seed):
        """Trains and kills the training in mid-epoch, after a checkpoint of that epoch: the step of that checkpoint."""
        epoch_of = {}
        for line in (undisturbed / "steps.jsonl").read_text().splitlines():
            step = json.loads(line)
            epoch_of[step["step"]] = step["epoch"]
        middle = [step for step in epoch_of if step % case.every == 0 and epoch_of.get(step + 1) == epoch_of[step]]
        if not middle:
            raise Failure("has no checkpoint in mid-epoch to resume from")
        draw = random.Random(f"{seed} {case.name}")
        for attempt in range(6):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            # Later attempts kill earlier.
            wanted = middle[0] if attempt > 1 else draw.choice(middle[: max(1, len(middle) * 2 // 3)])
            delay = draw.random() * 0.01 if attempt < 2 else 0
            process = subprocess.Popen(
                [self.path, *self.train_arguments(case, case.threads[0])], cwd=folder, env=self.environment(case),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            began = time.monotonic()
            while process.poll() is None and newest_step(folder / "run") < wanted:
                if time.monotonic() - began > TIMEOUT:
                    break
                time.sleep(0.0005)
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            process.wait()
            if newest_step(folder / "run") in middle:
                return newest_step(folder / "run")
        raise Failure("the training was never caught in mid-epoch")

    def resume(self, case, folder, threads):
        every = ["--checkpoint-every", str(case.every)]
        ended = self.run(
            case, folder, ["train", "--resume", "run", *case.data(), *every, "--threads", str(threads), "--quiet"])
        if ended.returncode:
            raise Failure(f"the killed training wasn't resumed: {told(ended)}")
        self.score(case, folder, threads)


def told(ended):
    lines = [line for line in ended.stderr.strip().splitlines() if line]
    if ended.returncode < 0:
        lines.append(f"signal {-ended.returncode}")
    return f"status {ended.returncode}: {' '.join(lines[-3:])[:400]}"


def plan_options(options):
    """The options of `train` that `summary` knows as well."""
    known, kept = ("--set", "--epochs", "--batch-size", "--seed"), []
    for option, value in zip(options, options[1:]):
        if option in known:
            kept += [option, value]
    return kept


def newest_step(run):
    """The step of a run's newest whole checkpoint, or 0."""
    names = [path.stem for path in run.glob("checkpoints/step-*.safetensors")]
    return max((int(name.removeprefix("step-")) for name in names), default=0)


def digest_of(folder):
    """The hash of all files of a folder, by their names and contents."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder)} {len(content)}\n".encode() + content)
    return digest.hexdigest()
