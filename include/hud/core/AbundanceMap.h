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

} // namespace hud
