// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/AbundanceMap.h"

#include <Eigen/Core>

#include <array>
#include <string>
#include <vector>

namespace otb
{

/// Returns the bands, counted from 0, that are shown as red, green and blue: those nearest to 660, 550 and 450 nm, or, when
/// the wavelengths are unknown or do not span these, those at 5/6, 1/2 and 1/6 of the bands.
/// @param wavelengths nanometre, one for each band; empty: unknown
/// @param bands at least 1
std::array<Eigen::Index, 3> HUDDisplayBands(const std::vector<double>& wavelengths, Eigen::Index bands);

/// Abundance maps as pseudo-colour pictures: the spectra of three bands, each from 0 to its 98 % quantile in the scenes, so
/// that pictures compare, with gamma 0.7.
class HUDPreview
{
public:
  /// @param endmembers A, [bands x d]
  /// @param wavelengths as in HUDDisplayBands
  /// @param scenes abundances whose valid pixels set the stretch, [d x pixels] each
  HUDPreview(const Eigen::MatrixXd& endmembers, const std::vector<double>& wavelengths,
             const std::vector<hud::AbundanceMap>& scenes);

  /// Writes a PNG file, whole or not at all, and nothing beside it.
  /// @param map of d endmembers, all pixels valid
  /// @throws hud::FileError
  void Write(const hud::AbundanceMap& map, const std::string& path) const;

private:
  Eigen::MatrixXf m_Endmembers; ///< of red, green and blue, over the value shown as white, [3 x d]
};

} // namespace otb
