// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDNoData.h"

#include "otbNoDataHelper.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace
{

using otb::HUDNoData;
using otb::HUDNoDataCounts;
using otb::HUDPixelState;
using otb::HUDZeroPixels;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Band 2 of 3 has the no-data value -5.
otb::ImageMetadata SecondBandHasNoData()
{
  otb::ImageMetadata metadata;
  metadata.Bands.resize(3);
  metadata.Bands[1].Add(otb::MDNum::NoData, -5.);
  return metadata;
}

bool IsValid(const HUDNoData& rule, const std::vector<float>& spectrum)
{
  return rule.IsValid(spectrum.data());
}

HUDPixelState Classify(const HUDNoData& rule, const std::vector<float>& spectrum)
{
  return rule.Classify(spectrum.data());
}

} // namespace

TEST(HUDNoData, RefusesValuesThatAreNotFiniteInAnyBand)
{
  const HUDNoData rule(otb::ImageMetadata(), 3);
  EXPECT_TRUE(IsValid(rule, {1.f, 2.f, 3.f}));
  EXPECT_FALSE(IsValid(rule, {std::numeric_limits<float>::quiet_NaN(), 2.f, 3.f}));
  EXPECT_FALSE(IsValid(rule, {1.f, 2.f, std::numeric_limits<float>::infinity()}));
  EXPECT_FALSE(IsValid(rule, {1.f, -std::numeric_limits<float>::infinity(), 3.f}));
  EXPECT_TRUE(IsValid(rule, {1.f, std::numeric_limits<float>::max(), 3.f}));
}

TEST(HUDNoData, RefusesZeroOnlyInAllBands)
{
  const HUDNoData rule(otb::ImageMetadata(), 3);
  EXPECT_FALSE(IsValid(rule, {0.f, 0.f, 0.f}));
  EXPECT_FALSE(IsValid(rule, {0.f, -0.f, 0.f}));
  EXPECT_TRUE(IsValid(rule, {0.f, 0.f, 1e-30f}));
}

TEST(HUDNoData, TakesZerosWhereTheyAreData)
{
  const HUDNoData rule(SecondBandHasNoData(), 3, HUDZeroPixels::AreValid);
  EXPECT_TRUE(IsValid(rule, {0.f, 0.f, 0.f}));
  EXPECT_FALSE(IsValid(rule, {0.f, -5.f, 0.f}));
}

TEST(HUDNoData, AppliesABandsValueToThatBandOnly)
{
  const HUDNoData rule(SecondBandHasNoData(), 3);
  EXPECT_FALSE(IsValid(rule, {1.f, -5.f, 3.f}));
  EXPECT_TRUE(IsValid(rule, {-5.f, 2.f, -5.f}));
}

TEST(HUDNoData, AppliesTheImagesValueToEveryBand)
{
  otb::ImageMetadata metadata;
  metadata.Add(otb::MDNum::NoData, 0.1);
  const HUDNoData rule(metadata, 3);
  EXPECT_FALSE(IsValid(rule, {1.f, 2.f, 0.1f}));
  EXPECT_FALSE(IsValid(rule, {0.1f, 2.f, 3.f}));
  EXPECT_TRUE(IsValid(rule, {1.f, 2.f, 3.f}));
}

TEST(HUDNoData, ResetMetadataDeclareTheValueInEveryBandAndNothingElse)
{
  otb::ImageMetadata metadata = SecondBandHasNoData();
  metadata.Bands[0].Add(otb::MDStr::BandName, "blue");
  metadata.Add(otb::MDNum::NoData, 7.);
  metadata.Add(otb::MDNum::RedDisplayChannel, 2.);
  metadata.Add(otb::MDStr::SensorID, "sensor");
  otb::HUDResetBandMetadata(metadata, 5);

  ASSERT_EQ(metadata.Bands.size(), 5u);
  for (const auto& band : metadata.Bands)
  {
    EXPECT_EQ(band.GetSize(), 1);
    ASSERT_TRUE(band.Has(otb::MDNum::NoData));
    EXPECT_EQ(band[otb::MDNum::NoData], -9999.);
  }
  EXPECT_FALSE(metadata.Has(otb::MDNum::NoData));
  EXPECT_FALSE(metadata.Has(otb::MDNum::RedDisplayChannel));
  EXPECT_EQ(metadata[otb::MDStr::SensorID], "sensor");
}

TEST(HUDNoData, NamesTheReasonAndTakesTheFirstOfSeveral)
{
  const HUDNoData rule(SecondBandHasNoData(), 3);
  EXPECT_EQ(Classify(rule, {1.f, 2.f, 3.f}), HUDPixelState::Valid);
  EXPECT_EQ(Classify(rule, {0.f, 2.f, 0.f}), HUDPixelState::Valid);
  EXPECT_EQ(Classify(rule, {0.f, 0.f, -0.f}), HUDPixelState::Zero);
  EXPECT_EQ(Classify(rule, {0.f, -5.f, 0.f}), HUDPixelState::NoDataValue);
  EXPECT_EQ(Classify(rule, {1.f, 2.f, -std::numeric_limits<float>::infinity()}), HUDPixelState::NotFinite);
  EXPECT_EQ(Classify(rule, {1.f, -5.f, kNaN}), HUDPixelState::NotFinite);
  EXPECT_EQ(Classify(rule, {kNaN, -5.f, 3.f}), HUDPixelState::NotFinite);
}

TEST(HUDNoData, AZeroThatIsDeclaredIsTheNoDataValue)
{
  otb::ImageMetadata metadata;
  metadata.Add(otb::MDNum::NoData, 0.);
  const HUDNoData rule(metadata, 3);
  EXPECT_EQ(Classify(rule, {0.f, 0.f, 0.f}), HUDPixelState::NoDataValue);
  EXPECT_EQ(Classify(rule, {1.f, 0.f, 3.f}), HUDPixelState::NoDataValue);
}

TEST(HUDNoData, ClassifiesAsValidWhatIsValid)
{
  const float values[] = {0.f, -5.f, 1.f, kNaN};
  for (const HUDZeroPixels zeroPixels : {HUDZeroPixels::AreNoData, HUDZeroPixels::AreValid})
  {
    for (const std::vector<Eigen::Index>& ignored : {std::vector<Eigen::Index>{}, {1}, {0, 2}, {0, 1, 2}})
    {
      const HUDNoData rule(SecondBandHasNoData(), 3, zeroPixels, ignored);
      for (const float first : values)
      {
        for (const float second : values)
        {
          for (const float third : values)
          {
            const std::vector<float> spectrum = {first, second, third};
            EXPECT_EQ(Classify(rule, spectrum) == HUDPixelState::Valid, IsValid(rule, spectrum))
                << first << " " << second << " " << third;
          }
        }
      }
    }
  }
}

TEST(HUDNoData, CountsEachPixelByItsReason)
{
  HUDNoDataCounts counts;
  EXPECT_EQ(counts.Total(), 0u);
  for (const HUDPixelState state :
       {HUDPixelState::Valid, HUDPixelState::NotFinite, HUDPixelState::NoDataValue, HUDPixelState::Zero,
        HUDPixelState::NoDataValue, HUDPixelState::Zero, HUDPixelState::Valid, HUDPixelState::Zero})
  {
    counts.Add(state);
  }
  EXPECT_EQ(counts.m_NotFinite, 1u);
  EXPECT_EQ(counts.m_NoDataValue, 2u);
  EXPECT_EQ(counts.m_Zero, 3u);
  EXPECT_EQ(counts.Total(), 6u);
  HUDNoDataCounts others;
  others.m_NotFinite = 10;
  others.m_NoDataValue = 200;
  others.m_Zero = 3000;
  counts += others;
  EXPECT_EQ(counts.m_NotFinite, 11u);
  EXPECT_EQ(counts.m_NoDataValue, 202u);
  EXPECT_EQ(counts.m_Zero, 3003u);
  EXPECT_EQ(counts.Total(), 3216u);
}

TEST(HUDNoData, AnIgnoredBandHasNoSay)
{
  const HUDNoData rule(SecondBandHasNoData(), 3, HUDZeroPixels::AreNoData, {1});
  EXPECT_EQ(Classify(rule, {1.f, kNaN, 3.f}), HUDPixelState::Valid);
  EXPECT_EQ(Classify(rule, {1.f, -5.f, 3.f}), HUDPixelState::Valid);
  EXPECT_EQ(Classify(rule, {0.f, 7.f, 0.f}), HUDPixelState::Zero);
  EXPECT_EQ(Classify(rule, {0.f, kNaN, 0.f}), HUDPixelState::Zero);
  EXPECT_EQ(Classify(rule, {1.f, -5.f, kNaN}), HUDPixelState::NotFinite);
}

TEST(HUDNoData, JudgesABandByItself)
{
  const HUDNoData rule(SecondBandHasNoData(), 3, HUDZeroPixels::AreNoData, {2});
  EXPECT_TRUE(rule.IsValid(0, -5.f));
  EXPECT_TRUE(rule.IsValid(0, 0.f));
  EXPECT_FALSE(rule.IsValid(0, kNaN));
  EXPECT_FALSE(rule.IsValid(1, -5.f));
  EXPECT_FALSE(rule.IsValid(1, std::numeric_limits<float>::infinity()));
  EXPECT_TRUE(rule.IsValid(2, kNaN));
}
