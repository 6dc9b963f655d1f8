// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/EndmemberExtraction.h"

#include "ErrorMessage.h"
#include "RandomMatrix.h"
#include "hud/core/ArchetypalAnalysis.h"
#include "hud/core/Decoder.h"
#include "hud/core/Error.h"
#include "hud/core/LeastSquares.h"
#include "hud/core/Sivm.h"
#include "hud/core/SyntheticScene.h"

#include <Eigen/LU>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace
{

using hud::ExtractEndmembers;
using hud::Extraction;
using hud::ExtractionOptions;
using hud::InMemorySpectra;
using hud::InvalidOption;
using hud::SyntheticScene;
using hud::UnmixingMethod;
using hud::test::MessageOf;
using hud::test::Says;

constexpr Eigen::Index kBands = 40;
constexpr Eigen::Index kPixels = 1501;

SyntheticScene Scene(Eigen::Index endmembers, double snr, std::uint64_t seed, bool purePixels = false)
{
  hud::SyntheticSceneOptions options;
  options.m_Bands = kBands;
  options.m_Pixels = kPixels;
  options.m_Endmembers = endmembers;
  options.m_SnrDecibel = snr;
  options.m_PurePixels = purePixels;
  options.m_Seed = seed;
  return MakeSyntheticScene(options);
}

ExtractionOptions Options(Eigen::Index endmembers, std::uint32_t restarts, int iterations, std::uint64_t seed = 0)
{
  ExtractionOptions options;
  options.m_Endmembers = endmembers;
  options.m_Restarts = restarts;
  options.m_Refinement.m_Iterations = iterations;
  options.m_Seed = seed;
  return options;
}

hud::VcaResult PlainVca(const Eigen::MatrixXf& spectra, Eigen::Index endmembers, std::uint64_t seed)
{
  hud::VcaOptions options;
  options.m_Endmembers = endmembers;
  options.m_Seed = seed;
  return ExtractVca(InMemorySpectra(spectra), options);
}

double FclsError(const Eigen::MatrixXf& spectra, const Eigen::MatrixXd& endmembers)
{
  Eigen::MatrixXf abundances(endmembers.cols(), spectra.cols());
  hud::Encoder(endmembers, hud::EncoderKind::Fcls).Encode(spectra, abundances);
  return hud::DecodeRmse(spectra, endmembers, abundances);
}

// Nearly dark pixels that hold nothing but noise, and pixels that are saturated in some bands.
Eigen::MatrixXf Spoilt(Eigen::Index count, float largest)
{
  Eigen::MatrixXf pixels = 0.01f * largest * hud::test::UniformMatrix(kBands, count, 20).cast<float>();
  for (Eigen::Index pixel = 0; pixel < count; pixel += 5)
  {
    pixels.col(pixel).segment(pixel % (kBands - 6), 6).setConstant(2.f * largest);
  }
  return pixels;
}

// The mean over materials of the angle to the nearest endmember, in radian.
double MeanAngle(const Eigen::MatrixXd& truth, const Eigen::MatrixXd& endmembers)
{
  double sum = 0.;
  for (Eigen::Index i = 0; i < truth.cols(); ++i)
  {
    double nearest = 4.;
    for (Eigen::Index j = 0; j < endmembers.cols(); ++j)
    {
      nearest = std::min(nearest, hud::SpectralAngle(truth.col(i), endmembers.col(j)));
    }
    sum += nearest / static_cast<double>(truth.cols());
  }
  return sum;
}

double SquaredVolume(const Eigen::MatrixXd& endmembers)
{
  const Eigen::MatrixXd edges = endmembers.rightCols(endmembers.cols() - 1).colwise() - endmembers.col(0);
  return (edges.transpose() * edges).determinant();
}

} // namespace

TEST(EndmemberExtraction, WithOneRestartAndNoRefinementIsPlainVca)
{
  for (const double snr : {10., 45.})
  {
    for (const std::uint64_t seed : {0u, 5u})
    {
      const Eigen::MatrixXf spectra = Scene(4, snr, 1, true).m_Spectra;
      const Extraction extraction = ExtractEndmembers(InMemorySpectra(spectra), Options(4, 1, 0, seed));
      const hud::VcaResult plain = PlainVca(spectra, 4, seed);
      ASSERT_EQ(extraction.m_Endmembers.rows(), kBands);
      ASSERT_EQ(extraction.m_Endmembers.cols(), 4);
      EXPECT_EQ(extraction.m_Endmembers, plain.m_Endmembers) << snr;
    }
  }
}

TEST(EndmemberExtraction, IsNeverWorseThanPlainVca)
{
  for (const Eigen::Index endmembers : {2, 4, 6})
  {
    for (const double snr : {12., 20., 40.})
    {
      for (const bool purePixels : {false, true})
      {
        SCOPED_TRACE(testing::Message() << "d " << endmembers << ", snr " << snr << ", pure " << purePixels);
        const Eigen::MatrixXf spectra = Scene(endmembers, snr, 2, purePixels).m_Spectra;
        const double plain = FclsError(spectra, PlainVca(spectra, endmembers, 3).m_Endmembers);
        for (const auto& [restarts, iterations] : {std::pair(2u, 0), std::pair(6u, 0), std::pair(6u, 5)})
        {
          ExtractionOptions options = Options(endmembers, restarts, iterations, 3);
          // Medians, the default without refinement, are for materials: their error may be larger.
          options.m_SmoothedShare = iterations == 0 ? 0. : options.m_SmoothedShare;
          const Extraction extraction = ExtractEndmembers(InMemorySpectra(spectra), options);
          EXPECT_LE(FclsError(spectra, extraction.m_Endmembers), plain * (1. + 1e-6))
              << restarts << " restarts, " << iterations << " iterations";
        }
      }
    }
  }
}

TEST(EndmemberExtraction, ComesNearTheRankLimitWithoutPurePixels)
{
  for (const Eigen::Index endmembers : {3, 5})
  {
    for (const double snr : {15., 30.})
    {
      SCOPED_TRACE(testing::Message() << "d " << endmembers << ", snr " << snr);
      const Extraction extraction =
          ExtractEndmembers(InMemorySpectra(Scene(endmembers, snr, 4).m_Spectra), Options(endmembers, 20, 30));
      ASSERT_TRUE(extraction.m_Endmembers.allFinite());
      EXPECT_GE(extraction.m_Endmembers.minCoeff(), 0.);
      EXPECT_LT(extraction.m_Rmse, 1.1 * extraction.m_RankLimit);
    }
  }
}

TEST(EndmemberExtraction, ReportsWhatItsEndmembersAchieve)
{
  const Eigen::MatrixXf spectra = Scene(5, 20., 5).m_Spectra;
  const InMemorySpectra source(spectra);
  const Extraction extraction = ExtractEndmembers(source, Options(5, 4, 6));
  const hud::SceneStatistics statistics = ComputeSceneStatistics(source);
  EXPECT_EQ(extraction.m_Statistics.m_Pixels, kPixels);
  EXPECT_EQ(extraction.m_Statistics.m_Mean, statistics.m_Mean);
  EXPECT_EQ(extraction.m_Statistics.m_Correlation, statistics.m_Correlation);
  EXPECT_DOUBLE_EQ(extraction.m_Snr, EstimateSnr(statistics, 5));
  EXPECT_DOUBLE_EQ(extraction.m_RankLimit, AffineRankLimit(statistics, 4));
  const double error = FclsError(spectra, extraction.m_Endmembers);
  EXPECT_NEAR(extraction.m_Rmse, error, 1e-5 * error);
  EXPECT_GE(extraction.m_Rmse, extraction.m_RankLimit * (1. - 1e-6)) << "no mixture can beat the plane";
}

TEST(EndmemberExtraction, RecoversPureEndmembersUnderNoise)
{
  const SyntheticScene scene = Scene(4, 40., 6, true);
  const Extraction extraction = ExtractEndmembers(InMemorySpectra(scene.m_Spectra), Options(4, 20, 30));
  for (Eigen::Index i = 0; i < 4; ++i)
  {
    double nearest = 4.;
    for (Eigen::Index j = 0; j < 4; ++j)
    {
      nearest = std::min(nearest, hud::SpectralAngle(scene.m_Endmembers.col(i), extraction.m_Endmembers.col(j)));
    }
    EXPECT_LT(nearest, 0.05) << "endmember " << i;
  }
}

TEST(EndmemberExtraction, GivesTheSameForTheSameSeedAndAnyBlockSize)
{
  const Eigen::MatrixXf spectra = Scene(4, 25., 7).m_Spectra;
  const Extraction first = ExtractEndmembers(InMemorySpectra(spectra), Options(4, 5, 4, 9));
  const Extraction second = ExtractEndmembers(InMemorySpectra(spectra), Options(4, 5, 4, 9));
  EXPECT_EQ(first.m_Endmembers, second.m_Endmembers);
  EXPECT_EQ(first.m_Rmse, second.m_Rmse);
  const Extraction blocks = ExtractEndmembers(InMemorySpectra(spectra, 83), Options(4, 5, 4, 9));
  EXPECT_TRUE(blocks.m_Endmembers.isApprox(first.m_Endmembers, 1e-5));
  EXPECT_NEAR(blocks.m_Rmse, first.m_Rmse, 1e-5 * first.m_Rmse);
}

TEST(EndmemberExtraction, IsTheSameInAnyUnits)
{
  const Eigen::MatrixXf spectra = Scene(4, 25., 8).m_Spectra;
  const Extraction truth = ExtractEndmembers(InMemorySpectra(spectra), Options(4, 5, 4));
  for (const float unit : {1e-4f, 1e4f})
  {
    const Extraction scaled = ExtractEndmembers(InMemorySpectra(unit * spectra), Options(4, 5, 4));
    EXPECT_TRUE(scaled.m_Endmembers.isApprox(static_cast<double>(unit) * truth.m_Endmembers, 1e-3)) << unit;
    EXPECT_NEAR(scaled.m_Rmse, unit * truth.m_Rmse, 1e-3 * unit * truth.m_Rmse) << unit;
  }
}

TEST(EndmemberExtraction, ComparesRunsOnASampleWhereTheSceneIsLarge)
{
  const Eigen::MatrixXf spectra = Scene(4, 25., 9).m_Spectra;
  ExtractionOptions options = Options(4, 6, 10);
  options.m_SamplePixels = 200;
  const Extraction extraction = ExtractEndmembers(InMemorySpectra(spectra), options);
  ASSERT_TRUE(extraction.m_Endmembers.allFinite());
  EXPECT_LT(FclsError(spectra, extraction.m_Endmembers), 1.3 * extraction.m_RankLimit);
}

TEST(EndmemberExtraction, WithoutRefinementFindsMaterialsAmongDarkAndOutlyingPixels)
{
  const SyntheticScene scene = Scene(4, 30., 11, true);
  Eigen::MatrixXf spectra(kBands, kPixels + 20);
  spectra << scene.m_Spectra, Spoilt(20, scene.m_Spectra.maxCoeff());
  // Several nearly pure pixels of each material: a median needs more than one.
  for (Eigen::Index pixel = 0; pixel < 200; ++pixel)
  {
    spectra.col(4 + pixel) = 0.95f * scene.m_Endmembers.col(pixel % 4).cast<float>() + 0.05f * spectra.col(4 + pixel);
  }
  const double plain =
      MeanAngle(scene.m_Endmembers, ExtractEndmembers(InMemorySpectra(spectra), Options(4, 1, 0)).m_Endmembers);
  const double smoothed =
      MeanAngle(scene.m_Endmembers, ExtractEndmembers(InMemorySpectra(spectra), Options(4, 20, 0)).m_Endmembers);
  EXPECT_GT(plain, 0.2) << "the spoilt pixels mislead plain VCA";
  EXPECT_LT(smoothed, 0.1);
}

TEST(EndmemberExtraction, CanChooseTheLargestSimplex)
{
  const Eigen::MatrixXf spectra = Scene(4, 20., 13).m_Spectra;
  ExtractionOptions options = Options(4, 12, 0);
  options.m_SmoothedShare = 0.;
  const Eigen::MatrixXd byError = ExtractEndmembers(InMemorySpectra(spectra), options).m_Endmembers;
  options.m_Criterion = hud::ParseEndmemberCriterion("volume");
  const Eigen::MatrixXd byVolume = ExtractEndmembers(InMemorySpectra(spectra), options).m_Endmembers;
  EXPECT_GE(SquaredVolume(byVolume), SquaredVolume(byError));
  EXPECT_LE(FclsError(spectra, byError), FclsError(spectra, byVolume));
  EXPECT_NE(byError, byVolume) << "a scene on which the criteria agree tests nothing";
}

TEST(EndmemberExtraction, KeepsShadeZeroAndUsesIt)
{
  // One brightness for each pixel: mixtures of three materials with shade.
  SyntheticScene scene = Scene(3, 40., 14, true);
  const Eigen::VectorXf brightness = hud::test::UniformMatrix(kPixels, 1, 15).cast<float>();
  scene.m_Spectra *= brightness.asDiagonal();
  for (const int iterations : {0, 10})
  {
    ExtractionOptions options = Options(4, 10, iterations);
    options.m_Refinement.m_Shade = true;
    const Extraction extraction = ExtractEndmembers(InMemorySpectra(scene.m_Spectra), options);
    ASSERT_EQ(extraction.m_Endmembers.cols(), 4);
    EXPECT_EQ(extraction.m_Endmembers.col(3), Eigen::VectorXd::Zero(kBands));
    EXPECT_GT(extraction.m_Endmembers.leftCols(3).colwise().norm().minCoeff(), 0.1);
    const double withoutShade = ExtractEndmembers(InMemorySpectra(scene.m_Spectra), Options(3, 10, iterations)).m_Rmse;
    EXPECT_LT(extraction.m_Rmse, 0.5 * withoutShade) << iterations;
  }
}

TEST(EndmemberExtraction, NamesItsCriteria)
{
  EXPECT_EQ(hud::ParseEndmemberCriterion("error"), hud::EndmemberCriterion::DecodeError);
  EXPECT_TRUE(Says(MessageOf<InvalidOption>([] { hud::ParseEndmemberCriterion("size"); }), "size"));
  EXPECT_TRUE(Says(MessageOf<InvalidOption>([] { hud::ParseEndmemberCriterion("size"); }), "error, volume"));
}

TEST(EndmemberExtraction, EachMethodFindsMaterialsAndSaysItsError)
{
  for (const bool purePixels : {true, false})
  {
    const SyntheticScene scene = Scene(4, 35., 12, purePixels);
    const double vca = MeanAngle(scene.m_Endmembers, PlainVca(scene.m_Spectra, 4, 0).m_Endmembers);
    for (const UnmixingMethod method : {UnmixingMethod::Sivm, UnmixingMethod::Sisal, UnmixingMethod::Nmf})
    {
      SCOPED_TRACE(ToString(method) + (purePixels ? ", pure pixels" : ", no pure pixels"));
      ExtractionOptions options = Options(4, 4, 30);
      options.m_Method = method;
      double done = 0.;
      const Extraction extraction =
          ExtractEndmembers(InMemorySpectra(scene.m_Spectra), options, [&](double fraction) { done = fraction; });
      ASSERT_EQ(extraction.m_Endmembers.rows(), kBands);
      ASSERT_EQ(extraction.m_Endmembers.cols(), 4);
      ASSERT_TRUE(extraction.m_Endmembers.allFinite());
      EXPECT_NEAR(extraction.m_Rmse, FclsError(scene.m_Spectra, extraction.m_Endmembers), 1e-6);
      EXPECT_GT(done, 0.);
      EXPECT_LE(done, 1.);
      const double angle = MeanAngle(scene.m_Endmembers, extraction.m_Endmembers);
      if (purePixels)
      {
        EXPECT_LT(angle, 0.02);
      }
      else if (method != UnmixingMethod::Sivm)
      {
        EXPECT_LT(angle, 0.7 * vca);
      }
    }
  }
}

TEST(EndmemberExtraction, OnlyVcaIsRefined)
{
  const Eigen::MatrixXf spectra = Scene(4, 30., 13).m_Spectra;
  for (const UnmixingMethod method :
       {UnmixingMethod::Sivm, UnmixingMethod::Sisal, UnmixingMethod::Nmf, UnmixingMethod::Edaa})
  {
    ExtractionOptions refined = Options(4, 3, 30);
    ExtractionOptions other = Options(4, 3, 0);
    refined.m_Method = other.m_Method = method;
    other.m_SmoothedShare = 0.;
    EXPECT_EQ(ExtractEndmembers(InMemorySpectra(spectra), refined).m_Endmembers,
              ExtractEndmembers(InMemorySpectra(spectra), other).m_Endmembers)
        << ToString(method);
  }
}

TEST(EndmemberExtraction, SivmIsWhatExtractSivmFinds)
{
  const InMemorySpectra source(Scene(5, 30., 14).m_Spectra);
  ExtractionOptions options = Options(5, 20, 30);
  options.m_Method = UnmixingMethod::Sivm;
  EXPECT_EQ(ExtractEndmembers(source, options).m_Endmembers,
            ExtractSivm(source, ComputeSceneStatistics(source), 5).m_Endmembers);
}

TEST(EndmemberExtraction, EdaaIsWhatAnalyseArchetypesFindsInTheBandsWithData)
{
  const Eigen::MatrixXf spectra = Scene(3, 35., 16).m_Spectra;
  Eigen::MatrixXf wider = Eigen::MatrixXf::Zero(spectra.rows() + 9, spectra.cols());
  wider.topRows(spectra.rows()) = spectra;
  ExtractionOptions options = Options(3, 6, 30);
  options.m_Method = UnmixingMethod::Edaa;
  options.m_SamplePixels = spectra.cols();
  hud::ArchetypalAnalysisOptions analysis;
  analysis.m_Endmembers = 3;
  analysis.m_Restarts = 6;
  analysis.m_Seed = options.m_Seed;
  const Eigen::MatrixXd expected = hud::AnalyseArchetypes(spectra, analysis).m_Endmembers;
  int steps = 0;
  const hud::Extraction found = ExtractEndmembers(InMemorySpectra(wider), options, [&](double) { ++steps; });
  EXPECT_TRUE(found.m_Endmembers.topRows(spectra.rows()).isApprox(expected, 1e-6));
  EXPECT_TRUE(found.m_Endmembers.bottomRows(9).isZero(0.));
  EXPECT_GE(steps, 6);
}

TEST(EndmemberExtraction, AMethodThatFindsTheSameTwiceSaysWhatToDo)
{
  // One material and one mixture of it with darkness: no three endmembers are independent.
  Eigen::MatrixXf spectra = Eigen::MatrixXf::Constant(8, 40, 1.f);
  for (Eigen::Index pixel = 0; pixel < spectra.cols(); ++pixel)
  {
    spectra.col(pixel) *= 1.f + 0.01f * static_cast<float>(pixel);
  }
  ExtractionOptions options = Options(3, 2, 0);
  options.m_Method = UnmixingMethod::Edaa;
  EXPECT_TRUE(Says(MessageOf<hud::InvalidData>([&] { ExtractEndmembers(InMemorySpectra(spectra), options); }),
                   "edaa did not find 3 endmembers that are independent"));
}

TEST(EndmemberExtraction, BandsWithoutDataStayZeroInEveryMethod)
{
  Eigen::MatrixXf spectra = Scene(3, 30., 15).m_Spectra;
  spectra.row(7).setZero();
  for (const UnmixingMethod method :
       {UnmixingMethod::Sivm, UnmixingMethod::Sisal, UnmixingMethod::Nmf, UnmixingMethod::Edaa})
  {
    ExtractionOptions options = Options(3, 2, 0);
    options.m_Method = method;
    const Eigen::MatrixXd found = ExtractEndmembers(InMemorySpectra(spectra), options).m_Endmembers;
    EXPECT_TRUE((found.row(7).array() == 0.).all()) << ToString(method);
    EXPECT_TRUE((found.row(8).array() != 0.).all()) << ToString(method);
  }
}

TEST(EndmemberExtraction, OnlyVcaKnowsShade)
{
  ExtractionOptions options = Options(4, 5, 3);
  options.m_Refinement.m_Shade = true;
  options.m_Method = UnmixingMethod::Sisal;
  const std::string message = MessageOf<InvalidOption>([&] { options.Check(6, 50); });
  EXPECT_TRUE(Says(message, "method is sisal, expected vca") && Says(message, "shade")) << message;
}

TEST(EndmemberExtraction, RefusesOptionsThatDoNotFitTheScene)
{
  const InMemorySpectra source(hud::test::UniformMatrix(6, 50, 10).cast<float>());
  const auto message = [&](const ExtractionOptions& options) {
    return MessageOf<InvalidOption>([&] { ExtractEndmembers(source, options); });
  };
  EXPECT_TRUE(Says(message(Options(1, 5, 3)), "1"));
  EXPECT_TRUE(Says(message(Options(7, 5, 3)), "7") && Says(message(Options(7, 5, 3)), "6"));
  EXPECT_TRUE(Says(message(Options(4, 0, 3)), "0"));
  EXPECT_TRUE(Says(message(Options(4, 5, -3)), "-3"));
  ExtractionOptions sample = Options(4, 5, 3);
  sample.m_SamplePixels = 0;
  EXPECT_TRUE(Says(message(sample), "0"));
  ExtractionOptions share = Options(4, 5, 3);
  share.m_SmoothedShare = 0.7;
  EXPECT_TRUE(Says(message(share), "70"));
  ExtractionOptions shade = Options(2, 5, 3);
  shade.m_Refinement.m_Shade = true;
  EXPECT_TRUE(Says(message(shade), "shade"));
  EXPECT_THROW(Options(5, 1, 0).Check(6, 4), InvalidOption) << "more endmembers than pixels";
  EXPECT_NO_THROW(Options(6, 1, 0).Check(6, 50));
}

TEST(EndmemberExtraction, RefusesAnEmptyScene)
{
  EXPECT_THROW(ExtractEndmembers(InMemorySpectra(Eigen::MatrixXf(6, 0)), Options(3, 2, 2)), hud::InvalidData);
}
