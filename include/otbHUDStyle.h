// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDSceneMetadata.h"

#include <filesystem>
#include <string>

namespace otb
{

/// Returns where QGIS looks for the style of an image: beside it, `.qml` instead of its extension.
std::filesystem::path HUDStylePath(const std::filesystem::path& raster);

/// Returns whether HUDWriteStyle wrote a style, and nobody changed it in QGIS since.
bool HUDIsOwnStyle(const std::filesystem::path& style);

/// Writes a style (QML) with which QGIS shows a complete image. Spectra: the bands of HUDShownBands as red, green and blue,
/// each from the 2 % to the 98 % quantile of a sample of its valid pixels, in the scaled unit. Abundances: from 0 to 1. Fewer
/// than three bands: the first, in grey.
/// @param raster that GDAL opens
/// @throws hud::FileError when the image cannot be read or the style not be written
void HUDWriteStyle(const std::string& raster, const HUDSceneMetadata& metadata, const std::filesystem::path& style);

} // namespace otb
