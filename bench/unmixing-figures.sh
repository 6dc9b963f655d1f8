#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Prints time and peak memory of unmixing with HUD and with OTB's own applications, side by side on the same scene. The
# scene is made of 8 endmembers of the demo's, with smooth abundances, noise and dark water: SIZE x SIZE pixels of 198
# bands, 16 bit. Run scripts/setup.sh first. Needs SIZE^2 * 600 bytes in TMPDIR.
# Then the decode error on the demo's scene over that of the best plane, and the spectral angle to its reference.
#
#   bench/unmixing-figures.sh [SIZE]     1000 unless given
set -euo pipefail
export LC_ALL=C
size=${1:-1000}
here=$(cd "$(dirname "$0")/.." && pwd)
prefix=$(realpath -m "${HUD_PREFIX:-$here/build/install}")
build=$here/build/bench

fail()
{
  echo "unmixing-figures: $*" >&2
  exit 1
}

[ -x "$prefix/bin/otbcli_HUDUnmix" ] || fail "$prefix/bin/otbcli_HUDUnmix is missing: run scripts/setup.sh first"
[ -x /usr/bin/time ] || fail "/usr/bin/time is missing: install the package time"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
{
  cmake -S "$here" -B "$build" -G Ninja -DHUD_CORE_ONLY=ON -DHUD_BUILD_BENCH=ON -DBUILD_TESTING=OFF
  cmake --build "$build" --parallel "$("$here/scripts/build-jobs.sh")" --target hud_make_scene hud_score_unmixing
} >"$work/log" 2>&1 || fail "cannot build: $(cat "$work/log")"
cd "$work"
"$build/bin/hud_make_scene" "$here/data/jasper_ridge.tif" 8 "$size" scene.tif

# measure NAME COMMAND...: prints the least seconds and the peak memory of three runs.
measure()
{
  local name=$1 run
  shift
  rm -f times
  for run in 1 2 3; do
    /usr/bin/time -a -o times -f "%e %M" "$@" >log 2>&1 || fail "failed: $* $(cat log)"
  done
  sort -n times | awk -v name="$name" '{if ($2 > peak) peak = $2; if (NR == 1) least = $1}
    END {printf "%-52s %8.2f s %6.0f MB\n", name, least, peak / 1024}'
}

echo "$size x $size pixels, 198 bands, 8 endmembers, $(nproc) CPU cores"
measure "OTB VertexComponentAnalysis" otbcli_VertexComponentAnalysis -in scene.tif -ne 8 -rand 1 -outendm otb.tif
measure "HUDUnmix, one VCA as published, endmembers only" \
  "$prefix/bin/otbcli_HUDUnmix" -in scene.tif -ne 8 -restarts 1 -refine 0 -outendm plain.tif
measure "HUDUnmix, default, endmembers and abundances" \
  "$prefix/bin/otbcli_HUDUnmix" -in scene.tif -ne 8 -out abundances.tif -outendm endmembers.tif
measure "OTB HyperspectralUnmixing, ucls" \
  otbcli_HyperspectralUnmixing -in scene.tif -ie endmembers.tif -ua ucls -out ucls.tif
measure "HUDUnmix, FCLS, endmembers given" \
  "$prefix/bin/otbcli_HUDUnmix" -in scene.tif -ie endmembers.tif -out fcls.tif

"$build/bin/hud_score_unmixing" "$here/data/jasper_ridge.tif" 4 "$here/data/jasper_ridge_endmembers.csv"
