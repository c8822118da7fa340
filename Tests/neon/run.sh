#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the AArch64 kernels (NEON and scalar) and the example of CKernels: on an AArch64 machine as they are, elsewhere
# cross-compiled and in an emulator. Prints "N passed, N failed"; says what is missing and succeeds where it can't run.
set -eu
cd "$(dirname "$0")/../.."
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

if [ "$(uname -m)" = aarch64 ] || [ "$(uname -m)" = arm64 ]; then
  compiler=${CC:-cc} run=
else
  compiler=aarch64-linux-gnu-gcc run=qemu-aarch64
  for tool in "$compiler" "$run"; do
    if ! command -v "$tool" > /dev/null; then
      echo "skipped: $tool is not installed (apt: gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)"
      exit 0
    fi
  done
  export QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
fi

flags="-std=c11 -O3 -ffp-contract=off -fno-math-errno -Wall -Wextra -ICKernels/include"
echo 'int main(void) { return 0; }' > "$build/empty.c"
if $compiler -fopenmp "$build/empty.c" -o "$build/empty" 2> /dev/null; then
  flags="$flags -fopenmp"
else
  echo "skipped: more than one thread ($compiler has no OpenMP)"
fi

$compiler $flags -ITests/CReference/include Tests/neon/*.c Tests/CReference/*.c CKernels/src/*/*.c -lm \
  -o "$build/check_kernels"
$compiler $flags CKernels/example/train_step.c CKernels/src/*/*.c -lm -o "$build/train_step"
$run "$build/train_step"
$run "$build/check_kernels"
