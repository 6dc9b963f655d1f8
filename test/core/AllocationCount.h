// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <cstddef>

// Only where the program may replace malloc.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HUD_COUNTS_ALLOCATIONS

namespace hud::test
{

/// Returns how often the program has called malloc so far, as operator new and Eigen do.
std::size_t Allocations();

} // namespace hud::test

#endif
