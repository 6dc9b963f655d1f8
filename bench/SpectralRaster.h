// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/Metrics.h"

#include <string>

namespace hud::bench
{

/// Returns all bands of a raster that GDAL opens, in memory.
/// @throws FileError when it cannot be read, InvalidData when a pixel is no-data or not finite
SpectralImage ReadSpectralRaster(const std::string& path);

} // namespace hud::bench
