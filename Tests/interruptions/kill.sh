#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Ends a short training at random moments, by SIGKILL, by SIGINT or by --time-budget, and goes on with it: every run
# must end with the files, to the byte, of the run that nobody disturbed. Only what stands below "timing" in
# history.jsonl may differ and, after SIGINT or --time-budget, which earlier checkpoints there are.
#
#   Tests/interruptions/kill.sh [RUNS] [SEED]       20 runs; the seed of the moments, which is printed
#
# The same seed ends trainings in the same ways after the same times, which are not quite the same steps.
#
# MTLF_BINARY names the program; without it: .build/release/mtl-fast, which is built where it is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."

runs=${1:-20}
seed=${2:-$$}
RANDOM=$seed
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

# What must be equal, one line for each file: its name and the hash of what it holds. $2 is `newest` where that
# checkpoint alone counts.
content() {
  (
    cd "$1"
    newest=$(find checkpoints -type f | LC_ALL=C sort | tail -n 1)
    for file in $(find . -type f ! -name '*tfevents*' ! -path './plots/*' ! -name report.html | LC_ALL=C sort); do
      if [[ $2 == newest && $file == ./checkpoints/* && $file != "./$newest" ]]; then continue; fi
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
content "$folder/whole" all >"$folder/expected-all"
content "$folder/whole" newest >"$folder/expected-newest"
printf 'seed %d, undisturbed: %d ms, %d files\n' "$seed" "$took" "$(grep -c . "$folder/expected-all")"

for ((round = 1; round <= runs; round++)); do
  run=$folder/run-$round
  told=
  checkpoints=all
  # A run is ended once or several times, at any moment from its first millisecond to its last.
  for ((left = 1 + RANDOM % 3; left > 0; left--)); do
    after=$((RANDOM % (took + 1)))
    seconds=$(printf '%d.%03d' $((after / 1000)) $((after % 1000)))
    more=(--threads $((1 + RANDOM % 3)))
    case $((RANDOM % 7)) in
    0 | 1 | 2) way=KILL ;;
    3 | 4 | 5) way=INT ;;
    *)
      way=budget
      more+=(--time-budget "${seconds}1s")
      ;;
    esac
    [[ $way == KILL ]] || checkpoints=newest
    if [[ -f $run/recipe.yaml ]]; then
      "$program" train --resume "$run" "${always[@]}" "${more[@]}" >/dev/null 2>"$folder/errors" &
    else
      rm -rf "$run"
      "$program" "${anew[@]}" "$run" "${more[@]}" >/dev/null 2>"$folder/errors" &
    fi
    process=$!
    if [[ $way != budget ]]; then
      sleep "$seconds"
      kill -$way $process 2>/dev/null || true
    fi
    status=0
    wait $process 2>/dev/null || status=$?
    steps=0
    if [[ -f $run/steps.jsonl ]]; then steps=$(wc -l <"$run/steps.jsonl"); fi
    told="$told $way/${after}ms/$steps"
    # A stop in good order is 130; the training may have come to its end before, or have been trained already.
    case $way/$status in
    KILL/* | */0 | INT/130) ;;
    *)
      grep -q 'epochs are trained' "$folder/errors" ||
        fail "round $round of seed $seed ($told): status $status: $(cat "$folder/errors")"
      ;;
    esac
  done
  if [[ ! -f $run/recipe.yaml ]]; then
    rm -rf "$run"
    "$program" "${anew[@]}" "$run" >/dev/null
  elif ! "$program" train --resume "$run" "${always[@]}" --threads $((1 + RANDOM % 3)) >/dev/null 2>"$folder/errors"; then
    # Ended after its last epoch: nothing is left to train.
    grep -q 'epochs are trained' "$folder/errors" || fail "round $round of seed $seed ($told): $(cat "$folder/errors")"
  fi
  content "$run" $checkpoints | diff "$folder/expected-$checkpoints" - >"$folder/difference" ||
    fail "round $round of seed $seed (ended by$told) ends differently: $(cat "$folder/difference")"
  "$program" evaluate "$run" >/dev/null || fail "round $round: can't be evaluated"
  printf 'round %d: ended by%s steps, ends with the same bytes\n' "$round" "$told"
  rm -rf "$run"
done
