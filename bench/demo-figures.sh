#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Prints the figures of the README, one "name: value" on each line. Run scripts/demo.sh first; HUD_DEMO_DIR and HUD_PREFIX
# are as there. Trains 1000 iterations with default settings, to time them; the quality is that of the demo's model.
# shellcheck source=bench/measuring.sh
. "$(dirname "$0")/measuring.sh"
scene=$here/data/jasper_ridge.tif
need HUDUnmix HUDTrain HUDSample HUDDecode
for file in endmembers.tif jasper.safetensors {scene,patches}{,_abundances}.tif; do
  demo "$file" >/dev/null
done

# timed NAME COMMAND...: prints the seconds that the command takes.
timed()
{
  local name=$1 begin=$EPOCHREALTIME
  shift
  quietly "$@"
  awk -v name="$name" -v begin="$begin" -v end="$EPOCHREALTIME" 'BEGIN {printf "%s: %.1f s\n", name, end - begin}'
}

build_bench hud_score_patches hud_check_mixture

echo "CPU cores: $(nproc)"
timed "Training, 1000 iterations, default settings" "$prefix/bin/otbcli_HUDTrain" \
  -il "$scene" -ie "$(demo endmembers.tif)" -iterations 1000 -out "$work/timed.safetensors"
timed "Sampling, 64 patches, 20 steps" "$prefix/bin/otbcli_HUDSample" \
  -model "$(demo jasper.safetensors)" -layout patches -sizex 256 -sizey 256 -out "$work/timed.tif"

"$build/bin/hud_score_patches" "$scene" "$(demo patches.tif)" 32 8 | sed 's/^/Generated patches, /'

for block in 32 8; do
  oracle "$scene" "$block" >"$work/oracle"
  tail -n 1 "$work/oracle" | while read -r fidelity ratio; do
    echo "Oracle, halves of the scene cut into $block x $block blocks, F_p: $fidelity"
    echo "Oracle, halves of the scene, D_b/F_p, $block x $block blocks: $ratio"
  done
done

for name in scene patches; do
  "$build/bin/hud_check_mixture" "$(demo "$name.tif")" "$(demo "${name}_abundances.tif")" "$(demo endmembers.tif)" |
    sed "s/^/$name.tif, /"
done

# Each application twice, from the same inputs and seed, in two folders.
different=
for run in first second; do
  mkdir "$work/$run"
done
# twice NAME "OUTPUTS" ARGUMENTS...: runs the application in both folders and compares the outputs, given as file names.
twice()
{
  local name=$1 outputs=$2 run output verdict=identical
  shift 2
  for run in first second; do
    cd "$work/$run"
    quietly "$prefix/bin/otbcli_$name" "$@"
  done
  for output in $outputs; do
    [ -s "$output" ] || fail "$name wrote no $output"
    cmp "$work/first/$output" "$work/second/$output" || verdict=DIFFERENT different=yes
  done
  echo "$name, bytes of two runs with the same seed: $verdict"
}
twice HUDUnmix "abundances.tif endmembers.tif" -in "$scene" -ne 4 -rand 7 -out abundances.tif -outendm endmembers.tif
twice HUDTrain model.safetensors -il "$scene" -ie endmembers.tif -iterations 20 -rand 7 -out model.safetensors
twice HUDSample "scene.tif scene_abundances.tif" -model model.safetensors -sizex 64 -sizey 64 -rand 7 \
  -out scene.tif -outabund scene_abundances.tif
twice HUDDecode decoded.tif -in scene_abundances.tif -ie endmembers.tif -out decoded.tif
[ -z "$different" ] || fail "two runs with the same seed gave different files"
