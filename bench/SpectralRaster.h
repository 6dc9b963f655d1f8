// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/Metrics.h"

#include <string>

namespace hud::bench
{

/// Returns all bands of a raster that GDAL opens, in memory. A band that is no-data in all pixels is 0, as in HUDUnmix.
/// @throws FileError when it cannot be read, InvalidData when a pixel is no-data in another band, or not finite
SpectralImage ReadSpectralRaster(const std::string& path);

} // namespace hud::bench
