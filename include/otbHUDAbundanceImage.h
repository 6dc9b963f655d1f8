// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDImageType.h"
#include "otbHUDNoData.h"

#include "hud/core/AbundanceMap.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace otb
{

/// Reads an abundance image row by row, from the first to the last, and computes it strip by strip.
class HUDAbundanceReader
{
public:
  /// @param ram MB for a strip and what is upstream of it; 0: what OTB is configured to use
  HUDAbundanceReader(HUDImageType& image, unsigned int ram);

  Eigen::Index Width() const;
  Eigen::Index Height() const;
  Eigen::Index Endmembers() const;

  /// Reads the next row.
  /// @param abundances [d x width]; no-data pixels become 0
  /// @param valid [width], 0 where a pixel is no-data
  void ReadRow(Eigen::Ref<Eigen::MatrixXf> abundances, std::vector<std::uint8_t>& valid);

private:
  void ComputeStrip();

  HUDImageType::Pointer m_Image;
  HUDImageType::RegionType m_Whole;
  HUDNoData m_NoData;
  std::size_t m_StripLines;
  std::size_t m_Row = 0;
};

/// Returns the whole abundance image, with its no-data pixels marked.
/// @param ram as above
hud::AbundanceMap HUDReadAbundances(HUDImageType& image, unsigned int ram);

} // namespace otb
