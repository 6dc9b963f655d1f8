// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/EndmemberRefinement.h"

#include "RandomMatrix.h"
#include "hud/core/Decoder.h"
#include "hud/core/EndmemberMatching.h"
#include "hud/core/Error.h"
#include "hud/core/LeastSquares.h"
#include "hud/core/SceneStatistics.h"
#include "hud/core/SyntheticScene.h"
#include "hud/core/Vca.h"

#include <Eigen/LU>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace
{

using hud::RefineEndmembers;
using hud::RefinementOptions;
using hud::SyntheticScene;

constexpr Eigen::Index kBands = 40;
constexpr Eigen::Index kPixels = 701;

SyntheticScene MixedScene(Eigen::Index endmembers, double snr, std::uint64_t seed)
{
  hud::SyntheticSceneOptions options;
  options.m_Bands = kBands;
  options.m_Pixels = kPixels;
  options.m_Endmembers = endmembers;
  options.m_SnrDecibel = snr;
  options.m_PurePixels = false;
  options.m_Seed = seed;
  return MakeSyntheticScene(options);
}

RefinementOptions Options(int iterations, double volume = 1e-4)
{
  RefinementOptions options;
  options.m_Iterations = iterations;
  options.m_Volume = volume;
  return options;
}

double FclsError(const Eigen::MatrixXf& spectra, const Eigen::MatrixXd& endmembers)
{
  Eigen::MatrixXf abundances(endmembers.cols(), spectra.cols());
  hud::Encoder(endmembers, hud::EncoderKind::Fcls).Encode(spectra, abundances);
  return hud::DecodeRmse(spectra, endmembers, abundances);
}

double RankLimit(const Eigen::MatrixXf& spectra, Eigen::Index endmembers)
{
  return AffineRankLimit(ComputeSceneStatistics(hud::InMemorySpectra(spectra)), endmembers - 1);
}

RefinementOptions LogDeterminant(double weight)
{
  RefinementOptions options = Options(100, weight);
  options.m_Penalty = hud::VolumePenalty::LogDeterminant;
  return options;
}

double MeanAngle(const Eigen::MatrixXd& truth, const Eigen::MatrixXd& endmembers)
{
  const std::vector<Eigen::Index> order = hud::MatchEndmembers(truth, endmembers);
  double sum = 0.;
  for (Eigen::Index k = 0; k < truth.cols(); ++k)
  {
    sum += hud::SpectralAngle(truth.col(k), endmembers.col(order[static_cast<std::size_t>(k)]));
  }
  return sum / static_cast<double>(truth.cols());
}

// Mixed pixels: inside the true simplex, so the start leaves out part of the scene.
Eigen::MatrixXd PixelsAsStart(const SyntheticScene& scene, Eigen::Index endmembers)
{
  return scene.m_Spectra.middleCols(100, endmembers).cast<double>().cwiseMax(0.);
}

} // namespace

TEST(EndmemberRefinement, NeverIncreasesTheErrorAndKeepsEndmembersNonNegative)
{
  for (const Eigen::Index endmembers : {2, 4, 7})
  {
    for (const double snr : {10., 25., 60.})
    {
      for (const double volume : {0., 1e-4, 1e-1, 100.})
      {
        SCOPED_TRACE(testing::Message() << "d " << endmembers << ", snr " << snr << ", volume " << volume);
        const SyntheticScene scene = MixedScene(endmembers, snr, 3);
        const Eigen::MatrixXd start = PixelsAsStart(scene, endmembers);
        const Eigen::MatrixXd refined = RefineEndmembers(scene.m_Spectra, start, Options(8, volume));
        ASSERT_EQ(refined.rows(), kBands);
        ASSERT_EQ(refined.cols(), endmembers);
        ASSERT_TRUE(refined.allFinite());
        EXPECT_GE(refined.minCoeff(), 0.);
        EXPECT_LE(FclsError(scene.m_Spectra, refined), FclsError(scene.m_Spectra, start) * (1. + 1e-6));
      }
    }
  }
}

TEST(EndmemberRefinement, ComesNearTheRankLimitFromMixedPixels)
{
  for (const Eigen::Index endmembers : {3, 5})
  {
    const SyntheticScene scene = MixedScene(endmembers, 30., 5);
    const Eigen::MatrixXd start = PixelsAsStart(scene, endmembers);
    const Eigen::MatrixXd refined = RefineEndmembers(scene.m_Spectra, start, Options(30));
    const double limit = RankLimit(scene.m_Spectra, endmembers);
    EXPECT_GT(FclsError(scene.m_Spectra, start), 1.5 * limit) << "the start was too good to show anything";
    EXPECT_LT(FclsError(scene.m_Spectra, refined), 1.1 * limit) << "d " << endmembers;
  }
}

TEST(EndmemberRefinement, MoreIterationsAreNeverWorse)
{
  const SyntheticScene scene = MixedScene(4, 25., 6);
  const Eigen::MatrixXd start = PixelsAsStart(scene, 4);
  double last = FclsError(scene.m_Spectra, start);
  for (const int iterations : {1, 2, 5, 15, 40})
  {
    const double error = FclsError(scene.m_Spectra, RefineEndmembers(scene.m_Spectra, start, Options(iterations)));
    EXPECT_LE(error, last * (1. + 1e-6)) << iterations;
    last = error;
  }
}

TEST(EndmemberRefinement, StaysAtTheTruthWhereThereIsNothingToGain)
{
  const SyntheticScene scene = MixedScene(4, std::numeric_limits<double>::infinity(), 7);
  const Eigen::MatrixXd refined = RefineEndmembers(scene.m_Spectra, scene.m_Endmembers, Options(10));
  EXPECT_LT(FclsError(scene.m_Spectra, refined), 1e-6);
}

TEST(EndmemberRefinement, ReturnsItsInputAfterNoIteration)
{
  const SyntheticScene scene = MixedScene(3, 20., 8);
  Eigen::MatrixXd start = PixelsAsStart(scene, 3);
  start(2, 1) = -0.125;
  EXPECT_EQ(RefineEndmembers(scene.m_Spectra, start, Options(0)), start);
}

TEST(EndmemberRefinement, IsTheSameInAnyUnits)
{
  const SyntheticScene scene = MixedScene(4, 25., 9);
  const Eigen::MatrixXd start = PixelsAsStart(scene, 4);
  const Eigen::MatrixXd truth = RefineEndmembers(scene.m_Spectra, start, Options(6));
  for (const double unit : {1e-4, 1e4})
  {
    const Eigen::MatrixXd refined =
        RefineEndmembers(static_cast<float>(unit) * scene.m_Spectra, unit * start, Options(6));
    ASSERT_TRUE(refined.allFinite());
    EXPECT_LT((refined / unit - truth).cwiseAbs().maxCoeff(), 1e-3) << unit;
  }
}

TEST(EndmemberRefinement, WeighsTheVolumeAlikeForSmallAndLargeScenes)
{
  const SyntheticScene scene = MixedScene(4, 30., 12);
  const Eigen::MatrixXd start = PixelsAsStart(scene, 4);
  const Eigen::MatrixXd once = RefineEndmembers(scene.m_Spectra, start, Options(3, 1e-2));
  const Eigen::MatrixXd fourTimes = RefineEndmembers(scene.m_Spectra.replicate(1, 4), start, Options(3, 1e-2));
  EXPECT_GT((once - start).cwiseAbs().maxCoeff(), 1e-2) << "nothing was refined";
  EXPECT_LT((fourTimes - once).cwiseAbs().maxCoeff(), 1e-6);
}

TEST(EndmemberRefinement, GivesTheSameEveryTime)
{
  const SyntheticScene scene = MixedScene(4, 25., 10);
  const Eigen::MatrixXd start = PixelsAsStart(scene, 4);
  EXPECT_EQ(RefineEndmembers(scene.m_Spectra, start, Options(5)), RefineEndmembers(scene.m_Spectra, start, Options(5)));
}

TEST(EndmemberRefinement, SurvivesAnEndmemberThatNoPixelContains)
{
  const SyntheticScene scene = MixedScene(3, 30., 11);
  Eigen::MatrixXd start(kBands, 4);
  start << scene.m_Endmembers, hud::test::UniformMatrix(kBands, 1, 12, 50., 90.);
  for (const double volume : {0., 1e-4})
  {
    const Eigen::MatrixXd refined = RefineEndmembers(scene.m_Spectra, start, Options(10, volume));
    ASSERT_TRUE(refined.allFinite()) << volume;
    EXPECT_GE(refined.minCoeff(), 0.) << volume;
    EXPECT_LE(FclsError(scene.m_Spectra, refined), FclsError(scene.m_Spectra, start) * (1. + 1e-6)) << volume;
  }
}

TEST(MinimumVolumeNmf, FindsMaterialsWithAndWithoutPurePixels)
{
  for (const bool purePixels : {true, false})
  {
    hud::SyntheticSceneOptions scene;
    scene.m_Bands = kBands;
    scene.m_Pixels = kPixels;
    scene.m_PurePixels = purePixels;
    scene.m_Seed = 3;
    const SyntheticScene truth = MakeSyntheticScene(scene);
    hud::VcaOptions vca;
    const Eigen::MatrixXd start = ExtractVca(hud::InMemorySpectra(truth.m_Spectra), vca).m_Endmembers;
    const Eigen::MatrixXd found = RefineEndmembers(truth.m_Spectra, start, LogDeterminant(2.));
    ASSERT_TRUE(found.allFinite());
    EXPECT_GE(found.minCoeff(), 0.);
    if (purePixels)
    {
      EXPECT_LT(MeanAngle(truth.m_Endmembers, found), 0.02);
    }
    else
    {
      EXPECT_LT(MeanAngle(truth.m_Endmembers, found), 0.6 * MeanAngle(truth.m_Endmembers, start));
    }
  }
}

TEST(MinimumVolumeNmf, MoreWeightMakesASmallerSimplexAndALargerError)
{
  const SyntheticScene scene = MixedScene(4, 30., 13);
  const Eigen::MatrixXd start = PixelsAsStart(scene, 4);
  double lastVolume = std::numeric_limits<double>::infinity();
  double lastError = 0.;
  for (const double weight : {0.1, 2., 20.})
  {
    const Eigen::MatrixXd found = RefineEndmembers(scene.m_Spectra, start, LogDeterminant(weight));
    const double volume = (found.transpose() * found).determinant();
    const double error = FclsError(scene.m_Spectra, found);
    EXPECT_LT(volume, lastVolume) << weight;
    EXPECT_GT(error, lastError) << weight;
    lastVolume = volume;
    lastError = error;
  }
}

// Of bands log |Y - A X|^2 + w log det(A^T A), up to its delta.
TEST(MinimumVolumeNmf, IsTheSameInAnyUnitsAndForAnyNumberOfPixels)
{
  const SyntheticScene scene = MixedScene(4, 25., 15);
  const Eigen::MatrixXd start = PixelsAsStart(scene, 4);
  RefinementOptions options = LogDeterminant(2.);
  options.m_Iterations = 6;
  const Eigen::MatrixXd truth = RefineEndmembers(scene.m_Spectra, start, options);
  EXPECT_LT((RefineEndmembers(1024.f * scene.m_Spectra, 1024. * start, options) / 1024. - truth).cwiseAbs().maxCoeff(),
            1e-3);
  EXPECT_LT((RefineEndmembers(scene.m_Spectra.replicate(1, 3), start, options) - truth).cwiseAbs().maxCoeff(), 1e-5);
}

TEST(MinimumVolumeNmf, WithoutWeightIsTheRefinementWithoutPenalty)
{
  const SyntheticScene scene = MixedScene(4, 25., 16);
  const Eigen::MatrixXd start = PixelsAsStart(scene, 4);
  RefinementOptions options = LogDeterminant(0.);
  options.m_Iterations = 5;
  EXPECT_EQ(RefineEndmembers(scene.m_Spectra, start, options),
            RefineEndmembers(scene.m_Spectra, start, Options(5, 0.)));
}

TEST(EndmemberRefinement, RefusesOptionsOutOfRange)
{
  EXPECT_THROW(Options(-1).Check(), hud::InvalidOption);
  EXPECT_THROW(Options(5, -1e-9).Check(), hud::InvalidOption);
  EXPECT_THROW(Options(5, std::nan("")).Check(), hud::InvalidOption);
  EXPECT_NO_THROW(Options(0, 0.).Check());
}
