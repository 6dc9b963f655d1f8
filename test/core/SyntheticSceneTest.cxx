// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/SyntheticScene.h"

#include "RandomMatrix.h"
#include "hud/core/Error.h"

#include <Eigen/SVD>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace
{

using hud::MakeSyntheticScene;
using hud::SpectralAngle;
using hud::SyntheticScene;
using hud::SyntheticSceneOptions;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kPi = 3.14159265358979323846;

SyntheticSceneOptions Options(Eigen::Index bands, Eigen::Index pixels, Eigen::Index endmembers, double snr)
{
  SyntheticSceneOptions options;
  options.m_Bands = bands;
  options.m_Pixels = pixels;
  options.m_Endmembers = endmembers;
  options.m_SnrDecibel = snr;
  options.m_Seed = 17;
  return options;
}

} // namespace

TEST(SyntheticScene, HasTheShapesAndRangesThatWereAskedFor)
{
  for (const Eigen::Index endmembers : {2, 5, 12})
  {
    SCOPED_TRACE(endmembers);
    const SyntheticScene scene = MakeSyntheticScene(Options(60, 701, endmembers, 30.));
    ASSERT_EQ(scene.m_Endmembers.rows(), 60);
    ASSERT_EQ(scene.m_Endmembers.cols(), endmembers);
    ASSERT_EQ(scene.m_Abundances.rows(), endmembers);
    ASSERT_EQ(scene.m_Abundances.cols(), 701);
    ASSERT_EQ(scene.m_Spectra.rows(), 60);
    ASSERT_EQ(scene.m_Spectra.cols(), 701);
    ASSERT_TRUE(scene.m_Endmembers.allFinite() && scene.m_Abundances.allFinite() && scene.m_Spectra.allFinite());
    EXPECT_GE(scene.m_Endmembers.minCoeff(), 0.05 - 1e-12);
    EXPECT_LE(scene.m_Endmembers.maxCoeff(), 0.95 + 1e-12);
    EXPECT_GE(scene.m_Abundances.minCoeff(), 0.f);
    EXPECT_LT((scene.m_Abundances.cast<double>().colwise().sum().array() - 1.).abs().maxCoeff(), 1e-6);
  }
}

TEST(SyntheticScene, EndmembersAreSmoothAndFarFromDependent)
{
  for (const Eigen::Index endmembers : {2, 5, 12})
  {
    const Eigen::MatrixXd a = MakeSyntheticScene(Options(60, 50, endmembers, 30.)).m_Endmembers;
    const Eigen::VectorXd range = a.colwise().maxCoeff() - a.colwise().minCoeff();
    EXPECT_GT(range.minCoeff(), 0.05) << "a flat spectrum among " << endmembers;
    EXPECT_LT((a.bottomRows(59) - a.topRows(59)).cwiseAbs().maxCoeff(), 0.2) << endmembers;
    const Eigen::VectorXd values = a.jacobiSvd().singularValues();
    EXPECT_LT(values(0) / values(endmembers - 1), 1e4) << endmembers;
  }
}

TEST(SyntheticScene, FirstPixelsArePureOnlyWhereAskedFor)
{
  SyntheticSceneOptions options = Options(40, 300, 6, kInfinity);
  const SyntheticScene pure = MakeSyntheticScene(options);
  EXPECT_EQ(pure.m_Abundances.leftCols(6), (Eigen::MatrixXf::Identity(6, 6)));
  options.m_PurePixels = false;
  const SyntheticScene mixed = MakeSyntheticScene(options);
  EXPECT_LT(mixed.m_Abundances.maxCoeff(), 0.999f);
}

TEST(SyntheticScene, AbundancesAreUniformOnTheSimplex)
{
  SyntheticSceneOptions options = Options(10, 40000, 5, kInfinity);
  options.m_PurePixels = false;
  const Eigen::MatrixXd x = MakeSyntheticScene(options).m_Abundances.cast<double>();
  const double n = static_cast<double>(x.cols());
  const Eigen::VectorXd mean = x.rowwise().mean();
  const Eigen::MatrixXd centred = x.colwise() - mean;
  // Moments of the flat Dirichlet distribution of d = 5: mean 1/5, variance 4/150, covariance -1/150.
  Eigen::MatrixXd truth = Eigen::MatrixXd::Constant(5, 5, -1. / 150.);
  truth.diagonal().setConstant(4. / 150.);
  EXPECT_LT((mean.array() - 0.2).abs().maxCoeff(), 5. * std::sqrt(4. / 150. / n));
  EXPECT_LT((centred * centred.transpose() / n - truth).cwiseAbs().maxCoeff(), 6e-4);
  EXPECT_NEAR((x.array() > 0.5).cast<double>().mean(), 1. / 16., 0.002); // P(x_i > t) = (1 - t)^(d - 1)
}

TEST(SyntheticScene, HasTheSignalToNoiseRatioThatWasAskedFor)
{
  for (const double snr : {0., 15., 30., 50.})
  {
    const SyntheticScene scene = MakeSyntheticScene(Options(60, 2000, 4, snr));
    const Eigen::MatrixXd signal = scene.m_Endmembers * scene.m_Abundances.cast<double>();
    const Eigen::MatrixXd noise = scene.m_Spectra.cast<double>() - signal;
    EXPECT_NEAR(10. * std::log10(signal.squaredNorm() / noise.squaredNorm()), snr, 0.5);
    // White: alike in all bands and uncorrelated between neighbours.
    const Eigen::VectorXd power = noise.rowwise().squaredNorm() / 2000.;
    EXPECT_LT(power.maxCoeff(), 1.25 * power.mean()) << snr;
    EXPECT_GT(power.minCoeff(), 0.75 * power.mean()) << snr;
    const double neighbours = noise.topRows(59).cwiseProduct(noise.bottomRows(59)).mean();
    EXPECT_LT(std::abs(neighbours), 5. * power.mean() / std::sqrt(59. * 2000.)) << snr;
  }
}

TEST(SyntheticScene, IsTheMixingModelItselfWithoutNoise)
{
  const SyntheticScene scene = MakeSyntheticScene(Options(60, 701, 4, kInfinity));
  const Eigen::MatrixXd truth = scene.m_Endmembers * scene.m_Abundances.cast<double>();
  ASSERT_TRUE(scene.m_Spectra.allFinite());
  EXPECT_LT((scene.m_Spectra.cast<double>() - truth).cwiseAbs().maxCoeff(), 1e-6);
}

TEST(SyntheticScene, IsTheSameForTheSameSeedAndAnotherForAnother)
{
  SyntheticSceneOptions options = Options(20, 100, 3, 30.);
  const SyntheticScene first = MakeSyntheticScene(options);
  const SyntheticScene second = MakeSyntheticScene(options);
  EXPECT_EQ(first.m_Endmembers, second.m_Endmembers);
  EXPECT_EQ(first.m_Abundances, second.m_Abundances);
  EXPECT_EQ(first.m_Spectra, second.m_Spectra);
  options.m_Seed = 18;
  const SyntheticScene other = MakeSyntheticScene(options);
  EXPECT_FALSE(first.m_Endmembers.isApprox(other.m_Endmembers, 0.01));
  EXPECT_FALSE(first.m_Abundances.isApprox(other.m_Abundances, 0.01f));
}

TEST(SyntheticScene, RefusesOptionsThatMakeNoScene)
{
  EXPECT_THROW(MakeSyntheticScene(Options(20, 100, 0, 30.)), hud::InvalidOption);
  EXPECT_THROW(MakeSyntheticScene(Options(0, 100, 3, 30.)), hud::InvalidOption);
  EXPECT_THROW(MakeSyntheticScene(Options(20, 0, 3, 30.)), hud::InvalidOption);
  EXPECT_THROW(MakeSyntheticScene(Options(20, -5, 3, 30.)), hud::InvalidOption);
  EXPECT_THROW(MakeSyntheticScene(Options(20, 2, 3, 30.)), hud::InvalidOption) << "fewer pixels than pure pixels";
  EXPECT_THROW(MakeSyntheticScene(Options(20, 100, 3, std::nan(""))), hud::InvalidOption);
}

TEST(SpectralAngle, IsTheAngleInRadian)
{
  const Eigen::Vector3d x(1., 0., 0.);
  EXPECT_NEAR(SpectralAngle(x, Eigen::Vector3d(0., 5., 0.)), kPi / 2., 1e-15);
  EXPECT_NEAR(SpectralAngle(x, Eigen::Vector3d(-2., 0., 0.)), kPi, 1e-15);
  EXPECT_NEAR(SpectralAngle(x, Eigen::Vector3d(1., 0., std::sqrt(3.))), kPi / 3., 1e-15);
  EXPECT_NEAR(SpectralAngle(x, Eigen::Vector3d(std::cos(1e-4), std::sin(1e-4), 0.)), 1e-4, 1e-8);
}

TEST(SpectralAngle, IsARightAngleToAZeroSpectrumAndZeroBetweenTwo)
{
  const Eigen::Vector3d zero = Eigen::Vector3d::Zero();
  EXPECT_DOUBLE_EQ(SpectralAngle(Eigen::Vector3d(2., 1., 0.), zero), kPi / 2.);
  EXPECT_DOUBLE_EQ(SpectralAngle(zero, Eigen::Vector3d(0., -1., 0.)), kPi / 2.);
  EXPECT_EQ(SpectralAngle(zero, zero), 0.);
}

TEST(SpectralAngle, IsZeroForEveryMultipleOfASpectrum)
{
  const Eigen::MatrixXd spectra = hud::test::UniformMatrix(31, 200, 4);
  for (Eigen::Index p = 0; p < spectra.cols(); ++p)
  {
    const double angle = SpectralAngle(spectra.col(p), 3.7 * spectra.col(p));
    ASSERT_TRUE(std::isfinite(angle)) << p;
    EXPECT_GE(angle, 0.);
    EXPECT_LT(angle, 1e-7) << p;
  }
}
