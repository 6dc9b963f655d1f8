// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDNoData.h"

#include "hud/core/SceneStatistics.h"
#include "hud/core/UnmixingSummary.h"

#include <Eigen/Core>

#include <optional>
#include <string>
#include <vector>

namespace otb
{

/// What a user wants to know of an unmixing before a model is trained on it: the error of a mixture bounds that of any
/// model. Written as JSON by the schema in doc/unmixing-report.md.
class HUDUnmixingReport
{
public:
  std::string m_Scene;   ///< file
  std::string m_Method;  ///< as hud::ParseUnmixingMethod reads it; empty when endmembers were given
  std::string m_Encoder; ///< as hud::ParseEncoderKind reads it
  Eigen::Index m_Bands = 0;
  hud::UnmixingSummary m_Summary; ///< of at least one pixel
  HUDNoDataCounts m_NoDataPixels;
  std::vector<Eigen::Index> m_EmptyBands; ///< counted from 0

  /// Sets the rank limits; without them they are left out of the report.
  /// @param statistics of the same pixels
  /// @param endmembers their number
  void SetLimits(const hud::SceneStatistics& statistics, Eigen::Index endmembers);

  /// Returns the report for a log.
  std::vector<std::string> Lines() const;

  /// Writes the report as JSON.
  /// @throws hud::FileError
  void Write(const std::string& path) const;

private:
  /// Returns the limit that holds for the encoder: affine where sums are one.
  const std::optional<double>& Limit() const;

  std::optional<double> m_AffineLimit; ///< what the best plane leaves
  std::optional<double> m_LinearLimit; ///< what the best subspace leaves
};

} // namespace otb
