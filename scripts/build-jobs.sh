#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Prints how many compilers may run at once: a translation unit that includes LibTorch takes 1 GB of memory.
set -euo pipefail
jobs=$(nproc)
fit=$(($(awk '/^MemAvailable/ {print $2}' /proc/meminfo) / 1500000))
[ "$fit" -ge 1 ] || fit=1
echo $((fit < jobs ? fit : jobs))
