#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures the kernels and the training, and compares the training with its peers. Without an argument: its modes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<'TEXT'
usage: perf/run.sh MODE [--save] [ARGUMENT...]

  kernels [FILE...]     GFLOP/s and share of the calibrated peak, by layer shape and pass, of our direct and im2col
                        convolutions, our dense layers, and OpenBLAS; each is compared with a double-precision reference
                        first. FILE: shapes, perf/shapes/fashion-mnist.txt without it. A share above 100 % fails.
  train [RECIPE [OPT...]]
                        Trains (4 epochs unless --epochs says so): samples/s, share of the peak, and the share of time
                        of conv, dense, heads, optimizer, loader, waiting, other. OPT: options that change a recipe,
                        such as --batch-size 64.
  profile [RECIPE [OPT...]]
                        perf record of a training of 2 epochs: the 30 functions that took most samples.
  compare [--system NAME...] [OPT...]
                        Training throughput of five systems beside PyTorch and Keras, in alternating rounds; exit code 3
                        where the ratio to the better one is below its bar: perf/compare/README.md.

--save also writes what is printed to perf/results/MODE-DATE.txt.

Environment: MTLF_THREADS (kernels: 1 without it; train, profile: every core), MTLF_SHARD (kernels: other shards than
the file's), MTLF_ISA, MTLF_CONV and MTLF_DATA (train, profile), CC, MTLF_BINARY (another mtl-fast than the release
build), MTLF_TORCH_PYTHON and MTLF_KERAS_PYTHON (compare).
TEXT
}

fail() {
  echo "perf/run.sh: $1" >&2
  exit "${2:-1}"
}

# Some machines export these; either can halve the speed of OpenBLAS.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
build=.build/perf
below_a_bar=3 # exit code of compare

# ---- what was measured on what ----

cpu_model() {
  if [[ $(uname) == Darwin ]]; then
    sysctl -n machdep.cpu.brand_string
  elif [[ -r /proc/cpuinfo ]]; then
    awk -F': *' '
      /^model name/ && !name { name = $2 }
      /^cpu family/ && !family { family = $2 }
      /^model\t/ && !model { model = $2 }
      /^CPU part/ && !name { name = "CPU part " $2 }
      END { print name (family ? " (family " family ", model " model ")" : "") }' /proc/cpuinfo
  else
    uname -m
  fi
}

cores() { nproc 2>/dev/null || sysctl -n hw.ncpu; }

header() {
  echo "$1 | $(cpu_model), $(cores) cores | $(uname -s) | $2"
  echo "commit $(git describe --always --dirty 2>/dev/null || echo unknown) | $(date -u '+%Y-%m-%d %H:%M UTC')"
}

compiler_line() { "$1" --version | sed -n '1{s/ (http[^)]*)//;p;}'; }

# ---- building ----

find_compiler() {
  local swift
  if [[ -n ${CC:-} ]]; then
    echo "$CC"
  elif swift=$(command -v swift) && [[ -x $(dirname "$swift")/clang ]]; then
    echo "$(dirname "$swift")/clang"
  else
    command -v cc || fail "there is no C compiler: install one or set CC"
  fi
}

# The flags that Package.swift gives to the C target whose flags hold $1.
package_flags() {
  local flags
  flags=$(sed -n "s/.*unsafeFlags(\[\([^]]*\"$1\"[^]]*\)\]).*/\1/p" Package.swift | tr -d '",' | head -n 1)
  [[ -n $flags ]] || fail "Package.swift has no C flags with $1"
  echo "$flags"
}

# compile PREFIX SOURCE FLAG...: unless the object is newer than the source and every header.
compile() {
  local source=$2 object
  object=${source%.c}
  object=$build/$1_${object//\//_}.o
  shift 2
  objects+=("$object")
  if [[ $object -nt $source && $object -nt $build/newest ]]; then return; fi
  "$cc" "$@" -c "$source" -o "$object"
}

# Builds $build/mtlf-bench and sets $cc.
build_bench() {
  cc=$(find_compiler)
  local kernel_flags reference_flags openmp=(-fopenmp) link=(-lm) source objects=()
  kernel_flags=$(package_flags -O3)
  reference_flags=$(package_flags -O2)
  local includes=(-ICKernels/include -ICKernels/src -ITests/CReference/include)
  if [[ $(uname) == Darwin ]]; then
    openmp=(-Xpreprocessor -fopenmp)
    link+=(-lomp)
  elif "$cc" --version | grep -q clang; then
    link+=(-lomp5)
  else
    link+=(-fopenmp)
  fi
  if pkg-config --exists openblas 2>/dev/null; then
    # shellcheck disable=SC2046
    includes+=(-DMTLF_WITH_OPENBLAS $(pkg-config --cflags openblas))
    # shellcheck disable=SC2046
    link+=($(pkg-config --libs openblas))
  fi
  mkdir -p "$build"
  # A header, a flag or another compiler makes everything anew.
  local stamp="$cc $kernel_flags $reference_flags ${includes[*]}"
  if [[ ! -e $build/newest || $(cat "$build/newest") != "$stamp" ]] ||
    [[ -n $(find CKernels perf/kernels Tests/CReference/include -name '*.h' -newer "$build/newest") ]]; then
    echo "$stamp" >"$build/newest"
  fi
  # shellcheck disable=SC2086
  for source in CKernels/src/*/*.c; do compile kernel "$source" $kernel_flags "${openmp[@]}" "${includes[@]}"; done
  # shellcheck disable=SC2086
  for source in perf/kernels/*.c; do compile bench "$source" $kernel_flags "${includes[@]}"; done
  # shellcheck disable=SC2086
  for source in Tests/CReference/{conv2d,dense,elementwise,values}.c; do
    compile reference "$source" $reference_flags "${includes[@]}"
  done
  "$cc" "${objects[@]}" -o "$build/mtlf-bench" "${link[@]}"
}

# Builds the release binary and sets $binary.
build_binary() {
  binary=${MTLF_BINARY:-.build/release/mtl-fast}
  [[ -n ${MTLF_BINARY:-} ]] || swift build -c release --product mtl-fast >&2
  [[ -x $binary ]] || fail "$binary is not a program"
}

# ---- modes ----

kernels() {
  local files=("$@")
  [[ $# -gt 0 ]] || files=(perf/shapes/fashion-mnist.txt)
  build_bench
  header "perf/run.sh kernels" "$(compiler_line "$cc")"
  "$build/mtlf-bench" kernels "${files[@]}"
}

# The peak of all threads of a training.
peak() { MTLF_THREADS=$threads "$build/mtlf-bench" peak; }

train() {
  local recipe=(fashion-mnist) folder threads=${MTLF_THREADS:-$(cores)} before after
  [[ $# -eq 0 ]] || recipe=("$@")
  [[ " ${recipe[*]} " == *" --epochs"* ]] || recipe+=(--epochs 4)
  build_bench
  build_binary
  folder=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "rm -rf '$folder'" EXIT
  header "perf/run.sh train ${recipe[*]}" "$("$binary" --version | head -n 1)"
  "$binary" summary "${recipe[@]}" --json >"$folder/summary.json"
  before=$(peak)
  "$binary" train "${recipe[@]}" --threads "$threads" --output "$folder/run" --accounts --json --quiet \
    >"$folder/train.json"
  after=$(peak)
  python3 perf/train_report.py "$folder/summary.json" "$folder/train.json" "$before" "$after"
}

profile() {
  local recipe=(fashion-mnist) folder threads=${MTLF_THREADS:-$(cores)}
  command -v perf >/dev/null ||
    fail "perf is missing. Install it: linux-perf (Debian), linux-tools-generic (Ubuntu). It exists on Linux only."
  [[ $# -eq 0 ]] || recipe=("$@")
  [[ " ${recipe[*]} " == *" --epochs"* ]] || recipe+=(--epochs 2)
  build_binary
  folder=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "rm -rf '$folder'" EXIT
  header "perf/run.sh profile ${recipe[*]}" "$("$binary" --version | head -n 1)"
  perf record -q -e cpu-clock -F 999 -g -o "$folder/perf.data" -- \
    "$binary" train "${recipe[@]}" --threads "$threads" --output "$folder/run" --quiet >"$folder/record.txt" 2>&1 ||
    fail "perf record failed: $(tail -n 1 "$folder/record.txt")"
  echo "samples of the CPU clock in the function itself, $threads threads"
  # Functions without a name are put together by library.
  perf report -i "$folder/perf.data" --stdio --no-children -g none --sort symbol,dso -t ';' 2>"$folder/report.txt" |
    awk -F';' '
      /^ *[0-9]/ {
        gsub(/^ +| +$/, "", $2); gsub(/^ +| +$/, "", $3)
        if ($2 ~ /\] 0x/) $2 = substr($2, 1, 4) "without a name"
        share[$2 sprintf("%*s", 44 - length($2), "") " " $3] += $1
      }
      END { for (name in share) printf "%6.2f%%  %s\n", share[name], name }' |
    sort -rn | awk 'NR <= 30'
}

compare() {
  build_bench
  [[ " $* " == *" --peers-only "* ]] || build_binary
  MTLF_BINARY=${binary:-} MTLF_BENCH=$build/mtlf-bench python3 perf/compare/compare.py "$@"
}

mode=${1:-}
case $mode in
'' | -h | --help)
  usage
  exit 0
  ;;
kernels | train | profile | compare) shift ;;
*)
  usage >&2
  fail "there is no mode '$mode'" 64
  ;;
esac
if [[ ${1:-} == --save ]]; then
  shift
  file=perf/results/$mode-$(date -u +%Y-%m-%d).txt
  mkdir -p perf/results "$build"
  # A run that fails leaves no result; one that misses a bar does.
  set +e
  (
    set -e
    "$mode" "$@"
  ) | tee "$build/result.txt"
  status=${PIPESTATUS[0]}
  set -e
  [[ $status == 0 || $status == "$below_a_bar" ]] || exit "$status"
  mv "$build/result.txt" "$file"
  echo "written to $file" >&2
  exit "$status"
else
  "$mode" "$@"
fi
