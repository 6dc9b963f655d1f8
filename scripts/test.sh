#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Builds everything with warnings as errors, runs the checks and all tests. Fails if any part fails.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"

scripts/install-packages.sh --tests
scripts/setup.sh -DBUILD_TESTING=ON -DHUD_WARNINGS_AS_ERRORS=ON

# Tests run beside each other: threads that wait must leave the cores to those that work.
export OMP_WAIT_POLICY=passive

failed=()
scripts/check-style.sh || failed+=(check-style.sh)

# The two layers below OTB by themselves, with their tests, which run below: here they only have to load.
core()
{
  cmake -S . -B build/core -G Ninja -DHUD_CORE_ONLY=ON -DHUD_WARNINGS_AS_ERRORS=ON &&
    cmake --build build/core --parallel "$(scripts/build-jobs.sh)" &&
    ctest --test-dir build/core --show-only >/dev/null
}
core || failed+=("the build without OTB")

status=0
ctest --test-dir build --output-on-failure --no-tests=error --parallel "$(nproc)" || status=$?
if [ "${#failed[@]}" -gt 0 ]; then
  printf 'failed before ctest: %s\n' "${failed[@]}" >&2
  exit 1
fi
exit "$status"
