// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbImageMetadata.h"

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <string>
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

/// Returns what HUDMaskScene writes into the pixels that a mask leaves out: a NaN that neither computations nor files give, so that they can
/// be told from others that are not finite.
float HUDMaskedValue();

/// What a pixel is by HUDNoData.
enum class HUDPixelState
{
  Valid,
  Masked,      ///< left out by a mask: the first band is HUDMaskedValue()
  NotFinite,   ///< some band is NaN or infinite
  NoDataValue, ///< some band holds its no-data value, and all are finite
  Zero         ///< all bands are 0
};

/// Numbers of no-data pixels by their reason.
struct HUDNoDataCounts
{
  std::size_t m_Masked = 0;
  std::size_t m_NotFinite = 0;
  std::size_t m_NoDataValue = 0;
  std::size_t m_Zero = 0;

  /// Counts a pixel; a valid one counts for nothing.
  void Add(HUDPixelState state);

  HUDNoDataCounts& operator+=(const HUDNoDataCounts& other);

  std::size_t Total() const;

  /// Returns "7 with the no-data value, 2 not finite": the reasons that apply.
  std::string Describe() const;
};

/// The one rule for what is a no-data pixel: any band is not finite, or any band equals that band's no-data value in the
/// metadata, or all bands are 0. Thread-safe.
class HUDNoData
{
public:
  /// @param metadata of the image; values of an image without band metadata hold for every band
  /// @param bands of the image
  /// @param ignored bands that have no say, counted from 0
  HUDNoData(const ImageMetadata& metadata, std::size_t bands, HUDZeroPixels zeroPixels = HUDZeroPixels::AreNoData,
            const std::vector<Eigen::Index>& ignored = {});

  /// Returns true for a pixel with data: as Classify, but fast.
  /// @param spectrum [bands]
  bool IsValid(const float* spectrum) const;

  /// Returns what a pixel is.
  /// @param spectrum [bands]
  HUDPixelState Classify(const float* spectrum) const;

  /// Returns true when a band of a pixel holds data, whatever the other bands hold.
  bool IsValid(std::size_t band, float value) const;

private:
  std::vector<float> m_Values;       ///< NaN, which equals nothing, in a band without a no-data value
  std::vector<std::uint32_t> m_Used; ///< 0 in an ignored band, else 1
  HUDZeroPixels m_ZeroPixels;
};

/// Makes the metadata those of an image of that many bands in which `kHUDNoDataValue` is no-data. What the bands' metadata
/// said before is dropped, and so is what the image's said about single bands.
void HUDResetBandMetadata(ImageMetadata& metadata, std::size_t bands);

} // namespace otb
