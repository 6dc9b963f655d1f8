#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Installs a build into a temporary folder, twice, and starts an installed application from elsewhere.
#   check-install.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "$1" && pwd)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

cached() { sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"; }
prefix=$(cached CMAKE_INSTALL_PREFIX)

for time in first second; do
  DESTDIR=$stage cmake --install "$build" >"$stage/log-$time" 2>&1 || { cat "$stage/log-$time" >&2; exit 1; }
done

lines=$(grep -cE '\|HUD(Import|Unmix|Train|Sample|Decode|Evaluate)$' "$stage$prefix/share/otb/description/algs.txt")
if [ "$lines" -ne 6 ]; then
  echo "install: algs.txt lists $lines of our applications, expected 6" >&2
  exit 1
fi

cd /
for name in HUDImport HUDUnmix HUDTrain HUDSample HUDDecode HUDEvaluate; do
  for file in "$name.txt" "$name.json"; do
    [ -s "$stage$prefix/share/otb/description/$file" ] || { echo "install: no descriptor $file" >&2; exit 1; }
  done
  # In OTB's own prefix the launcher is the system's and knows nothing of the temporary folder.
  applications=$(dirname "$(find "$stage$prefix" -name "otbapp_$name.so")")
  output=$(env -i PATH=/usr/bin:/bin OTB_APPLICATION_PATH="$applications" "$stage$prefix/bin/otbcli_$name" -help 2>&1 || true)
  if ! grep -q "This is the .*$name.* application" <<<"$output"; then
    printf 'install: otbcli_%s -help says:\n%s\n' "$name" "$output" >&2
    exit 1
  fi
done

# Any other prefix is found without help, and offers OTB's applications as well.
if [ -x "$stage$prefix/bin/otbcli" ]; then
  for name in HUDTrain BandMath; do
    output=$(env -i PATH=/usr/bin:/bin "$stage$prefix/bin/otbcli" "$name" -help 2>&1 || true)
    if ! grep -q "This is the .*$name.* application" <<<"$output"; then
      printf 'install: otbcli %s -help says:\n%s\n' "$name" "$output" >&2
      exit 1
    fi
  done
fi
echo "install: complete under ${prefix}"
