#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whether includes between the layers of CKernels/src run one way: CKernels/check_includes.sh [CKERNELS_DIR]
#
#   base     nothing but itself
#   simd     base
#   kernels  base, simd
#   plan     base, simd, kernels, and the public headers of plans
#
# An include of the layers is relative ("../base/view.h"), one of a public header is "mtlf/<family>.h". No file below the
# plan names a type of plans or steps. Public headers include public headers alone. Prints what is wrong, and fails.
set -eu
cd "${1:-$(dirname "$0")}"

# The names that the public headers of plans give to structs and enums.
plan_types=$(sed -nE 's/^(typedef )?(struct|enum) (mtlf_[a-z0-9_]+).*/\3/p' include/mtlf_plan.h include/mtlf/plan/*.h 2> /dev/null |
  sort -u | tr '\n' '|' | sed 's/|$//')
[ -n "$plan_types" ] || { echo "include/mtlf_plan.h: names no types"; exit 1; }
wrong=$(mktemp)
trap 'rm -f "$wrong"' EXIT

# Prints the lines of files that match the first pattern and not the second.
find_lines() { grep -nE "$1" "$3" /dev/null | grep -vE "$2" >> "$wrong" || true; }

for layer in base simd kernels plan; do
  case $layer in
    base) below= ;;
    simd) below=base ;;
    kernels) below='base|simd' ;;
    plan) below='base|simd|kernels' ;;
  esac
  allowed='[a-z0-9_.]+|mtlf/[a-z0-9_]+\.h'
  [ -z "$below" ] || allowed="$allowed|\.\./($below)/[a-z0-9_.]+"
  [ $layer != plan ] || allowed="$allowed|mtlf_plan\.h|mtlf/plan/[a-z0-9_]+\.h"
  for file in src/$layer/*; do
    find_lines '^ *# *include *"' "\"($allowed)\"" "$file"
    # Without a folder it is the layer's own file, and there.
    for name in $(sed -nE 's/^ *# *include *"([a-z0-9_.]+)".*/\1/p' "$file"); do
      [ -e "src/$layer/$name" ] || { [ $layer = plan ] && [ "$name" = mtlf_plan.h ]; } ||
        echo "$file: \"$name\" is no file of src/$layer" >> "$wrong"
    done
    [ $layer = plan ] || find_lines "(^|[^a-z0-9_])($plan_types)([^a-z0-9_]|\$)" '^$' "$file"
    [ $layer = plan ] || find_lines '"mtlf/plan' '^$' "$file"
  done
done
for file in include/mtlf/*.h; do find_lines '^ *# *include *"' '"[a-z0-9_]+\.h"' "$file"; done
for file in include/mtlf/plan/*.h; do find_lines '^ *# *include *"' '"(\.\./)?[a-z0-9_]+\.h"' "$file"; done
for file in src/*; do [ -d "$file" ] || echo "$file: is in no layer" >> "$wrong"; done

[ ! -s "$wrong" ] || { cat "$wrong"; exit 1; }
