#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Checks the format of all sources, then runs clang-tidy over them; any finding is an error.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
build=$here/build/tidy

# What git tracks, and what it will: new files that are not ignored.
mapfile -t sources < <(git ls-files --cached --others --exclude-standard '*.h' '*.cxx' | while read -r file; do
  [ ! -e "$file" ] || echo "$file"
done)
clang-format --dry-run -Werror "${sources[@]}"

# clang cannot read a precompiled header of gcc.
mkdir -p "$build"
cmake -S . -B "$build" -G Ninja -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON \
  -DBUILD_TESTING=ON -DHUD_BUILD_BENCH=ON >"$build/cmake.log" 2>&1 || { cat "$build/cmake.log" >&2; exit 1; }

printf '%s\n' "${sources[@]}" | grep '\.cxx$' | xargs -P "$(nproc)" -n 1 clang-tidy --quiet -p "$build"
echo "style: ${#sources[@]} files"
