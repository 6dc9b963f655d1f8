// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/SceneStatistics.h"

#include "RandomMatrix.h"
#include "hud/core/Error.h"

#include <Eigen/SVD>
#include <gtest/gtest.h>

#include <cmath>

namespace
{

using hud::InMemorySpectra;
using hud::SceneStatistics;

constexpr Eigen::Index kBands = 7;
constexpr Eigen::Index kPixels = 311;

// Correlated bands about a mean that is large against their spread, as in a scene stored as scaled integers.
Eigen::MatrixXf CorrelatedSpectra(double mean)
{
  const Eigen::MatrixXd mixing = hud::test::UniformMatrix(kBands, kBands, 2, -1., 1.);
  const Eigen::MatrixXd sources = hud::test::UniformMatrix(kBands, kPixels, 3, -1., 1.);
  const Eigen::VectorXd offset = Eigen::VectorXd::LinSpaced(kBands, 0.5 * mean, 1.5 * mean);
  return ((mixing * sources).colwise() + offset).cast<float>();
}

Eigen::MatrixXd Centred(const Eigen::MatrixXf& spectra)
{
  const Eigen::MatrixXd values = spectra.cast<double>();
  return values.colwise() - values.rowwise().mean();
}

} // namespace

TEST(SceneStatistics, AgreeWithTheirDefinitions)
{
  const Eigen::MatrixXf spectra = CorrelatedSpectra(0.4);
  const Eigen::MatrixXd values = spectra.cast<double>();
  const SceneStatistics statistics = ComputeSceneStatistics(InMemorySpectra(spectra, 50));

  EXPECT_EQ(statistics.m_Pixels, kPixels);
  ASSERT_EQ(statistics.m_Mean.size(), kBands);
  ASSERT_EQ(statistics.m_Correlation.rows(), kBands);
  ASSERT_EQ(statistics.m_Correlation.cols(), kBands);
  EXPECT_TRUE(statistics.m_Mean.isApprox(values.rowwise().mean(), 1e-12));
  EXPECT_TRUE(statistics.m_Correlation.isApprox(values * values.transpose() / static_cast<double>(kPixels), 1e-12));
  EXPECT_NEAR(statistics.Power(), values.squaredNorm() / static_cast<double>(kPixels), 1e-12);
}

TEST(SceneStatistics, CovarianceIsExactWhereTheMeanDwarfsTheSpread)
{
  for (const double mean : {0., 0.4, 1e4})
  {
    SCOPED_TRACE(mean);
    const Eigen::MatrixXf spectra = CorrelatedSpectra(mean);
    const Eigen::MatrixXd centred = Centred(spectra);
    const Eigen::MatrixXd covariance = ComputeSceneStatistics(InMemorySpectra(spectra, 50)).Covariance();
    ASSERT_EQ(covariance.rows(), kBands);
    ASSERT_EQ(covariance.cols(), kBands);
    ASSERT_TRUE(covariance.allFinite());
    EXPECT_TRUE(covariance.isApprox(centred * centred.transpose() / static_cast<double>(kPixels), 1e-6));
    EXPECT_TRUE(covariance.isApprox(covariance.transpose(), 1e-14));
  }
}

TEST(SceneStatistics, DoNotDependOnTheBlockSize)
{
  const Eigen::MatrixXf spectra = CorrelatedSpectra(10.);
  const SceneStatistics whole = ComputeSceneStatistics(InMemorySpectra(spectra, kPixels));
  for (const Eigen::Index blockPixels : {1, 13, 310})
  {
    const SceneStatistics blocks = ComputeSceneStatistics(InMemorySpectra(spectra, blockPixels));
    EXPECT_EQ(blocks.m_Pixels, kPixels);
    EXPECT_TRUE(blocks.m_Mean.isApprox(whole.m_Mean, 1e-12));
    EXPECT_TRUE(blocks.m_Correlation.isApprox(whole.m_Correlation, 1e-12));
  }
}

TEST(SceneStatistics, RefuseASourceWithoutPixels)
{
  EXPECT_THROW(ComputeSceneStatistics(InMemorySpectra(Eigen::MatrixXf(kBands, 0))), hud::InvalidData);
}

TEST(AffineRankLimit, IsTheResidualOfTheSingularValueDecomposition)
{
  for (const double mean : {0.4, 100.})
  {
    const Eigen::MatrixXf spectra = CorrelatedSpectra(mean);
    const SceneStatistics statistics = ComputeSceneStatistics(InMemorySpectra(spectra, 64));
    const Eigen::VectorXd values = Centred(spectra).jacobiSvd().singularValues();
    for (Eigen::Index dimension = 0; dimension < kBands; ++dimension)
    {
      const double residual = values.tail(kBands - dimension).squaredNorm();
      const double truth = std::sqrt(residual / static_cast<double>(kBands * kPixels));
      EXPECT_NEAR(AffineRankLimit(statistics, dimension), truth, 1e-6 * truth) << "dimension " << dimension;
    }
    EXPECT_NEAR(AffineRankLimit(statistics, kBands), 0., 1e-6 * mean);
  }
}

TEST(AffineRankLimit, VanishesWhereTheSceneIsAPlane)
{
  // Small integers: the plane of two dimensions is exact in float.
  Eigen::MatrixXf coordinates = (8. * hud::test::UniformMatrix(2, kPixels, 5)).array().round().cast<float>();
  Eigen::MatrixXf basis = (8. * hud::test::UniformMatrix(kBands, 2, 6)).array().round().cast<float>();
  const Eigen::MatrixXf spectra =
      (basis * coordinates).colwise() + Eigen::VectorXf::LinSpaced(kBands, 3.f, 3.f + kBands - 1);
  const SceneStatistics statistics = ComputeSceneStatistics(InMemorySpectra(spectra));
  EXPECT_GT(AffineRankLimit(statistics, 1), 0.1);
  for (Eigen::Index dimension = 2; dimension <= kBands; ++dimension)
  {
    const double limit = AffineRankLimit(statistics, dimension);
    ASSERT_TRUE(std::isfinite(limit)) << "dimension " << dimension;
    EXPECT_GE(limit, 0.);
    EXPECT_LT(limit, 1e-5);
  }
}

TEST(LinearRankLimit, IsTheResidualOfTheSingularValueDecompositionOfTheUncentredSpectra)
{
  for (const double mean : {0.4, 100.})
  {
    const Eigen::MatrixXf spectra = CorrelatedSpectra(mean);
    const SceneStatistics statistics = ComputeSceneStatistics(InMemorySpectra(spectra, 64));
    const Eigen::VectorXd values = spectra.cast<double>().jacobiSvd().singularValues();
    for (Eigen::Index dimension = 0; dimension < kBands; ++dimension)
    {
      const double residual = values.tail(kBands - dimension).squaredNorm();
      const double truth = std::sqrt(residual / static_cast<double>(kBands * kPixels));
      EXPECT_NEAR(LinearRankLimit(statistics, dimension), truth, 1e-6 * truth) << "dimension " << dimension;
    }
    EXPECT_EQ(LinearRankLimit(statistics, kBands), 0.);
  }
}

TEST(LinearRankLimit, IsNoLargerThanTheAffineOneOfAsManyEndmembers)
{
  // The plane through d endmembers lies in the subspace that they span.
  const SceneStatistics statistics = ComputeSceneStatistics(InMemorySpectra(CorrelatedSpectra(0.4)));
  for (Eigen::Index endmembers = 1; endmembers < kBands; ++endmembers)
  {
    EXPECT_LE(LinearRankLimit(statistics, endmembers), AffineRankLimit(statistics, endmembers - 1)) << endmembers;
    EXPECT_GT(LinearRankLimit(statistics, endmembers), AffineRankLimit(statistics, endmembers)) << endmembers;
  }
}
