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
using otb::HUDZeroPixels;

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
