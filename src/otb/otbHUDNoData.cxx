// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDNoData.h"

#include "otbNoDataHelper.h"

#include <cmath>
#include <cstdint>
#include <limits>

namespace otb
{

HUDNoData::HUDNoData(const ImageMetadata& metadata, std::size_t bands, HUDZeroPixels zeroPixels)
  : m_Values(bands, std::numeric_limits<float>::quiet_NaN()), m_ZeroPixels(zeroPixels)
{
  std::vector<bool> flags;
  std::vector<double> values;
  if (!ReadNoDataFlags(metadata, flags, values))
  {
    return;
  }
  const bool sameForAll = metadata.Bands.empty();
  for (std::size_t band = 0; band < bands; ++band)
  {
    const std::size_t entry = sameForAll ? 0 : band;
    if (entry < flags.size() && flags[entry])
    {
      m_Values[band] = static_cast<float>(values[entry]);
    }
  }
}

bool HUDNoData::IsValid(const float* spectrum) const
{
  // Every pixel comes here at each pass: integers and no early exit let the compiler vectorise.
  const float* const noData = m_Values.data();
  const std::size_t bands = m_Values.size();
  std::uint32_t invalid = 0;
  std::uint32_t nonZero = 0;
  for (std::size_t band = 0; band < bands; ++band)
  {
    const float value = spectrum[band];
    invalid |= std::abs(value) <= std::numeric_limits<float>::max() ? 0u : 1u;
    invalid |= value == noData[band] ? 1u : 0u;
    nonZero |= value != 0.f ? 1u : 0u;
  }
  return invalid == 0u && (nonZero != 0u || m_ZeroPixels == HUDZeroPixels::AreValid);
}

void HUDResetBandMetadata(ImageMetadata& metadata, std::size_t bands)
{
  metadata.Bands.assign(bands, ImageMetadataBase());
  for (const MDNum key :
       {MDNum::NoData, MDNum::RedDisplayChannel, MDNum::GreenDisplayChannel, MDNum::BlueDisplayChannel})
  {
    metadata.Remove(key);
  }
  WriteNoDataFlags(std::vector<bool>(bands, true), std::vector<double>(bands, kHUDNoDataValue), metadata);
}

} // namespace otb
