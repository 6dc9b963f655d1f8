// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/AbundanceMap.h"
#include "hud/core/Random.h"

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hud
{

/// The upper left pixel of a patch.
struct PatchCorner
{
  Eigen::Index m_Column = 0;
  Eigen::Index m_Row = 0;
};

/// Returns the patches without a no-data pixel among those whose corners are at multiples of `stride`, row by row.
/// @param patch edge of a patch in pixels, at least 1
/// @param stride at least 1
std::vector<PatchCorner> FindPatches(const AbundanceMap& map, Eigen::Index patch, Eigen::Index stride);

/// Returns some of the corners, drawn without replacement.
/// @param count at most as many as there are
/// @param draw its number: another one gives other corners
std::vector<PatchCorner> DrawPatches(std::vector<PatchCorner> corners, std::size_t count, const Random& random,
                                     std::uint32_t draw);

/// Returns the abundances of patches, [d x patch * patch * corners]; patch after patch, the pixels of one row by row.
Eigen::MatrixXf CutPatches(const AbundanceMap& map, Eigen::Index patch, const std::vector<PatchCorner>& corners);

/// Returns the numbers, row * width + column, of the pixels of patches, in the order of CutPatches.
/// @param width of the image that they are cut from
std::vector<Eigen::Index> PatchPixels(Eigen::Index width, Eigen::Index patch, const std::vector<PatchCorner>& corners);

/// Returns a rectangle of a map, which must hold it.
AbundanceMap CropMap(const AbundanceMap& map, Eigen::Index column, Eigen::Index row, Eigen::Index width,
                     Eigen::Index height);

} // namespace hud
