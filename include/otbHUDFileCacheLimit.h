// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <cstddef>
#include <cstdint>

namespace otb
{

/// Keeps GDAL's cache of file blocks small while it lives. It is a twentieth of the computer's memory otherwise, which is more
/// than `ram` asks for where scenes are read several times.
class HUDFileCacheLimit
{
public:
  /// @param bytes at most, but at least 16 MB are left, so that a line of tiles fits
  explicit HUDFileCacheLimit(std::size_t bytes);
  ~HUDFileCacheLimit();

  HUDFileCacheLimit(const HUDFileCacheLimit&) = delete;
  HUDFileCacheLimit& operator=(const HUDFileCacheLimit&) = delete;

private:
  std::int64_t m_Before;
};

} // namespace otb
