#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Makes an installed HUD appear in QGIS's Processing toolbox, for the current user, or says what is missing for that.
#   install-qgis.sh [--check] [--prefix FOLDER] [--profile FOLDER]
# --check    changes nothing; prints what is found and what is missing, and fails unless all is well
# --prefix   where HUD is installed; HUD_PREFIX or build/install unless given
# --profile  the folder of a QGIS profile; that of the default profile unless given, below QGIS_CUSTOM_CONFIG_PATH if that
#            is set. Must be PATH/profiles/NAME for --check.
# Close QGIS before: it writes its settings when it ends.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)

usage()
{
  sed -n 's/^# \{0,1\}//; 5,11p' "$0" >&2
  exit 2
}

check=
prefix=${HUD_PREFIX:-$here/build/install}
profile=${QGIS_CUSTOM_CONFIG_PATH:-${XDG_DATA_HOME:-$HOME/.local/share}/QGIS/QGIS3}/profiles/default
while [ $# -gt 0 ]; do
  case $1 in
  --check) check=yes ;;
  --prefix | --profile)
    [ $# -ge 2 ] || usage
    if [ "$1" = --prefix ]; then prefix=$2; else profile=$2; fi
    shift
    ;;
  *) usage ;;
  esac
  shift
done
prefix=$(realpath -m "$prefix")
profile=$(realpath -m "$profile")
ini=$profile/QGIS/QGIS3.ini
settings=$here/scripts/qgis-settings.py

# The wrapper of Debian passes options that this program does not take.
process=$(command -v qgis_process.bin || command -v qgis_process || true)
# The interpreter that QGIS's modules are installed for.
python=
for program in python3 /usr/bin/python3; do
  if "$program" -c 'import qgis.PyQt.QtCore' 2>/dev/null; then
    python=$program
    break
  fi
done
export QT_QPA_PLATFORM=offscreen QGIS_OPTS=
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-${TMPDIR:-/tmp}}

failed=0
good() { echo "ok       $1"; }
bad()
{
  echo "MISSING  $1"
  failed=1
}

# Lists what an installed HUD consists of.
launcher=$prefix/bin/otbApplicationLauncherCommandLine
module=$(find "$prefix"/lib* -name otbapp_HUDUnmix.so -print -quit 2>/dev/null || true)
applications=${module:+$(dirname "$module")}
descriptions=$prefix/share/otb/description
parts=$prefix/share/hud/qgis
mapfile -t names < <(find "$descriptions" -maxdepth 1 -name 'HUD*.json' -printf '%f\n' 2>/dev/null | sed 's/\.json$//' | sort)

check_prefix()
{
  if [ -x "$launcher" ]; then good "OTB folder: $prefix"; else bad "OTB folder: $launcher is not there. Run scripts/setup.sh"; fi
  if [ -n "$applications" ]; then
    good "application folder: $applications"
  else
    bad "application folder: no otbapp_HUDUnmix.so below $prefix/lib. Run scripts/setup.sh"
  fi
  [ "${#names[@]}" -gt 0 ] || bad "descriptions: no HUD*.json in $descriptions. Run scripts/setup.sh"
  if [ -d "$parts/hud_processing" ] && [ -d "$parts/models" ]; then
    good "plugin and models: $parts"
  else
    bad "plugin and models: no hud_processing and models in $parts. Run scripts/setup.sh"
  fi
}

# Whether the provider's plugin is there; it prints its name.
find_provider()
{
  local plugins name
  plugins=$(QGIS_CUSTOM_CONFIG_PATH="${profile%/profiles/*}" "$process" plugins 2>/dev/null)
  for name in otbprovider orfeoToolbox_provider; do
    if grep -qE "^[* ] $name\$" <<<"$plugins"; then
      echo "$name"
      return
    fi
  done
  return 1
}

check_qgis()
{
  if [ -z "$process" ]; then
    bad "qgis_process: not in PATH. Install QGIS (Debian: qgis)"
    return 1
  fi
  version=$("$process" --version 2>/dev/null | sed -n 's/^QGIS \([0-9.]*\).*/\1/p' | head -n 1)
  good "qgis_process: $process, QGIS $version"
  if [ -n "$python" ]; then good "QGIS's Python modules: $python"; else bad "QGIS's Python modules (Debian: python3-qgis)"; fi
  if provider=$(find_provider); then
    good "provider plugin: $provider"
  else
    bad "provider plugin: neither otbprovider nor orfeoToolbox_provider. Since QGIS 3.36 it is in the catalogue: open Plugins >
         Manage and Install Plugins, search for OrfeoToolbox provider, install it, and run this script again"
    return 1
  fi
}

setting() { "$python" "$settings" get "$ini" "$1"; }

check_profile()
{
  local folder=$profile writable found
  while [ ! -e "$folder" ]; do folder=$(dirname "$folder"); done
  for writable in "$folder" "${TMPDIR:-/tmp}"; do
    if [ -w "$writable" ]; then good "can write into $writable"; else bad "no permission to write into $writable"; fi
  done
  for name in "$provider" hud_processing; do
    if [ "$(setting "PythonPlugins/$name")" = true ]; then
      good "plugin $name is enabled"
    else
      bad "plugin $name is not enabled in $ini"
    fi
  done
  found=$(setting Processing/Configuration/OTB_FOLDER)
  if [ -n "$found" ] && [ "$(realpath -m "$found")" = "$prefix" ]; then
    good "setting OTB folder"
  else
    bad "setting OTB folder: found \"$found\", expected $prefix"
  fi
  found=$(setting Processing/Configuration/OTB_APP_FOLDER)
  if [[ ";$found;" = *";$applications;"* ]]; then
    good "setting OTB application folder"
  else
    bad "setting OTB application folder: found \"$found\", expected $applications"
  fi
  for found in "$parts"/models/*.model3; do
    if cmp -s "$found" "$profile/processing/models/$(basename "$found")"; then
      good "model $(basename "$found")"
    else
      bad "model $(basename "$found") is not that of $parts in $profile/processing/models"
    fi
  done
  if diff -r -x __pycache__ "$parts/hud_processing" "$profile/python/plugins/hud_processing" >/dev/null 2>&1; then
    good "plugin hud_processing"
  else
    bad "plugin hud_processing is not that of $parts in $profile/python/plugins"
  fi
}

check_applications()
{
  local list name lost help
  list=$(QGIS_CUSTOM_CONFIG_PATH="${profile%/profiles/*}" "$process" list 2>/dev/null || true)
  for name in "${names[@]}"; do
    [ -s "$descriptions/$name.txt" ] || bad "$name: no descriptor $descriptions/$name.txt"
    lost=$(ldd "$applications/otbapp_$name.so" 2>&1 | sed -n 's/^\t\(.*\) => not found/\1/p' | tr '\n' ' ')
    [ -z "$lost" ] || bad "$name: libraries not found: $lost"
    help=$(env -i LC_NUMERIC=C "$launcher" "$name" "$applications" -help 2>&1 || true)
    if [[ $help = *"This is the "*"$name"*" application"* ]]; then
      good "$name starts"
    else
      bad "$name does not start: $help"
    fi
    if grep -qE "^[[:space:]]*otb:$name([[:space:]]|\$)" <<<"$list"; then
      good "$name is in the toolbox"
    else
      bad "$name is not in the toolbox: qgis_process list does not name otb:$name"
    fi
  done
  for name in "$applications"/otbapp_HUDTrain.so; do
    lost=$(ldd "$name" 2>/dev/null | sed -n 's/^\t\(libtorch[^ ]*\) => \([^ ]*\).*/\1 (\2)/p' | head -n 1)
    if [ -n "$lost" ] && [[ $lost != *"(not)" ]]; then good "LibTorch: $lost"; else bad "LibTorch: not found by $name"; fi
  done
}

if [ -n "$check" ]; then
  check_prefix
  if check_qgis && [ "$failed" -eq 0 ]; then
    check_profile
    if [ "$failed" -eq 0 ]; then
      check_applications
    fi
  fi
  if [ "$failed" -ne 0 ]; then
    echo "Not everything is there; scripts/install-qgis.sh sets up what belongs to the profile." >&2
  fi
  exit "$failed"
fi

# Set up only what is whole.
{ check_prefix && check_qgis; } || true
[ "$failed" -eq 0 ] || exit 1

mkdir -p "$profile/QGIS" "$profile/processing/models" "$profile/python/plugins"
rm -rf "$profile/python/plugins/hud_processing"
cp -R "$parts/hud_processing" "$profile/python/plugins/"
cp "$parts"/models/*.model3 "$profile/processing/models/"
"$python" "$settings" set "$ini" "PythonPlugins/$provider=true" PythonPlugins/hud_processing=true PythonPlugins/processing=true \
  "Processing/Configuration/OTB_FOLDER=$prefix" "Processing/Configuration/OTB_APP_FOLDER=$applications"
echo "copied   plugin hud_processing and $(find "$parts/models" -name '*.model3' | wc -l) model(s) into $profile"
echo "HUD is set up for QGIS; scripts/install-qgis.sh --check looks whether all is well."
