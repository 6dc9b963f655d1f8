// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDNoData.h"

#include "hud/core/SceneStatistics.h"
#include "hud/core/UnmixingSummary.h"

#include <Eigen/Core>

#include <cstddef>
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
  std::string m_Scene; ///< file
  std::string m_Encoder;
  Eigen::Index m_Bands = 0;
  hud::UnmixingSummary m_Summary;                   ///< of at least one pixel
  std::optional<hud::SceneStatistics> m_Statistics; ///< of the same pixels; without them the limits are left out
  HUDNoDataCounts m_NoDataPixels;
  std::size_t m_MaskedPixels = 0;         ///< not among the no-data pixels
  std::vector<Eigen::Index> m_EmptyBands; ///< counted from 0

  /// Returns the report for a log.
  std::vector<std::string> Lines() const;

  /// Writes the report as JSON.
  /// @throws hud::FileError
  void Write(const std::string& path) const;
};

} // namespace otb
