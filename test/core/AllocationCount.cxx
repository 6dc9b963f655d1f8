// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "AllocationCount.h"

#ifdef HUD_COUNTS_ALLOCATIONS

#include <atomic>
#include <cstdlib>

namespace
{

std::atomic<std::size_t> allocations{0};

} // namespace

std::size_t hud::test::Allocations()
{
  return allocations;
}

extern "C" void* __libc_malloc(std::size_t size) noexcept;

extern "C" void* malloc(std::size_t size) noexcept
{
  ++allocations;
  return __libc_malloc(size);
}

#endif
