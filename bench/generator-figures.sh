#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Prints how good and how fast the generator is, as tables.
#
#   bench/generator-figures.sh quality [ITERATIONS [SEEDS [ARGUMENTS OF HUDTrain...]]]
#     Trains on the demo's scene, and on Pavia and EnMAP if they are in the folder HUD_SCENES, ITERATIONS (2000) for each
#     of the SEEDS (3), and compares 64 patches with the scene. For spectra: F_p and D_b/F_p, also with the residual added,
#     beside the oracle, which is one half of the scene against the other. For abundances: the Wasserstein and the
#     log-power-spectrum distance, over what two sets of 64 real crops have between them.
#   bench/generator-figures.sh memory [ITERATIONS [ARGUMENTS OF HUDTrain...]]
#     Trains on the left half of the demo's scene, and of Salinas-A if it is in HUD_SCENES, ITERATIONS (2000), and compares
#     64 patches with the quarters of that half and with those of the other half: copies are nearer to the first. Beside it
#     real pixels that are no copies: corners of each quarter of the left half against the other quarter of that half, and
#     against those of the right half. D_b does not turn blocks: copies of turned crops show with -augment 0 only.
#   bench/generator-figures.sh samplers
#     As quality for 256 patches of the demo's model, for each sampler and number of steps, with the time.
#   bench/generator-figures.sh scenes [SIZE...]
#     Time and peak memory of a seamless scene of SIZE x SIZE pixels (500 1000 2000), spectra and abundances, 8 endmembers,
#     198 bands, -ram 1024; and its seams and repetition, up to 1000 x 1000 pixels. Seams, repetition and how far crops are
#     from real ones, over how far patches are, for 512 x 512 pixels of the demo's model; seams and repetition of the real
#     scene.
#   bench/generator-figures.sh levels [ITERATIONS [SEEDS [ARGUMENTS OF HUDTrain...]]]
#     What levels are worth: trains with one level and with two, ITERATIONS (2000) each, on the demo's scene, and on
#     Salinas-A and EnMAP if they are in HUD_SCENES. Of SEEDS (4) scenes of 256 x 256 pixels: how far their power
#     spectrum at wavelengths of 8 to 64 pixels is from that of the real scene; how far 64 crops of 32 x 32 pixels and
#     64 independent patches are from real ones; how near blocks of 16 x 16 pixels of each level come to real ones. How
#     well a coarse map is honoured, and the time of 1000 x 1000 pixels over that of one level.
#   bench/generator-figures.sh pytorch
#     A training step and 64 patches in 20 steps, HUD beside the same network in Python's PyTorch: the least of 3 rounds.
#
# Run scripts/demo.sh first, and nothing else meanwhile. HUD_DEMO_DIR and HUD_PREFIX are as there.
# shellcheck source=bench/measuring.sh
. "$(dirname "$0")/measuring.sh"
declare -A endmembersOf=([jasper_ridge]=4 [pavia_centre_crop]=9 [enmap_potsdam_nw]=6 [salinas_a]=6)

mode=${1:-}
[[ $mode =~ ^(quality|memory|samplers|scenes|levels|pytorch)$ ]] ||
  fail "found '$mode', expected quality, memory, samplers, scenes, levels or pytorch"
shift
need HUDTrain HUDSample HUDUnmix
build_bench hud_score_patches hud_score_abundances hud_check_scene hud_score_structure hud_score_copies \
  hud_time_diffusion

# distances ABUNDANCES GENERATED COUNT [crops]: the lines of hud_score_abundances for COUNT patches.
distances()
{
  "$build/bin/hud_score_abundances" "$1" "$2" 32 "$3" 1 "${@:4}" || fail "cannot score $2"
}

# check ABUNDANCES: the lines of hud_check_scene.
check()
{
  "$build/bin/hud_check_scene" "$1" 32 || fail "cannot check $1"
}

# find_scene NAME: its path; fails quietly if it is not there.
find_scene()
{
  local scene
  for scene in "$here/data/$1.tif" "${HUD_SCENES:-none}/$1.tif"; do
    [ ! -e "$scene" ] || { echo "$scene"; return; }
  done
  return 1
}

quality()
{
  local iterations=${1:-2000} seeds=${2:-3} scene name seed score
  shift $(($# < 2 ? $# : 2))
  for name in jasper_ridge pavia_centre_crop enmap_potsdam_nw; do
    scene=$(find_scene "$name") || continue
    quietly "$prefix/bin/otbcli_HUDUnmix" -in "$scene" -ne "${endmembersOf[$name]}" -out "$work/real.tif" \
      -outendm "$work/endmembers.tif"
    oracle "$scene" 32 >"$work/oracle"
    paste -d : <(printf '%s\n' "left against right" "right against left" "top against bottom" "bottom against top" mean) \
      "$work/oracle" | sed "s/^/$name, oracle, /; s/:/, F_p and D_b\/F_p: /"
    for ((seed = 1; seed <= seeds; ++seed)); do
      SECONDS=0
      quietly "$prefix/bin/otbcli_HUDTrain" -il "$scene" -ie "$work/endmembers.tif" -iterations "$iterations" \
        -rand "$seed" -out "$work/model.safetensors" "$@"
      echo "$name, seed $seed, training: $SECONDS s"
      quietly "$prefix/bin/otbcli_HUDSample" -model "$work/model.safetensors" -layout patches -sizex 256 -sizey 256 \
        -rand "$seed" -out "$work/patches.tif" -outabund "$work/patches_abundances.tif"
      score=$(fidelity "$scene" "$work/patches.tif" 32)
      echo "$name, seed $seed, F_p and D_b/F_p: $score"
      distances "$work/real.tif" "$work/patches_abundances.tif" 64 | sed "s/^/$name, seed $seed, /"
      quietly "$prefix/bin/otbcli_HUDSample" -model "$work/model.safetensors" -layout patches -sizex 256 -sizey 256 \
        -rand "$seed" -residual 1 -out "$work/patches.tif"
      score=$(fidelity "$scene" "$work/patches.tif" 32)
      echo "$name, seed $seed, with the residual, F_p and D_b/F_p: $score"
    done
  done
}

# crop SCENE NAME X Y WIDTH HEIGHT: a part of a scene, as NAME.tif.
crop()
{
  quietly gdal_translate -q -srcwin "${@:3}" "$1" "$work/$2.tif"
}

# against_quarters BLOCKS: a line "left F_p D_b/F_p" or "right F_p D_b/F_p" for each quarter, of which there are four.
against_quarters()
{
  local side quarter score
  for side in left right; do
    for quarter in 0 1; do
      score=$(fidelity "$work/$side-$quarter.tif" "$1" 32)
      echo "$side $score"
    done
  done
}

# real_corners WIDTH HEIGHT: corners of the left half's quarters of that size, against the other quarter of the left half,
# and against those of the right half.
real_corners()
{
  local quarter x y
  for quarter in 0 1; do
    for x in 0 $(($1 - 32)); do
      for y in 0 $(($2 - 32)); do
        crop "$work/left-$quarter.tif" corner "$x" "$y" 32 32
        # The quarter that the corner is of would be a copy.
        against_quarters "$work/corner.tif" | sed "$((quarter + 1))d"
      done
    done
  done
}

# mean_ratios: the means of D_b/F_p of the lines "left F_p D_b/F_p" and "right F_p D_b/F_p".
mean_ratios()
{
  awk '{sum[$1] += $3; ++count[$1]}
    END {printf "%.4f and %.4f\n", sum["left"] / count["left"], sum["right"] / count["right"]}'
}

memory()
{
  local iterations=${1:-2000} scene name width height x y quarter
  shift $(($# < 1 ? $# : 1))
  for name in jasper_ridge salinas_a; do
    scene=$(find_scene "$name") || continue
    read -r width height < <(size_of "$scene")
    x=$((width / 2)) y=$((height / 2))
    crop "$scene" left 0 0 "$x" "$height"
    for quarter in 0 1; do
      crop "$scene" "left-$quarter" 0 $((quarter * (height - y))) "$x" "$y"
      crop "$scene" "right-$quarter" $((width - x)) $((quarter * (height - y))) "$x" "$y"
    done
    quietly "$prefix/bin/otbcli_HUDTrain" -il "$work/left.tif" -ne "${endmembersOf[$name]}" -iterations "$iterations" \
      -holdout 0 -rand 1 -out "$work/model.safetensors" "$@"
    quietly "$prefix/bin/otbcli_HUDSample" -model "$work/model.safetensors" -layout patches -sizex 256 -sizey 256 \
      -rand 1 -out "$work/patches.tif"
    real_corners "$x" "$y" | mean_ratios | sed "s/^/$name, real, D_b\/F_p against quarters of the left and right half: /"
    against_quarters "$work/patches.tif" | mean_ratios |
      sed "s/^/$name, trained on the left half, D_b\/F_p against quarters of the left and right half: /"
  done
}

samplers()
{
  local model real sampler steps begin score
  model=$(demo jasper.safetensors) real=$(demo abundances.tif)
  for sampler in "dpmpp "{5,10,20,50} "ddim "{5,10,20,50} "ddpm "{20,50,200,1000}; do
    steps=${sampler#* } sampler=${sampler% *}
    begin=$EPOCHREALTIME
    quietly "$prefix/bin/otbcli_HUDSample" -model "$model" -layout patches -sizex 512 -sizey 512 -sampler "$sampler" \
      -steps "$steps" -out "$work/patches.tif" -outabund "$work/patches_abundances.tif"
    awk -v name="$sampler, $steps steps" -v begin="$begin" -v end="$EPOCHREALTIME" \
      'BEGIN {printf "%s, time: %.1f s\n", name, end - begin}'
    score=$(fidelity "$here/data/jasper_ridge.tif" "$work/patches.tif" 32)
    echo "$sampler, $steps steps, F_p and D_b/F_p: $score"
    distances "$real" "$work/patches_abundances.tif" 256 | sed "s/^/$sampler, $steps steps, /"
  done
}

scenes()
{
  local size
  # How good this model is does not matter. But without any training seams would come from the network.
  quietly "$prefix/bin/otbcli_HUDTrain" -il "$here/data/jasper_ridge.tif" -ne 8 -iterations 200 \
    -out "$work/model.safetensors"
  [ $# -gt 0 ] || set -- 500 1000 2000
  for size in "$@"; do
    quietly /usr/bin/time -o "$work/time" -f "%e s, %M kB" "$prefix/bin/otbcli_HUDSample" \
      -model "$work/model.safetensors" -sizex "$size" -sizey "$size" -ram 1024 -out "$work/scene.tif" \
      -outabund "$work/scene_abundances.tif"
    echo "scene of $size x $size pixels, 8 endmembers, 198 bands: $(cat "$work/time")"
    [ "$size" -gt 1000 ] || check "$work/scene_abundances.tif" | sed "s/^/scene of $size x $size pixels, /"
  done
  quietly "$prefix/bin/otbcli_HUDSample" -model "$(demo jasper.safetensors)" -sizex 512 -sizey 512 \
    -out "$work/scene.tif" -outabund "$work/scene_abundances.tif"
  check "$work/scene_abundances.tif" | sed "s/^/scene of the demo's model, /"
  check "$(demo abundances.tif)" | sed 's/^/real scene, /'
  distances "$(demo abundances.tif)" "$work/scene_abundances.tif" 64 crops | sed 's/^/crops of a scene, /'
  distances "$(demo abundances.tif)" "$(demo patches_abundances.tif)" 64 | sed 's/^/patches, /'
}

# sample NAME ARGUMENTS OF HUDSample...: abundances NAME.tif of the model NAME.safetensors up to its first dot.
sample()
{
  quietly "$prefix/bin/otbcli_HUDSample" -model "$work/${1%%.*}.safetensors" -out "$work/spectra.tif" \
    -outabund "$work/$1.tif" "${@:2}"
}

levels()
{
  local iterations=${1:-2000} seeds=${2:-4} scene name levels seed scale begin
  shift $(($# < 2 ? $# : 2))
  for name in jasper_ridge salinas_a enmap_potsdam_nw; do
    scene=$(find_scene "$name") || continue
    quietly "$prefix/bin/otbcli_HUDUnmix" -in "$scene" -ne "${endmembersOf[$name]}" -out "$work/real.tif" \
      -outendm "$work/endmembers.tif"
    for levels in 1 2; do
      SECONDS=0
      quietly "$prefix/bin/otbcli_HUDTrain" -il "$scene" -ie "$work/endmembers.tif" -iterations "$iterations" -rand 1 \
        -levels "$levels" -out "$work/$levels.safetensors" "$@"
      echo "$name, levels $levels, training: $SECONDS s"
      local scenes=()
      for ((seed = 1; seed <= seeds; ++seed)); do
        sample "$levels.$seed" -sizex 256 -sizey 256 -rand "$seed"
        scenes+=("$work/$levels.$seed.tif")
      done
      "$build/bin/hud_score_structure" "$work/real.tif" "${scenes[@]}" | sed "s/^/$name, levels $levels, /"
      distances "$work/real.tif" "${scenes[0]}" 64 crops | sed "s/^/$name, levels $levels, crops, /"
      sample "$levels.patches" -layout patches -sizex 256 -sizey 256
      distances "$work/real.tif" "$work/$levels.patches.tif" 64 | sed "s/^/$name, levels $levels, patches, /"
      for scale in 1 2; do
        "$build/bin/hud_score_copies" "$work/real.tif" "${scenes[0]}" 16 "$scale" |
          sed "s/^/$name, levels $levels, blocks of means of $scale x $scale, /"
      done
    done
    quietly gdal_translate -q -r average -outsize 50% 50% "$work/real.tif" "$work/map.tif"
    sample 2.map -coarse "$work/map.tif"
    quietly gdal_translate -q -r average -outsize 50% 50% "$work/2.map.tif" "$work/mean.tif"
    "$build/bin/hud_score_structure" --mean "$work/map.tif" "$work/mean.tif" | sed "s/^/$name, coarse map, /"
  done
  for levels in 1 2; do
    begin=$EPOCHREALTIME
    sample "$levels.large" -sizex 1000 -sizey 1000
    awk -v name="1000 x 1000 pixels, levels $levels" -v begin="$begin" -v end="$EPOCHREALTIME" \
      'BEGIN {printf "%s: %.1f s\n", name, end - begin}'
  done
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
