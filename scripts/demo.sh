#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# From one real scene to a synthetic one: unmixing, training, sampling, a picture of the result, and its evaluation.
# HUD_DEMO_DIR is the folder of the results, build/demo unless set. A step whose results are up to date is skipped.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "${HUD_DEMO_DIR:=$here/build/demo}"
demo=$(cd "$HUD_DEMO_DIR" && pwd)
prefix=${HUD_PREFIX:-$here/build/install}

"$here/scripts/setup.sh"

cd "$demo"
# File names without folders, because step splits its lists at blanks.
real=jasper_ridge.tif
ln -sfn "$here/data/$real" "$real"
part=$(mktemp -d "$demo/.part-XXXXXX")
trap 'rm -rf "$part"' EXIT

# step TITLE "RESULTS" "INPUTS" COMMAND...: the command writes its results into $part; they are moved when all is done.
step()
{
  local title=$1 results=$2 inputs=$3 result input stale= begin=$SECONDS
  shift 3
  for result in $results; do
    for input in $inputs; do
      # Not newer than: absent, or older.
      [ -e "$result" ] && ! [ "$input" -nt "$result" ] || stale=yes
    done
  done
  if [ -z "$stale" ]; then
    echo "== $title: up to date"
    return
  fi
  echo "== $title"
  "$@"
  for result in $results; do
    mv "$part/$result" "$result"
  done
  rm -rf "${part:?}"/*
  echo "== $title: $((SECONDS - begin)) s"
}

# The largest value of a band of the real scene.
largest()
{
  gdalinfo -mm "$real" | sed -n "/^Band $1 /,\$s/.*Computed Min\/Max=[^,]*,//p" | head -n 1
}

# panel IMAGE NAME LEFT ENLARGEMENT: an 8 bit picture of the bands near 660, 550 and 450 nm, placed LEFT pixels right.
panel()
{
  local image=$1 name=$2 left=$3 enlarge=$4 width height
  read -r width height < <(gdalinfo -json "$image" | tr -d ' \n' | sed -E 's/.*"size":\[([0-9]+),([0-9]+)\].*/\1 \2\n/')
  width=$((width * enlarge)) height=$((height * enlarge))
  gdal_translate -q -b 28 -b 16 -b 6 -ot Byte \
    -scale_1 0 "$red" 1 255 -scale_2 0 "$green" 1 255 -scale_3 0 "$blue" 1 255 \
    -exponent_1 0.7 -exponent_2 0.7 -exponent_3 0.7 -a_nodata none \
    -outsize "$width" "$height" -r nearest -a_ullr "$left" 0 $((left + width)) "-$height" "$image" "$part/$name"
  right=$((left + width + 8))
}

picture()
{
  local red green blue right=0
  red=$(largest 28) green=$(largest 16) blue=$(largest 6)
  panel "$real" 1.tif "$right" 5
  panel scene.tif 2.tif "$right" 4
  panel patches.tif 3.tif "$right" 2
  gdalbuildvrt -q "$part/demo.vrt" "$part"/[123].tif
  gdal_translate -q -of PNG --config GDAL_PAM_ENABLED NO "$part/demo.vrt" "$part/demo.png"
}

sampling=(-model jasper.safetensors)

step "Unmixing" "abundances.tif abundances.qml endmembers.tif endmembers.qml" "$real" \
  "$prefix/bin/otbcli_HUDUnmix" -in "$real" -ne 4 -out "$part/abundances.tif" -outendm "$part/endmembers.tif"

step "Training" jasper.safetensors "$real endmembers.tif" \
  "$prefix/bin/otbcli_HUDTrain" -il "$real" -ie endmembers.tif -out "$part/jasper.safetensors" -iterations 1500

step "A synthetic scene" "scene.tif scene.qml scene_abundances.tif scene_abundances.qml" jasper.safetensors \
  "$prefix/bin/otbcli_HUDSample" "${sampling[@]}" -layout scene -sizex 128 -sizey 128 \
  -out "$part/scene.tif" -outabund "$part/scene_abundances.tif"

step "64 independent patches" "patches.tif patches.qml patches_abundances.tif patches_abundances.qml" jasper.safetensors \
  "$prefix/bin/otbcli_HUDSample" "${sampling[@]}" -layout patches -sizex 256 -sizey 256 \
  -out "$part/patches.tif" -outabund "$part/patches_abundances.tif"

step "The picture" demo.png "$real scene.tif patches.tif" picture

step "The evaluation" "evaluation.json evaluation.html" "$real endmembers.tif patches.tif" \
  "$prefix/bin/otbcli_HUDEvaluate" -in "$real" -gen patches.tif -ie endmembers.tif \
  -out "$part/evaluation.json" -report "$part/evaluation.html"

echo "The results are in $demo: demo.png shows, from the left, the real scene, the synthetic scene and the patches;"
echo "evaluation.html, which any browser opens, says how near the patches are to the real scene."
