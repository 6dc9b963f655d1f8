// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/ResidualModel.h"
#include "hud/diffusion/DiffusionOptions.h"

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hud
{

/// A condition that a model is trained under, such as an unmixing method or a scene.
struct LabelInfo
{
  std::string m_Name;
  Eigen::MatrixXd m_Endmembers;            ///< of its maps, as SceneInfo::m_Endmembers; empty: those
  std::optional<ResidualModel> m_Residual; ///< of these endmembers' mixtures
};

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
  std::vector<LabelInfo> m_Labels;         ///< what a sample can be asked to be like; empty: the model knows no labels

  /// Returns the number of the label of that name, from 0 on.
  /// @throws InvalidOption that lists the model's labels
  std::size_t FindLabel(const std::string& name) const;

  /// Returns the endmembers of a label's maps, or the model's with an empty name.
  /// @throws InvalidOption as FindLabel
  const Eigen::MatrixXd& EndmembersOf(const std::string& label) const;

  /// Returns what the mixtures of those endmembers leave over; none when not estimated.
  /// @throws InvalidOption as FindLabel
  const std::optional<ResidualModel>& ResidualOf(const std::string& label) const;
};

/// What a model knows of a map that it was trained on.
struct MapInfo
{
  std::string m_Label; ///< empty: none
  Eigen::Index m_Width = 0;
  Eigen::Index m_Height = 0;
  std::vector<double> m_MeanAbundances; ///< of the valid pixels, [d]
};

/// Everything in a model file but the weights.
struct ModelInfo
{
  TrainingOptions m_Options;
  SceneInfo m_Scene;
  std::vector<MapInfo> m_Maps;       ///< trained on last; empty when not known
  std::vector<double> m_ChannelMean; ///< of the projected abundances over the first training scenes, [channels]
  std::vector<double> m_ChannelSd;   ///< likewise, positive
  std::int64_t m_Iteration = 0;      ///< iterations trained
  std::string m_ProgramVersion;
};

/// Returns the description in a model file, without reading its weights.
/// @throws FileError when the file is missing, cut, foreign or of a newer format
ModelInfo ReadModelInfo(const std::string& path);

} // namespace hud
