// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/Metrics.h"

#include "ErrorMessage.h"
#include "RandomMatrix.h"
#include "hud/core/Error.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace
{

using hud::ComputeFidelityAndDiversity;
using hud::FidelityAndDiversity;
using hud::InvalidData;
using hud::SpectralImage;
using hud::test::MessageOf;
using hud::test::NamesANumber;
using hud::test::Says;

constexpr Eigen::Index kBands = 7;

SpectralImage RandomImage(Eigen::Index width, Eigen::Index height, std::uint64_t seed, double low = 0.05)
{
  return {width, height, hud::test::UniformMatrix(kBands, width * height, seed, low, 1.).cast<float>()};
}

SpectralImage Crop(const SpectralImage& image, Eigen::Index x, Eigen::Index y, Eigen::Index width, Eigen::Index height)
{
  SpectralImage crop{width, height, Eigen::MatrixXf(image.m_Spectra.rows(), width * height)};
  for (Eigen::Index row = 0; row < height; ++row)
  {
    crop.m_Spectra.middleCols(row * width, width) = image.m_Spectra.middleCols((y + row) * image.m_Width + x, width);
  }
  return crop;
}

double Cosine(const SpectralImage& real, Eigen::Index realX, Eigen::Index realY, const SpectralImage& generated,
              Eigen::Index x, Eigen::Index y)
{
  const Eigen::VectorXd first = real.m_Spectra.col(realY * real.m_Width + realX).cast<double>();
  const Eigen::VectorXd second = generated.m_Spectra.col(y * generated.m_Width + x).cast<double>();
  return first.dot(second) / (first.norm() * second.norm());
}

// Eq. (17) as method.md defines it; with patch 1 it is eq. (16).
double BlockDiversity(const SpectralImage& real, const SpectralImage& generated, Eigen::Index patch)
{
  double sum = 0.;
  Eigen::Index blocks = 0;
  for (Eigen::Index top = 0; top < generated.m_Height; top += patch)
  {
    for (Eigen::Index left = 0; left < generated.m_Width; left += patch)
    {
      double best = -1.;
      for (Eigen::Index realY = 0; realY + patch <= real.m_Height; ++realY)
      {
        for (Eigen::Index realX = 0; realX + patch <= real.m_Width; ++realX)
        {
          double score = 0.;
          for (Eigen::Index pixel = 0; pixel < patch * patch; ++pixel)
          {
            const Eigen::Index x = pixel % patch;
            const Eigen::Index y = pixel / patch;
            score += Cosine(real, realX + x, realY + y, generated, left + x, top + y);
          }
          best = std::max(best, score / static_cast<double>(patch * patch));
        }
      }
      sum += best;
      ++blocks;
    }
  }
  return sum / static_cast<double>(blocks);
}

void ExpectTruth(const SpectralImage& real, const SpectralImage& generated, Eigen::Index patch)
{
  const FidelityAndDiversity result = ComputeFidelityAndDiversity(real, generated, patch);
  EXPECT_NEAR(result.m_PointFidelity, BlockDiversity(real, generated, 1), 1e-6);
  EXPECT_NEAR(result.m_BlockDiversity, BlockDiversity(real, generated, patch), 1e-6);
  EXPECT_LE(result.m_BlockDiversity, result.m_PointFidelity + 1e-6);
}

} // namespace

TEST(Metrics, AgreeWithBruteForceInDoublePrecision)
{
  const SpectralImage real = RandomImage(13, 9, 1);
  for (const Eigen::Index patch : {1, 2, 3, 6})
  {
    SCOPED_TRACE(patch);
    ExpectTruth(real, RandomImage(2 * patch, 3 * patch, 2), patch);
    ExpectTruth(real, RandomImage(3 * patch, patch, 3), patch);
  }
}

TEST(Metrics, AgreeWithBruteForceWhereTheGeneratedImageIsTheLargerOne)
{
  ExpectTruth(RandomImage(6, 11, 4), RandomImage(25, 15, 5), 5);
}

TEST(Metrics, AgreeWithBruteForceWhereThePatchIsAsLargeAsTheRealImage)
{
  ExpectTruth(RandomImage(4, 9, 6), RandomImage(8, 12, 7), 4);
  ExpectTruth(RandomImage(5, 5, 8), RandomImage(15, 10, 9), 5);
}

TEST(Metrics, AgreeWithBruteForceOnSpectraOfBothSigns)
{
  ExpectTruth(RandomImage(13, 9, 10, -1.), RandomImage(8, 12, 11, -1.), 4);
}

TEST(Metrics, AreNegativeWhereEveryCosineIs)
{
  const SpectralImage real = RandomImage(8, 7, 12);
  SpectralImage generated = RandomImage(6, 9, 13);
  generated.m_Spectra = -generated.m_Spectra;
  ExpectTruth(real, generated, 3);
}

TEST(Metrics, GiveOneForACropFromAnywhereInTheRealImage)
{
  const SpectralImage real = RandomImage(13, 9, 14);
  for (const Eigen::Index x : {0, 3, 9})
  {
    for (const Eigen::Index y : {0, 2, 5})
    {
      const FidelityAndDiversity result = ComputeFidelityAndDiversity(real, Crop(real, x, y, 4, 4), 4);
      EXPECT_NEAR(result.m_PointFidelity, 1., 1e-6) << x << ", " << y;
      EXPECT_NEAR(result.m_BlockDiversity, 1., 1e-6) << x << ", " << y;
    }
  }
}

TEST(Metrics, BlockDiversitySeesThatPixelsAreShuffledAndPointFidelityDoesNot)
{
  const SpectralImage real = RandomImage(13, 9, 15);
  SpectralImage shuffle = Crop(real, 2, 1, 8, 4);
  shuffle.m_Spectra = shuffle.m_Spectra.rowwise().reverse().eval();
  const FidelityAndDiversity result = ComputeFidelityAndDiversity(real, shuffle, 4);
  EXPECT_NEAR(result.m_PointFidelity, 1., 1e-6);
  EXPECT_LT(result.m_BlockDiversity, 0.95);
}

TEST(Metrics, AreBlindToTheBrightnessOfEveryPixel)
{
  SpectralImage real = RandomImage(13, 9, 16);
  SpectralImage generated = RandomImage(8, 12, 17);
  const FidelityAndDiversity before = ComputeFidelityAndDiversity(real, generated, 4);
  const Eigen::MatrixXd exponents = hud::test::UniformMatrix(1, 13 * 9, 18, -4., 4.);
  for (Eigen::Index p = 0; p < real.m_Spectra.cols(); ++p)
  {
    real.m_Spectra.col(p) *= static_cast<float>(std::pow(10., exponents(0, p)));
  }
  generated.m_Spectra *= 1e4f;
  const FidelityAndDiversity after = ComputeFidelityAndDiversity(real, generated, 4);
  EXPECT_NEAR(after.m_PointFidelity, before.m_PointFidelity, 1e-6);
  EXPECT_NEAR(after.m_BlockDiversity, before.m_BlockDiversity, 1e-6);
}

TEST(Metrics, ReportProgressThatGrowsToOne)
{
  std::vector<double> reports;
  ComputeFidelityAndDiversity(RandomImage(13, 9, 19), RandomImage(8, 12, 20), 4,
                              [&](double fraction) { reports.push_back(fraction); });
  ASSERT_FALSE(reports.empty());
  EXPECT_TRUE(std::is_sorted(reports.begin(), reports.end()));
  EXPECT_GE(reports.front(), 0.);
  EXPECT_DOUBLE_EQ(reports.back(), 1.);
}

TEST(Metrics, RefuseImagesThatDoNotFit)
{
  const SpectralImage real = RandomImage(13, 9, 21);
  const auto message = [&](const SpectralImage& generated, Eigen::Index patch) {
    return MessageOf<InvalidData>([&] { ComputeFidelityAndDiversity(real, generated, patch); });
  };

  SpectralImage fewerBands = RandomImage(8, 4, 22);
  fewerBands.m_Spectra.conservativeResize(kBands - 1, Eigen::NoChange);
  EXPECT_TRUE(Says(message(fewerBands, 4), "6") && Says(message(fewerBands, 4), "7"));

  const SpectralImage notAMultiple = RandomImage(8, 6, 23);
  EXPECT_TRUE(Says(message(notAMultiple, 4), "6") && Says(message(notAMultiple, 4), "4"));

  const SpectralImage tooLarge = RandomImage(10, 20, 24);
  EXPECT_TRUE(Says(message(tooLarge, 10), "10") && Says(message(tooLarge, 10), "9"));

  SpectralImage wrongCount = RandomImage(8, 4, 25);
  wrongCount.m_Height = 12;
  EXPECT_TRUE(NamesANumber(message(wrongCount, 4)));

  EXPECT_TRUE(NamesANumber(message(RandomImage(8, 4, 26), 0)));
  EXPECT_TRUE(NamesANumber(message(RandomImage(8, 4, 26), -4)));
  EXPECT_TRUE(NamesANumber(message({0, 0, Eigen::MatrixXf(kBands, 0)}, 4)));
}

TEST(Metrics, RefusePixelsWithoutDirection)
{
  const SpectralImage good = RandomImage(8, 12, 27);
  for (const float value : {0.f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
  {
    SpectralImage bad = good;
    bad.m_Spectra.col(29).setConstant(value);
    EXPECT_THROW(ComputeFidelityAndDiversity(bad, good, 4), InvalidData) << value;
    EXPECT_THROW(ComputeFidelityAndDiversity(good, bad, 4), InvalidData) << value;
  }
}
