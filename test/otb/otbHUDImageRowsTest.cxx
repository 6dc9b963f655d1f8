// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDImageRows.h"

#include "StreamedScene.h"
#include "core/RandomMatrix.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>

namespace
{

constexpr Eigen::Index kWidth = 83;
constexpr Eigen::Index kHeight = 300;
constexpr Eigen::Index kBands = 31;

Eigen::MatrixXf Spectra()
{
  Eigen::MatrixXf spectra = hud::test::UniformMatrix(kBands, kWidth * kHeight, 1, 0.1, 0.9).cast<float>();
  spectra.col(kWidth * 7 + 2).setZero();
  return spectra;
}

TEST(HUDImageRows, AreReadInStripsFromARegionThatDoesNotStartAtZero)
{
  const Eigen::MatrixXf spectra = Spectra();
  const auto scene = hud::test::StreamedScene::New();
  scene->SetScene(spectra, static_cast<std::size_t>(kWidth), 5, -3);
  const otb::HUDImageRows rows(*scene->GetOutput(), 1);
  ASSERT_EQ(rows.Width(), kWidth);
  ASSERT_EQ(rows.Height(), kHeight);
  ASSERT_EQ(rows.Bands(), kBands);
  Eigen::MatrixXf some(kBands, 3 * kWidth);
  std::vector<std::uint8_t> valid(static_cast<std::size_t>(some.cols()));
  for (const Eigen::Index first :
       std::initializer_list<Eigen::Index>{0, 1, 2, 3, 140, 6, kHeight - 3}) // on, far away, and back
  {
    rows.Read(first, some, valid.data());
    EXPECT_EQ(some, spectra.middleCols(first * kWidth, some.cols())) << first;
    EXPECT_EQ(std::count(valid.begin(), valid.end(), 0), first == 6 ? 1 : 0) << first;
  }
  EXPECT_LT(scene->LargestRequest(), static_cast<std::size_t>(kWidth * kHeight));
}

TEST(HUDImageRows, DoNotComputeAStripTwiceInARow)
{
  const auto scene = hud::test::StreamedScene::New();
  scene->SetScene(Spectra(), static_cast<std::size_t>(kWidth), 5, -3);
  const otb::HUDImageRows rows(*scene->GetOutput(), 1000);
  Eigen::MatrixXf line(kBands, kWidth);
  std::vector<std::uint8_t> valid(static_cast<std::size_t>(kWidth));
  for (Eigen::Index row = 0; row < kHeight; ++row)
  {
    rows.Read(row, line, valid.data());
  }
  EXPECT_EQ(scene->Requests(), 1u);
}

TEST(HUDImageRows, GiveNoDataPixelsAndIgnoredBandsAsZero)
{
  Eigen::MatrixXf spectra = Spectra();
  spectra.row(4).setConstant(-1.f);   // no-data everywhere
  spectra(9, kWidth * 5 + 11) = -1.f; // no-data in one pixel
  otb::ImageMetadata metadata;
  metadata.Bands.resize(static_cast<std::size_t>(kBands));
  metadata.Bands[4].Add(otb::MDNum::NoData, -1.);
  metadata.Bands[9].Add(otb::MDNum::NoData, -1.);
  const auto scene = hud::test::StreamedScene::New();
  scene->SetScene(spectra, static_cast<std::size_t>(kWidth), 5, -3);
  scene->SetMetadata(metadata);
  const otb::HUDImageRows rows(*scene->GetOutput(), 1, {4});
  Eigen::MatrixXf line(kBands, kWidth);
  std::vector<std::uint8_t> valid(static_cast<std::size_t>(kWidth));
  rows.Read(5, line, valid.data());
  EXPECT_TRUE(line.col(11).isZero(0.f));
  EXPECT_EQ(valid[11], 0);
  EXPECT_EQ(valid[12], 1);
  EXPECT_TRUE(line.row(4).isZero(0.f));
  EXPECT_EQ(line(8, 12), spectra(8, kWidth * 5 + 12));
}

} // namespace
