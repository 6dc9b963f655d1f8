// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <vector>

namespace hud
{

/// An image of abundances.
struct AbundanceMap
{
  Eigen::Index m_Width = 0;
  Eigen::Index m_Height = 0;
  Eigen::MatrixXf m_Abundances;      ///< X, [d x width * height], pixels row by row
  std::vector<std::uint8_t> m_Valid; ///< 0 where a pixel is no-data; empty when all are valid
};

/// Sets what is below 0 to 0, and scales each valid pixel to sum one.
/// @param tolerance by which sums may differ from 1, and values be below 0
/// @param firstRow of the image that the map is a part of, for the message
/// @throws InvalidData that names the first pixel beyond it
void NormaliseAbundances(AbundanceMap& map, double tolerance, Eigen::Index firstRow = 0);

} // namespace hud
