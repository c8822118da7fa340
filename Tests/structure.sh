#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What no compiler sees of the structure: who speaks C, who names options, how full folders are, no `default` where cases must be complete, files that stay small.
#
# usage: Tests/structure.sh. Prints what is wrong, and fails.
set -euo pipefail
cd "$(dirname "$0")/.."
wrong=0

complain() {
  printf '%s\n' "$@"
  wrong=1
}

# Only Kernels speaks C. CCurl and CPNG have names of their own, and three environment variables begin alike.
found=$(grep -rnE '\b(mtlf_|MTLF_)' Sources --include='*.swift' |
  grep -vE '^Sources/Kernels/|\bmtlf_(curl|png)_|MTLF_(DATA|ISA|CONV)\b' || true)
[[ -z $found ]] || complain "C names outside Sources/Kernels:" "$found"
found=$(grep -rnE '^(@[a-z_A-Z]+ |public |package |internal )*import CKernels' Sources | grep -v '^Sources/Kernels/' || true)
[[ -z $found ]] || complain "CKernels is imported outside Sources/Kernels:" "$found"
found=$(grep -rnE '^(@[a-zA-Z_]+ |public |package )*import CKernels' Sources/Kernels || true)
[[ -z $found ]] || complain "Kernels hands CKernels on: 'internal import' it" "$found"

# Files says which C library it is, and hands it on.
found=$(grep -rnE '^ *(@_exported )?import (Glibc|Darwin|Musl)' Sources | grep -v '^Sources/Files/CLibrary.swift' || true)
[[ -z $found ]] || complain "a C library is imported beside Sources/Files/CLibrary.swift:" "$found"

# The library has no options and no commands: an error carries a remedy, and mtl-fast has the words. Formats and versions are
# called mtl-fast too.
found=$(grep -rnE '"[^"]*(--[a-z]|mtl-fast [a-z])' Sources --include='*.swift' |
  grep -vE '^Sources/mtl-fast/|mtl-fast checkpoint |MTLFastVersion\.number' || true)
[[ -z $found ]] || complain "options or commands of mtl-fast in a text of the library (see MTLFastError.Remedy):" "$found"

# What CONTRIBUTING.md names is there.
for file in $(grep -oE '`[A-Za-z0-9+]+\.swift`' CONTRIBUTING.md | tr -d '`' | sort -u); do
  [[ -n $(find Sources Tests -name "$file" -print -quit) ]] || complain "CONTRIBUTING.md names $file, which isn't there"
done

# A folder that is full wants rooms.
found=$(find Sources Tests -type f ! -path '*/Golden/*' ! -path '*/CReference/*' -printf '%h\n' | sort | uniq -c | awk '$1 > 20')
[[ -z $found ]] || complain "more than 20 files in one folder:" "$found"

# Whatever is asked of every operation or layer has an answer for each.
found=$(grep -rnE '^ *default:' Sources/MTLFastStep Sources/Kernels/Operations Sources/MTLFast/Models/GraphLayer.swift CKernels/src/plan || true)
[[ -z $found ]] || complain "a 'default' where cases must be complete:" "$found"

# Generated code aside, nothing is longer than 400 lines.
found=$(find Sources CKernels -type f \( -name '*.swift' -o -name '*.[ch]' \) ! -name '*.pb.swift' -print0 |
  xargs -0 wc -l | awk '$1 > 400 && $2 != "total"')
[[ -z $found ]] || complain "longer than 400 lines:" "$found"

exit $wrong
