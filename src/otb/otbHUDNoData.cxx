// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDNoData.h"

#include "otbNoDataHelper.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace otb
{

namespace
{

constexpr std::uint32_t kMaskedBits = 0x7fc04855;

bool IsMasked(float value)
{
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits == kMaskedBits;
}

} // namespace

float HUDMaskedValue()
{
  float value = 0.f;
  std::memcpy(&value, &kMaskedBits, sizeof(value));
  return value;
}

void HUDNoDataCounts::Add(HUDPixelState state)
{
  switch (state)
  {
  case HUDPixelState::Masked:
    ++m_Masked;
    break;
  case HUDPixelState::NotFinite:
    ++m_NotFinite;
    break;
  case HUDPixelState::NoDataValue:
    ++m_NoDataValue;
    break;
  case HUDPixelState::Zero:
    ++m_Zero;
    break;
  case HUDPixelState::Valid:
    break;
  }
}

HUDNoDataCounts& HUDNoDataCounts::operator+=(const HUDNoDataCounts& other)
{
  m_Masked += other.m_Masked;
  m_NotFinite += other.m_NotFinite;
  m_NoDataValue += other.m_NoDataValue;
  m_Zero += other.m_Zero;
  return *this;
}

std::size_t HUDNoDataCounts::Total() const
{
  return m_Masked + m_NotFinite + m_NoDataValue + m_Zero;
}

std::string HUDNoDataCounts::Describe() const
{
  std::string text;
  for (const auto& [count, reason] :
       {std::pair(m_Masked, " left out by the mask"), std::pair(m_NoDataValue, " with the no-data value"),
        std::pair(m_NotFinite, " not finite"), std::pair(m_Zero, " with all bands 0")})
  {
    if (count > 0)
    {
      text += (text.empty() ? "" : ", ") + std::to_string(count) + reason;
    }
  }
  return text;
}

HUDNoData::HUDNoData(const ImageMetadata& metadata, std::size_t bands, HUDZeroPixels zeroPixels,
                     const std::vector<Eigen::Index>& ignored)
  : m_Values(bands, std::numeric_limits<float>::quiet_NaN()), m_Used(bands, 1u), m_ZeroPixels(zeroPixels)
{
  for (const Eigen::Index band : ignored)
  {
    m_Used.at(static_cast<std::size_t>(band)) = 0u;
  }
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
  const std::uint32_t* const used = m_Used.data();
  const std::size_t bands = m_Values.size();
  std::uint32_t invalid = 0;
  std::uint32_t nonZero = 0;
  for (std::size_t band = 0; band < bands; ++band)
  {
    const float value = spectrum[band];
    const std::uint32_t finite = std::abs(value) <= std::numeric_limits<float>::max() ? 1u : 0u;
    const std::uint32_t declared = value == noData[band] ? 1u : 0u;
    invalid |= ((finite ^ 1u) | declared) & used[band];
    nonZero |= (value != 0.f ? 1u : 0u) & used[band];
  }
  return invalid == 0u && (nonZero != 0u || m_ZeroPixels == HUDZeroPixels::AreValid);
}

HUDPixelState HUDNoData::Classify(const float* spectrum) const
{
  if (IsValid(spectrum))
  {
    return HUDPixelState::Valid;
  }
  if (IsMasked(spectrum[0]))
  {
    return HUDPixelState::Masked;
  }
  HUDPixelState state = HUDPixelState::Zero;
  for (std::size_t band = 0; band < m_Values.size(); ++band)
  {
    if (m_Used[band] != 0u && !std::isfinite(spectrum[band]))
    {
      return HUDPixelState::NotFinite;
    }
    if (!IsValid(band, spectrum[band]))
    {
      state = HUDPixelState::NoDataValue;
    }
  }
  return state;
}

bool HUDNoData::IsValid(std::size_t band, float value) const
{
  return m_Used[band] == 0u || (std::isfinite(value) && value != m_Values[band]);
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
