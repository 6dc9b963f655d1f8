#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Sets a new QGIS profile up for an installed HUD and runs the applications and the model in it, without a display: what
# arrives at the applications, results, errors, cancelling.
#   check-qgis-processing.sh BUILD_FOLDER     of a build, which is installed into a temporary folder
#   check-qgis-processing.sh --prefix FOLDER  of what is installed there
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
if [ "$1" = --prefix ]; then prefix=$(realpath "$2"); else build=$(realpath "$1"); fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A blank and a letter that is not ASCII, as in the folders of users.
mkdir "$work/Übung 1"
cd "$work/Übung 1"

fail()
{
  echo "qgis: $1" >&2
  [ ! -f log ] || tail -n 40 log >&2
  exit 1
}

if [ -n "${build:-}" ]; then
  DESTDIR=$work/stage cmake --install "$build" >log 2>&1 || fail "the installation failed"
  prefix=$work/stage$(sed -n 's/^CMAKE_INSTALL_PREFIX:[A-Z]*=//p' "$build/CMakeCache.txt")
  # OTB's own prefix has the launcher already, and the temporary folder has not.
  [ -e "$prefix/bin/otbApplicationLauncherCommandLine" ] ||
    { mkdir -p "$prefix/bin" && ln -s "$(command -v otbApplicationLauncherCommandLine)" "$prefix/bin/"; }
fi

export QGIS_CUSTOM_CONFIG_PATH=$PWD/qgis QT_QPA_PLATFORM=offscreen XDG_RUNTIME_DIR=$work LC_ALL=C.UTF-8
process=$(command -v qgis_process.bin || command -v qgis_process)
export QGIS_OPTS=

# The settings: what is there stays, twice is as once, and the check knows the difference.
ini=$QGIS_CUSTOM_CONFIG_PATH/profiles/default/QGIS/QGIS3.ini
mkdir -p "$(dirname "$ini")"
printf '%s\n' '[Processing]' 'Configuration\OTHER=true' '' '[kept]' 'list=a, b' >"$ini"
if "$here/scripts/install-qgis.sh" --check --prefix "$prefix" >log 2>&1; then fail "the check finds what is not set up"; fi
for time in first second; do
  "$here/scripts/install-qgis.sh" --prefix "$prefix" >log 2>&1 || fail "install-qgis.sh failed"
  cp "$ini" "ini-$time"
done
cmp -s ini-first ini-second || fail "the second setup changed the settings"
for line in 'Configuration\OTHER=true' 'list=a, b'; do
  [ "$(grep -cxF -- "$line" "$ini")" -eq 1 ] || fail "the settings lost the line $line"
done
"$here/scripts/install-qgis.sh" --check --prefix "$prefix" >log 2>&1 || fail "the check fails after the setup"

# run NAME ARGUMENTS...: an algorithm, its output in log.
run() { "$process" run "$@" >log 2>&1; }

# refused TEXT NAME ARGUMENTS...: the algorithm fails and says TEXT.
refused()
{
  local text=$1
  shift
  if run "$@"; then fail "$1 succeeds, expected: $text"; fi
  grep -qF -- "$text" log || fail "$1 does not say: $text"
}

# QGIS writes statistics beside the images that it opens. A part of the bands and pixels, to save time.
bands=()
for band in $(seq 3 8 198); do bands+=(-b "$band"); done
gdal_translate -q -srcwin 10 20 60 50 "${bands[@]}" "$here/data/jasper_ridge.tif" scene.tif

# 0 and unticked boxes arrive, choices are known by key and number, tables are endmembers.
run otb:HUDUnmix --in=scene.tif --ne=0 --maxerror=12 --refine=0 --out=abundances.tif --outendm=endmembers.tif \
  --outlib=endmembers.csv || fail "HUDUnmix failed"
grep -q 'Number of endmembers found' log || fail "HUDUnmix did not estimate the number of endmembers"
run otb:HUDDecode --in=abundances.tif --ie=endmembers.csv --out=decoded.tif || fail "HUDDecode failed"
[ "$(gdalinfo decoded.tif | grep -c '^Band ')" -eq 25 ] || fail "decoded.tif has other than 25 bands"
run otb:HUDTrain --il=scene.tif --ie=endmembers.tif --iterations=2 --patch=16 --batch=2 --net.width=8 --augment=false \
  --prediction=eps --decay=2 --out=model.safetensors || fail "HUDTrain failed"
for text in 'augment\":false' 'prediction\":\"eps' 'decay\":\"constant'; do
  grep -qaF -- "$text" model.safetensors || fail "the model's options are others than $text"
done
grep -q '[0-9]% \[' log || fail "HUDTrain showed no progress"

# The whole chain.
model="model:HUD synthetic scene"
run "$model" --scene=scene.tif --endmembers=3 --iterations=2 --width=40 --height=36 --seed=1 \
  --unmix:endmembers=ends.tif --sample:scene=synthetic.tif --sample:abundances=truth.tif --train:model=chain.safetensors \
  --evaluate:page=page.html --evaluate:figures=figures.json || fail "the model failed"
[[ $(gdalinfo synthetic.tif) = *"Size is 40, 36"* ]] || fail "the synthetic scene is not of 40 x 36 pixels"
[ "$(gdalinfo truth.tif | grep -c '^Band ')" -eq 3 ] || fail "the synthetic abundances are not of 3 endmembers"
for file in chain.safetensors page.html figures.json; do
  [ -s "$file" ] || fail "the model left no $file"
done

# From a product.
/usr/bin/python3 "$here/test/prisma_product.py" 2D product.he5 --rows 48 --columns 52
run "model:HUD synthetic scene from a PRISMA product" --product=product.he5 --exclude='1350-1450 1800-1950' \
  --endmembers=3 --iterations=2 --width=40 --height=36 --import:scene=imported.tif --unmix:endmembers=ends.tif \
  --train:model=chain.safetensors --sample:scene=from_product.tif --evaluate:page=product.html ||
  fail "the model failed with a product"
for file in imported.tif from_product.tif; do
  [ "$(gdalinfo "$file" | grep -c 'wavelength=')" -eq 202 ] || fail "$file has other than 202 wavelengths"
done
[ -s product.html ] || fail "the model left no page for a product"
refused 'neither an HDF5 file nor a MATLAB file' otb:HUDImport --in=page.html --out=none.tif

# Errors are errors.
mkdir refused
refused 'the number of endmembers is 40, expected at most the number of bands, 25' otb:HUDUnmix --in=scene.tif --ne=40 \
  --out=refused/out.tif
refused 'iterations: found 0, expected' otb:HUDTrain --il=scene.tif --iterations=0 --out=refused/out.safetensors
[ -z "$(ls -A refused)" ] || fail "a failed run left $(ls -A refused)"

# cancelled SIGNAL TEXT NAME ARGUMENTS...: sends QGIS the signal when the log shows TEXT; nothing may be left.
cancelled()
{
  local signal=$1 text=$2 tick status=0
  shift 2
  mkdir cancelled
  : >log
  # A group of processes of its own, and every line at once.
  setsid stdbuf -oL "$process" run "$@" >log 2>&1 &
  local leader=$!
  for ((tick = 0; tick < 600; ++tick)); do
    ! grep -qF -- "$text" log || break
    sleep 0.1
  done
  [ "$tick" -lt 600 ] || { kill -KILL -- "-$leader"; fail "$1 did not show: $text"; }
  kill -"$signal" "$leader"
  wait "$leader" || status=$?
  [ "$status" -ne 0 ] || fail "a cancelled $1 ends with status 0"
  # Without QGIS the application ends when nobody reads its next line of progress.
  for ((tick = 0; tick < 300; ++tick)); do
    pgrep -g "$leader" >pids || break
    sleep 0.1
  done
  [ "$tick" -lt 300 ] || { kill -KILL -- "-$leader"; fail "$1 runs on after $signal"; }
  [ -z "$(ls -A cancelled)" ] || fail "a cancelled $1 left $(ls -A cancelled)"
  rmdir cancelled
}
# Without checkpoints, which a slow machine would reach and which stay. Which iterations show depends on their time.
cancelled INT 'Training: 0% [iteration ' otb:HUDTrain --il=scene.tif --iterations=100000 --out=cancelled/model.safetensors \
  --preview=cancelled/preview.png --previewevery=1 --checkpoint=0
cancelled TERM 'Training: ' otb:HUDTrain --il=scene.tif --iterations=100000 --out=cancelled/model.safetensors --checkpoint=0
cancelled INT 'Sampling' otb:HUDSample --model=chain.safetensors --sizex=1000 --sizey=1000 --sampler=ddpm --steps=1000 \
  --out=cancelled/scene.tif

echo "qgis: the applications and the model run, fail and end as they should"
