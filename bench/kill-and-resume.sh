#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Trains a small model undisturbed, and once more with kills (SIGKILL) at random moments, each followed by a resume from the
# checkpoint, and compares the bytes. HUD_PREFIX is as in scripts/demo.sh; HUD_KILLS (20) is the number of kills, and
# HUD_KILL_SEED decides when they come.
# shellcheck source=bench/measuring.sh
. "$(dirname "$0")/measuring.sh"
export ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS=1
kills=${HUD_KILLS:-20}
RANDOM=${HUD_KILL_SEED:-1}

need HUDTrain
cd "$work"
settings=(-il "$here/data/jasper_ridge.tif" -ne 4 -iterations 400 -patch 16 -batch 4 -net.width 8 -holdout 0.2 -rand 3)

# now: the time in milliseconds.
now()
{
  echo $((${EPOCHREALTIME/./} / 1000))
}

begin=$(now)
"$prefix/bin/otbcli_HUDTrain" "${settings[@]}" -checkpoint 0 -out whole.safetensors >log 2>&1 ||
  { cat log >&2; fail "the undisturbed run failed"; }
# Kills come at any moment of a run, before its first checkpoint too. All of them together take as long as the undisturbed
# run, and starting takes its share, so that there is something left to train after the last.
span=$((2 * ($(now) - begin) / (kills + 1) + 1))

done=0
while :; do
  killed=''
  resume=()
  [ -e m.checkpoint.safetensors ] && resume=(-resume m.checkpoint.safetensors)
  # A process group of its own, as otbcli is a script that starts the program.
  setsid "$prefix/bin/otbcli_HUDTrain" "${settings[@]}" "${resume[@]}" -checkpoint 0.001 -out m.safetensors >log 2>&1 &
  process=$!
  if [ "$done" -lt "$kills" ]; then
    delay=$((RANDOM * span / 32768))
    sleep "$((delay / 1000)).$(printf %03d $((delay % 1000)))"
    if kill -KILL -- "-$process" 2>/dev/null; then
      killed=yes done=$((done + 1))
    fi
  fi
  if wait "$process" 2>/dev/null; then
    break
  fi
  [ -n "$killed" ] || { cat log >&2; fail "a resumed run failed"; }
done

echo "Kills: $done"
rest=$(find . -mindepth 1 ! -name log ! -name whole.safetensors ! -name m.safetensors)
[ -z "$rest" ] || fail "left over: $rest"
cmp whole.safetensors m.safetensors || fail "the model differs from that of an undisturbed run"
echo "Bytes of the model after kills and of an undisturbed run: identical"
