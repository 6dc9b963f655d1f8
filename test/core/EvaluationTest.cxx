// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/Evaluation.h"

#include "ErrorMessage.h"
#include "RandomMatrix.h"
#include "hud/core/Error.h"
#include "hud/core/LeastSquares.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace
{

using Eigen::Index;
using hud::AbundanceMap;
using hud::Evaluation;
using hud::EvaluationOptions;
using hud::InMemoryRows;
using hud::InvalidData;
using hud::Metric;
using hud::SpectralImage;
using hud::test::MessageOf;
using hud::test::Says;

constexpr Index kPatch = 8;
constexpr Index kBands = 9;
constexpr Index kEndmembers = 3;

Eigen::MatrixXd Endmembers()
{
  return hud::test::UniformMatrix(kBands, kEndmembers, 1, 0.1, 1.);
}

/// Returns abundances that vary smoothly, from random numbers that a square of 5 x 5 pixels is the mean of.
Eigen::MatrixXf SmoothAbundances(Index width, Index height, std::uint64_t seed)
{
  constexpr Index kReach = 4;
  const Eigen::MatrixXd noise =
      hud::test::UniformMatrix(kEndmembers, (width + kReach) * (height + kReach), seed, -1., 1.);
  Eigen::MatrixXd abundances(kEndmembers, width * height);
  for (Index pixel = 0; pixel < abundances.cols(); ++pixel)
  {
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(kEndmembers);
    for (Index i = 0; i < 25; ++i)
    {
      sum += noise.col((pixel / width + i / 5) * (width + kReach) + pixel % width + i % 5);
    }
    abundances.col(pixel) = (0.4 * sum).array().exp();
    abundances.col(pixel) /= abundances.col(pixel).sum();
  }
  return abundances.cast<float>();
}

SpectralImage Decode(const Eigen::MatrixXf& abundances, Index width)
{
  return {width, abundances.cols() / width, Endmembers().cast<float>() * abundances};
}

SpectralImage SmoothScene(Index width, Index height, std::uint64_t seed)
{
  return Decode(SmoothAbundances(width, height, seed), width);
}

AbundanceMap Encode(const SpectralImage& image)
{
  AbundanceMap map{image.m_Width, image.m_Height, Eigen::MatrixXf(kEndmembers, image.m_Spectra.cols()), {}};
  hud::Encoder(Endmembers(), hud::EncoderKind::Fcls).Encode(image.m_Spectra, map.m_Abundances);
  for (Index pixel = 0; pixel < image.m_Spectra.cols(); ++pixel)
  {
    map.m_Valid.push_back(image.m_Spectra.col(pixel).isZero(0.f) ? 0 : 1);
  }
  return map;
}

Evaluation Evaluate(const SpectralImage& real, const SpectralImage& generated, const EvaluationOptions& options,
                    const std::function<void(double, const std::string&)>& progress = {})
{
  const AbundanceMap realMap = Encode(real);
  const AbundanceMap generatedMap = Encode(generated);
  const InMemoryRows realRows(real);
  const InMemoryRows generatedRows(generated);
  return hud::Evaluate({realRows, realMap}, {generatedRows, generatedMap}, Endmembers(), options, nullptr, progress);
}

Evaluation Evaluate(const SpectralImage& real, const SpectralImage& generated)
{
  EvaluationOptions options;
  options.m_Patch = kPatch;
  options.m_Threads = 1;
  return Evaluate(real, generated, options);
}

const Metric& Find(const Evaluation& evaluation, const std::string& name)
{
  const auto found = std::find_if(evaluation.m_Metrics.begin(), evaluation.m_Metrics.end(),
                                  [&](const Metric& metric) { return metric.m_Name == name; });
  EXPECT_NE(found, evaluation.m_Metrics.end()) << name;
  return *found;
}

std::string Verdict(const Evaluation& evaluation, const std::string& name)
{
  return Find(evaluation, name).Verdict();
}

/// What the tests compare with: 57 x 44 pixels.
const SpectralImage& Real()
{
  static const SpectralImage real = SmoothScene(57, 44, 2);
  return real;
}

} // namespace

TEST(Evaluation, FindsAnotherRealisationOfTheSameKindAsGoodAsReal)
{
  const Evaluation evaluation = Evaluate(Real(), SmoothScene(64, 40, 3));
  for (const Metric& metric : evaluation.m_Metrics)
  {
    if (metric.m_Value)
    {
      EXPECT_TRUE(metric.Verdict() == "as real" || metric.Verdict() == "near")
          << metric.m_Name << ": " << *metric.m_Value << ", oracle " << *metric.m_Oracle;
    }
  }
  EXPECT_EQ(evaluation.m_Memorisation.m_Copies, 0u);
  EXPECT_GT(evaluation.m_Memorisation.m_Limit, 0.);
  EXPECT_EQ(evaluation.m_SetBlocks, 40);
}

TEST(Evaluation, FindsShuffledPixelsPerfectByPointAndFarByArrangement)
{
  SpectralImage shuffled = Real();
  std::vector<Index> order(static_cast<std::size_t>(shuffled.m_Spectra.cols()));
  std::iota(order.begin(), order.end(), Index{0});
  std::shuffle(order.begin(), order.end(), std::mt19937_64(4));
  shuffled.m_Spectra = Real().m_Spectra(Eigen::all, order);
  const Evaluation evaluation = Evaluate(Real(), shuffled);
  EXPECT_NEAR(*Find(evaluation, "point_fidelity").m_Value, 1., 1e-6);
  EXPECT_EQ(Verdict(evaluation, "log_power_spectrum"), "far");
  EXPECT_EQ(Verdict(evaluation, "log_variogram"), "far");
  EXPECT_EQ(Verdict(evaluation, "frechet_distance"), "far");
  EXPECT_EQ(evaluation.m_Memorisation.m_Copies, 0u);
}

TEST(Evaluation, FindsADarkenedSceneFarWhereBrightnessCounts)
{
  SpectralImage dark = Real();
  dark.m_Spectra *= 0.2f;
  const Evaluation evaluation = Evaluate(Real(), dark);
  EXPECT_NEAR(*Find(evaluation, "point_fidelity").m_Value, 1., 1e-6);
  EXPECT_NEAR(*Find(evaluation, "block_diversity").m_Value, 1., 1e-6);
  EXPECT_EQ(Verdict(evaluation, "relative_error"), "far");
  EXPECT_EQ(Verdict(evaluation, "band_wasserstein"), "far");
}

TEST(Evaluation, FindsARepeatedPixelWithoutCoverage)
{
  const SpectralImage repeated{48, 40, Real().m_Spectra.col(700).replicate(1, 48 * 40)};
  const Evaluation evaluation = Evaluate(Real(), repeated);
  EXPECT_NEAR(*Find(evaluation, "point_fidelity").m_Value, 1., 1e-6);
  EXPECT_EQ(Verdict(evaluation, "coverage"), "far");
  EXPECT_LT(*Find(evaluation, "coverage").m_Value, 0.1);
  EXPECT_LT(*Find(evaluation, "recall").m_Value, 0.1);
  EXPECT_EQ(evaluation.m_Memorisation.m_Copies, 0u);
}

TEST(Evaluation, FindsThatOneBlockIsACropOfTheRealSceneTurned)
{
  Eigen::MatrixXf abundances = SmoothAbundances(64, 40, 5);
  const AbundanceMap real = Encode(Real());
  for (Index y = 0; y < kPatch; ++y)
  {
    for (Index x = 0; x < kPatch; ++x)
    {
      // A quarter turn of the crop at column 21 and row 13, in the block at column 24 and row 16.
      abundances.col((16 + x) * 64 + 24 + kPatch - 1 - y) = real.m_Abundances.col((13 + y) * 57 + 21 + x);
    }
  }
  const Evaluation evaluation = Evaluate(Real(), Decode(abundances, 64));
  ASSERT_EQ(evaluation.m_Memorisation.m_Copies, 1u);
  const auto nearest =
      std::min_element(evaluation.m_Memorisation.m_Nearest.begin(), evaluation.m_Memorisation.m_Nearest.end(),
                       [](const auto& a, const auto& b) { return a.m_Distance < b.m_Distance; });
  EXPECT_EQ(nearest->m_Column, 21);
  EXPECT_EQ(nearest->m_Row, 13);
  const hud::PatchCorner& block =
      evaluation.m_Memorisation
          .m_Blocks[static_cast<std::size_t>(nearest - evaluation.m_Memorisation.m_Nearest.begin())];
  EXPECT_EQ(block.m_Column, 24);
  EXPECT_EQ(block.m_Row, 16);
}

TEST(Evaluation, FindsTheSameImagePerfectAndAllOfItCopied)
{
  const Evaluation evaluation = Evaluate(Real(), Real());
  EXPECT_NEAR(*Find(evaluation, "point_fidelity").m_Value, 1., 1e-6);
  EXPECT_NEAR(*Find(evaluation, "diversity_ratio").m_Value, 1., 1e-6);
  EXPECT_EQ(Verdict(evaluation, "diversity_ratio"), "closer than real");
  EXPECT_EQ(Verdict(evaluation, "nearest_crop"), "closer than real");
  EXPECT_EQ(evaluation.m_Memorisation.m_Copies, static_cast<std::size_t>(evaluation.m_SetBlocks));
}

TEST(Evaluation, PutsBaselinesWhereTheyBelong)
{
  const Evaluation evaluation = Evaluate(Real(), SmoothScene(64, 40, 3));
  const auto of = [&](const char* name, hud::Baseline baseline) {
    return *Find(evaluation, name).m_Baselines[static_cast<std::size_t>(baseline)];
  };
  EXPECT_NEAR(of("point_fidelity", hud::Baseline::Shuffled), 1., 1e-6);
  EXPECT_GT(of("log_variogram", hud::Baseline::Shuffled), 4. * *Find(evaluation, "log_variogram").m_Oracle);
  EXPECT_GT(of("log_variogram", hud::Baseline::Mixes), 4. * *Find(evaluation, "log_variogram").m_Oracle);
  EXPECT_LT(of("coverage", hud::Baseline::Repeated), 0.1);
  EXPECT_NEAR(of("block_diversity", hud::Baseline::Darkened), 1., 1e-6);
  EXPECT_GT(of("relative_error", hud::Baseline::Darkened), 1.);
}

TEST(Evaluation, LeavesOutNoDataPixelsAndCountsThem)
{
  SpectralImage real = Real();
  SpectralImage generated = SmoothScene(64, 40, 3);
  real.m_Spectra.middleCols(40 * 57, 4 * 57).setZero(); // the last four lines
  generated.m_Spectra.col(5).setZero();
  const Evaluation evaluation = Evaluate(real, generated);
  EXPECT_EQ(evaluation.m_Fidelity.m_RealNoData, 4 * 57);
  EXPECT_EQ(evaluation.m_Fidelity.m_GeneratedNoData, 1);
  EXPECT_EQ(evaluation.m_SetBlocks, 39); // the first block is incomplete
}

TEST(Evaluation, OfASingleBlockLeavesOutWhatNeedsSeveral)
{
  const Evaluation evaluation = Evaluate(Real(), SmoothScene(kPatch, kPatch, 6));
  EXPECT_EQ(evaluation.m_SetBlocks, 1);
  EXPECT_TRUE(Find(evaluation, "point_fidelity").m_Value.has_value());
  EXPECT_TRUE(Find(evaluation, "log_variogram").m_Value.has_value());
  EXPECT_FALSE(Find(evaluation, "frechet_distance").m_Value.has_value());
  EXPECT_EQ(Verdict(evaluation, "coverage"), "");
}

namespace
{

// Has seen one patch.
class OnePatchJudge : public hud::BlockJudge
{
public:
  hud::PatchClassification Classify(const Eigen::MatrixXf&) const override
  {
    return {Eigen::MatrixXd::Constant(2, 1, 0.5), Eigen::MatrixXd::Ones(3, 1)};
  }
};

} // namespace

TEST(Evaluation, HasNoFrechetInceptionDistanceOfOnePatch)
{
  const SpectralImage generated = SmoothScene(kPatch, kPatch, 6);
  const AbundanceMap realMap = Encode(Real());
  const AbundanceMap generatedMap = Encode(generated);
  const InMemoryRows realRows(Real());
  const InMemoryRows generatedRows(generated);
  EvaluationOptions options;
  options.m_Patch = kPatch;
  options.m_Threads = 1;
  const OnePatchJudge judge;
  const Evaluation evaluation =
      hud::Evaluate({realRows, realMap}, {generatedRows, generatedMap}, Endmembers(), options, &judge);
  EXPECT_NEAR(*Find(evaluation, "inception_score").m_Value, 1., 1e-6);
  EXPECT_FALSE(Find(evaluation, "frechet_inception_distance").m_Value.has_value());
}

TEST(Evaluation, IsTheSameForTheSameSeed)
{
  const SpectralImage generated = SmoothScene(64, 40, 3);
  const Evaluation first = Evaluate(Real(), generated);
  const Evaluation second = Evaluate(Real(), generated);
  for (std::size_t i = 0; i < first.m_Metrics.size(); ++i)
  {
    EXPECT_EQ(first.m_Metrics[i].m_Value, second.m_Metrics[i].m_Value) << first.m_Metrics[i].m_Name;
    EXPECT_EQ(first.m_Metrics[i].m_Oracle, second.m_Metrics[i].m_Oracle) << first.m_Metrics[i].m_Name;
  }
}

TEST(Evaluation, ReportsProgressThatGrowsToOne)
{
  EvaluationOptions options;
  options.m_Patch = kPatch;
  std::vector<double> reports;
  Evaluate(Real(), SmoothScene(32, 24, 7), options, [&](double fraction, const std::string& what) {
    EXPECT_FALSE(what.empty());
    reports.push_back(fraction);
  });
  ASSERT_FALSE(reports.empty());
  EXPECT_TRUE(std::is_sorted(reports.begin(), reports.end()));
  EXPECT_GE(reports.front(), 0.);
  EXPECT_NEAR(reports.back(), 1., 1e-9);
}

TEST(Evaluation, RefusesScenesWithoutWholeBlocks)
{
  EXPECT_TRUE(Says(MessageOf<InvalidData>([] { Evaluate(Real(), SmoothScene(20, 7, 8)); }), "20 x 7"));
  SpectralImage holes = Real();
  for (Index pixel = 0; pixel < holes.m_Spectra.cols(); pixel += 6)
  {
    holes.m_Spectra.col(pixel).setZero();
  }
  EXPECT_TRUE(Says(MessageOf<InvalidData>([&] { Evaluate(holes, Real()); }), "has 0 places"));
  EvaluationOptions options;
  options.m_Patch = 1;
  EXPECT_THROW(Evaluate(Real(), Real(), options), hud::InvalidOption);
}
