// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/SpectraSource.h"

#include "RandomMatrix.h"

#include <gtest/gtest.h>

#include <algorithm>
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
    pixels.push_back(static_cast<Eigen::Index>(sample(0, i)));
  }
  return pixels;
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

TEST(SampleSpectra, ReturnsTheWholeSceneWhenItIsSmallEnough)
{
  const Eigen::MatrixXf spectra = NumberedSpectra(kPixels);
  for (const Eigen::Index maximum : {29, 30, 1000})
  {
    const Eigen::MatrixXf sample = SampleSpectra(InMemorySpectra(spectra, 5), kPixels, maximum);
    ASSERT_EQ(sample.cols(), kPixels) << maximum;
    EXPECT_EQ(sample, spectra) << maximum;
  }
}

TEST(SampleSpectra, TakesEqualStepsThroughTheScene)
{
  for (const Eigen::Index pixels : {29, 100, 1001})
  {
    const Eigen::MatrixXf spectra = NumberedSpectra(pixels);
    for (const Eigen::Index maximum : {1, 2, 10, 15, 28})
    {
      SCOPED_TRACE(testing::Message() << maximum << " of " << pixels);
      const Eigen::MatrixXf sample = SampleSpectra(InMemorySpectra(spectra, 8), pixels, maximum);
      ASSERT_EQ(sample.rows(), kBands);
      ASSERT_LE(sample.cols(), maximum);
      ASSERT_GE(2 * sample.cols(), maximum) << "half of what was allowed is left unused";
      const std::vector<Eigen::Index> taken = PixelsOf(sample);
      Eigen::Index smallest = pixels;
      Eigen::Index largest = 0;
      for (std::size_t i = 0; i < taken.size(); ++i)
      {
        ASSERT_LT(taken[i], pixels);
        EXPECT_EQ(sample.col(static_cast<Eigen::Index>(i)), spectra.col(taken[i]));
        if (i > 0)
        {
          smallest = std::min(smallest, taken[i] - taken[i - 1]);
          largest = std::max(largest, taken[i] - taken[i - 1]);
        }
      }
      if (taken.size() > 1)
      {
        EXPECT_GE(smallest, 1);
        EXPECT_LE(largest, smallest + 1);
        EXPECT_LE(taken.front(), largest) << "the start of the scene is left out";
        EXPECT_GE(taken.back() + 2 * largest, pixels) << "the end of the scene is left out";
      }
    }
  }
}

TEST(SampleSpectra, DoesNotDependOnTheBlockSize)
{
  const Eigen::MatrixXf spectra = NumberedSpectra(101);
  const Eigen::MatrixXf whole = SampleSpectra(InMemorySpectra(spectra, 101), 101, 13);
  for (const Eigen::Index blockPixels : {1, 6, 64})
  {
    const Eigen::MatrixXf sample = SampleSpectra(InMemorySpectra(spectra, blockPixels), 101, 13);
    ASSERT_EQ(sample.cols(), whole.cols());
    EXPECT_EQ(sample, whole);
  }
}
