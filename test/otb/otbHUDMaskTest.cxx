// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDMask.h"

#include "otbHUDNoData.h"

#include "hud/core/Error.h"

#include "StreamedScene.h"
#include "core/ErrorMessage.h"
#include "core/RandomMatrix.h"

#include "otbSpatialReference.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>
#include <utility>

namespace
{

using hud::test::MessageOf;
using hud::test::ReadInTiles;
using hud::test::Says;
using hud::test::StreamedScene;

constexpr Eigen::Index kWidth = 19;
constexpr Eigen::Index kHeight = 13;
constexpr Eigen::Index kPixels = kWidth * kHeight;
constexpr Eigen::Index kBands = 5;
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

Eigen::MatrixXf Spectra()
{
  return hud::test::UniformMatrix(kBands, kPixels, 1, 0.1, 0.9).cast<float>();
}

// Two bands, of which the second says the opposite of the first.
Eigen::MatrixXf Mask(const std::set<Eigen::Index>& masked)
{
  Eigen::MatrixXf mask(2, kPixels);
  for (Eigen::Index pixel = 0; pixel < kPixels; ++pixel)
  {
    const bool out = masked.count(pixel) > 0;
    mask.col(pixel) << (out ? 0.f : 255.f), (out ? 255.f : 0.f);
  }
  return mask;
}

StreamedScene::Pointer MakeImage(const Eigen::MatrixXf& pixels, Eigen::Index width = kWidth)
{
  const auto image = StreamedScene::New();
  image->SetScene(pixels, static_cast<std::size_t>(width), 5, 2);
  return image;
}

} // namespace

TEST(HUDMask, MakesMaskedPixelsNoDataAndKeepsTheOthersWholeInStripsAndInTiles)
{
  const std::set<Eigen::Index> masked = {0, 7, kWidth, 3 * kWidth + 11, kPixels - 1};
  for (const auto& [width, height] :
       {std::pair{kWidth, kHeight}, {kWidth, Eigen::Index(3)}, {Eigen::Index(7), Eigen::Index(5)}})
  {
    SCOPED_TRACE(std::to_string(width) + " x " + std::to_string(height));
    const auto scene = MakeImage(Spectra());
    const auto mask = MakeImage(Mask(masked));
    const auto filter = otb::HUDMaskScene(*scene->GetOutput(), *mask->GetOutput());
    const Eigen::MatrixXf result =
        ReadInTiles(*filter->GetOutput(), static_cast<std::size_t>(width), static_cast<std::size_t>(height));
    EXPECT_EQ(scene->LargestRequest(), static_cast<std::size_t>(width * height));
    EXPECT_EQ(mask->LargestRequest(), static_cast<std::size_t>(width * height));
    ASSERT_EQ(result.rows(), kBands);
    ASSERT_EQ(result.cols(), kPixels);
    for (Eigen::Index pixel = 0; pixel < kPixels; ++pixel)
    {
      if (masked.count(pixel) > 0)
      {
        EXPECT_TRUE(result.col(pixel).array().isNaN().all()) << pixel;
      }
      else
      {
        EXPECT_EQ(result.col(pixel), Spectra().col(pixel)) << pixel;
      }
    }
  }
}

TEST(HUDMask, OnlyZeroAndNaNMask)
{
  Eigen::MatrixXf values = Mask({});
  values(0, 3) = 0.f;
  values(0, 4) = -0.f;
  values(0, 5) = kNaN;
  values(0, 6) = -1.f;
  values(0, 7) = std::numeric_limits<float>::denorm_min();
  values(0, 8) = std::numeric_limits<float>::infinity();
  const auto scene = MakeImage(Spectra());
  const auto mask = MakeImage(values);
  const auto filter = otb::HUDMaskScene(*scene->GetOutput(), *mask->GetOutput());
  const Eigen::MatrixXf result = ReadInTiles(*filter->GetOutput(), kWidth, kHeight);
  for (Eigen::Index pixel = 0; pixel < kPixels; ++pixel)
  {
    EXPECT_EQ(result.col(pixel).array().isNaN().any(), pixel >= 3 && pixel <= 5) << pixel;
  }
}

TEST(HUDMask, MayMeanThePixelsToLeaveOut)
{
  Eigen::MatrixXf values = Mask({});
  values.row(0).setZero();
  values(0, 3) = 1.f;
  values(0, 4) = kNaN;
  const auto scene = MakeImage(Spectra());
  const auto mask = MakeImage(values);
  const auto filter = otb::HUDMaskScene(*scene->GetOutput(), *mask->GetOutput(), otb::HUDMaskMeaning::LeaveOut);
  const Eigen::MatrixXf result = ReadInTiles(*filter->GetOutput(), kWidth, kHeight);
  for (Eigen::Index pixel = 0; pixel < kPixels; ++pixel)
  {
    EXPECT_EQ(result.col(pixel).array().isNaN().any(), pixel == 3) << pixel;
  }
}

TEST(HUDMask, KeepsTheScenesGridAndMetadata)
{
  otb::ImageMetadata metadata;
  metadata.Bands.resize(static_cast<std::size_t>(kBands));
  metadata.Bands[1].Add(otb::MDNum::NoData, -5.);
  metadata.Bands[2].Add(otb::MDNum::PhysicalGain, 437.5);
  metadata.Bands[3].Add(otb::MDStr::BandName, "green");
  metadata.Add(otb::MDStr::SensorID, "sensor");
  metadata.Add(otb::MDGeom::ProjectionWKT, otb::SpatialReference::FromDescription("EPSG:32632").ToWkt());
  Eigen::MatrixXf spectra = Spectra();
  spectra(1, 8) = -5.f;
  const auto scene = MakeImage(spectra);
  scene->SetMetadata(metadata);
  const auto mask = MakeImage(Mask({4}));
  const auto filter = otb::HUDMaskScene(*scene->GetOutput(), *mask->GetOutput());
  const Eigen::MatrixXf result = ReadInTiles(*filter->GetOutput(), kWidth, kHeight);

  const otb::HUDImageType& input = *scene->GetOutput();
  const otb::HUDImageType& output = *filter->GetOutput();
  EXPECT_EQ(output.GetLargestPossibleRegion(), input.GetLargestPossibleRegion());
  EXPECT_EQ(output.GetOrigin(), input.GetOrigin());
  EXPECT_EQ(output.GetSignedSpacing(), input.GetSignedSpacing());
  EXPECT_EQ(output.GetNumberOfComponentsPerPixel(), static_cast<unsigned int>(kBands));
  const otb::ImageMetadata& kept = output.GetImageMetadata();
  EXPECT_TRUE(Says(kept.GetProjectionWKT(), "UTM zone 32N"));
  EXPECT_EQ(kept[otb::MDStr::SensorID], "sensor");
  ASSERT_EQ(kept.Bands.size(), static_cast<std::size_t>(kBands));
  EXPECT_EQ(kept.Bands[2][otb::MDNum::PhysicalGain], 437.5);
  EXPECT_EQ(kept.Bands[3][otb::MDStr::BandName], "green");

  // By these metadata, each pixel is what it was, or masked.
  const otb::HUDNoData rule(kept, static_cast<std::size_t>(kBands));
  for (Eigen::Index pixel = 0; pixel < kPixels; ++pixel)
  {
    const auto expected = pixel == 4   ? otb::HUDPixelState::Masked
                          : pixel == 8 ? otb::HUDPixelState::NoDataValue
                                       : otb::HUDPixelState::Valid;
    EXPECT_EQ(rule.Classify(result.col(pixel).data()), expected) << pixel;
  }
}

TEST(HUDMask, RefusesAMaskOfAnotherSizeBeforeAnyPixelIsRead)
{
  const auto scene = MakeImage(Spectra());
  const auto mask = MakeImage(Mask({}), kHeight); // as many pixels
  const std::string message =
      MessageOf<hud::InvalidData>([&] { otb::HUDMaskScene(*scene->GetOutput(), *mask->GetOutput()); });
  EXPECT_TRUE(Says(message, "the mask has 13 x 19 pixels")) << message;
  EXPECT_TRUE(Says(message, "the scene, 19 x 13 pixels")) << message;
  EXPECT_EQ(scene->Requests() + mask->Requests(), 0u);
}
