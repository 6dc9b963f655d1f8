# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers
# shellcheck shell=bash

# What the scripts of this folder share. Sets here, the repository; prefix, the installation (HUD_PREFIX); build, where the
# programs of this folder are built; and work, a folder that is removed at the end.
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
prefix=$(realpath -m "${HUD_PREFIX:-$here/build/install}")
build=$here/build/bench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail()
{
  echo "$(basename "$0" .sh): $*" >&2
  exit 1
}

# quietly COMMAND...: shows what the command says only if it fails.
quietly()
{
  "$@" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    fail "failed: $*"
  }
}

# need NAME...: fails unless HUD's applications NAME are installed.
need()
{
  local name
  for name in "$@"; do
    [ -x "$prefix/bin/otbcli_$name" ] || fail "$prefix/bin/otbcli_$name is missing: run scripts/setup.sh first"
  done
}

# build_bench NAME...: builds programs of this folder.
build_bench()
{
  quietly cmake -S "$here" -B "$build" -G Ninja -DHUD_CORE_ONLY=ON -DHUD_BUILD_BENCH=ON -DBUILD_TESTING=OFF
  quietly cmake --build "$build" --parallel "$("$here/scripts/build-jobs.sh")" --target "$@"
}

# demo FILE: the path of a result of the demo.
demo()
{
  local file=${HUD_DEMO_DIR:-$here/build/demo}/$1
  [ -s "$file" ] || fail "$file is missing: run scripts/demo.sh first"
  realpath "$file"
}

# value NAME: the number in the line "NAME: number" of the standard input.
value()
{
  sed -n "s/^$1: //p" | head -n 1
}

# size_of IMAGE: "width height".
size_of()
{
  gdalinfo -json "$1" | tr -d ' \n' | sed -E 's/.*"size":\[([0-9]+),([0-9]+)\].*/\1 \2\n/'
}

# fidelity REAL GENERATED BLOCK: "F_p D_b/F_p".
fidelity()
{
  "$build/bin/hud_score_patches" "$1" "$2" "$3" >"$work/fidelity" || fail "cannot score $2"
  echo "$(value F_p <"$work/fidelity") $(value "D_b\/F_p, $3 x $3 blocks" <"$work/fidelity")"
}

# oracle SCENE BLOCK: fidelity of the blocks of one half of the scene against the other half: left against right, right
# against left, top against bottom, bottom against top, and the mean of the four. It is where real pixels stand that are
# no copies; a half has fewer places where a block can fit than the scene, against which generated blocks are scored.
oracle()
{
  local width height x y
  read -r width height < <(size_of "$1")
  x=$((width / 2)) y=$((height / 2))
  {
    score_part "$1" "$2" 0 0 "$x" "$height" "$x" 0 $((width - x)) "$height"
    score_part "$1" "$2" "$x" 0 $((width - x)) "$height" 0 0 "$x" "$height"
    score_part "$1" "$2" 0 0 "$width" "$y" 0 "$y" "$width" $((height - y))
    score_part "$1" "$2" 0 "$y" "$width" $((height - y)) 0 0 "$width" "$y"
  } >"$work/halves"
  cat "$work/halves"
  awk '{f += $1; d += $2} END {printf "%.4f %.4f\n", f / NR, d / NR}' "$work/halves"
}

# score_part SCENE BLOCK X Y WIDTH HEIGHT X Y WIDTH HEIGHT: fidelity of the first part of a scene against the second.
score_part()
{
  local scene=$1 block=$2
  shift 2
  quietly gdal_translate -q -srcwin "$1" "$2" $(($3 / block * block)) $(($4 / block * block)) "$scene" "$work/part.tif"
  quietly gdal_translate -q -srcwin "$5" "$6" "$7" "$8" "$scene" "$work/other.tif"
  fidelity "$work/other.tif" "$work/part.tif" "$block"
}
