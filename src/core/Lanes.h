// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <cstddef> // defines __GLIBC__ where it applies

/// Compiles a function once for any processor and once more for those with AVX and fused multiply-add; the loader picks one.
/// That holds for the function's own body: what it calls must be inlined. Not under the sanitizers of gcc, which are not
/// ready yet when the loader asks.
#if defined(__GNUC__) && defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) &&                \
    !defined(__SANITIZE_THREAD__)
#define HUD_DISPATCHED __attribute__((target_clones("fma", "default")))
#else
#define HUD_DISPATCHED
#endif

namespace hud
{

/// Four doubles that are computed at once where the processor can (an extension of gcc and clang). Arrays of double are read
/// and written through it.
using Lanes = double __attribute__((vector_size(32), aligned(8), may_alias));

constexpr std::ptrdiff_t kLanes = 4;

/// How many Lanes hold that many values.
constexpr std::ptrdiff_t LanesFor(std::ptrdiff_t values)
{
  return (values + kLanes - 1) / kLanes;
}

} // namespace hud
