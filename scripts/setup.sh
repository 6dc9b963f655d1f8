#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Installs the Debian packages that are missing, then configures, builds and installs the module.
#   setup.sh [arguments for cmake]
# HUD_PREFIX is the folder to install to, build/install unless set.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
build=$here/build
prefix=${HUD_PREFIX:-$build/install}

"$here/scripts/install-packages.sh"

cmake -S "$here" -B "$build" -G Ninja -DCMAKE_INSTALL_PREFIX="$prefix" -DBUILD_TESTING=OFF "$@"
cmake --build "$build" --parallel "$("$here/scripts/build-jobs.sh")"
cmake --install "$build" >"$build/install.log"
echo "HUD is installed in $prefix; run for example: $prefix/bin/otbcli_HUDUnmix -help"
