// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <vector>

namespace hud
{

/// A map grid of square pixels, north up.
struct MapGrid
{
  double m_Left = 0.; ///< easting of the centre of the first pixel, metre
  double m_Top = 0.;  ///< northing of the centre of the first pixel, metre
  double m_Spacing = 30.;
  Eigen::Index m_Width = 0;
  Eigen::Index m_Height = 0;
};

/// Returns the smallest grid that covers all centres, with the pixels' edges at multiples of the spacing.
/// @param eastings, northings [width x height] of the pixels' centres, metre; not finite: unknown
/// @throws InvalidData when none is known
MapGrid CoverWithGrid(const Eigen::MatrixXd& eastings, const Eigen::MatrixXd& northings, double spacing);

/// Returns for each pixel of the grid, row by row, the nearest pixel of an image (x + width y), or -1 beyond the image's edge:
/// where the nearest centre is farther away than 0.52 of the mean diagonal of the image's pixels, or of the grid's if that is
/// longer.
/// @param eastings, northings [width x height] of the centres of the image's pixels, metre; not finite: unknown
std::vector<std::int32_t> NearestPixels(const Eigen::MatrixXd& eastings, const Eigen::MatrixXd& northings,
                                        const MapGrid& grid);

} // namespace hud
