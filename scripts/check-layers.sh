#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Checks that includes point only to lower layers, and that every source and header stands in a CMake list.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0

# refuse WHAT PATTERN FILES...: no include of FILES may match PATTERN (on what stands between the delimiters).
refuse()
{
  local what=$1 pattern=$2 found
  shift 2
  [ $# -gt 0 ] || return 0
  found=$(grep -nHE '^[[:space:]]*#[[:space:]]*include' "$@" | grep -E "[<\"]($pattern)" || true)
  if [ -n "$found" ]; then
    printf 'layers: %s\n%s\n' "$what" "$found" >&2
    failed=1
  fi
}

# allow WHAT PATTERN FILES...: every include of FILES must match PATTERN or be of the standard library.
allow()
{
  local what=$1 pattern=$2 found
  shift 2
  [ $# -gt 0 ] || return 0
  found=$(grep -nHE '^[[:space:]]*#[[:space:]]*include' "$@" | grep -vE "[<\"]($pattern)|<[a-z0-9_]+>" || true)
  if [ -n "$found" ]; then
    printf 'layers: %s\n%s\n' "$what" "$found" >&2
    failed=1
  fi
}

# files FOLDERS...: the sources and headers below those folders that exist.
files()
{
  local folder
  for folder in "$@"; do
    [ ! -d "$folder" ] || find "$folder" -name '*.h' -o -name '*.cxx'
  done | sort
}

mapfile -t coreHeaders < <(files include/hud/core)
mapfile -t core < <(files src/core)
mapfile -t diffusionHeaders < <(files include/hud/diffusion)
mapfile -t diffusion < <(files src/diffusion)
mapfile -t otb < <(find include -maxdepth 1 -name '*.h'; files src/otb)
mapfile -t app < <(files app)
mapfile -t noTorch < <(files include src/core src/otb app test/core test/otb test/app)

allow "hud_core's headers may include the standard library, Eigen and hud/core only" 'Eigen/|hud/core/' "${coreHeaders[@]}"
allow "hud_core may include the standard library, unistd.h, Eigen, Random123, cblas.h and hud/core only" \
  '(unsupported/)?Eigen/|Random123/|cblas\.h|unistd\.h|(Blas|FclsFit|Lanes|Parts|SpectraProduct|VcaDirection)\.h|hud/core/' "${core[@]}"
allow "hud_diffusion's headers may include the standard library, Eigen, hud/core and hud/diffusion only" \
  'Eigen/|hud/(core|diffusion)/' "${diffusionHeaders[@]}"
refuse "hud_diffusion may not include OTB, ITK or GDAL" 'otb|itk|vnl|gdal|ogr|cpl_' "${diffusion[@]}"
refuse "the OTB layer may not include hud/diffusion" 'hud/diffusion/' "${otb[@]}"
refuse "LibTorch belongs into src/diffusion and test/diffusion" 'torch/|ATen/|c10/|caffe2/' "${noTorch[@]}"
refuse "an application takes GDAL and Eigen through the layers below" 'gdal|ogr|cpl_|Eigen/|nlohmann/' "${app[@]}"

# listed LIST PREFIX FILES...: each file, less PREFIX, is a line of LIST.
listed()
{
  local list=$1 prefix=$2 file
  shift 2
  for file in "$@"; do
    if ! grep -qE "(^|[[:space:]])${file#"$prefix"}([[:space:])]|$)" "$list"; then
      echo "layers: $file is missing in $list" >&2
      failed=1
    fi
  done
}

listed src/core/CMakeLists.txt src/core/ $(find src/core -name '*.cxx')
listed src/core/CMakeLists.txt include/ "${coreHeaders[@]}"
listed src/diffusion/CMakeLists.txt src/diffusion/ $(find src/diffusion -name '*.cxx')
listed src/diffusion/CMakeLists.txt include/ "${diffusionHeaders[@]}"
listed src/CMakeLists.txt src/ $(find src/otb -name '*.cxx')
listed src/CMakeLists.txt include/ $(find include -maxdepth 1 -name '*.h')
listed test/core/CMakeLists.txt test/core/ $(find test/core -name '*.cxx')
listed test/diffusion/CMakeLists.txt test/diffusion/ $(find test/diffusion -name '*.cxx')
listed test/CMakeLists.txt test/ $(find test/otb test/app -name '*.cxx')

exit "$failed"
