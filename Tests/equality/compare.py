#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains with two programs and proves that every tensor, score and prediction is the same, to the bit.

Trained are the built-in recipes, those of Recipes/, and recipes drawn by a seed over every layer, loss, optimizer,
schedule and kind of data; where a recipe's data aren't there, its name is told. The two programs get different numbers
of threads for most recipes, and the same instruction set. Some trainings of the old program are killed in the middle
of an epoch and resumed by the new one, and must end like one that nobody disturbed.

Compared are all checkpoints and best models, each step's and epoch's losses and scores, confusion matrices, and what
`evaluate` and `predict` say. Times are left out; differences of checkpoint metadata and of the resolved recipe are
noted. Exit status 0: all is identical, 1: something differs, failed, or nothing was compared.

  Tests/equality/compare.py old/mtl-fast .build/release/mtl-fast --cache /tmp/equality
  Tests/equality/compare.py OLD NEW --only drawn-07 --keep        one recipe, whose folder stays to look at
"""

import argparse
import dataclasses
import fnmatch
import hashlib
import json
import os
import pathlib
import platform
import shutil
import sys
import tempfile
import time

import builtin
import drawn
import results
from runs import Case, Failure, Program, digest_of

# Changes with what is kept of an old program's results.
CACHE_VERSION = 1


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", metavar="OLD", type=pathlib.Path, help="the program whose results count")
    parser.add_argument("new", metavar="NEW", type=pathlib.Path, help="the program that must give the same")
    parser.add_argument("--drawn", type=int, default=60, metavar="N", help="how many recipes are drawn (60)")
    parser.add_argument("--seed", type=int, default=2026, help="of the drawn recipes and their data (2026)")
    parser.add_argument("--only", action="append", metavar="NAME", help="these recipes alone; may hold * and ?")
    parser.add_argument("--data", type=pathlib.Path, metavar="DIR", help="where data are, instead of $MTLF_DATA")
    parser.add_argument("--cache", type=pathlib.Path, metavar="DIR",
                        help="keeps the old program's results, so that it doesn't train again")
    parser.add_argument("--keep", action="store_true", help="keeps all files, and says where")
    options = parser.parse_args()
    for program in (options.old, options.new):
        if not os.access(program, os.X_OK) or program.is_dir():
            sys.exit(f"Both programs must be there. {program} is no program.")
    options.old, options.new = options.old.resolve(), options.new.resolve()
    if options.data:
        os.environ["MTLF_DATA"] = str(options.data.resolve())
    return options


@dataclasses.dataclass
class Totals:
    identical: int = 0
    wrong: list = dataclasses.field(default_factory=list)
    left_out: list = dataclasses.field(default_factory=list)
    notes: dict = dataclasses.field(default_factory=dict)
    drawn: int = 0
    small_shards: int = 0
    resumed: int = 0
    cached: int = 0
    tensors: int = 0
    numbers: int = 0
    masks: int = 0

    def add(self, name, result):
        self.tensors += result.tensors
        self.numbers += result.numbers
        self.masks += result.masks
        for note in dict.fromkeys(result.notes):
            self.notes.setdefault(note, []).append(name)


class Session:
    def __init__(self, options, work):
        self.options, self.work = options, work
        self.old = Program(options.old, work / "caches" / "old")
        self.new = Program(options.new, work / "caches" / "new")
        self.totals = Totals()

    def wanted(self, name):
        return not self.options.only or any(fnmatch.fnmatch(name, pattern) for pattern in self.options.only)

    def cases(self):
        """Each case with its folder and the hash of all that it is trained from; None and the reason without data."""
        for index, recipe in enumerate(builtin.names(self.options.old)):
            name = pathlib.Path(recipe).stem
            if self.wanted(name):
                folder = self.work / name
                yield name, folder, *builtin.make(self.options.old, recipe, index, folder)
        for recipe in drawn.recipes(self.options.drawn, self.options.seed):
            if not self.wanted(recipe.name):
                continue
            folder = self.work / recipe.name
            folder.mkdir()
            recipe.write(folder)
            environment = dict(recipe.environment)
            if environment.get("MTLF_ISA") == "vector":
                environment["MTLF_ISA"] = "avx2" if platform.machine() in ("x86_64", "AMD64") else "neon"
            case = Case(recipe.name, recipe.covers, "../recipe.yaml", recipe.options, environment, recipe.threads,
                        files=recipe.files, every=recipe.resumed)
            digest = digest_of(folder / "data") + hashlib.sha256(recipe.text.encode()).hexdigest()
            yield recipe.name, folder, case, digest

    def old_results(self, case, folder, digest):
        """The folder with the old program's results: `whole`, `killed` if it was, and facts.json; trained or kept."""
        kept = None
        if self.options.cache:
            facts = [CACHE_VERSION, self.old.digest, digest, dataclasses.asdict(case), self.options.seed]
            facts = json.dumps(facts).replace(str(builtin.RECIPES), "Recipes")
            kept = self.options.cache / f"{case.name}-{hashlib.sha256(facts.encode()).hexdigest()[:24]}"
            if (kept / "facts.json").exists():
                self.totals.cached += 1
                return kept
        made = folder / "old"
        made.mkdir()
        self.old.train(case, folder / "whole", case.threads[0])
        facts = {"shards": self.old.shards(case, folder / "whole")}
        if case.every:
            facts["killed"] = self.old.kill(case, folder / "killed", folder / "whole" / "run", self.options.seed)
            (folder / "killed").rename(made / "killed")
        (folder / "whole").rename(made / "whole")
        (made / "facts.json").write_text(json.dumps(facts))
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            part = kept.with_name(kept.name + ".part")
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(made, part, symlinks=True)
            shutil.rmtree(kept, ignore_errors=True)
            part.rename(kept)
        return made

    def compare(self, case, folder, digest):
        """Trains with both programs: what was found, in words, and whether all is identical."""
        try:
            made = self.old_results(case, folder, digest)
        except Failure as failure:
            # A missing file is no fault of the recipes that come with the program.
            if failure.status == 66 and not case.name.startswith("drawn-"):
                self.totals.left_out.append(case.name)
                return f"left out: {failure}", None
            return f"the old program failed: {failure}", False
        facts = json.loads((made / "facts.json").read_text())
        words = [f"threads {case.threads[0]} and {case.threads[1]}", *case.environment.values()]
        if "--task" in case.options:
            words.append(" ".join(case.options))
        if facts["shards"]:
            batch, shard = facts["shards"]
            group = -(-batch // 16)
            words.append(f"shards of {shard} in groups of {group}")
            if case.name.startswith("drawn-") and shard < group:
                self.totals.small_shards += 1
        about = ", ".join(words)
        try:
            self.new.train(case, folder / "new", case.threads[1])
        except Failure as failure:
            return f"[{about}] DIFFERS: the new program failed: {failure}", False
        result = results.compare(made / "whole", folder / "new")
        self.totals.add(case.name, result)
        if result.difference:
            return f"[{about}] DIFFERS: {result.difference}", False
        told = f"[{about}] identical: {result.tensors} tensors, {result.numbers:,} numbers, {result.masks} masks"
        if not case.every:
            return told, True
        step = facts["killed"]
        shutil.copytree(made / "killed", folder / "resumed", symlinks=True)
        try:
            self.new.resume(case, folder / "resumed", case.threads[1])
        except Failure as failure:
            return f"{told}; DIFFERS when killed after step {step} and resumed: {failure}", False
        result = results.compare(made / "whole", folder / "resumed")
        self.totals.add(case.name, result)
        if result.difference:
            return f"{told}; DIFFERS when killed after step {step} and resumed: {result.difference}", False
        self.totals.resumed += 1
        return f"{told}; killed after step {step} and resumed: identical", True

    def run(self):
        totals = self.totals
        for name, folder, case, digest in self.cases():
            began = time.monotonic()
            if not case:
                totals.left_out.append(name)
                print(f"{name}: left out: {digest}", flush=True)
                continue
            totals.drawn += name.startswith("drawn-")
            told, identical = self.compare(case, folder, digest)
            if identical:
                totals.identical += 1
            elif identical is False:
                totals.wrong.append(name)
            print(f"{name}: {case.covers} {told} ({time.monotonic() - began:.1f} s)", flush=True)
            if not self.options.keep:
                shutil.rmtree(folder, ignore_errors=True)
        return totals


def main():
    options = parsed()
    began = time.monotonic()
    work = pathlib.Path(tempfile.mkdtemp(prefix="mtl-fast-equality-"))
    try:
        totals = Session(options, work).run()
    finally:
        if options.keep:
            print(f"kept: {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    print()
    if hashlib.sha256(options.old.read_bytes()).digest() == hashlib.sha256(options.new.read_bytes()).digest():
        print("note: both programs are the same file")
    for note, names in sorted(totals.notes.items()):
        print(f"note: {note}: {', '.join(names[:6])}{f' and {len(names) - 6} more' if len(names) > 6 else ''}")
    print(f"{totals.identical} identical, {len(totals.wrong)} different or failed, {len(totals.left_out)} left out"
          f"{': ' + ', '.join(totals.left_out) if totals.left_out else ''}")
    print(f"{totals.drawn} drawn by seed {options.seed}, {totals.small_shards} of them with shards smaller than groups "
          f"of samples; {totals.resumed} killed and resumed")
    print(f"compared {totals.tensors:,} tensors, {totals.numbers:,} numbers of logs and results, {totals.masks} masks; "
          f"{totals.cached} old results were kept; {time.monotonic() - began:.0f} s")
    if totals.wrong:
        print(f"FAILED: {', '.join(totals.wrong)}")
    elif not totals.identical:
        print("FAILED: nothing was compared")
    sys.exit(0 if totals.identical and not totals.wrong else 1)


if __name__ == "__main__":
    main()
