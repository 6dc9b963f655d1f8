// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDFileCacheLimit.h"

#include <gdal.h>

#include <algorithm>

namespace otb
{

HUDFileCacheLimit::HUDFileCacheLimit(std::size_t bytes) : m_Before(GDALGetCacheMax64())
{
  constexpr std::int64_t kLeast = std::int64_t{16} << 20;
  GDALSetCacheMax64(std::min(m_Before, std::max(kLeast, static_cast<std::int64_t>(bytes))));
}

HUDFileCacheLimit::~HUDFileCacheLimit()
{
  GDALSetCacheMax64(m_Before);
}

} // namespace otb
