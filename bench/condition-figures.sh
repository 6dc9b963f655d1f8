#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Prints what labels and tuning do.
#
#   bench/condition-figures.sh labels [ITERATIONS [METHODS]]
#     Trains on the demo's scene, unmixed by METHODS (vca,edaa,sisal), ITERATIONS (900), and prints for each label, with
#     guidance 0, 1 and 1.5, the Frechet distances of 144 patches from the scene's real maps by each of the methods: the
#     least should be that of the label. Beside them those of the real maps from each other. Then how far
#     abundances are from the simplex.
#   bench/condition-figures.sh tuning [ITERATIONS...]
#     Takes three scenes of AVIRIS in HUD_SCENES, their common channels in a common scale, with five common endmembers.
#     Trains on two of them 2000 iterations, tunes that model to the third for each number of ITERATIONS (125 250 500 1000
#     2000), trains as many on the third from nothing, and prints how far 256 patches are from its real patches.
#
# HUD_PREFIX is as in scripts/demo.sh.
# shellcheck source=bench/measuring.sh
. "$(dirname "$0")/measuring.sh"

mode=${1:-}
[[ $mode =~ ^(labels|tuning)$ ]] || fail "found '$mode', expected labels or tuning"
shift
need HUDTrain HUDSample HUDUnmix
build_bench hud_score_abundances hud_check_mixture

# draw MODEL NAME ARGUMENT...: a square of patches, `edge` pixels wide, as NAME.tif.
edge=512
draw()
{
  quietly "$prefix/bin/otbcli_HUDSample" -model "$1" -layout patches -sizex $edge -sizey $edge -out "$work/spectra.tif" \
    -outabund "$work/$2.tif" -outendm "$work/endmembers.tif" "${@:3}"
}

# score REAL GENERATED: the lines of hud_score_abundances.
score()
{
  "$build/bin/hud_score_abundances" "$1" "$2" 32 64 1 "${@:3}" || fail "cannot score $2"
}

# frechet REAL GENERATED [crops]: the Frechet distance.
frechet()
{
  score "$@" | value "Generated against real, Frechet"
}

labels()
{
  local iterations=${1:-900} methods=${2:-vca,edaa,sisal} scene=$here/data/jasper_ridge.tif label other guidance
  edge=384
  quietly "$prefix/bin/otbcli_HUDTrain" -il "$scene" -ne 4 -methods "$methods" -iterations "$iterations" \
    -out "$work/model.safetensors"
  for label in ${methods//,/ }; do
    draw "$work/model.safetensors" patches -label "$label"
    quietly "$prefix/bin/otbcli_HUDUnmix" -in "$scene" -ie "$work/endmembers.tif" -out "$work/real-$label.tif"
  done
  for label in ${methods//,/ }; do
    for other in ${methods//,/ }; do
      echo "real $label from real $other: $(frechet "$work/real-$other.tif" "$work/real-$label.tif" crops)"
    done
    for guidance in 0 1 1.5; do
      draw "$work/model.safetensors" patches -label "$label" -guidance "$guidance"
      for other in ${methods//,/ }; do
        echo "label $label, guidance $guidance, from real $other: $(frechet "$work/real-$other.tif" "$work/patches.tif")"
      done
      "$build/bin/hud_check_mixture" "$work/spectra.tif" "$work/patches.tif" "$work/endmembers.tif" |
        sed "s/^/label $label, guidance $guidance, /"
    done
  done
}

# take_channels NAME FACTOR CHANNELS: those channels of a scene in HUD_SCENES, times a factor, as NAME.tif. Their wavelengths
# are left out: those of one channel are up to 5 nm apart.
take_channels()
{
  local bands
  bands=$(awk -F , -v channels="$3" 'BEGIN {split(channels, list, " "); for (i in list) wanted[list[i]]}
    $2 in wanted {printf "-b %s ", $1}' "$HUD_SCENES/$1_bands.csv")
  # shellcheck disable=SC2086
  quietly gdal_translate -q -of VRT -ot Float32 -scale 0 1 0 "$2" $bands "$HUD_SCENES/$1.tif" "$work/$1.vrt"
  sed -i '/<Description>/d; /<Metadata/,/<\/Metadata>/d' "$work/$1.vrt"
  quietly gdal_translate -q "$work/$1.vrt" "$work/$1.tif"
}

tuning()
{
  local channels name iterations new=aviris_vi_crop
  local old=(jasper_ridge moffett_raw224)
  [ $# -gt 0 ] || set -- 125 250 500 1000 2000
  # Channels of all three, less those that hold nothing or noise in one of them.
  channels=$(cat "$HUD_SCENES"/{jasper_ridge,aviris_vi_crop,moffett_raw224}_bands.csv | awk -F , '$2 + 0 > 0 {++count[$2]}
    END {for (c = 4; c < 222; ++c) if (count[c] == 3 && !(c >= 97 && c <= 116) && !(c >= 153 && c <= 171)) print c}' |
    sort -n | tr '\n' ' ')
  take_channels jasper_ridge 2 "$channels"
  take_channels moffett_raw224 1 "$channels"
  take_channels aviris_vi_crop 1 "$channels"
  quietly "$prefix/bin/otbcli_HUDTrain" -il "$work"/{jasper_ridge,moffett_raw224,aviris_vi_crop}.tif -ne 5 -iterations 1 \
    -out "$work/common.safetensors"
  draw "$work/common.safetensors" patches
  mv "$work/endmembers.tif" "$work/common.tif"
  for name in "${old[@]}" "$new"; do
    "$prefix/bin/otbcli_HUDUnmix" -in "$work/$name.tif" -ie "$work/common.tif" -out "$work/real-$name.tif" |
      sed -n "s/.*Decode error of/$name, decode error of/p"
  done
  quietly "$prefix/bin/otbcli_HUDTrain" -il "$work/${old[0]}.tif" "$work/${old[1]}.tif" -ie "$work/common.tif" \
    -iterations 2000 -out "$work/old.safetensors"
  report_tuning "the model of the others" "$work/old.safetensors" "$new"
  for iterations in "$@"; do
    quietly "$prefix/bin/otbcli_HUDTrain" -il "$work/$new.tif" -ie "$work/common.tif" -iterations "$iterations" \
      -out "$work/new.safetensors"
    report_tuning "$iterations iterations from nothing" "$work/new.safetensors" "$new"
    quietly "$prefix/bin/otbcli_HUDTrain" -il "$work/$new.tif" -resume "$work/old.safetensors" \
      -iterations $((2000 + iterations)) -out "$work/new.safetensors"
    report_tuning "$iterations iterations of tuning" "$work/new.safetensors" "$new"
  done
}

# report_tuning NAME MODEL SCENE: how far its patches are from the scene's.
report_tuning()
{
  draw "$2" patches
  score "$work/real-$3.tif" "$work/patches.tif" | sed -n "s/^Ratio/$1, ratio/p; s/^Generated against real, Frechet/$1, Frechet/p"
}

"$mode" "$@"
