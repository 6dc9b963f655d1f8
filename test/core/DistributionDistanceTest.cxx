// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/DistributionDistance.h"

#include "ErrorMessage.h"
#include "RandomMatrix.h"
#include "hud/core/Error.h"
#include "hud/core/Random.h"

#include <gtest/gtest.h>

#include <Eigen/QR>

#include <cmath>
#include <limits>

namespace
{

using hud::BootstrapInterval;
using hud::FrechetDistance;
using hud::InvalidData;
using hud::KernelDistance;
using hud::NeighbourScores;
using hud::ScoreNeighbours;
using hud::test::MessageOf;
using hud::test::Says;
using hud::test::UniformMatrix;

/// Returns independent N(0, 1) values.
Eigen::MatrixXd Normal(Eigen::Index features, Eigen::Index points, std::uint64_t seed)
{
  Eigen::MatrixXf values(features, points);
  hud::Random(seed, hud::RandomStream::SyntheticScene)
      .FillNormal(0, 0, values.data(), static_cast<std::size_t>(values.size()));
  return values.cast<double>();
}

/// Returns points whose mean is 0 and whose covariance is diagonal, exactly: pairs along the axes.
Eigen::MatrixXd AxisPairs(const Eigen::VectorXd& variances)
{
  const Eigen::Index features = variances.size();
  Eigen::MatrixXd points = Eigen::MatrixXd::Zero(features, 2 * features);
  for (Eigen::Index i = 0; i < features; ++i)
  {
    const double reach = std::sqrt(variances[i] * static_cast<double>(2 * features - 1) / 2.);
    points(i, 2 * i) = reach;
    points(i, 2 * i + 1) = -reach;
  }
  return points;
}

} // namespace

TEST(FrechetDistance, OfDiagonalCovariancesIsTheDistanceOfMeansAndDeviations)
{
  const Eigen::Vector3d first(4., 1., 9.);
  const Eigen::Vector3d second(1., 16., 4.);
  const Eigen::Vector3d shift(0.5, -2., 1.);
  const Eigen::MatrixXd moved = AxisPairs(second).colwise() + shift;
  EXPECT_NEAR(FrechetDistance(AxisPairs(first), moved), shift.squaredNorm() + 1. + 9. + 1., 1e-9);
}

TEST(FrechetDistance, DoesNotChangeWithARotationOfBothSets)
{
  const Eigen::MatrixXd first = Normal(4, 30, 1).array() * 2.;
  const Eigen::MatrixXd second = Normal(4, 50, 2).array() + 0.3;
  const Eigen::MatrixXd rotation = Eigen::HouseholderQR<Eigen::MatrixXd>(UniformMatrix(4, 4, 3)).householderQ();
  EXPECT_NEAR(FrechetDistance(rotation * first, rotation * second), FrechetDistance(first, second), 1e-9);
  EXPECT_NEAR(FrechetDistance(second, first), FrechetDistance(first, second), 1e-9);
  EXPECT_NEAR(FrechetDistance(first, first), 0., 1e-9);
}

TEST(FrechetDistance, HoldsWhereThereAreMoreFeaturesThanPoints)
{
  const Eigen::MatrixXd points = Normal(12, 5, 4);
  EXPECT_NEAR(FrechetDistance(points, points), 0., 1e-7);
  EXPECT_NEAR(FrechetDistance(points, points.array() + 1.), 12., 1e-6);
}

TEST(KernelDistance, AgreesWithItsDefinitionPairByPair)
{
  const Eigen::MatrixXd first = UniformMatrix(3, 5, 5, -1., 1.);
  const Eigen::MatrixXd second = UniformMatrix(3, 7, 6, -1., 2.);
  const auto kernel = [](const Eigen::VectorXd& x, const Eigen::VectorXd& y) {
    return std::pow(x.dot(y) / 3. + 1., 3);
  };
  const auto mean = [&](const Eigen::MatrixXd& a, const Eigen::MatrixXd& b, bool same) {
    double sum = 0.;
    int pairs = 0;
    for (Eigen::Index i = 0; i < a.cols(); ++i)
    {
      for (Eigen::Index j = 0; j < b.cols(); ++j)
      {
        if (!same || i != j)
        {
          sum += kernel(a.col(i), b.col(j));
          ++pairs;
        }
      }
    }
    return sum / pairs;
  };
  EXPECT_NEAR(KernelDistance(first, second),
              mean(first, first, true) + mean(second, second, true) - 2. * mean(first, second, false), 1e-12);
}

TEST(KernelDistance, IsNearZeroWithinADistributionAndFarBetweenTwo)
{
  const double same = KernelDistance(Normal(6, 400, 7), Normal(6, 300, 8));
  EXPECT_LT(std::abs(same), 0.02);
  EXPECT_GT(KernelDistance(Normal(6, 400, 7), Normal(6, 300, 8) * 2.), 0.5);
}

TEST(NeighbourScores, ArePerfectForTheSameSet)
{
  const Eigen::MatrixXd points = Normal(5, 60, 9);
  const NeighbourScores scores = ScoreNeighbours(points, points, 3);
  EXPECT_DOUBLE_EQ(scores.m_Precision, 1.);
  EXPECT_DOUBLE_EQ(scores.m_Recall, 1.);
  EXPECT_DOUBLE_EQ(scores.m_Coverage, 1.);
  EXPECT_GE(scores.m_Density, 1.); // each point is itself within its reach
}

TEST(NeighbourScores, TellMissingModesFromWrongOnes)
{
  // Two clusters that are real; one of them is generated, or a third one besides.
  Eigen::MatrixXd real(2, 40);
  real << Normal(2, 20, 10), Normal(2, 20, 11).colwise() + Eigen::Vector2d(50., 0.);
  const Eigen::MatrixXd one = Normal(2, 20, 12);
  const NeighbourScores missing = ScoreNeighbours(real, one, 4);
  EXPECT_GT(missing.m_Precision, 0.8);
  EXPECT_LE(missing.m_Coverage, 0.5);
  EXPECT_LE(missing.m_Recall, 0.5);
  Eigen::MatrixXd three(2, 60);
  three << Normal(2, 20, 13), Normal(2, 20, 14).colwise() + Eigen::Vector2d(50., 0.),
      Normal(2, 20, 15).colwise() + Eigen::Vector2d(0., 50.);
  const NeighbourScores wrong = ScoreNeighbours(real, three, 4);
  EXPECT_LE(wrong.m_Precision, 2. / 3. + 1e-9);
  EXPECT_GT(wrong.m_Coverage, 0.8);
}

TEST(NeighbourScores, OfOnePointRepeatedHaveNoCoverage)
{
  const Eigen::MatrixXd real = Normal(5, 60, 16);
  const Eigen::MatrixXd repeated = real.col(7).replicate(1, 30);
  const NeighbourScores scores = ScoreNeighbours(real, repeated, 5);
  EXPECT_DOUBLE_EQ(scores.m_Precision, 1.);
  EXPECT_LT(scores.m_Coverage, 0.5);
  EXPECT_LT(scores.m_Recall, 0.05);
}

TEST(BootstrapInterval, OfAMeanIsAboutTwoStandardErrorsWide)
{
  const Eigen::MatrixXd first = Normal(1, 400, 17);
  const Eigen::MatrixXd second = Normal(1, 100, 18);
  const auto interval = BootstrapInterval(
      first, second, 400, 3, [](const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) { return a.mean() - b.mean(); });
  const double width = 2. * 1.96 * std::sqrt(1. / 400. + 1. / 100.);
  EXPECT_NEAR(interval.m_High - interval.m_Low, width, 0.2 * width);
  EXPECT_NEAR((interval.m_High + interval.m_Low) / 2., first.mean() - second.mean(), 0.03);
}

TEST(BootstrapInterval, HoldsTheValueOfDistancesBetweenSets)
{
  for (const std::uint64_t seed : {20, 30, 40})
  {
    const Eigen::MatrixXd first = Normal(8, 40, seed);
    const Eigen::MatrixXd second = Normal(8, 40, seed + 1);
    for (const auto figure : {FrechetDistance, KernelDistance})
    {
      const double value = figure(first, second);
      const auto interval = BootstrapInterval(first, second, 100, 3, figure);
      EXPECT_LT(interval.m_Low, value) << seed;
      EXPECT_GT(interval.m_High, value) << seed;
    }
  }
}

TEST(DistributionDistance, RefusesSetsThatCannotBeCompared)
{
  const Eigen::MatrixXd good = Normal(3, 10, 19);
  EXPECT_TRUE(Says(MessageOf<InvalidData>([&] { FrechetDistance(good, Normal(4, 10, 20)); }), "4"));
  EXPECT_TRUE(Says(MessageOf<InvalidData>([&] { KernelDistance(good, good.leftCols(1)); }), "1 points"));
  EXPECT_TRUE(Says(MessageOf<InvalidData>([&] { ScoreNeighbours(good, good.leftCols(5), 5); }), "at least 6"));
  Eigen::MatrixXd bad = good;
  bad(1, 2) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(Says(MessageOf<InvalidData>([&] { FrechetDistance(bad, good); }), "not finite"));
}
