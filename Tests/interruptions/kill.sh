#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Kills a short training with SIGKILL at random moments and goes on with it: every run must end with the files, to the
# byte, of the run that nobody disturbed. Only what stands below "timing" in history.jsonl may differ.
#
#   Tests/interruptions/kill.sh [KILLS] [SEED]      20 kills; the seed of the moments
#
# MTLF_BINARY names the program; without it: .build/release/mtl-fast, which is built where it is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."

kills=${1:-20}
RANDOM=${2:-$$}
program=${MTLF_BINARY:-$PWD/.build/release/mtl-fast}
[[ -x $program ]] || swift build -c release --product mtl-fast
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

# One training, by a recipe that uses whatever a checkpoint must hold.
always=(--checkpoint-every 4 --tensorboard --quiet)
anew=(train simultaneous "${always[@]}" --epochs 4 --set data.training=600 --set data.test=60
  --set 'data.validation={fraction: 0.2}' --set 'training.schedule={cosine: {warm_up: 0.5}}'
  --set training.gradient_clipping=1 --set training.best_per_task=true --set training.early_stopping=4 --output)

# What must be equal, one line for each file: its name and the hash of what it holds.
content() {
  (
    cd "$1"
    for file in $(find . -type f ! -name '*tfevents*' ! -path './plots/*' ! -name report.html | LC_ALL=C sort); do
      case $file in
      *.jsonl) printf '%s %s\n' "$file" "$(sed 's/"timing":{[^}]*}/"timing":{}/' "$file" | sha256sum)" ;;
      *) printf '%s %s\n' "$file" "$(sha256sum <"$file")" ;;
      esac
    done
  )
}

began=$(date +%s%N)
"$program" "${anew[@]}" "$folder/whole" --threads 2 >/dev/null
took=$((($(date +%s%N) - began) / 1000000))
content "$folder/whole" >"$folder/expected"
printf 'undisturbed: %d ms, %d files\n' "$took" "$(grep -c . "$folder/expected")"

for ((round = 1; round <= kills; round++)); do
  run=$folder/run-$round
  told=
  # A run is killed once or several times, at any moment from its first millisecond to its last.
  for ((left = 1 + RANDOM % 3; left > 0; left--)); do
    after=$((RANDOM % (took + 1)))
    threads=$((1 + RANDOM % 3))
    if [[ -f $run/recipe.yaml ]]; then
      "$program" train --resume "$run" "${always[@]}" --threads $threads >/dev/null 2>&1 &
    else
      rm -rf "$run"
      "$program" "${anew[@]}" "$run" --threads $threads >/dev/null 2>&1 &
    fi
    process=$!
    sleep "$(printf '%d.%03d' $((after / 1000)) $((after % 1000)))"
    kill -KILL $process 2>/dev/null || true
    wait $process 2>/dev/null || true
    steps=0
    if [[ -f $run/steps.jsonl ]]; then steps=$(wc -l <"$run/steps.jsonl"); fi
    told="$told ${after}ms/$steps"
  done
  if [[ ! -f $run/recipe.yaml ]]; then
    rm -rf "$run"
    "$program" "${anew[@]}" "$run" >/dev/null
  elif ! "$program" train --resume "$run" "${always[@]}" --threads $((1 + RANDOM % 3)) >/dev/null 2>"$folder/errors"; then
    # Killed after its last epoch: nothing is left to train.
    grep -q 'epochs are trained' "$folder/errors" || fail "round $round ($told): $(cat "$folder/errors")"
  fi
  content "$run" | diff "$folder/expected" - >"$folder/difference" ||
    fail "round $round (killed at$told) ends differently: $(cat "$folder/difference")"
  "$program" evaluate "$run" >/dev/null || fail "round $round: can't be evaluated"
  printf 'round %d: killed after%s steps, ends with the same bytes\n' "$round" "$told"
  rm -rf "$run"
done
