// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbImageMetadata.h"

#include <cstddef>
#include <vector>

namespace otb
{

/// What every band of a no-data pixel holds in an image that HUD writes, and what its metadata declares as no-data.
constexpr float kHUDNoDataValue = -9999.f;

/// Whether a pixel with all bands 0 counts as no-data.
enum class HUDZeroPixels
{
  AreNoData, ///< spectra and abundances: no light, no mixture
  AreValid   ///< projected abundances: 0 is a coordinate like any other
};

/// The one rule for what is a no-data pixel: any band is not finite, or any band equals that band's no-data value in the
/// metadata, or all bands are 0. Thread-safe.
class HUDNoData
{
public:
  /// @param metadata of the image; values of an image without band metadata hold for every band
  /// @param bands of the image
  HUDNoData(const ImageMetadata& metadata, std::size_t bands, HUDZeroPixels zeroPixels = HUDZeroPixels::AreNoData);

  /// Returns true for a pixel with data.
  /// @param spectrum [bands]
  bool IsValid(const float* spectrum) const;

private:
  std::vector<float> m_Values; ///< NaN, which equals nothing, in a band without a no-data value
  HUDZeroPixels m_ZeroPixels;
};

/// Makes the metadata those of an image of that many bands in which `kHUDNoDataValue` is no-data. What the bands' metadata
/// said before is dropped, and so is what the image's said about single bands.
void HUDResetBandMetadata(ImageMetadata& metadata, std::size_t bands);

} // namespace otb
