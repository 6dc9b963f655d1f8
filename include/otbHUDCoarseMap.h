// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDImageRows.h"
#include "otbHUDImageType.h"

#include <Eigen/Core>

#include <cstdint>
#include <string>
#include <vector>

namespace otb
{

/// The large structure of a scene that is to be made, by rows: an image of abundances, or of one band with the numbers of the
/// endmembers, from 1 on, of which a pixel is all. Pixels without data, and of the number 0, are free.
/// The test is test/otb/otbHUDCoarseMapTest.cxx.
class HUDCoarseMap
{
public:
  /// @param name of the map in messages
  /// @param endmembers d
  /// @param ram MB for a strip and what is upstream of it; 0: what OTB is configured to use
  /// @throws hud::InvalidData when it has neither d bands nor one
  HUDCoarseMap(HUDImageType& image, std::string name, Eigen::Index endmembers, unsigned int ram);

  Eigen::Index Width() const;
  Eigen::Index Height() const;

  /// Writes a row.
  /// @param abundances [d x width], on the simplex where a pixel is not free
  /// @param valid [width], 0 where a pixel is free
  /// @throws hud::InvalidData when a sum differs from 1 by more than 0.01, or a number is none of an endmember; and as
  /// HUDImageRows::Read
  void Read(Eigen::Index row, Eigen::Ref<Eigen::MatrixXf> abundances, std::vector<std::uint8_t>& valid) const;

private:
  HUDImageRows m_Rows;
  std::string m_Name;
  Eigen::Index m_Endmembers;
};

} // namespace otb
