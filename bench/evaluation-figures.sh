#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Prints what an evaluation takes, and what generated scenes are worth as training data.
#
#   bench/evaluation-figures.sh cost
#     F_p and D_b of 256 x 256 random pixels against 1000 x 1000, 198 bands: the rate of their matrix products, all else
#     included, beside that of a plain large product. Then the time and peak memory of HUDEvaluate for images of that size
#     with -ram 256.
#   bench/evaluation-figures.sh usefulness [ITERATIONS]
#     A model is trained on the left half of the demo's scene, and of Salinas-A if it is in HUD_SCENES, ITERATIONS (1500);
#     classifiers of patches on that half, on what the model generates and on both; all are tested on the right half. Classes
#     are the largest abundances, and for Salinas-A also its labels.
#
# Run scripts/demo.sh first, and nothing else meanwhile. HUD_DEMO_DIR and HUD_PREFIX are as there.
# shellcheck source=bench/measuring.sh
. "$(dirname "$0")/measuring.sh"

mode=${1:-}
[[ $mode =~ ^(cost|usefulness)$ ]] || fail "found '$mode', expected cost or usefulness"
shift
need HUDTrain HUDSample HUDUnmix HUDEvaluate
build_bench hud_time_fidelity hud_make_scene hud_test_usefulness

cost()
{
  "$build/bin/hud_time_fidelity" 1000 256 198 256 || fail "hud_time_fidelity failed"
  "$build/bin/hud_make_scene" "$here/data/jasper_ridge.tif" 8 1000 "$work/real.tif" || fail "cannot make a scene"
  quietly /usr/bin/time -o "$work/time" -f "%e s, %M kB" "$prefix/bin/otbcli_HUDEvaluate" -in "$work/real.tif" \
    -gen "$(demo patches.tif)" -ne 8 -ram 256 -out "$work/figures.json" -report "$work/page.html"
  echo "HUDEvaluate, 1000 x 1000 real, 256 x 256 generated pixels, 198 bands: $(cat "$work/time")"
}

# usefulness_of NAME SCENE ENDMEMBERS ITERATIONS [LABELS]
usefulness_of()
{
  local name=$1 scene=$2 endmembers=$3 iterations=$4 labels=${5:-} width height part
  local -a labelled=()
  read -r width height < <(size_of "$scene")
  part=$((width / 2))
  quietly gdal_translate -q -srcwin 0 0 "$part" "$height" "$scene" "$work/left.tif"
  quietly gdal_translate -q -srcwin $((width - part)) 0 "$part" "$height" "$scene" "$work/right.tif"
  if [ -n "$labels" ]; then
    labelled=("$work/left_labels.tif" "$work/right_labels.tif")
    quietly gdal_translate -q -srcwin 0 0 "$part" "$height" "$labels" "${labelled[0]}"
    quietly gdal_translate -q -srcwin $((width - part)) 0 "$part" "$height" "$labels" "${labelled[1]}"
  fi
  quietly "$prefix/bin/otbcli_HUDUnmix" -in "$work/left.tif" -ne "$endmembers" -out "$work/left_abundances.tif" \
    -outendm "$work/endmembers.tif"
  quietly "$prefix/bin/otbcli_HUDUnmix" -in "$work/right.tif" -ie "$work/endmembers.tif" \
    -out "$work/right_abundances.tif"
  quietly "$prefix/bin/otbcli_HUDTrain" -il "$work/left.tif" -ie "$work/endmembers.tif" -iterations "$iterations" \
    -holdout 0 -out "$work/model.safetensors"
  quietly "$prefix/bin/otbcli_HUDSample" -model "$work/model.safetensors" -layout patches -sizex 256 -sizey 256 \
    -out "$work/patches.tif" -outabund "$work/patches_abundances.tif"
  "$build/bin/hud_test_usefulness" "$work"/{left,left_abundances,right,right_abundances,patches,patches_abundances}.tif \
    >"$work/useful" || fail "hud_test_usefulness failed"
  sed "s/^/$name, /" "$work/useful"
  [ -n "$labels" ] || return 0
  "$build/bin/hud_test_usefulness" "$work"/{left,left_abundances,right,right_abundances,patches,patches_abundances}.tif \
    "${labelled[@]}" >"$work/useful" || fail "hud_test_usefulness failed"
  sed "s/^/$name, by its labels, /" "$work/useful"
}

usefulness()
{
  local iterations=${1:-1500} salinas=${HUD_SCENES:-none}/salinas_a.tif
  usefulness_of jasper_ridge "$here/data/jasper_ridge.tif" 4 "$iterations"
  [ ! -e "$salinas" ] || usefulness_of salinas_a "$salinas" 6 "$iterations" "${salinas%.tif}_labels.tif"
}

"$mode" "$@"
