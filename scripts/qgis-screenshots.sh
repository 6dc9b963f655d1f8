#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Takes the pictures of doc/qgis.md in a real QGIS on a virtual display (Debian: qgis, xvfb, pngquant).
#   qgis-screenshots.sh [SYNTHETIC_SCENE]
# The scene is that of scripts/demo.sh, in build/demo, unless given. HUD_PREFIX is where HUD is installed, build/install
# unless set.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
scene=$(realpath "${1:-$here/build/demo/scene.tif}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export QGIS_CUSTOM_CONFIG_PATH=$work/qgis XDG_RUNTIME_DIR=$work LC_ALL=C.UTF-8
"$here/scripts/install-qgis.sh" --prefix "${HUD_PREFIX:-$here/build/install}" >"$work/log" || { cat "$work/log" >&2; exit 1; }
# No welcome, no news, no tips.
/usr/bin/python3 "$here/scripts/qgis-settings.py" set "$QGIS_CUSTOM_CONFIG_PATH/profiles/default/QGIS/QGIS3.ini" \
  qgis/checkVersion=false qgis/showTips=false core/NewsFeed/disabled=true app/pluginNotified=true >"$work/log"

# QGIS writes statistics beside the images that it opens.
cp "$here/data/jasper_ridge.tif" "$work/jasper_ridge.tif"
cp "$scene" "$work/synthetic.tif"
cp "${scene%.tif}.qml" "$work/synthetic.qml"
export HUD_SHOTS=$work
timeout 300 xvfb-run -a -s "-screen 0 1400x900x24" \
  qgis --nologo --noversioncheck --profiles-path "$QGIS_CUSTOM_CONFIG_PATH" --code "$here/scripts/qgis-screenshots.py" >"$work/log" 2>&1 || true

mkdir -p "$here/doc/qgis"
for name in toolbox train scene; do
  [ -s "$work/$name.png" ] || { tail -n 20 "$work/log" >&2; echo "qgis-screenshots: no picture $name" >&2; exit 1; }
  pngquant --force --output "$here/doc/qgis/$name.png" 64 "$work/$name.png"
done
ls -l "$here/doc/qgis"
