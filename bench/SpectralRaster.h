// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/AbundanceMap.h"
#include "hud/core/SpectralRows.h"

#include <string>

namespace hud::bench
{

/// Returns all bands of a raster that GDAL opens, in memory. A band that is no-data in all pixels is 0, as in HUDUnmix.
/// @throws FileError when it cannot be read, InvalidData when a pixel is no-data in another band, or not finite
SpectralImage ReadSpectralRaster(const std::string& path);

/// Returns a raster of abundances that GDAL opens, in memory. As in HUDTrain, a pixel is no-data when a band is not finite or
/// holds its no-data value, or when all bands are 0.
/// @throws FileError when it cannot be read
AbundanceMap ReadAbundanceRaster(const std::string& path);

} // namespace hud::bench
