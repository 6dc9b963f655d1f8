// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDPicture.h"
#include "otbHUDSceneMetadata.h"

#include "hud/core/AbundanceMap.h"

#include <Eigen/Core>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace otb
{

/// Returns the bands, counted from 0, that are shown as red, green and blue: those nearest to 660, 550 and 450 nm, or, when
/// the wavelengths are unknown or do not span these, those at 5/6, 1/2 and 1/6 of the bands.
/// @param wavelengths nanometre, one for each band; empty: unknown
/// @param bands at least 1
std::array<Eigen::Index, 3> HUDDisplayBands(const std::vector<double>& wavelengths, Eigen::Index bands);

/// Returns the bands, counted from 0, that show an image: those of HUDDisplayBands, or the first three of abundances.
/// @param bands at least 3
std::array<std::size_t, 3> HUDShownBands(const HUDSceneMetadata& metadata, std::size_t bands);

/// Returns the value that a share of the values does not exceed.
/// @param values at least one; their order changes
/// @param share 0 to 1
float HUDQuantile(std::vector<float>& values, double share);

/// Returns how bright a value is shown, with gamma 0.7.
/// @param value over the one that is white; beyond 0 and 1 is cut
std::uint8_t HUDDisplayByte(float value);

/// Abundance maps as pseudo-colour pictures: the spectra of three bands, each from 0 to its 98 % quantile in the scenes, so
/// that pictures compare.
class HUDPreview
{
public:
  /// @param endmembers A, [bands x d]
  /// @param wavelengths as in HUDDisplayBands
  /// @param scenes abundances whose valid pixels set the stretch, [d x pixels] each
  HUDPreview(const Eigen::MatrixXd& endmembers, const std::vector<double>& wavelengths,
             const std::vector<hud::AbundanceMap>& scenes);

  /// @param map of d endmembers, all pixels valid
  HUDPicture Draw(const hud::AbundanceMap& map) const;

private:
  Eigen::MatrixXf m_Endmembers; ///< of red, green and blue, over the value shown as white, [3 x d]
};

} // namespace otb
