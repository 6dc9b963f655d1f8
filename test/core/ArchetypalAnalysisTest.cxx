// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/ArchetypalAnalysis.h"

#include "ErrorMessage.h"
#include "hud/core/Error.h"
#include "hud/core/SyntheticScene.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace
{

using hud::AnalyseArchetypes;
using hud::ArchetypalAnalysisOptions;
using hud::ArchetypalResult;
using hud::ArchetypalRun;
using hud::SyntheticScene;
using hud::test::MessageOf;
using hud::test::Says;

SyntheticScene Scene(Eigen::Index endmembers, bool purePixels)
{
  hud::SyntheticSceneOptions options;
  options.m_Bands = 37;
  options.m_Pixels = 601;
  options.m_Endmembers = endmembers;
  options.m_SnrDecibel = 40.;
  options.m_PurePixels = purePixels;
  options.m_Seed = 5;
  return MakeSyntheticScene(options);
}

ArchetypalAnalysisOptions Options(Eigen::Index endmembers, int restarts = 7)
{
  ArchetypalAnalysisOptions options;
  options.m_Endmembers = endmembers;
  options.m_Restarts = restarts;
  options.m_Seed = 3;
  return options;
}

ArchetypalAnalysisOptions ShortOptions()
{
  ArchetypalAnalysisOptions options = Options(3, 4);
  options.m_Iterations = 6;
  return options;
}

/// Returns the mean angle of the best assignment.
double MeanAngle(const Eigen::MatrixXd& found, const Eigen::MatrixXd& truth)
{
  std::vector<Eigen::Index> order(static_cast<std::size_t>(truth.cols()));
  std::iota(order.begin(), order.end(), 0);
  double best = std::numeric_limits<double>::infinity();
  do
  {
    double sum = 0.;
    for (Eigen::Index k = 0; k < truth.cols(); ++k)
    {
      sum += hud::SpectralAngle(found.col(order[static_cast<std::size_t>(k)]), truth.col(k));
    }
    best = std::min(best, sum / static_cast<double>(truth.cols()));
  }
  while (std::next_permutation(order.begin(), order.end()));
  return best;
}

void ExpectOnSimplex(const Eigen::MatrixXf& columns)
{
  ASSERT_TRUE(columns.allFinite());
  EXPECT_GE(columns.minCoeff(), 0.f);
  const Eigen::RowVectorXd sums = columns.cast<double>().colwise().sum();
  EXPECT_LT((sums.array() - 1.).abs().maxCoeff(), 1e-6);
}

template <class Kind>
std::string MessageFor(const Eigen::MatrixXf& spectra, const ArchetypalAnalysisOptions& options)
{
  return MessageOf<Kind>([&] { AnalyseArchetypes(spectra, options); });
}

} // namespace

TEST(ArchetypalAnalysis, FindsEndmembersThatSomePixelsHoldPure)
{
  for (const Eigen::Index endmembers : {2, 3})
  {
    const SyntheticScene scene = Scene(endmembers, true);
    const ArchetypalResult result = AnalyseArchetypes(scene.m_Spectra, Options(endmembers, 21));
    ASSERT_EQ(result.m_Endmembers.rows(), 37);
    ASSERT_EQ(result.m_Endmembers.cols(), endmembers);
    ASSERT_TRUE(result.m_Endmembers.allFinite());
    EXPECT_LT(MeanAngle(result.m_Endmembers, scene.m_Endmembers), 0.05) << "d " << endmembers;
  }
}

TEST(ArchetypalAnalysis, ComesNearEndmembersThatNoPixelHoldsPure)
{
  for (const Eigen::Index endmembers : {2, 3})
  {
    const SyntheticScene scene = Scene(endmembers, false);
    const ArchetypalResult result = AnalyseArchetypes(scene.m_Spectra, Options(endmembers, 21));
    EXPECT_LT(MeanAngle(result.m_Endmembers, scene.m_Endmembers), 0.05) << "d " << endmembers;
  }
}

TEST(ArchetypalAnalysis, FindsFourEndmembersThatMostPixelsAreNear)
{
  const SyntheticScene scene = Scene(4, false);
  Eigen::MatrixXd abundances = scene.m_Abundances.cast<double>().array().pow(4.);
  abundances = (abundances.array().rowwise() / abundances.colwise().sum().array()).eval();
  const Eigen::MatrixXf spectra = (scene.m_Endmembers * abundances).cast<float>();
  const ArchetypalResult result = AnalyseArchetypes(spectra, Options(4, 21));
  EXPECT_LT(MeanAngle(result.m_Endmembers, scene.m_Endmembers), 0.05);
}

TEST(ArchetypalAnalysis, KeepsBothFactorsOnTheSimplex)
{
  const SyntheticScene scene = Scene(4, true);
  const ArchetypalResult result = AnalyseArchetypes(scene.m_Spectra, Options(4));
  ASSERT_EQ(result.m_Abundances.rows(), 4);
  ASSERT_EQ(result.m_Abundances.cols(), 601);
  ASSERT_EQ(result.m_Weights.rows(), 601);
  ASSERT_EQ(result.m_Weights.cols(), 4);
  ExpectOnSimplex(result.m_Abundances);
  ExpectOnSimplex(result.m_Weights);
}

TEST(ArchetypalAnalysis, EndmembersAreMixturesOfTheSpectraInTheirUnits)
{
  const SyntheticScene scene = Scene(3, true);
  const Eigen::MatrixXf spectra = 4000.f * scene.m_Spectra;
  const ArchetypalResult result = AnalyseArchetypes(spectra, ShortOptions());
  Eigen::MatrixXd weights = result.m_Weights.cast<double>();
  weights.array().colwise() /= spectra.cast<double>().colwise().norm().transpose().array();
  weights = (weights.array().rowwise() / weights.colwise().sum().array()).eval();
  const Eigen::MatrixXd expected = spectra.cast<double>() * weights;
  EXPECT_LT((result.m_Endmembers - expected).cwiseAbs().maxCoeff(), 1e-4 * expected.maxCoeff());
}

TEST(ArchetypalAnalysis, SaysWhatTheSelectedRunReached)
{
  const SyntheticScene scene = Scene(3, true);
  const ArchetypalResult result = AnalyseArchetypes(scene.m_Spectra, ShortOptions());
  const ArchetypalRun& run = result.m_Runs[result.m_Selected];
  const Eigen::MatrixXd unit = scene.m_Spectra.cast<double>().colwise().normalized();
  const Eigen::MatrixXd endmembers = unit * result.m_Weights.cast<double>();
  const Eigen::MatrixXd residual = unit - endmembers * result.m_Abundances.cast<double>();
  EXPECT_NEAR(run.m_Residual, residual.cwiseAbs().mean(), 1e-5 * run.m_Residual);
  // The objective is of 15 singular vectors, without the noise in the other 22.
  EXPECT_NEAR(run.m_Objective.back(), 0.5 * residual.squaredNorm(), 0.02 * run.m_Objective.back());
  double largest = -1.;
  for (Eigen::Index k = 0; k < 3; ++k)
  {
    const Eigen::ArrayXd first = endmembers.col(k).array() - endmembers.col(k).mean();
    const Eigen::ArrayXd second = endmembers.col((k + 1) % 3).array() - endmembers.col((k + 1) % 3).mean();
    largest = std::max(largest, (first * second).sum() / std::sqrt(first.square().sum() * second.square().sum()));
  }
  EXPECT_NEAR(run.m_Coherence, largest, 1e-5);
}

TEST(ArchetypalAnalysis, StartsFromEqualAbundances)
{
  const SyntheticScene scene = Scene(3, true);
  const ArchetypalResult result = AnalyseArchetypes(scene.m_Spectra, ShortOptions());
  // All weights begin within 10 % of each other, so that the first fit is close to the mean spectrum.
  const Eigen::MatrixXd unit = scene.m_Spectra.cast<double>().colwise().normalized();
  const double expected = 0.5 * (unit.colwise() - unit.rowwise().mean()).squaredNorm();
  for (const ArchetypalRun& run : result.m_Runs)
  {
    EXPECT_NEAR(run.m_Objective.front(), expected, 0.01 * expected) << run.m_Step;
  }
}

TEST(ArchetypalAnalysis, ObjectiveNeverIncreasesAndFalls)
{
  const SyntheticScene scene = Scene(3, true);
  const ArchetypalResult result = AnalyseArchetypes(scene.m_Spectra, Options(3));
  for (const ArchetypalRun& run : result.m_Runs)
  {
    SCOPED_TRACE(run.m_Step);
    ASSERT_EQ(run.m_Objective.size(), 101u);
    EXPECT_TRUE(std::is_sorted(run.m_Objective.rbegin(), run.m_Objective.rend()));
    EXPECT_LT(run.m_Objective.back(), run.m_Objective.front());
  }
}

TEST(ArchetypalAnalysis, TakesTheLeastCoherentOfTheRunsThatFit)
{
  const SyntheticScene scene = Scene(4, false);
  const ArchetypalResult result = AnalyseArchetypes(scene.m_Spectra, Options(4, 14));
  ASSERT_EQ(result.m_Runs.size(), 14u);
  ASSERT_LT(result.m_Selected, 14u);
  const ArchetypalRun& selected = result.m_Runs[result.m_Selected];
  EXPECT_EQ(result.m_Endmembers, selected.m_Endmembers);
  double smallest = std::numeric_limits<double>::infinity();
  for (const ArchetypalRun& run : result.m_Runs)
  {
    smallest = std::min(smallest, run.m_Residual);
  }
  EXPECT_LE(selected.m_Residual, 1.05 * smallest);
  for (const ArchetypalRun& run : result.m_Runs)
  {
    EXPECT_TRUE(run.m_Residual > 1.05 * smallest || run.m_Coherence >= selected.m_Coherence) << run.m_Step;
  }
}

TEST(ArchetypalAnalysis, GivesTheSameBytesForTheSameSeedAndAnyNumberOfThreads)
{
  const SyntheticScene scene = Scene(3, true);
  ArchetypalAnalysisOptions options = ShortOptions();
  options.m_Threads = 1;
  const ArchetypalResult first = AnalyseArchetypes(scene.m_Spectra, options);
  for (const int threads : {1, 2, 3, 9})
  {
    options.m_Threads = threads;
    const ArchetypalResult again = AnalyseArchetypes(scene.m_Spectra, options);
    EXPECT_EQ(again.m_Selected, first.m_Selected) << threads;
    EXPECT_EQ(again.m_Endmembers, first.m_Endmembers) << threads;
    EXPECT_EQ(again.m_Abundances, first.m_Abundances) << threads;
    EXPECT_EQ(again.m_Weights, first.m_Weights) << threads;
  }
  options.m_Seed = 4;
  EXPECT_NE(AnalyseArchetypes(scene.m_Spectra, options).m_Endmembers, first.m_Endmembers);
}

TEST(ArchetypalAnalysis, GivesSpectraOfZerosNoWeight)
{
  Eigen::MatrixXf spectra = Scene(3, true).m_Spectra;
  const ArchetypalResult without = AnalyseArchetypes(spectra.rightCols(600), ShortOptions());
  spectra.col(0).setZero();
  const ArchetypalResult result = AnalyseArchetypes(spectra, ShortOptions());
  EXPECT_EQ(result.m_Endmembers, without.m_Endmembers);
  EXPECT_EQ(result.m_Abundances.rightCols(600), without.m_Abundances);
  EXPECT_EQ(result.m_Weights.row(0), Eigen::RowVectorXf::Zero(3));
  EXPECT_EQ(result.m_Abundances.col(0), Eigen::VectorXf::Constant(3, 1.f / 3.f));
}

TEST(ArchetypalAnalysis, StopsWhenAsked)
{
  EXPECT_THROW(AnalyseArchetypes(Scene(3, true).m_Spectra, ShortOptions(), [] { throw std::runtime_error("stop"); }),
               std::runtime_error);
}

TEST(ArchetypalAnalysis, RefusesFewerSpectraThanEndmembers)
{
  const Eigen::MatrixXf spectra = Scene(4, true).m_Spectra.leftCols(3);
  const std::string message = MessageFor<hud::InvalidData>(spectra, Options(4));
  EXPECT_TRUE(Says(message, "found 3 spectra of 37 bands, expected at least 4")) << message;
}

TEST(ArchetypalAnalysis, RefusesSpectraOfZeros)
{
  Eigen::MatrixXf spectra = Eigen::MatrixXf::Zero(37, 9);
  spectra(5, 2) = 1.f;
  const std::string message = MessageFor<hud::InvalidData>(spectra, Options(2));
  EXPECT_TRUE(Says(message, "found 1 spectra that are not zero, of 9, expected at least 2")) << message;
}

TEST(ArchetypalAnalysis, RefusesValuesThatAreNotFinite)
{
  for (const float value : {std::nanf(""), std::numeric_limits<float>::infinity()})
  {
    Eigen::MatrixXf spectra = Scene(3, true).m_Spectra;
    spectra(11, 200) = value;
    const std::string message = MessageFor<hud::InvalidData>(spectra, Options(3));
    EXPECT_TRUE(Says(message, "spectrum 201 of 601 is not finite in band 12 of 37")) << message;
  }
}

TEST(ArchetypalAnalysis, RefusesOptionsOutOfRange)
{
  const auto message = [](auto&& change) {
    ArchetypalAnalysisOptions options;
    change(options);
    return MessageOf<hud::InvalidOption>([&] { options.Check(); });
  };
  EXPECT_EQ(message([](auto& options) { options.m_Endmembers = 1; }),
            "the number of endmembers is 1, expected at least 2");
  EXPECT_EQ(message([](auto& options) { options.m_Restarts = 0; }), "the number of restarts is 0, expected at least 1");
  EXPECT_EQ(message([](auto& options) { options.m_Iterations = -3; }),
            "the number of iterations is -3, expected at least 1");
  EXPECT_EQ(message([](auto& options) { options.m_AbundanceSteps = 0; }),
            "the number of steps on the abundances is 0, expected at least 1");
  EXPECT_EQ(message([](auto& options) { options.m_WeightSteps = 0; }),
            "the number of steps on the weights is 0, expected at least 1");
  EXPECT_EQ(message([](auto& options) { options.m_Threads = 0; }), "the number of threads is 0, expected at least 1");
  EXPECT_EQ(message([](auto&) {}), "no error");
}
