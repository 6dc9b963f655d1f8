// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/SpectraSource.h"

#include "RandomMatrix.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

namespace
{

using hud::InMemorySpectra;

constexpr Eigen::Index kBands = 3;
constexpr Eigen::Index kPixels = 29;

// The first band holds the index of the pixel.
Eigen::MatrixXf NumberedSpectra(Eigen::Index pixels)
{
  Eigen::MatrixXf spectra = hud::test::UniformMatrix(kBands, pixels, 1).cast<float>();
  spectra.row(0) = Eigen::RowVectorXf::LinSpaced(pixels, 0.f, static_cast<float>(pixels - 1));
  return spectra;
}

std::vector<Eigen::Index> PixelsOf(const Eigen::MatrixXf& sample)
{
  std::vector<Eigen::Index> pixels;
  for (Eigen::Index i = 0; i < sample.cols(); ++i)
  {
    pixels.push_back(static_cast<Eigen::Index>(std::lround(sample(0, i))));
  }
  return pixels;
}

// The sample of a scene that is read in one pass.
Eigen::MatrixXf SampleSpectra(const hud::SpectraSource& source, Eigen::Index pixels, Eigen::Index maximum,
                              std::uint64_t seed)
{
  hud::SpectraSampler sampler(source.Bands(), pixels, maximum, seed);
  source.Visit([&](const Eigen::Ref<const Eigen::MatrixXf>& block) { sampler.Add(block); });
  return sampler.Sample();
}

} // namespace

TEST(InMemorySpectra, VisitsEveryPixelOnceInOrderWhateverTheBlockSize)
{
  const Eigen::MatrixXf spectra = NumberedSpectra(kPixels);
  for (const Eigen::Index blockPixels : {1, 7, 28, 29, 30, 4096})
  {
    SCOPED_TRACE(blockPixels);
    const InMemorySpectra source(spectra, blockPixels);
    ASSERT_EQ(source.Bands(), kBands);
    for (int pass = 0; pass < 2; ++pass)
    {
      Eigen::MatrixXf seen(kBands, 0);
      source.Visit([&](const Eigen::Ref<const Eigen::MatrixXf>& block) {
        ASSERT_EQ(block.rows(), kBands);
        EXPECT_GE(block.cols(), 1);
        EXPECT_LE(block.cols(), blockPixels);
        const Eigen::Index start = seen.cols();
        seen.conservativeResize(Eigen::NoChange, start + block.cols());
        seen.rightCols(block.cols()) = block;
      });
      ASSERT_EQ(seen.cols(), kPixels);
      EXPECT_EQ(seen, spectra);
    }
  }
}

TEST(InMemorySpectra, VisitsNothingWhenThereIsNoPixel)
{
  Eigen::Index pixels = 0;
  InMemorySpectra(Eigen::MatrixXf(kBands, 0)).Visit([&](const Eigen::Ref<const Eigen::MatrixXf>& block) {
    pixels += block.cols();
  });
  EXPECT_EQ(pixels, 0);
}

TEST(SpectraSampler, ReturnsTheWholeSceneWhenItIsSmallEnough)
{
  const Eigen::MatrixXf spectra = NumberedSpectra(kPixels);
  for (const Eigen::Index maximum : {29, 30, 1000})
  {
    const Eigen::MatrixXf sample = SampleSpectra(InMemorySpectra(spectra, 5), kPixels, maximum, 3);
    ASSERT_EQ(sample.cols(), kPixels) << maximum;
    EXPECT_EQ(sample, spectra) << maximum;
  }
}

TEST(SpectraSampler, DrawsOnePixelFromEachStretchOfTheScene)
{
  for (const Eigen::Index pixels : {29, 100, 1001})
  {
    const Eigen::MatrixXf spectra = NumberedSpectra(pixels);
    for (const Eigen::Index maximum : {1, 2, 10, 15, 28})
    {
      SCOPED_TRACE(testing::Message() << maximum << " of " << pixels);
      const Eigen::MatrixXf sample = SampleSpectra(InMemorySpectra(spectra, 8), pixels, maximum, 3);
      ASSERT_EQ(sample.rows(), kBands);
      ASSERT_EQ(sample.cols(), maximum);
      const std::vector<Eigen::Index> taken = PixelsOf(sample);
      for (std::size_t i = 0; i < taken.size(); ++i)
      {
        const auto stretch = static_cast<Eigen::Index>(i);
        ASSERT_GE(taken[i], stretch * pixels / maximum);
        ASSERT_LT(taken[i], std::min(pixels, (stretch + 1) * pixels / maximum + 1));
        EXPECT_EQ(sample.col(stretch), spectra.col(taken[i]));
      }
    }
  }
}

TEST(SpectraSampler, SpreadsOverTheColumnsOfAnImage)
{
  // Equal steps of 10 through rows of 100 pixels would see 10 columns only.
  const Eigen::MatrixXf sample = SampleSpectra(InMemorySpectra(NumberedSpectra(10000)), 10000, 1000, 3);
  std::set<Eigen::Index> columns;
  for (const Eigen::Index pixel : PixelsOf(sample))
  {
    columns.insert(pixel % 100);
  }
  EXPECT_GT(columns.size(), 95u);
}

TEST(SpectraSampler, DoesNotDependOnTheBlockSize)
{
  const Eigen::MatrixXf spectra = NumberedSpectra(101);
  const Eigen::MatrixXf whole = SampleSpectra(InMemorySpectra(spectra, 101), 101, 13, 3);
  for (const Eigen::Index blockPixels : {1, 6, 64})
  {
    const Eigen::MatrixXf sample = SampleSpectra(InMemorySpectra(spectra, blockPixels), 101, 13, 3);
    ASSERT_EQ(sample.cols(), whole.cols());
    EXPECT_EQ(sample, whole);
  }
}
