// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDResidualImageFilter.h"

#include "StreamedScene.h"
#include "core/RandomMatrix.h"

#include <gtest/gtest.h>

#include <utility>

namespace
{

using hud::test::ReadInTiles;
using hud::test::StreamedScene;

constexpr Eigen::Index kWidth = 19;
constexpr Eigen::Index kHeight = 13;
constexpr Eigen::Index kBands = 5;

TEST(HUDResidualImageFilter, AddsTheNoiseOfAPixelsPlaceInAnyTilesAndLeavesNoDataAlone)
{
  Eigen::MatrixXf spectra = hud::test::UniformMatrix(kBands, kWidth * kHeight, 1, 0.1, 0.9).cast<float>();
  spectra.col(44).setZero();
  const hud::ResidualNoise noise({Eigen::VectorXd::Constant(kBands, 0.5), Eigen::MatrixXd::Identity(kBands, kBands)},
                                 7);
  Eigen::MatrixXf expected = spectra;
  for (Eigen::Index row = 0; row < kHeight; ++row)
  {
    Eigen::MatrixXf residuals(kBands, kWidth);
    noise.Draw(0, row, residuals);
    expected.middleCols(row * kWidth, kWidth) += residuals;
  }
  expected.col(44).setZero();
  for (const auto& [width, height] : {std::pair{kWidth, kHeight}, {Eigen::Index(7), Eigen::Index(5)}})
  {
    const auto scene = StreamedScene::New();
    scene->SetScene(spectra, static_cast<std::size_t>(kWidth), 5, 2);
    const auto filter = otb::HUDResidualImageFilter::New();
    filter->SetInput(scene->GetOutput());
    filter->SetNoise(noise);
    EXPECT_EQ(ReadInTiles(*filter->GetOutput(), static_cast<std::size_t>(width), static_cast<std::size_t>(height)),
              expected);
  }
}

TEST(HUDResidualImageFilter, TakesTheNoiseOfASensorAsWell)
{
  const Eigen::MatrixXf spectra = hud::test::UniformMatrix(kBands, kWidth * kHeight, 1, 0.1, 0.9).cast<float>();
  const hud::BandNoise noise(Eigen::VectorXd::LinSpaced(kBands, 0.1, 0.5), 7);
  Eigen::MatrixXf expected = spectra;
  for (Eigen::Index row = 0; row < kHeight; ++row)
  {
    Eigen::MatrixXf drawn(kBands, kWidth);
    noise.Draw(0, row, drawn);
    expected.middleCols(row * kWidth, kWidth) += drawn;
  }
  const auto scene = StreamedScene::New();
  scene->SetScene(spectra, static_cast<std::size_t>(kWidth), 5, 2);
  const auto filter = otb::HUDResidualImageFilter::New();
  filter->SetInput(scene->GetOutput());
  filter->SetNoise(noise);
  EXPECT_EQ(ReadInTiles(*filter->GetOutput(), 6, 5), expected);
}

} // namespace
