#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Prints how good and how fast the generator is, as tables.
#
#   bench/generator-figures.sh quality [ITERATIONS [SEEDS [ARGUMENTS OF HUDTrain...]]]
#     Trains on the demo's scene, and on Pavia and EnMAP if they are in the folder HUD_SCENES, ITERATIONS (4000) for each of
#     the SEEDS (3), and compares 64 patches with the scene: F_p and D_b/F_p beside the oracle, one half of the scene
#     against the other; for abundances the Wasserstein and the log-power-spectrum distance, over what two sets of 64
#     real crops have between them.
#   bench/generator-figures.sh samplers
#     The same for 64 patches of the demo's model, for each sampler and number of steps, with the time.
#   bench/generator-figures.sh scenes [SIZE...]
#     Time and peak memory of a seamless scene of SIZE x SIZE pixels (500 1000 2000), 8 endmembers, 198 bands, -ram 1024; and
#     for the demo's model how far crops of a scene of 512 x 512 pixels are from real ones, over how far patches are.
#   bench/generator-figures.sh pytorch
#     A training step and 64 patches in 20 steps, HUD beside the same network in Python's PyTorch: the least of 3 rounds.
#
# Run scripts/demo.sh first, and nothing else meanwhile. HUD_DEMO_DIR and HUD_PREFIX are as there.
set -euo pipefail
export LC_ALL=C
declare -A endmembersOf=([jasper_ridge]=4 [pavia_centre_crop]=9 [enmap_potsdam_nw]=6)
here=$(cd "$(dirname "$0")/.." && pwd)
prefix=${HUD_PREFIX:-$here/build/install}
build=$here/build/bench

fail()
{
  echo "generator-figures: $*" >&2
  exit 1
}

mode=${1:-}
[[ $mode =~ ^(quality|samplers|scenes|pytorch)$ ]] || fail "found '$mode', expected quality, samplers, scenes or pytorch"
shift
for name in HUDTrain HUDSample HUDUnmix; do
  [ -x "$prefix/bin/otbcli_$name" ] || fail "$prefix/bin/otbcli_$name is missing: run scripts/demo.sh first"
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# quietly COMMAND...: shows what the command says only if it fails.
quietly()
{
  "$@" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    fail "failed: $*"
  }
}

quietly cmake -S "$here" -B "$build" -G Ninja -DHUD_CORE_ONLY=ON -DHUD_BUILD_BENCH=ON -DBUILD_TESTING=OFF
quietly cmake --build "$build" --parallel "$("$here/scripts/build-jobs.sh")" \
  --target hud_score_patches hud_score_abundances hud_time_diffusion

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

# fidelity REAL GENERATED: "F_p D_b/F_p", 32 x 32 blocks.
fidelity()
{
  "$build/bin/hud_score_patches" "$1" "$2" 32 >"$work/fidelity" || fail "cannot score $2"
  echo "$(value F_p <"$work/fidelity") $(value 'D_b\/F_p, 32 x 32 blocks' <"$work/fidelity")"
}

# oracle SCENE: fidelity of the left half against the right.
oracle()
{
  local width height half
  read -r width height < <(gdalinfo -json "$1" | tr -d ' \n' | sed -E 's/.*"size":\[([0-9]+),([0-9]+)\].*/\1 \2\n/')
  half=$((width / 2))
  quietly gdal_translate -q -srcwin "$half" 0 $((width - half)) "$height" "$1" "$work/right.tif"
  quietly gdal_translate -q -srcwin 0 0 $((half / 32 * 32)) $((height / 32 * 32)) "$1" "$work/left.tif"
  fidelity "$work/right.tif" "$work/left.tif"
}

# distances ABUNDANCES GENERATED [crops]: the lines of hud_score_abundances for 64 patches.
distances()
{
  "$build/bin/hud_score_abundances" "$1" "$2" 32 64 1 "${@:3}" || fail "cannot score $2"
}

quality()
{
  local iterations=${1:-4000} seeds=${2:-3} scene name seed score
  shift $(($# < 2 ? $# : 2))
  for name in jasper_ridge pavia_centre_crop enmap_potsdam_nw; do
    scene=$here/data/$name.tif
    [ -e "$scene" ] || scene=${HUD_SCENES:-none}/$name.tif
    [ -e "$scene" ] || continue
    quietly "$prefix/bin/otbcli_HUDUnmix" -in "$scene" -ne "${endmembersOf[$name]}" -out "$work/real.tif" \
      -outendm "$work/endmembers.tif"
    score=$(oracle "$scene")
    echo "$name, oracle, F_p and D_b/F_p: $score"
    for ((seed = 1; seed <= seeds; ++seed)); do
      SECONDS=0
      quietly "$prefix/bin/otbcli_HUDTrain" -il "$scene" -ie "$work/endmembers.tif" -iterations "$iterations" \
        -rand "$seed" -out "$work/model.safetensors" "$@"
      echo "$name, seed $seed, training: $SECONDS s"
      quietly "$prefix/bin/otbcli_HUDSample" -model "$work/model.safetensors" -layout patches -sizex 256 -sizey 256 \
        -rand "$seed" -out "$work/patches.tif" -outabund "$work/patches_abundances.tif"
      score=$(fidelity "$scene" "$work/patches.tif")
      echo "$name, seed $seed, F_p and D_b/F_p: $score"
      distances "$work/real.tif" "$work/patches_abundances.tif" | sed "s/^/$name, seed $seed, /"
    done
  done
}

samplers()
{
  local model real sampler steps begin score
  model=$(demo jasper.safetensors) real=$(demo abundances.tif)
  for sampler in dpmpp ddim ddpm; do
    for steps in 5 10 20 50 1000; do
      begin=$EPOCHREALTIME
      quietly "$prefix/bin/otbcli_HUDSample" -model "$model" -layout patches -sizex 256 -sizey 256 -sampler "$sampler" \
        -steps "$steps" -out "$work/patches.tif" -outabund "$work/patches_abundances.tif"
      awk -v name="$sampler, $steps steps" -v begin="$begin" -v end="$EPOCHREALTIME" \
        'BEGIN {printf "%s, time: %.1f s\n", name, end - begin}'
      score=$(fidelity "$here/data/jasper_ridge.tif" "$work/patches.tif")
      echo "$sampler, $steps steps, F_p and D_b/F_p: $score"
      distances "$real" "$work/patches_abundances.tif" | sed "s/^/$sampler, $steps steps, /"
    done
  done
}

scenes()
{
  local size
  quietly "$prefix/bin/otbcli_HUDTrain" -il "$here/data/jasper_ridge.tif" -ne 8 -iterations 10 \
    -out "$work/model.safetensors"
  [ $# -gt 0 ] || set -- 500 1000 2000
  for size in "$@"; do
    quietly /usr/bin/time -o "$work/time" -f "%e s, %M kB" "$prefix/bin/otbcli_HUDSample" \
      -model "$work/model.safetensors" -sizex "$size" -sizey "$size" -ram 1024 -out "$work/scene.tif"
    echo "scene of $size x $size pixels, 8 endmembers, 198 bands: $(cat "$work/time")"
  done
  quietly "$prefix/bin/otbcli_HUDSample" -model "$(demo jasper.safetensors)" -sizex 512 -sizey 512 \
    -out "$work/scene.tif" -outabund "$work/scene_abundances.tif"
  distances "$(demo abundances.tif)" "$work/scene_abundances.tif" crops | sed 's/^/crops of a scene, /'
  distances "$(demo abundances.tif)" "$(demo patches_abundances.tif)" | sed 's/^/patches, /'
}

pytorch()
{
  local name python3=/usr/bin/python3
  "$python3" -c 'import torch' 2>/dev/null || fail "PyTorch is missing: install the package python3-torch"
  for _ in 1 2 3; do
    "$build/bin/hud_time_diffusion" "$work/model.safetensors" 4 40 >>"$work/hud" || fail "hud_time_diffusion failed"
    "$python3" "$here/bench/pytorch_unet.py" "$work/model.safetensors" 40 "$(nproc)" >>"$work/pytorch" ||
      fail "pytorch_unet.py failed"
  done
  for name in 'training step' '64 patches in 20 steps'; do
    awk -v name="$name" -F ': | s$' '
      index($0, name) == 1 {if (!(FILENAME in least) || $2 < least[FILENAME]) least[FILENAME] = $2}
      END {printf "%s: HUD %.4f s, PyTorch %.4f s, ratio %.3f\n", name, least[ARGV[1]], least[ARGV[2]],
           least[ARGV[1]] / least[ARGV[2]]}' "$work/hud" "$work/pytorch"
  done
}

echo "CPU cores: $(nproc)"
"$mode" "$@"
