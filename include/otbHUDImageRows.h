// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDImageType.h"
#include "otbHUDNoData.h"

#include "hud/core/SpectralRows.h"

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace otb
{

/// An image's spectra, or abundances, by rows, which are computed strip by strip; a strip stays until a row beside it is asked for. No-data
/// pixels are those of HUDNoData. Nothing else may read the image meanwhile.
/// The test is test/otb/otbHUDImageRowsTest.cxx.
class HUDImageRows : public hud::SpectralRows
{
public:
  /// @param ram MB for a strip and what is upstream of it; 0: what OTB is configured to use
  /// @param ignored bands that have no say in what is no-data and come as 0, counted from 0
  HUDImageRows(HUDImageType& image, unsigned int ram, const std::vector<Eigen::Index>& ignored = {});

  Eigen::Index Bands() const override;
  Eigen::Index Width() const override;
  Eigen::Index Height() const override;

  /// @throws hud::Error "interrupted" when HUDInterrupt::Requested(), and whatever the pipeline throws
  void Read(Eigen::Index first, Eigen::Ref<Eigen::MatrixXf> spectra, std::uint8_t* valid) const override;

private:
  void ComputeStrip(Eigen::Index row) const;

  HUDImageType::Pointer m_Image;
  HUDImageType::RegionType m_Whole;
  HUDNoData m_NoData;
  std::vector<Eigen::Index> m_Ignored;
  Eigen::Index m_StripLines;
  mutable Eigen::Index m_StripFirst = -1; ///< row; -1: none is computed
};

} // namespace otb
