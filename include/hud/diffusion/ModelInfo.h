// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/ResidualModel.h"
#include "hud/diffusion/DiffusionOptions.h"

#include <Eigen/Core>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hud
{

/// What a model knows of the scenes that it was trained on: enough to decode samples to spectra and to label their bands.
struct SceneInfo
{
  Eigen::MatrixXd m_Endmembers;            ///< A, [bands x d], in the scene's units
  std::vector<double> m_Wavelengths;       ///< nanometre, one per band; empty when unknown
  std::vector<double> m_Widths;            ///< full widths at half maximum, likewise
  std::vector<std::string> m_BandNames;    ///< likewise
  std::string m_Units;                     ///< of the scaled spectra; empty when unknown
  std::vector<double> m_Scales;            ///< value in the unit = scale * value + offset; one per band, empty: 1
  std::vector<double> m_Offsets;           ///< one per band, empty: 0
  std::optional<double> m_NoData;          ///< that the scene declares
  std::optional<ResidualModel> m_Residual; ///< of the endmembers' mixtures in the scenes; none when not estimated
};

/// Everything in a model file but the weights.
struct ModelInfo
{
  TrainingOptions m_Options;
  SceneInfo m_Scene;
  std::vector<double> m_ChannelMean; ///< of the projected abundances over the training scenes, [channels]
  std::vector<double> m_ChannelSd;   ///< likewise, positive
  std::int64_t m_Iteration = 0;      ///< iterations trained
  std::string m_ProgramVersion;
};

/// Returns the description in a model file, without reading its weights.
/// @throws FileError when the file is missing, cut, foreign or of a newer format
ModelInfo ReadModelInfo(const std::string& path);

} // namespace hud
