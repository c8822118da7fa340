#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the system packages that mtl-fast is built, trained and measured with. Does nothing where they are there.
#
#   ./setup.sh           installs what is missing
#   ./setup.sh --check   says what is missing and installs nothing; exit code 1 if something is
set -eu

# Package names; of names joined by | any will do and the first is installed. OpenBLAS is for perf/run.sh alone.
APT="libomp-dev libarchive-dev zlib1g-dev libcurl4-openssl-dev|libcurl4-gnutls-dev|libcurl4-nss-dev libssl-dev
  libturbojpeg0-dev libpng-dev pkg-config|pkgconf libopenblas-dev dataset-fashion-mnist
  gnuplot-nox|gnuplot-qt|gnuplot-x11 fonts-dejavu-core"
BREW="libomp libarchive curl openssl@3 jpeg-turbo libpng openblas pkgconf gnuplot"
# Packages to go without where the distribution doesn't have them.
OPTIONAL=dataset-fashion-mnist

say() { printf 'setup.sh: %s\n' "$*" >&2; }
fail() {
  say "$@"
  exit 1
}

# The data set may lie in another place than the system's package folder.
has_fashion_mnist() {
  for folder in "${MTLF_DATA:-/nowhere}" "${MTLF_DATA:-/nowhere}/fashion-mnist" \
    "${XDG_CACHE_HOME:-${HOME:-/nowhere}/.cache}/mtl-fast/fashion-mnist" \
    "${HOME:-/nowhere}/Library/Caches/mtl-fast/fashion-mnist" /usr/share/datasets/fashion-mnist; do
    for file in train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte; do
      [ -f "$folder/$file.gz" ] || [ -f "$folder/$file" ] || continue 2
    done
    return 0
  done
  return 1
}

# Sets `missing` to the entries of $1 of which no name is among the lines `NAME installed` of $2.
find_missing() {
  missing=
  for entry in $1; do
    for name in $(echo "$entry" | tr '|' ' '); do
      case "$2" in *"
$name installed
"*) continue 2 ;; esac
    done
    missing="$missing ${entry%%|*}"
  done
  missing=${missing# }
}

find_missing_apt() {
  architecture=$(dpkg --print-architecture)
  # shellcheck disable=SC2046,SC2086 # a list of names
  find_missing "$APT" "
$(dpkg-query -W -f='${Package} ${Architecture} ${db:Status-Status}\n' $(echo $APT | tr '|' ' ') 2>/dev/null |
    sed -n "s/ $architecture installed\$/ installed/p; s/ all installed\$/ installed/p")
"
  if has_fashion_mnist; then missing=$(echo " $missing " | sed "s/ $OPTIONAL / /; s/^ *//; s/ *\$//"); fi
}

# Whether apt knows a version of the package.
is_available() { LC_ALL=C apt-cache policy "$1" 2>/dev/null | grep -q '^ *Candidate: [^(]'; }

all_available() {
  for name in $missing; do is_available "$name" || return 1; done
}

# Runs apt-get as root; its words are shown only where it fails.
apt_get() {
  if ! log=$($as_root env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" 2>&1 </dev/null); then
    printf '%s\n' "$log" >&2
    return 1
  fi
}

update_lists() {
  say "updating the package lists"
  apt_get update
}

install_apt() {
  as_root=
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "not root, and no sudo. Run as root: apt-get install $missing"
    as_root=sudo
  fi
  is_updated=
  if ! all_available; then
    update_lists
    is_updated=1
  fi
  wanted=
  for name in $missing; do
    if [ "$name" = "$OPTIONAL" ] && ! is_available "$name"; then
      say "this distribution has no $name. Once built: mtl-fast datasets fetch fashion-mnist"
    else
      wanted="$wanted $name"
    fi
  done
  [ -n "$wanted" ] || return 0
  say "installing$wanted"
  # shellcheck disable=SC2086 # a list of names
  if [ -n "$is_updated" ]; then
    apt_get install -y --no-install-recommends $wanted || fail "apt-get failed"
  elif ! apt_get install -y --no-install-recommends $wanted 2>/dev/null; then
    # Lists that are out of date name versions that are gone.
    update_lists
    apt_get install -y --no-install-recommends $wanted || fail "apt-get failed"
  fi
  say "done"
}

install_brew() {
  say "installing $missing"
  # shellcheck disable=SC2086 # a list of names
  brew install --quiet $missing
  say "done"
}

check_only=
case "${1-}" in
'') ;;
--check) check_only=1 ;;
*)
  echo "usage: ./setup.sh [--check]" >&2
  exit 64
  ;;
esac

if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
  manager=apt
  find_missing_apt
elif [ "$(uname -s)" = Darwin ] && command -v brew >/dev/null; then
  manager=brew
  find_missing "$BREW" "
$(brew list --formula -1 | sed 's/$/ installed/')
"
else
  say "no apt-get here (and no brew on a Mac). Install these libraries with their headers:"
  say "the LLVM OpenMP runtime (linked as omp5), libarchive, zlib, libcurl, OpenSSL 3, libjpeg-turbo, libpng, pkg-config;"
  fail "OpenBLAS for perf."
fi

if [ -z "$missing" ]; then
  say "everything is installed"
elif [ -n "$check_only" ]; then
  fail "missing: $missing"
else
  "install_$manager"
fi
# Homebrew keeps the OpenMP runtime out of the linker's path, and has no package with the data.
if [ "$manager" = brew ]; then
  say "before swift build: export LIBRARY_PATH=\"$(brew --prefix libomp)/lib\""
  has_fashion_mnist || say "to get the data, once built: mtl-fast datasets fetch fashion-mnist"
fi
