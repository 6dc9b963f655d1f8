// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDReplaceImageFilter.h"

#include "otbHUDNoData.h"
#include "otbHUDRowImageSource.h"

#include "hud/core/Error.h"

#include "StreamedScene.h"
#include "core/RandomMatrix.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

namespace
{

using hud::test::ReadInTiles;
using hud::test::StreamedScene;

constexpr Eigen::Index kWidth = 19;
constexpr Eigen::Index kHeight = 13;
constexpr Eigen::Index kBands = 5;

Eigen::MatrixXf Spectra(std::uint64_t seed)
{
  return hud::test::UniformMatrix(kBands, kWidth * kHeight, seed, 0.1, 0.9).cast<float>();
}

StreamedScene::Pointer MakeScene()
{
  otb::ImageMetadata metadata;
  metadata.Bands.resize(static_cast<std::size_t>(kBands));
  metadata.Bands[1].Add(otb::MDNum::NoData, -5.);
  const auto scene = StreamedScene::New();
  scene->SetScene(Spectra(1), static_cast<std::size_t>(kWidth), 5, 2);
  scene->SetMetadata(metadata);
  return scene;
}

otb::HUDRowImageSource::Pointer MakeRows(otb::HUDImageType* reference, Eigen::Index bands = kBands)
{
  const auto rows = otb::HUDRowImageSource::New();
  rows->SetRows(bands, kWidth, kHeight, [](Eigen::Index row, auto pixels) {
    pixels = Spectra(2).middleCols(row * kWidth, kWidth).topRows(pixels.rows());
  });
  if (reference != nullptr)
  {
    rows->SetReference(*reference);
  }
  return rows;
}

TEST(HUDRowImageSource, GivesTheRowsInAnyTiles)
{
  const auto rows = MakeRows(nullptr);
  EXPECT_EQ(ReadInTiles(*rows->GetOutput(), 7, 5), Spectra(2));
  EXPECT_EQ(rows->GetOutput()->GetOrigin()[0], 0.5);
}

TEST(HUDRowImageSource, TakesTheGridOfAReference)
{
  const auto scene = MakeScene();
  const auto rows = MakeRows(scene->GetOutput(), 3);
  EXPECT_EQ(ReadInTiles(*rows->GetOutput(), 7, 5), Spectra(2).topRows(3));
  const otb::HUDImageType& output = *rows->GetOutput();
  EXPECT_EQ(output.GetLargestPossibleRegion(), scene->GetOutput()->GetLargestPossibleRegion());
  EXPECT_EQ(output.GetOrigin(), scene->GetOutput()->GetOrigin());
  EXPECT_EQ(output.GetSignedSpacing(), scene->GetOutput()->GetSignedSpacing());
  ASSERT_EQ(output.GetImageMetadata().Bands.size(), 3u);
  EXPECT_EQ(output.GetImageMetadata().Bands[1][otb::MDNum::NoData], otb::kHUDNoDataValue);
}

TEST(HUDReplaceImageFilter, ReplacesTheChosenPixelsOnly)
{
  std::vector<bool> replaced(static_cast<std::size_t>(kWidth * kHeight), false);
  replaced[0] = replaced[17] = replaced[100] = true;
  for (const auto& [width, height] : {std::pair{kWidth, kHeight}, {Eigen::Index(7), Eigen::Index(5)}})
  {
    const auto scene = MakeScene();
    const auto rows = MakeRows(scene->GetOutput());
    const auto filter = otb::HUDReplaceImageFilter::New();
    filter->SetScene(scene->GetOutput());
    filter->SetReplacement(rows->GetOutput());
    filter->SetReplaced(std::make_shared<const std::vector<bool>>(replaced));
    filter->SetKeptBands({2});
    const Eigen::MatrixXf result =
        ReadInTiles(*filter->GetOutput(), static_cast<std::size_t>(width), static_cast<std::size_t>(height));
    for (Eigen::Index pixel = 0; pixel < kWidth * kHeight; ++pixel)
    {
      const std::uint64_t seed = replaced[static_cast<std::size_t>(pixel)] ? 2 : 1;
      Eigen::VectorXf expected = Spectra(seed).col(pixel);
      expected(2) = Spectra(1)(2, pixel);
      EXPECT_EQ(result.col(pixel), expected) << pixel;
    }
    EXPECT_EQ(filter->GetOutput()->GetImageMetadata().Bands[1][otb::MDNum::NoData], -5.);
    EXPECT_EQ(filter->GetOutput()->GetOrigin(), scene->GetOutput()->GetOrigin());
  }
}

TEST(HUDReplaceImageFilter, RefusesImagesThatDoNotFit)
{
  const auto scene = MakeScene();
  const auto rows = MakeRows(scene->GetOutput(), 3);
  const auto filter = otb::HUDReplaceImageFilter::New();
  filter->SetScene(scene->GetOutput());
  filter->SetReplacement(rows->GetOutput());
  filter->SetReplaced(std::make_shared<const std::vector<bool>>(static_cast<std::size_t>(kWidth * kHeight)));
  EXPECT_THROW(filter->UpdateOutputInformation(), hud::InvalidData);
}

} // namespace
