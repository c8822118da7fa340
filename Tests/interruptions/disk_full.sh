#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Lets a training run out of space while it writes a checkpoint, on a small file system and by a limit on the size of
# files: it must end with exit code 74 and one clear line, and go on from the checkpoint before once there is space.
#
#   Tests/interruptions/disk_full.sh
#
# MTLF_BINARY names the program; without it: .build/release/mtl-fast, which is built where it is missing. The small file
# system needs root; without it that part is left out.
set -euo pipefail
cd "$(dirname "$0")/../.."

program=${MTLF_BINARY:-$PWD/.build/release/mtl-fast}
[[ -x $program ]] || swift build -c release --product mtl-fast
folder=$(mktemp -d)
disk=$folder/disk
mkdir "$disk"
clean_up() {
  if mountpoint -q "$disk"; then umount "$disk"; fi
  rm -rf "$folder"
}
trap clean_up EXIT

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

anew=(train simultaneous --quiet --epochs 4 --set data.training=300 --set data.test=40 --output)

# Checks how the training in $1 ended: its exit code is $2, its errors are in $folder/errors.
check() {
  local lines
  [[ $2 == 74 ]] || fail "exit code $2 instead of 74: $(cat "$folder/errors")"
  lines=$(grep -c . "$folder/errors")
  [[ $lines == 1 ]] || fail "$lines lines of errors instead of 1: $(cat "$folder/errors")"
  "$program" evaluate "$1" >/dev/null || fail "the checkpoint before can't be used"
  if find "$1" -name '*.tmp' | grep -q .; then fail "a half-written file was left: $(find "$1" -name '*.tmp')"; fi
  printf '%s\n' "$(cat "$folder/errors")"
}

"$program" "${anew[@]}" "$folder/whole" >/dev/null

if [[ $(id -u) == 0 ]] && mount -t tmpfs -o size=1g tmpfs "$disk" 2>/dev/null; then
  "$program" "${anew[@]}" "$disk/run" --epochs 2 >/dev/null
  # Room for half a checkpoint.
  checkpoint=$(find "$disk/run/checkpoints" -name '*.safetensors' -printf '%k\n' | head -n 1)
  free=$(df --output=avail "$disk" | tail -n 1)
  head -c $(((free - checkpoint / 2) * 1024)) /dev/zero >"$disk/filling"
  status=0
  "$program" train --resume "$disk/run" --epochs 4 --quiet >/dev/null 2>"$folder/errors" || status=$?
  check "$disk/run" $status
  rm "$disk/filling"
  "$program" train --resume "$disk/run" --epochs 4 --quiet >/dev/null
  cmp "$folder/whole"/checkpoints/step-*20.safetensors "$disk/run"/checkpoints/step-*20.safetensors ||
    fail "the training that went on ends differently"
  echo "a full file system: passed"
else
  echo "a full file system: left out, since mounting one needs root"
fi

"$program" "${anew[@]}" "$folder/run" --epochs 2 >/dev/null
size=$(find "$folder/run/checkpoints" -name '*.safetensors' -printf '%s\n' | head -n 1)
status=0
(
  ulimit -f $((size / 1024 / 2))
  exec "$program" train --resume "$folder/run" --epochs 4 --quiet
) >/dev/null 2>"$folder/errors" || status=$?
check "$folder/run" $status
"$program" train --resume "$folder/run" --epochs 4 --quiet >/dev/null
cmp "$folder/whole"/checkpoints/step-*20.safetensors "$folder/run"/checkpoints/step-*20.safetensors ||
  fail "the training that went on ends differently"
echo "a limit on the size of files: passed"
