// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/PatchDistance.h"

#include "ErrorMessage.h"
#include "RandomMatrix.h"
#include "hud/core/Error.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace
{

using hud::ComputePatchDistance;
using hud::InvalidData;
using hud::LogPowerSpectrum;
using hud::PatchDistance;
using hud::PatchFeatures;
using hud::Variogram;
using hud::WassersteinDistances;
using hud::test::MessageOf;
using hud::test::Says;

constexpr double kTwoPi = 6.283185307179586;

Eigen::MatrixXf RandomPatches(Eigen::Index d, Eigen::Index patch, Eigen::Index count, std::uint64_t seed)
{
  return hud::test::UniformMatrix(d, patch * patch * count, seed).cast<float>();
}

// One endmember, [1 x patch * patch].
template <typename Function>
Eigen::MatrixXf PatchOf(Eigen::Index patch, const Function& value)
{
  return Eigen::MatrixXf::NullaryExpr(1, patch * patch, [&](Eigen::Index, Eigen::Index pixel) {
    const Eigen::Index row = pixel / patch;
    return static_cast<float>(value(static_cast<double>(pixel % patch), static_cast<double>(row)));
  });
}

// Moves every patch around its edges by (dx, dy).
Eigen::MatrixXf Shifted(const Eigen::MatrixXf& patches, Eigen::Index patch, Eigen::Index dx, Eigen::Index dy)
{
  Eigen::MatrixXf shifted(patches.rows(), patches.cols());
  for (Eigen::Index i = 0; i < patches.cols(); ++i)
  {
    const Eigen::Index x = (i % patch + dx) % patch;
    const Eigen::Index y = (i / patch % patch + dy) % patch;
    shifted.col(i - i % (patch * patch) + y * patch + x) = patches.col(i);
  }
  return shifted;
}

// Sorts values by hand and takes the mean difference: sets of the same count.
double MeanDifferenceOfSorted(const Eigen::MatrixXf& first, const Eigen::MatrixXf& second)
{
  Eigen::VectorXd a = first.row(0).transpose().cast<double>();
  Eigen::VectorXd b = second.row(0).transpose().cast<double>();
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return (a - b).cwiseAbs().mean();
}

} // namespace

TEST(WassersteinDistances, AreTheShiftOfAShiftedSet)
{
  const Eigen::MatrixXf first = RandomPatches(3, 4, 5, 1);
  const Eigen::Vector3f shift(0.25f, -0.125f, 0.f);
  const Eigen::VectorXd distances = WassersteinDistances(first, first.colwise() + shift);
  ASSERT_EQ(distances.size(), 3);
  EXPECT_LT((distances - shift.cwiseAbs().cast<double>()).cwiseAbs().maxCoeff(), 1e-7);
}

TEST(WassersteinDistances, AreTheMeanDifferenceOfSortedValues)
{
  const Eigen::MatrixXf first = RandomPatches(1, 3, 7, 2);
  const Eigen::MatrixXf second = RandomPatches(1, 3, 7, 3).cwiseAbs2();
  EXPECT_NEAR(WassersteinDistances(first, second)[0], MeanDifferenceOfSorted(first, second), 1e-12);
}

TEST(WassersteinDistances, AreExactForUnequalCounts)
{
  // Quantile functions: 0, 1 and 0, 1/2, 1; they differ by 1/2 between the quantiles 1/3 and 2/3.
  EXPECT_NEAR(WassersteinDistances(Eigen::RowVector2f(1.f, 0.f), Eigen::RowVector3f(0.5f, 0.f, 1.f))[0], 1. / 6.,
              1e-12);
  EXPECT_NEAR(WassersteinDistances(Eigen::RowVector3f(0.5f, 0.f, 1.f), Eigen::RowVector2f(1.f, 0.f))[0], 1. / 6.,
              1e-12);
  const Eigen::MatrixXf set = RandomPatches(2, 3, 5, 4);
  EXPECT_EQ(WassersteinDistances(set, set.replicate(1, 3)).maxCoeff(), 0.);
  // Uniform values on (0, 1) and on (0, 1/2): twice the mean apart.
  const Eigen::MatrixXf many = RandomPatches(1, 100, 4, 5);
  EXPECT_NEAR(WassersteinDistances(many, 0.5f * RandomPatches(1, 90, 5, 6))[0], 0.25, 5e-3);
}

TEST(LogPowerSpectrum, OfASinusoidIsInItsRing)
{
  constexpr Eigen::Index kPatch = 16;
  constexpr double kAmplitude = 0.2;
  const Eigen::MatrixXf patch = PatchOf(kPatch, [](double x, double y) {
    return 0.5 + kAmplitude * std::cos(kTwoPi * (3. * x - 4. * y) / static_cast<double>(kPatch) + 0.7);
  });
  const Eigen::MatrixXd spectrum = LogPowerSpectrum(patch, kPatch);
  ASSERT_EQ(spectrum.rows(), kPatch / 2);
  ASSERT_EQ(spectrum.cols(), 1);
  ASSERT_TRUE(spectrum.allFinite());
  double inRing = 0.; // frequencies whose length rounds to 5
  for (int u = -7; u <= 7; ++u)
  {
    for (int v = -7; v <= 7; ++v)
    {
      inRing += std::abs(std::hypot(u, v) - 5.) < 0.5 ? 1. : 0.;
    }
  }
  // The power of the patch, amplitude^2 / 2 for each pixel, is in two of them.
  const double power = kAmplitude * kAmplitude / 2. * static_cast<double>(kPatch * kPatch);
  for (Eigen::Index ring = 1; ring <= kPatch / 2; ++ring)
  {
    EXPECT_NEAR(spectrum(ring - 1, 0), std::log(ring == 5 ? power / inRing : 1e-12), ring == 5 ? 1e-5 : 0.1) << ring;
  }
}

TEST(LogPowerSpectrum, OfWhiteNoiseIsTheLogarithmOfItsVarianceInEveryRing)
{
  for (const Eigen::Index patch : {7, 10})
  {
    Eigen::MatrixXf patches = RandomPatches(2, patch, 2000, 7);
    patches.row(1) *= 3.f;
    const Eigen::MatrixXd spectrum = LogPowerSpectrum(patches, patch);
    ASSERT_EQ(spectrum.rows(), patch / 2);
    ASSERT_EQ(spectrum.cols(), 2);
    EXPECT_LT((spectrum.col(0).array() - std::log(1. / 12.)).abs().maxCoeff(), 0.05) << patch;
    EXPECT_LT((spectrum.col(1).array() - std::log(9. / 12.)).abs().maxCoeff(), 0.05) << patch;
  }
}

TEST(LogPowerSpectrum, IsBlindToCyclicShiftsAndToConstants)
{
  const Eigen::MatrixXf patches = RandomPatches(3, 6, 4, 8);
  const Eigen::MatrixXd spectrum = LogPowerSpectrum(patches, 6);
  EXPECT_TRUE(LogPowerSpectrum(Shifted(patches, 6, 2, 5), 6).isApprox(spectrum, 1e-10));
  EXPECT_TRUE(LogPowerSpectrum((patches.array() + 1.f).matrix(), 6).isApprox(spectrum, 1e-6));
  EXPECT_FALSE(LogPowerSpectrum(patches.rowwise().reverse() + patches, 6).isApprox(spectrum, 1e-2));
}

TEST(PatchDistance, IsZeroBetweenASetAndItselfInAnotherOrder)
{
  const Eigen::MatrixXf first = RandomPatches(3, 4, 2, 9);
  Eigen::MatrixXf second(3, 32);
  second << first.rightCols(16), first.leftCols(16);
  const PatchDistance same = ComputePatchDistance(first, first, 4);
  EXPECT_EQ(same.m_Wasserstein, Eigen::Vector3d::Zero());
  EXPECT_EQ(same.m_LogSpectrum, 0.);
  const PatchDistance reordered = ComputePatchDistance(first, second, 4);
  EXPECT_EQ(reordered.m_Wasserstein, Eigen::Vector3d::Zero());
  EXPECT_LT(reordered.m_LogSpectrum, 1e-12);
}

TEST(PatchDistance, OfConstantSetsIsInTheirValuesAlone)
{
  const Eigen::MatrixXf first = Eigen::Vector2f(0.75f, 0.f).replicate(1, 25 * 3);
  const Eigen::MatrixXf second = Eigen::Vector2f(0.25f, 0.5f).replicate(1, 25 * 4);
  const PatchDistance distance = ComputePatchDistance(first, second, 5);
  EXPECT_EQ(distance.m_Wasserstein, Eigen::Vector2d(0.5, 0.5));
  EXPECT_EQ(distance.m_LogSpectrum, 0.);
}

TEST(PatchDistance, OfContrastIsInTheSpectrumByTheSquareOfTheFactor)
{
  const Eigen::MatrixXf first = RandomPatches(2, 8, 3, 10);
  Eigen::MatrixXf second = first;
  second.row(0) *= 4.f;
  // ln 16 in one endmember of two, nothing in the other.
  EXPECT_NEAR(ComputePatchDistance(first, second, 8).m_LogSpectrum, std::log(16.) / std::sqrt(2.), 1e-6);
}

TEST(PatchDistance, OfShuffledPixelsIsInTheSpectrumAlone)
{
  const Eigen::MatrixXf first = PatchOf(16, [](double x, double y) { return 0.5 + 0.01 * (x + 0.3 * y); });
  Eigen::MatrixXf second(1, 256);
  for (Eigen::Index i = 0; i < 256; ++i)
  {
    second(0, i) = first(0, i * 77 % 256);
  }
  const PatchDistance distance = ComputePatchDistance(first, second, 16);
  EXPECT_EQ(distance.m_Wasserstein[0], 0.);
  EXPECT_GT(distance.m_LogSpectrum, 1.);
}

TEST(Variogram, OfARampGrowsWithTheSquareOfTheLag)
{
  // Along rows it rises by 0.02 a pixel, along columns by 0.05.
  const Eigen::MatrixXf ramp = PatchOf(10, [](double x, double y) { return 0.02 * x + 0.05 * y; });
  const Eigen::MatrixXd variogram = Variogram(ramp, 10);
  ASSERT_EQ(variogram.rows(), 5);
  for (Eigen::Index lag = 1; lag <= 5; ++lag)
  {
    const auto h = static_cast<double>(lag);
    EXPECT_NEAR(variogram(lag - 1, 0), (0.0004 + 0.0025) * h * h / 4., 1e-7) << lag;
  }
}

TEST(Variogram, OfWhiteNoiseIsItsVarianceAtEveryLag)
{
  const Eigen::MatrixXd variogram = Variogram(RandomPatches(2, 12, 80, 13), 12);
  ASSERT_EQ(variogram.cols(), 2);
  EXPECT_LT((variogram.array() - 1. / 12.).abs().maxCoeff(), 0.003);
}

TEST(Variogram, DoesNotGoOnAroundTheEdges)
{
  // A step from one edge to the other is none between neighbours.
  const Eigen::MatrixXf ramp = PatchOf(8, [](double x, double) { return x; });
  EXPECT_NEAR(Variogram(ramp, 8)(0, 0), 0.25, 1e-12);
}

TEST(PatchDistance, OfContrastIsInTheVariogramByTheSquareOfTheFactor)
{
  const Eigen::MatrixXf first = RandomPatches(2, 8, 3, 14);
  Eigen::MatrixXf second = first;
  second.row(1) *= 0.25f;
  EXPECT_NEAR(ComputePatchDistance(first, second, 8).m_LogVariogram, std::log(16.) / std::sqrt(2.), 1e-6);
}

TEST(PatchFeatures, AreMeanDeviationAndDifferencesOfNeighbours)
{
  Eigen::MatrixXf patches(2, 2 * 36);
  patches.row(0) << PatchOf(6, [](double x, double y) { return 0.1 * x - 0.02 * y; }),
      PatchOf(6, [](double, double) { return 0.7; });
  patches.row(1) << PatchOf(6, [](double x, double) { return std::fmod(x, 2.); }),
      PatchOf(6, [](double, double y) { return y < 3. ? 0. : 1.; });
  const Eigen::MatrixXd features = PatchFeatures(patches, 6);
  ASSERT_EQ(features.rows(), 8);
  ASSERT_EQ(features.cols(), 2);
  Eigen::MatrixXd truth(8, 2);
  const double ramp = 35. / 12.; // the variance of 0 to 5
  truth.col(0) << 0.2, std::sqrt(ramp * (0.01 + 0.0004)), 0.1, 0.02, 0.5, 0.5, 1., 0.;
  truth.col(1) << 0.7, 0., 0., 0., 0.5, 0.5, 0., std::sqrt(0.2);
  EXPECT_LT((features - truth).cwiseAbs().maxCoeff(), 1e-6) << features;
}

TEST(PatchDistance, RefusesSetsThatAreNotOfWholePatchesOrDoNotMatch)
{
  const Eigen::MatrixXf good = RandomPatches(3, 4, 2, 11);
  const auto message = [&](const Eigen::MatrixXf& other, Eigen::Index patch) {
    return MessageOf<InvalidData>([&] { ComputePatchDistance(good, other, patch); });
  };
  EXPECT_EQ(message(RandomPatches(3, 4, 5, 12), 4), "no error");
  EXPECT_TRUE(Says(message(RandomPatches(2, 4, 2, 12), 4), "2"));
  EXPECT_TRUE(Says(message(good.leftCols(20), 4), "20 pixels"));
  EXPECT_TRUE(Says(message(good, 1), "1 x 1"));
  EXPECT_TRUE(Says(message(good, 0), "0 x 0"));
  EXPECT_TRUE(Says(message(good, -4), "-4 x -4"));
  EXPECT_TRUE(Says(message(Eigen::MatrixXf(3, 0), 4), "0 pixels"));
  Eigen::MatrixXf bad = good;
  bad(1, 7) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(Says(message(bad, 4), "not finite"));
  EXPECT_THROW(ComputePatchDistance(bad, good, 4), InvalidData);
}
