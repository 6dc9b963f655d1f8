#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Prints what each unmixing method of HUDUnmix finds in scenes with a reference, as the table of doc/unmixing-methods.md.
#
#   bench/method-figures.sh [METHOD...]
#
# METHOD: of HUDUnmix -method, all unless given. vca has two rows: refined, as it is by default, and with -refine 0.
# Scenes: that of data/, and those of the folder HUD_SCENES if it is set that have NAME.tif, NAME_endmembers.csv and
#   NAME_abundances.tif. The numbers of endmembers are those of the references.
# Figures: median of 5 seeds, and the least and the largest in brackets. Angle: mean spectral angle to the reference, radian.
#   Abundances: root mean square difference from the reference, of fully constrained least squares, and of non-negative
#   least squares scaled to sum one, which does not see brightness; - without a reference. Decode error: root mean square,
#   in percent of the scene's, by fully constrained least squares. It is computed again by another program in double
#   precision, and may differ from that by 5 percent. Time: of the whole program, which does not write abundances.
#
# Run scripts/setup.sh first, and nothing else meanwhile. HUD_PREFIX is as there. Needs python3-numpy and python3-gdal.
# shellcheck source=bench/measuring.sh
. "$(dirname "$0")/measuring.sh"

need HUDUnmix
unmix=$prefix/bin/otbcli_HUDUnmix
methods=("$@")
if [ ${#methods[@]} -eq 0 ]; then
  known=$({ "$unmix" -help 2>&1 || true; } | sed -n 's/^ *-method .*\[\(.*\)\].*/\1/p')
  IFS=/ read -ra methods <<<"$known"
  [ ${#methods[@]} -gt 0 ] || fail "HUDUnmix -help names no methods"
fi
scenes=("$here/data/jasper_ridge")
if [ -n "${HUD_SCENES:-}" ]; then
  folder=$(cd "$HUD_SCENES" && pwd) || fail "HUD_SCENES is '$HUD_SCENES', expected a folder"
  # The demo's scene is there too, with abundances.
  [ ! -e "$folder/jasper_ridge_abundances.tif" ] || scenes=()
  for file in "$folder"/*_abundances.tif; do
    [ ! -e "${file%_abundances.tif}_endmembers.csv" ] || scenes+=("${file%_abundances.tif}")
  done
fi
build_bench hud_score_unmixing

# range FORMAT NAME: median, least and largest of the figures NAME of the scores.
range()
{
  local values
  values=$(sed -n "s/^$2: //p" "$work/scores" | sort -g)
  [ -n "$values" ] || { echo -; return; }
  # shellcheck disable=SC2059
  printf "$1 ($1-$1)" "$(sed -n 3p <<<"$values")" "$(head -n 1 <<<"$values")" "$(tail -n 1 <<<"$values")"
}

# row SCENE NAME ARGUMENT...: prints a row.
row()
{
  local scene=$1 name=$2 seed begin count own other abundances=()
  shift 2
  [ ! -e "${scene}_abundances.tif" ] || abundances=("${scene}_abundances.tif")
  count=$(awk -F , 'NR == 1 {print NF - 1}' "${scene}_endmembers.csv")
  : >"$work/scores"
  for seed in 1 2 3 4 5; do
    begin=$(date +%s.%N)
    "$unmix" -in "$scene.tif" -ne "$count" -rand "$seed" -outendm "$work/found.tif" "$@" >"$work/log" 2>&1 ||
      fail "failed: HUDUnmix $* -in $scene.tif -rand $seed: $(tail -n 1 "$work/log")"
    echo "seconds: $(awk "BEGIN {print $(date +%s.%N) - $begin}")" >>"$work/scores"
    "$build/bin/hud_score_unmixing" "$scene.tif" "$work/found.tif" "${scene}_endmembers.csv" "${abundances[@]}" \
      >"$work/score" || fail "cannot score $name of $scene.tif"
    cat "$work/score" >>"$work/scores"
    own=$(value "decode error in percent" <"$work/score")
    other=$(/usr/bin/python3 "$here/bench/exhaustive_fcls.py" "$scene.tif" "$work/found.tif")
    awk "BEGIN {exit !($own / $other < 1.05 && $own / $other > 0.95)}" ||
      fail "$name of $scene.tif: the decode error is $own %, by the other program $other %"
  done
  printf '| %-19s | %-13s | %-22s | %-22s | %-22s | %-19s | %-16s |\n' "$(basename "$scene")" "$name" \
    "$(range %.3f 'mean spectral angle in radian')" "$(range %.3f 'abundance error')" \
    "$(range %.3f 'abundance error without brightness')" "$(range %.2f 'decode error in percent')" "$(range %.1f seconds)"
}

echo "CPU cores: $(nproc), load before: $(cut -d ' ' -f 1 /proc/loadavg)"
echo
printf '| %-19s | %-13s | %-22s | %-22s | %-22s | %-19s | %-16s |\n' scene method angle "abundances, fcls" \
  "abundances, scaled" "decode error, %" seconds
echo "|---|---|---|---|---|---|---|"
for scene in "${scenes[@]}"; do
  for method in "${methods[@]}"; do
    row "$scene" "$method" -method "$method"
    [ "$method" != vca ] || row "$scene" "vca, refine 0" -method vca -refine 0
  done
done
