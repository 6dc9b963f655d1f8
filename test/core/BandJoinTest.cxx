// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/BandJoin.h"

#include "core/ErrorMessage.h"

#include <gtest/gtest.h>

namespace
{

using hud::BandJoin;
using hud::JoinBands;
using hud::ParseWavelengthRanges;
using hud::SpectrometerBand;
using hud::test::MessageOf;
using hud::test::Says;

// Overlap from 943 to 977 nm, stored with falling wavelengths.
const std::vector<SpectrometerBand> kVnir = {
    {977., 11., 3, false}, {966., 11., 4, false}, {943., 12., 5, false}, {932., 12., 6, false}};
const std::vector<SpectrometerBand> kSwir = {
    {1400., 10., 0, true}, {1100., 10., 1, true}, {977., 9., 2, true}, {953., 9., 3, true}, {943., 9., 4, true}};

std::vector<double> Wavelengths(const std::vector<SpectrometerBand>& bands)
{
  std::vector<double> wavelengths;
  for (const SpectrometerBand& band : bands)
  {
    wavelengths.push_back(band.m_Wavelength);
  }
  return wavelengths;
}

TEST(JoinBands, SwirDropsVnirBandsFromItsFirstWavelengthOn)
{
  const auto bands = JoinBands(kVnir, kSwir, BandJoin::Swir, {});
  EXPECT_EQ(Wavelengths(bands), (std::vector<double>{932., 943., 953., 977., 1100., 1400.}));
  EXPECT_FALSE(bands[0].m_Swir);
  EXPECT_EQ(bands[0].m_Slot, 6);
  EXPECT_TRUE(bands[1].m_Swir);
  EXPECT_EQ(bands[1].m_Slot, 4);
  EXPECT_EQ(bands[1].m_Width, 9.);
}

TEST(JoinBands, VnirDropsSwirBandsUpToItsLastWavelength)
{
  EXPECT_EQ(Wavelengths(JoinBands(kVnir, kSwir, BandJoin::Vnir, {})),
            (std::vector<double>{932., 943., 966., 977., 1100., 1400.}));
}

TEST(JoinBands, SortedKeepsAllByWavelength)
{
  const auto bands = JoinBands(kVnir, kSwir, BandJoin::Sorted, {});
  EXPECT_EQ(Wavelengths(bands), (std::vector<double>{932., 943., 943., 953., 966., 977., 977., 1100., 1400.}));
  EXPECT_FALSE(bands[1].m_Swir);
  EXPECT_TRUE(bands[2].m_Swir);
}

TEST(JoinBands, OneSpectrometerAloneKeepsItsBands)
{
  EXPECT_EQ(Wavelengths(JoinBands(kVnir, {}, BandJoin::Swir, {})), (std::vector<double>{932., 943., 966., 977.}));
  EXPECT_EQ(JoinBands({}, kSwir, BandJoin::Vnir, {}).size(), 5u);
}

TEST(JoinBands, ExcludesRangesWithTheirEndsAfterJoining)
{
  EXPECT_EQ(Wavelengths(JoinBands(kVnir, kSwir, BandJoin::Swir, ParseWavelengthRanges("943-977 1400-1400"))),
            (std::vector<double>{932., 1100.}));
  const std::string message = MessageOf<hud::InvalidOption>([] {
    JoinBands(kVnir, kSwir, BandJoin::Swir, {{1., 5000.}});
  });
  EXPECT_TRUE(Says(message, "all 6 bands are excluded")) << message;
}

TEST(ParseWavelengthRanges, TakesBlanksCommasAndNothing)
{
  EXPECT_TRUE(ParseWavelengthRanges("").empty());
  EXPECT_TRUE(ParseWavelengthRanges("  ").empty());
  const auto ranges = ParseWavelengthRanges("1350-1450.5, 1800-1950;2400-2400");
  ASSERT_EQ(ranges.size(), 3u);
  EXPECT_EQ(ranges[0].m_First, 1350.);
  EXPECT_EQ(ranges[0].m_Last, 1450.5);
  EXPECT_EQ(ranges[2].m_First, 2400.);
  EXPECT_EQ(ranges[2].m_Last, 2400.);
}

TEST(ParseWavelengthRanges, QuotesWhatIsNoRange)
{
  for (const char* text :
       {"-5-10", "1450-1350", "a-b", "1350-", "-", "1350--1450", "0-10", "1.2.3-5", "1350–1450", "1e3-2e3", "1350"})
  {
    const std::string message = MessageOf<hud::InvalidOption>([text] { ParseWavelengthRanges(text); });
    EXPECT_TRUE(Says(message, "'" + std::string(text) + "'")) << text << ": " << message;
    EXPECT_TRUE(Says(message, "1350-1450 1800-1950")) << message;
  }
}

TEST(CheckMonotonic, TakesBothDirectionsAndNamesTheBandsOtherwise)
{
  EXPECT_NO_THROW(hud::CheckMonotonic({kVnir.rbegin(), kVnir.rend()}, "x"));
  EXPECT_NO_THROW(hud::CheckMonotonic(kSwir, "x"));
  std::vector<SpectrometerBand> bands = kSwir;
  bands[3].m_Wavelength = 977.;
  const std::string message = MessageOf<hud::InvalidData>([&] { hud::CheckMonotonic(bands, "List_Cw_Swir"); });
  EXPECT_TRUE(Says(message, "List_Cw_Swir")) << message;
  EXPECT_TRUE(Says(message, "977 nm in band 3")) << message;
}

} // namespace
