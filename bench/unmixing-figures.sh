#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Prints how fast and how good unmixing is with HUD and with OTB's own applications, side by side, as three tables.
#
#   bench/unmixing-figures.sh [SIZE [SIZE...]]
#
# Speed: time and peak memory on the same scene of SIZE x SIZE pixels, 1000 unless given: mixtures of 8 endmembers of the
#   demo's scene, with smooth abundances, noise and dark water, 198 bands of 16 bit. OTB's isra, which is slow, gets at
#   most 200 x 200 pixels. Linearity: HUDUnmix on scenes of the further SIZEs, 250 500 1000 unless given. Times are of the
#   whole program, the least of three runs; isra runs once. Needs SIZE^2 * 600 bytes in TMPDIR for the largest SIZE.
# Quality: on the demo's scene, and on those of the folder HUD_SCENES if it is set: each NAME.tif that has a reference
#   NAME_endmembers.csv beside it, or a number of endmembers below. Worst of 5 seeds: the FCLS decode error over that of
#   the best plane, HUDUnmix with default settings; and the mean spectral angle to the reference, HUDUnmix with refine 0.
#
# Run scripts/setup.sh first, and nothing else meanwhile. HUD_PREFIX is as there.
# shellcheck source=bench/measuring.sh
. "$(dirname "$0")/measuring.sh"
declare -A endmembersOf=([enmap_potsdam_nw]=6 [salinas_a]=6 [pavia_centre_crop]=9)

for size in "$@"; do
  [[ $size =~ ^[1-9][0-9]{1,4}$ && $size -le 30000 ]] || fail "SIZE is '$size', expected pixels, from 10 to 30000"
done
size=${1:-1000}
sizes=("${@:2}")
[ ${#sizes[@]} -gt 0 ] || sizes=(250 500 1000)
small=$((size < 200 ? size : 200))

jasper=$here/data/jasper_ridge
need HUDUnmix
unmix=$prefix/bin/otbcli_HUDUnmix
[ -x /usr/bin/time ] || fail "/usr/bin/time is missing: install the package time"
for name in VertexComponentAnalysis HyperspectralUnmixing; do
  command -v "otbcli_$name" >/dev/null || fail "otbcli_$name is missing: install the package otb-bin"
done
scenes=
if [ -n "${HUD_SCENES:-}" ]; then
  scenes=$(cd "$HUD_SCENES" && pwd) || fail "HUD_SCENES is '$HUD_SCENES', expected a folder"
fi

load=$(cut -d ' ' -f 1 /proc/loadavg)
build_bench hud_make_scene hud_score_unmixing
cd "$work"

# make_scene SIZE: writes scene-SIZE.tif.
make_scene()
{
  [ -e "scene-$1.tif" ] || "$build/bin/hud_make_scene" "$jasper.tif" 8 "$1" "scene-$1.tif" || fail "cannot make the scene"
}

# measure KEY RUNS COMMAND...: keeps the least seconds and the largest peak memory.
declare -A seconds megabytes
measure()
{
  local key=$1 runs=$2 run
  shift 2
  rm -f times
  for ((run = 0; run < runs; ++run)); do
    /usr/bin/time -a -o times -f "%e %M" "$@" >log 2>&1 || fail "failed: $* $(cat log)"
  done
  seconds[$key]=$(sort -g times | awk 'NR == 1 {print $1}')
  megabytes[$key]=$(awk '$2 > peak {peak = $2} END {print peak / 1024}' times)
}

# measure_unmix SIZE: what both the first and the second table need.
measure_unmix()
{
  measure "default-$1" 3 "$unmix" -in "scene-$1.tif" -ne 8 -out abundances.tif -outendm "endmembers-$1.tif"
  measure "fcls-$1" 3 "$unmix" -in "scene-$1.tif" -ie "endmembers-$1.tif" -out abundances.tif
}

# calculate FORMAT EXPRESSION: prints the value.
calculate()
{
  awk "BEGIN {printf \"$1\", $2}"
}

# speed NAME KEY [EDGE]: prints a row; EDGE of the scene for methods whose pixels each second count.
speed()
{
  local rate=-
  [ $# -lt 3 ] || rate=$(calculate %.0f "$3 * $3 / ${seconds[$2]}")
  printf '| %-52s | %8.2f | %6.0f | %9s |\n' "$1" "${seconds[$2]}" "${megabytes[$2]}" "$rate"
}

# compare NAME EXPRESSION: prints a ratio.
compare()
{
  printf '%-66s %s\n' "$1" "$(calculate %.2f "$2")"
}

echo "CPU cores: $(nproc), load before: $load"
printf '\nSpeed, %s x %s pixels, 198 bands, 8 endmembers\n\n' "$size" "$size"
printf '| %-52s | %8s | %6s | %9s |\n' program seconds MB pixels/s
echo "|------------------------------------------------------|---------:|-------:|----------:|"
make_scene "$size"
measure otb-vca 3 otbcli_VertexComponentAnalysis -in "scene-$size.tif" -ne 8 -rand 1 -outendm otb.tif
speed "OTB VertexComponentAnalysis" otb-vca
measure vca 3 "$unmix" -in "scene-$size.tif" -ne 8 -restarts 1 -refine 0 -outendm plain.tif
speed "HUDUnmix, one VCA as published, endmembers only" vca
measure_unmix "$size"
speed "HUDUnmix, default, endmembers and abundances" "default-$size"
measure otb-ucls 3 otbcli_HyperspectralUnmixing -in "scene-$size.tif" -ie "endmembers-$size.tif" -ua ucls -out otb.tif
speed "OTB HyperspectralUnmixing, ucls" otb-ucls "$size"
make_scene "$small"
measure otb-isra 1 otbcli_HyperspectralUnmixing -in "scene-$small.tif" -ie "endmembers-$size.tif" -ua isra -out otb.tif
speed "OTB HyperspectralUnmixing, isra, $small x $small pixels" otb-isra "$small"
measure nnls 3 "$unmix" -in "scene-$size.tif" -ie "endmembers-$size.tif" -encoder nnls -out abundances.tif
speed "HUDUnmix, endmembers given, nnls" nnls "$size"
speed "HUDUnmix, endmembers given, fcls" "fcls-$size" "$size"
echo
echo "Times as fast as OTB:"
compare "HUDUnmix, one VCA as published : VertexComponentAnalysis" "${seconds[otb-vca]} / ${seconds[vca]}"
compare "HUDUnmix, default : VertexComponentAnalysis and ucls together" \
  "(${seconds[otb-vca]} + ${seconds[otb-ucls]}) / ${seconds[default-$size]}"
compare "HUDUnmix, fcls : ucls" "${seconds[otb-ucls]} / ${seconds[fcls-$size]}"
compare "HUDUnmix, nnls : isra, by pixels/s" \
  "${seconds[otb-isra]} / ${seconds[nnls]} * $size * $size / ($small * $small)"

printf '\nLinearity: HUDUnmix, 198 bands, 8 endmembers\n\n'
printf '| %13s | %10s | %8s | %8s | %8s |\n' pixels "default, s" us/pixel "fcls, s" us/pixel
echo "|--------------:|-----------:|---------:|---------:|---------:|"
for edge in "${sizes[@]}"; do
  if [ -z "${seconds[default-$edge]:-}" ]; then
    make_scene "$edge"
    measure_unmix "$edge"
  fi
  rm -f "scene-$edge.tif"
  printf '| %13s | %10.2f | %8.2f | %8.2f | %8.2f |\n' "$edge x $edge" \
    "${seconds[default-$edge]}" "$(calculate %.3f "1e6 * ${seconds[default-$edge]} / $edge / $edge")" \
    "${seconds[fcls-$edge]}" "$(calculate %.3f "1e6 * ${seconds[fcls-$edge]} / $edge / $edge")"
done

# find_worst SCENE REFERENCE COMMAND...: sets worst to the largest decode error over 5 seeds, and worstAngle to the largest
# angle, - without a reference; both to failed if the program fails, or its endmembers cannot be used.
find_worst()
{
  local scene=$1 reference=$2 seed
  shift 2
  rm -f scores
  for seed in 1 2 3 4 5; do
    rm -f found.tif
    if ! { "$@" -in "$scene" -rand "$seed" -outendm found.tif >log 2>&1 &&
      "$build/bin/hud_score_unmixing" "$scene" found.tif ${reference:+"$reference"} >>scores 2>log; }; then
      echo "unmixing-figures: failed: $* -in $scene -rand $seed: $(tail -n 1 log)" >&2
      worst=failed worstAngle=${reference:+failed}
      worstAngle=${worstAngle:--}
      return
    fi
  done
  worst=$(sed -n "s/^decode error over the plane's: //p" scores | sort -g | tail -n 1)
  worstAngle=$(sed -n 's/^mean spectral angle.*: //p' scores | sort -g | tail -n 1)
  worstAngle=${worstAngle:--}
}

# quality NAME SCENE COUNT REFERENCE: prints a row; REFERENCE may be empty.
quality()
{
  local name=$1 scene=$2 count=$3 reference=$4 error angle=-
  find_worst "$scene" "$reference" "$unmix" -ne "$count"
  error=$worst
  if [ -n "$reference" ]; then
    find_worst "$scene" "$reference" "$unmix" -ne "$count" -refine 0
    angle=$worstAngle
  fi
  find_worst "$scene" "$reference" otbcli_VertexComponentAnalysis -ne "$count"
  printf '| %-20s | %10s | %10s | %10s | %10s | %10s |\n' "$name" "$count" "$error" "$worst" "$angle" "$worstAngle"
}

printf '\nQuality, worst of 5 seeds: decode error over that of the best plane, mean spectral angle to the reference in radian\n'
printf "(OTB's application does not leave out bands without data)\n\n"
printf '| %-20s | %10s | %10s | %10s | %10s | %10s |\n' scene endmembers "error HUD" "error OTB" "angle HUD" "angle OTB"
echo "|----------------------|-----------:|-----------:|-----------:|-----------:|-----------:|"
quality jasper_ridge "$jasper.tif" 4 "${jasper}_endmembers.csv"
[ -n "$scenes" ] || exit 0
for scene in "$scenes"/*.tif; do
  name=$(basename "$scene" .tif)
  reference=${scene%.tif}_endmembers.csv
  if [ "$name" = jasper_ridge ]; then
    continue
  elif [ -e "$reference" ]; then
    quality "$name" "$scene" "$(awk -F , 'NR == 1 {print NF - 1}' "$reference")" "$reference"
  elif [ -n "${endmembersOf[$name]:-}" ]; then
    quality "$name" "$scene" "${endmembersOf[$name]}" ""
  fi
done
