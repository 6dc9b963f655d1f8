// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/Fidelity.h"

#include "ErrorMessage.h"
#include "RandomMatrix.h"
#include "hud/core/Error.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace
{

using hud::FidelityOptions;
using hud::FidelityScore;
using hud::InMemoryRows;
using hud::InvalidData;
using hud::InvalidOption;
using hud::SpectralImage;
using hud::test::MessageOf;
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

/// Returns whether a pixel takes part; no-data pixels are zero.
bool IsValid(const SpectralImage& image, Eigen::Index x, Eigen::Index y)
{
  return !image.m_Spectra.col(y * image.m_Width + x).isZero(0.f);
}

double Cosine(const SpectralImage& real, Eigen::Index realX, Eigen::Index realY, const SpectralImage& generated,
              Eigen::Index x, Eigen::Index y)
{
  const Eigen::VectorXd first = real.m_Spectra.col(realY * real.m_Width + realX).cast<double>();
  const Eigen::VectorXd second = generated.m_Spectra.col(y * generated.m_Width + x).cast<double>();
  return first.dot(second) / (first.norm() * second.norm());
}

// The figures of single pixels, by their definition.
FidelityScore PixelTruth(const SpectralImage& real, const SpectralImage& generated)
{
  FidelityScore truth;
  for (Eigen::Index p = 0; p < generated.m_Spectra.cols(); ++p)
  {
    const Eigen::VectorXd spectrum = generated.m_Spectra.col(p).cast<double>();
    if (spectrum.isZero(0.))
    {
      ++truth.m_GeneratedNoData;
      continue;
    }
    double cosine = -1.;
    double distance = std::numeric_limits<double>::infinity();
    for (Eigen::Index r = 0; r < real.m_Spectra.cols(); ++r)
    {
      const Eigen::VectorXd other = real.m_Spectra.col(r).cast<double>();
      if (!other.isZero(0.))
      {
        cosine = std::max(cosine, spectrum.dot(other) / (spectrum.norm() * other.norm()));
        distance = std::min(distance, (spectrum - other).norm());
      }
    }
    ++truth.m_GeneratedPixels;
    truth.m_PointFidelity += cosine;
    truth.m_SpectralAngle += std::acos(cosine);
    truth.m_RelativeError += distance / spectrum.norm();
  }
  const auto pixels = static_cast<double>(truth.m_GeneratedPixels);
  truth.m_PointFidelity /= pixels;
  truth.m_SpectralAngle /= pixels;
  truth.m_RelativeError /= pixels;
  return truth;
}

// The score of the block at (left, top) at a position of the real image; -2 where too few pixels are valid.
double ScoreAt(const SpectralImage& real, Eigen::Index realX, Eigen::Index realY, const SpectralImage& generated,
               Eigen::Index left, Eigen::Index top, Eigen::Index patch)
{
  double score = 0.;
  int pairs = 0;
  int valid = 0;
  for (Eigen::Index pixel = 0; pixel < patch * patch; ++pixel)
  {
    const Eigen::Index x = pixel % patch;
    const Eigen::Index y = pixel / patch;
    if (IsValid(generated, left + x, top + y))
    {
      ++valid;
      if (IsValid(real, realX + x, realY + y))
      {
        ++pairs;
        score += Cosine(real, realX + x, realY + y, generated, left + x, top + y);
      }
    }
  }
  return pairs >= 0.9 * valid && 2 * valid >= patch * patch ? score / pairs : -2.;
}

// Eq. (17), of each block half of which is valid.
std::vector<double> BlockTruth(const SpectralImage& real, const SpectralImage& generated, Eigen::Index patch)
{
  std::vector<double> scores;
  for (Eigen::Index top = 0; top + patch <= generated.m_Height; top += patch)
  {
    for (Eigen::Index left = 0; left + patch <= generated.m_Width; left += patch)
    {
      double best = -2.;
      for (Eigen::Index realY = 0; realY + patch <= real.m_Height; ++realY)
      {
        for (Eigen::Index realX = 0; realX + patch <= real.m_Width; ++realX)
        {
          best = std::max(best, ScoreAt(real, realX, realY, generated, left, top, patch));
        }
      }
      if (best > -2.)
      {
        scores.push_back(best);
      }
    }
  }
  return scores;
}

FidelityScore Score(const SpectralImage& real, const SpectralImage& generated, FidelityOptions options,
                    const std::function<void(double)>& progress = {})
{
  return ScoreFidelity(InMemoryRows(real), InMemoryRows(generated), options, progress);
}

FidelityScore Score(const SpectralImage& real, const SpectralImage& generated, Eigen::Index patch)
{
  FidelityOptions options;
  options.m_Patch = patch;
  options.m_Threads = 2;
  return Score(real, generated, options);
}

void ExpectTruth(const SpectralImage& real, const SpectralImage& generated, Eigen::Index patch)
{
  const FidelityScore result = Score(real, generated, patch);
  const FidelityScore truth = PixelTruth(real, generated);
  EXPECT_NEAR(result.m_PointFidelity, truth.m_PointFidelity, 1e-6);
  EXPECT_NEAR(result.m_SpectralAngle, truth.m_SpectralAngle, 1e-3); // the angle of a cosine near 1
  EXPECT_NEAR(result.m_RelativeError, truth.m_RelativeError, 1e-3); // a small difference of large numbers
  EXPECT_EQ(result.m_GeneratedPixels, truth.m_GeneratedPixels);
  EXPECT_EQ(result.m_GeneratedNoData, truth.m_GeneratedNoData);
  const std::vector<double> blocks = BlockTruth(real, generated, patch);
  ASSERT_EQ(result.m_BlockScores.size(), blocks.size());
  ASSERT_EQ(result.m_Blocks, static_cast<Eigen::Index>(blocks.size()));
  double sum = 0.;
  for (std::size_t i = 0; i < blocks.size(); ++i)
  {
    EXPECT_NEAR(result.m_BlockScores[i], blocks[i], 1e-6) << i;
    sum += blocks[i];
  }
  EXPECT_NEAR(result.m_BlockDiversity, sum / static_cast<double>(blocks.size()), 1e-6);
}

/// Makes a share of the pixels no-data.
void DropPixels(SpectralImage& image, double share, std::uint64_t seed)
{
  const Eigen::MatrixXd draws = hud::test::UniformMatrix(1, image.m_Spectra.cols(), seed, 0., 1.);
  for (Eigen::Index p = 0; p < image.m_Spectra.cols(); ++p)
  {
    if (draws(0, p) < share)
    {
      image.m_Spectra.col(p).setZero();
    }
  }
}

} // namespace

TEST(Fidelity, AgreesWithBruteForceInDoublePrecision)
{
  const SpectralImage real = RandomImage(13, 9, 1);
  for (const Eigen::Index patch : {1, 2, 3, 6})
  {
    SCOPED_TRACE(patch);
    ExpectTruth(real, RandomImage(2 * patch, 3 * patch, 2), patch);
    ExpectTruth(real, RandomImage(3 * patch, patch, 3), patch);
  }
}

TEST(Fidelity, AgreesWithBruteForceWhereBlocksDoNotFillTheGeneratedImage)
{
  ExpectTruth(RandomImage(13, 9, 30), RandomImage(11, 7, 31), 4);
  ExpectTruth(RandomImage(6, 11, 4), RandomImage(25, 16, 5), 5);
}

TEST(Fidelity, AgreesWithBruteForceWhereThePatchIsAsLargeAsTheRealImage)
{
  ExpectTruth(RandomImage(4, 9, 6), RandomImage(8, 12, 7), 4);
  ExpectTruth(RandomImage(5, 5, 8), RandomImage(15, 10, 9), 5);
}

TEST(Fidelity, AgreesWithBruteForceOnSpectraOfBothSigns)
{
  ExpectTruth(RandomImage(13, 9, 10, -1.), RandomImage(8, 12, 11, -1.), 4);
}

TEST(Fidelity, AgreesWithBruteForceWherePixelsAreNoData)
{
  SpectralImage real = RandomImage(17, 14, 32);
  SpectralImage generated = RandomImage(14, 11, 33);
  DropPixels(real, 0.04, 34);
  ExpectTruth(real, generated, 5);
  DropPixels(generated, 0.3, 35);
  ExpectTruth(real, generated, 5);
  for (const Eigen::Index pixel : {5, 6, 7, 8, 9}) // a whole row of the second block
  {
    generated.m_Spectra.col(pixel).setZero();
  }
  ExpectTruth(real, generated, 5);
}

TEST(Fidelity, LeavesOutBlocksWithoutData)
{
  const SpectralImage real = RandomImage(13, 9, 36);
  SpectralImage generated = RandomImage(8, 4, 37);
  for (Eigen::Index y = 0; y < 4; ++y)
  {
    generated.m_Spectra.middleCols(y * 8 + 4, 4).setZero();
  }
  const FidelityScore result = Score(real, generated, 4);
  EXPECT_EQ(result.m_Blocks, 1);
  EXPECT_EQ(result.m_GeneratedNoData, 16);
  ExpectTruth(real, generated, 4);
  for (Eigen::Index y = 0; y < 3; ++y) // nine of sixteen pixels of the first block
  {
    generated.m_Spectra.middleCols(y * 8, 3).setZero();
  }
  EXPECT_TRUE(Says(MessageOf<InvalidData>([&] { Score(real, generated, 4); }), "half of any"));
}

TEST(Fidelity, DoesNotDependOnMemoryOrThreads)
{
  SpectralImage real = RandomImage(53, 41, 38);
  DropPixels(real, 0.02, 39);
  const SpectralImage generated = RandomImage(37, 25, 40);
  FidelityOptions options;
  options.m_Patch = 6;
  options.m_Threads = 1;
  const FidelityScore whole = Score(real, generated, options);
  options.m_MemoryBytes = 30000; // strips of a few lines, two blocks at a time
  options.m_Threads = 3;
  const FidelityScore parts = Score(real, generated, options);
  EXPECT_NEAR(parts.m_PointFidelity, whole.m_PointFidelity, 1e-6);
  EXPECT_NEAR(parts.m_RelativeError, whole.m_RelativeError, 1e-5);
  ASSERT_EQ(parts.m_BlockScores.size(), whole.m_BlockScores.size());
  for (std::size_t i = 0; i < whole.m_BlockScores.size(); ++i)
  {
    EXPECT_NEAR(parts.m_BlockScores[i], whole.m_BlockScores[i], 1e-6) << i;
  }
}

TEST(Fidelity, OfDrawnBlocksIsThatOfTheirPixels)
{
  const SpectralImage real = RandomImage(13, 9, 41);
  const SpectralImage generated = RandomImage(26, 11, 42);
  FidelityOptions options;
  options.m_Patch = 5;
  options.m_MaximumBlocks = 3;
  const FidelityScore some = Score(real, generated, options);
  EXPECT_EQ(some.m_Blocks, 3);
  EXPECT_EQ(some.m_GeneratedPixels, 75);
  const std::vector<double> all = Score(real, generated, 5).m_BlockScores;
  for (const double score : some.m_BlockScores)
  {
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](double other) { return std::abs(other - score) < 1e-6; }));
  }
  options.m_MaximumBlocks = 11; // there are ten: all, and what blocks leave over
  EXPECT_EQ(Score(real, generated, options).m_GeneratedPixels, 26 * 11);
}

TEST(Fidelity, IsNegativeWhereEveryCosineIs)
{
  SpectralImage real = RandomImage(8, 7, 12);
  real.m_Spectra.col(9).setZero(); // the cosine with a no-data pixel is not 0
  SpectralImage generated = RandomImage(6, 9, 13);
  generated.m_Spectra = -generated.m_Spectra;
  ExpectTruth(real, generated, 3);
}

TEST(Fidelity, IsOneForACropFromAnywhereInTheRealImage)
{
  const SpectralImage real = RandomImage(13, 9, 14);
  for (const Eigen::Index x : {0, 3, 9})
  {
    for (const Eigen::Index y : {0, 2, 5})
    {
      const FidelityScore result = Score(real, Crop(real, x, y, 4, 4), 4);
      EXPECT_NEAR(result.m_PointFidelity, 1., 1e-6) << x << ", " << y;
      EXPECT_NEAR(result.m_BlockDiversity, 1., 1e-6) << x << ", " << y;
      EXPECT_LT(result.m_RelativeError, 1e-3) << x << ", " << y;
      EXPECT_LT(result.m_SpectralAngle, 1e-3) << x << ", " << y;
    }
  }
}

TEST(Fidelity, BlockDiversitySeesThatPixelsAreShuffledAndPointFidelityDoesNot)
{
  const SpectralImage real = RandomImage(13, 9, 15);
  SpectralImage shuffle = Crop(real, 2, 1, 8, 4);
  shuffle.m_Spectra = shuffle.m_Spectra.rowwise().reverse().eval();
  const FidelityScore result = Score(real, shuffle, 4);
  EXPECT_NEAR(result.m_PointFidelity, 1., 1e-6);
  EXPECT_LT(result.m_BlockDiversity, 0.95);
}

TEST(Fidelity, CosinesAreBlindToBrightnessAndTheRelativeErrorIsNot)
{
  const SpectralImage real = RandomImage(13, 9, 16);
  SpectralImage dark = Crop(real, 3, 2, 8, 4);
  dark.m_Spectra *= 0.2f;
  const FidelityScore result = Score(real, dark, 4);
  EXPECT_NEAR(result.m_PointFidelity, 1., 1e-6);
  EXPECT_NEAR(result.m_BlockDiversity, 1., 1e-6);
  EXPECT_GT(result.m_RelativeError, 1.); // the nearest real pixel is several times as bright
  EXPECT_NEAR(result.m_RelativeError, PixelTruth(real, dark).m_RelativeError, 1e-5);
}

TEST(Fidelity, TakesSpectraOfAnyMagnitude)
{
  for (const float scale : {1e-20f, 1e15f})
  {
    SpectralImage real = RandomImage(13, 9, 17);
    SpectralImage generated = RandomImage(8, 12, 18);
    real.m_Spectra *= scale;
    generated.m_Spectra *= scale;
    SCOPED_TRACE(scale);
    ExpectTruth(real, generated, 4);
  }
}

TEST(Fidelity, ReportsProgressThatGrowsToOne)
{
  std::vector<double> reports;
  FidelityOptions options;
  options.m_Patch = 4;
  options.m_MemoryBytes = 10000;
  Score(RandomImage(13, 9, 19), RandomImage(8, 12, 20), options, [&](double fraction) { reports.push_back(fraction); });
  ASSERT_FALSE(reports.empty());
  EXPECT_TRUE(std::is_sorted(reports.begin(), reports.end()));
  EXPECT_GE(reports.front(), 0.);
  EXPECT_DOUBLE_EQ(reports.back(), 1.);
}

TEST(Fidelity, RefusesImagesThatDoNotFit)
{
  const SpectralImage real = RandomImage(13, 9, 21);
  const auto message = [&](const SpectralImage& generated, Eigen::Index patch) {
    return MessageOf<InvalidData>([&] { Score(real, generated, patch); });
  };
  SpectralImage fewerBands = RandomImage(8, 4, 22);
  fewerBands.m_Spectra.conservativeResize(kBands - 1, Eigen::NoChange);
  EXPECT_TRUE(Says(message(fewerBands, 4), "6") && Says(message(fewerBands, 4), "7"));
  EXPECT_TRUE(Says(message(RandomImage(10, 20, 24), 10), "10") && Says(message(RandomImage(10, 20, 24), 10), "9"));
  EXPECT_TRUE(Says(message(RandomImage(8, 4, 25), 5), "8 x 4") && Says(message(RandomImage(8, 4, 25), 5), "5"));
  EXPECT_TRUE(Says(MessageOf<InvalidOption>([&] { Score(real, real, Eigen::Index{0}); }), "0"));
}

TEST(Fidelity, RefusesImagesWithoutDataToCompare)
{
  const SpectralImage good = RandomImage(8, 12, 27);
  SpectralImage empty = good;
  empty.m_Spectra.setZero();
  EXPECT_TRUE(Says(MessageOf<InvalidData>([&] { Score(empty, good, 4); }), "real"));
  EXPECT_TRUE(Says(MessageOf<InvalidData>([&] { Score(good, empty, 4); }), "generated"));
  SpectralImage holes = good;
  for (Eigen::Index y = 0; y < 12; y += 3)
  {
    holes.m_Spectra.middleCols(y * 8, 8).setZero();
  }
  EXPECT_TRUE(Says(MessageOf<InvalidData>([&] { Score(holes, good, 4); }), "no place"));
}
