#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Installs the Debian packages that the project needs and the system lacks; with --tests those of the checks too.
set -euo pipefail

packages=(
  cmake
  g++
  gdal-bin
  libblas-dev
  libboost-filesystem-dev
  libboost-serialization-dev
  libeigen3-dev
  libfftw3-dev
  libgdal-dev
  libgtest-dev
  libjs-chart.js
  libmatio-dev
  libopenblas0-pthread
  libopencv-dev
  libotb-dev
  librandom123-dev
  libtinyxml-dev
  libtorch-dev
  ninja-build
  nlohmann-json3-dev
  otb-bin
  otb-qgis
  zlib1g-dev
)
if [ "${1:-}" = --tests ]; then
  packages+=(
    chromium
    clang-format
    clang-tidy
    fonts-liberation
    git
    procps
    python3-h5py
    python3-numpy
    python3-scipy
    qgis
  )
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
  echo "Installing ${missing[*]}"
  sudo=
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  $sudo apt-get update
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
fi
