// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/Vca.h"

#include "ErrorMessage.h"
#include "FullDisk.h"
#include "RandomMatrix.h"
#include "TemporaryFolder.h"
#include "hud/core/Error.h"
#include "hud/core/SyntheticScene.h"

#include <Eigen/SVD>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

namespace
{

using hud::ComputeSceneStatistics;
using hud::EstimateSnr;
using hud::ExtractVca;
using hud::InMemorySpectra;
using hud::InvalidData;
using hud::InvalidOption;
using hud::SceneStatistics;
using hud::SyntheticScene;
using hud::VcaBranch;
using hud::VcaOptions;
using hud::VcaProjection;
using hud::VcaResult;
using hud::test::MessageOf;
using hud::test::Says;
using hud::test::UniformMatrix;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Eigen::Index kBands = 60;
constexpr Eigen::Index kPixels = 1501;

SyntheticScene Scene(Eigen::Index endmembers, double snr, std::uint64_t seed = 1, bool purePixels = true)
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

VcaOptions Options(Eigen::Index endmembers, std::optional<VcaBranch> branch = {}, std::uint64_t seed = 0)
{
  VcaOptions options;
  options.m_Endmembers = endmembers;
  options.m_Branch = branch;
  options.m_Seed = seed;
  return options;
}

SceneStatistics StatisticsOf(const Eigen::MatrixXf& spectra)
{
  return ComputeSceneStatistics(InMemorySpectra(spectra));
}

// The angle between each true endmember and the nearest of those found.
Eigen::VectorXd Misses(const Eigen::MatrixXd& truth, const Eigen::MatrixXd& found)
{
  Eigen::VectorXd misses = Eigen::VectorXd::Constant(truth.cols(), kInfinity);
  for (Eigen::Index i = 0; i < truth.cols(); ++i)
  {
    for (Eigen::Index j = 0; j < found.cols(); ++j)
    {
      misses(i) = std::min(misses(i), hud::SpectralAngle(truth.col(i), found.col(j)));
    }
  }
  return misses;
}

std::vector<Eigen::Index> Sorted(std::vector<Eigen::Index> pixels)
{
  std::sort(pixels.begin(), pixels.end());
  return pixels;
}

// The estimate as published, on the spectra themselves: x are the d principal components of the centred spectra.
double PublishedSnr(const Eigen::MatrixXd& spectra, Eigen::Index endmembers)
{
  const auto pixels = static_cast<double>(spectra.cols());
  const Eigen::VectorXd mean = spectra.rowwise().mean();
  const Eigen::VectorXd components = (spectra.colwise() - mean).jacobiSvd().singularValues();
  const double power = spectra.squaredNorm() / pixels;
  const double inside = components.head(endmembers).squaredNorm() / pixels + mean.squaredNorm();
  const double share = static_cast<double>(endmembers) / static_cast<double>(spectra.rows());
  return 10. * std::log10((inside - share * power) / (power - inside));
}

// A scene in memory that counts how often it is read.
class CountingSpectra : public InMemorySpectra
{
public:
  using InMemorySpectra::InMemorySpectra;

  void Visit(const Visitor& visit) const override
  {
    ++m_Visits;
    InMemorySpectra::Visit(visit);
  }

  mutable Eigen::Index m_Visits = 0;
};

class VcaBothBranches : public testing::TestWithParam<VcaBranch>
{
};

INSTANTIATE_TEST_SUITE_P(Vca, VcaBothBranches, testing::Values(VcaBranch::Projective, VcaBranch::Orthogonal),
                         [](const auto& tested) {
                           return tested.param == VcaBranch::Projective ? "Projective" : "Orthogonal";
                         });

} // namespace

TEST(EstimateSnr, IsWithinOneDecibelOfTheTruth)
{
  for (const Eigen::Index endmembers : {2, 4, 9})
  {
    for (const double snr : {5., 15., 30., 50.})
    {
      const SyntheticScene scene = Scene(endmembers, snr);
      EXPECT_NEAR(EstimateSnr(StatisticsOf(scene.m_Spectra), endmembers), snr, 1.) << "d " << endmembers;
    }
  }
}

TEST(EstimateSnr, IsThePublishedEstimate)
{
  const Eigen::MatrixXf spectra = Scene(5, 12.).m_Spectra;
  for (const Eigen::Index endmembers : {2, 3, 5, 8})
  {
    EXPECT_NEAR(EstimateSnr(StatisticsOf(spectra), endmembers), PublishedSnr(spectra.cast<double>(), endmembers), 1e-6)
        << "d " << endmembers;
  }
}

TEST(EstimateSnr, IsTheSameInAnyUnits)
{
  const Eigen::MatrixXf spectra = Scene(4, 25.).m_Spectra;
  const double snr = EstimateSnr(StatisticsOf(spectra), 4);
  for (const float unit : {1e-4f, 1e4f})
  {
    EXPECT_NEAR(EstimateSnr(StatisticsOf(unit * spectra), 4), snr, 1e-3) << unit;
  }
}

TEST(EstimateSnr, IsVeryHighWithoutNoiseAndInfiniteWhereNothingLiesOutside)
{
  const Eigen::MatrixXf spectra = Scene(4, kInfinity).m_Spectra;
  EXPECT_GT(EstimateSnr(StatisticsOf(spectra), 4), 100.);
  EXPECT_EQ(EstimateSnr(StatisticsOf(spectra.topRows(4)), 4), kInfinity);
  EXPECT_EQ(EstimateSnr(StatisticsOf(Scene(4, 10.).m_Spectra.topRows(7)), 7), kInfinity);
}

TEST(EstimateSnr, OfPureNoiseIsBelowZero)
{
  for (const std::uint64_t seed : {1u, 2u, 3u})
  {
    const double snr = EstimateSnr(StatisticsOf(UniformMatrix(kBands, kPixels, seed, -1., 1.).cast<float>()), 3);
    EXPECT_FALSE(std::isnan(snr));
    EXPECT_LT(snr, 0.);
  }
}

TEST(VcaSnrThreshold, IsFifteenPlusTenLogarithmsOfTheEndmembers)
{
  EXPECT_NEAR(hud::VcaSnrThreshold(10), 25., 1e-12);
  EXPECT_NEAR(hud::VcaSnrThreshold(3), 19.771212547196624, 1e-12);
}

TEST(VcaProjection, ProjectiveCoordinatesLieInOnePlaneOffTheOrigin)
{
  const Eigen::MatrixXf spectra = Scene(5, 30.).m_Spectra;
  const VcaProjection projection(StatisticsOf(spectra), 5, VcaBranch::Projective);
  const Eigen::MatrixXd coordinates = projection.Project(projection.Reduce(spectra), 0.);
  ASSERT_EQ(coordinates.rows(), 5);
  ASSERT_EQ(coordinates.cols(), kPixels);
  ASSERT_TRUE(coordinates.allFinite());
  const Eigen::VectorXd mean = coordinates.rowwise().mean();
  const Eigen::VectorXd values = (coordinates.colwise() - mean).jacobiSvd().singularValues();
  EXPECT_LT(values(4), 1e-9 * values(0));
  EXPECT_GT(values(3), 1e-3 * values(0));
  // Brighter or darker pixels have the same coordinates: the projection removes the topography.
  EXPECT_TRUE(projection.Project(projection.Reduce(2.f * spectra), 0.).isApprox(coordinates, 1e-6));
}

TEST(VcaProjection, OrthogonalCoordinatesArePrincipalComponentsAndTheLargestNorm)
{
  const Eigen::MatrixXf spectra = Scene(5, 20.).m_Spectra;
  const VcaProjection projection(StatisticsOf(spectra), 5, VcaBranch::Orthogonal);
  const Eigen::MatrixXd coordinates = projection.Project(projection.Reduce(spectra), 7.);
  ASSERT_EQ(coordinates.rows(), 5);
  ASSERT_EQ(coordinates.cols(), kPixels);
  ASSERT_TRUE(coordinates.allFinite());
  const Eigen::MatrixXd components = coordinates.topRows(4);
  EXPECT_LT(components.rowwise().mean().norm(), 1e-6 * components.colwise().norm().mean());
  const Eigen::MatrixXd values = spectra.cast<double>();
  const Eigen::MatrixXd centred = values.colwise() - values.rowwise().mean();
  const Eigen::VectorXd truth = centred.jacobiSvd().singularValues().head(4);
  EXPECT_TRUE(Eigen::VectorXd(components.jacobiSvd().singularValues()).isApprox(truth, 1e-6));
  EXPECT_EQ(coordinates.row(4), Eigen::RowVectorXd::Constant(kPixels, 7.));
}

TEST_P(VcaBothBranches, ReducingRemovesOnlyWhatLiesOutsideTheSignalSubspace)
{
  const auto denoise = [](const VcaProjection& projection, const Eigen::VectorXd& spectrum) {
    return projection.Restore(projection.Reduce(spectrum.cast<float>()));
  };
  const SyntheticScene clean = Scene(4, kInfinity);
  const VcaProjection cleanProjection(StatisticsOf(clean.m_Spectra), 4, GetParam());
  const SyntheticScene noisy = Scene(4, 15.);
  const VcaProjection noisyProjection(StatisticsOf(noisy.m_Spectra), 4, GetParam());
  double before = 0.;
  double after = 0.;
  for (Eigen::Index p = 0; p < kPixels; p += 50)
  {
    const Eigen::VectorXd truth = clean.m_Spectra.col(p).cast<double>();
    ASSERT_EQ(denoise(cleanProjection, truth).size(), kBands);
    EXPECT_LT((denoise(cleanProjection, truth) - truth).cwiseAbs().maxCoeff(), 1e-5) << p;
    const Eigen::VectorXd spectrum = noisy.m_Spectra.col(p).cast<double>();
    const Eigen::VectorXd denoised = denoise(noisyProjection, spectrum);
    EXPECT_LT((denoise(noisyProjection, denoised) - denoised).norm(), 1e-6) << "not a projection";
    before += (spectrum - truth).squaredNorm();
    after += (denoised - truth).squaredNorm();
  }
  EXPECT_LT(after, 0.2 * before) << "of 60 dimensions of noise, at most 4 should remain";
}

TEST_P(VcaBothBranches, FindExactlyThePurePixelsWithoutNoise)
{
  for (const Eigen::Index endmembers : {2, 3, 5, 9})
  {
    for (std::uint64_t seed = 0; seed < 5; ++seed)
    {
      SCOPED_TRACE(testing::Message() << "d " << endmembers << ", seed " << seed);
      const SyntheticScene scene = Scene(endmembers, kInfinity, 100 + seed);
      const VcaResult result = ExtractVca(InMemorySpectra(scene.m_Spectra), Options(endmembers, GetParam(), seed));
      EXPECT_EQ(result.m_Branch, GetParam());
      ASSERT_EQ(result.m_Endmembers.rows(), kBands);
      ASSERT_EQ(result.m_Endmembers.cols(), endmembers);
      ASSERT_TRUE(result.m_Endmembers.allFinite());
      std::vector<Eigen::Index> purePixels(static_cast<std::size_t>(endmembers));
      std::iota(purePixels.begin(), purePixels.end(), 0);
      ASSERT_EQ(Sorted(result.m_Pixels), purePixels);
      const Eigen::MatrixXd truth = scene.m_Endmembers(Eigen::all, result.m_Pixels);
      EXPECT_LT((result.m_Endmembers - truth).cwiseAbs().maxCoeff(), 1e-4);
    }
  }
}

TEST_P(VcaBothBranches, FindPurePixelsWhereverTheyAre)
{
  SyntheticScene scene = Scene(4, kInfinity);
  for (const Eigen::Index i : {0, 1, 2, 3})
  {
    scene.m_Spectra.col(i).swap(scene.m_Spectra.col(i == 3 ? kPixels - 1 : 333 * (i + 1)));
  }
  const VcaResult result = ExtractVca(InMemorySpectra(scene.m_Spectra, 100), Options(4, GetParam()));
  EXPECT_EQ(Sorted(result.m_Pixels), (std::vector<Eigen::Index>{333, 666, 999, kPixels - 1}));
}

TEST_P(VcaBothBranches, ReturnTheDenoisedSpectraOfTheirPixels)
{
  const Eigen::MatrixXf spectra = Scene(5, 20.).m_Spectra;
  const VcaResult result = ExtractVca(InMemorySpectra(spectra), Options(5, GetParam(), 3));
  const VcaProjection projection(StatisticsOf(spectra), 5, GetParam());
  ASSERT_EQ(result.m_Pixels.size(), 5u);
  EXPECT_EQ(std::set<Eigen::Index>(result.m_Pixels.begin(), result.m_Pixels.end()).size(), 5u);
  for (Eigen::Index i = 0; i < 5; ++i)
  {
    const Eigen::VectorXf reduced = projection.Reduce(spectra.col(result.m_Pixels[static_cast<std::size_t>(i)]));
    EXPECT_LT((result.m_Endmembers.col(i) - projection.Restore(reduced)).cwiseAbs().maxCoeff(), 1e-6) << i;
  }
}

TEST_P(VcaBothBranches, GiveTheSameForTheSameSeed)
{
  const InMemorySpectra source(Scene(5, 25.).m_Spectra);
  const VcaResult first = ExtractVca(source, Options(5, GetParam(), 7));
  const VcaResult second = ExtractVca(source, Options(5, GetParam(), 7));
  EXPECT_EQ(first.m_Pixels, second.m_Pixels);
  EXPECT_EQ(first.m_Endmembers, second.m_Endmembers);
}

TEST_P(VcaBothBranches, SearchInOtherDirectionsForOtherSeeds)
{
  const InMemorySpectra source(Scene(5, 25.).m_Spectra);
  std::set<std::vector<Eigen::Index>> found;
  for (std::uint64_t seed = 0; seed < 10; ++seed)
  {
    found.insert(ExtractVca(source, Options(5, GetParam(), seed)).m_Pixels);
  }
  EXPECT_GT(found.size(), 2u);
}

TEST_P(VcaBothBranches, DoNotDependOnTheBlockSize)
{
  const Eigen::MatrixXf spectra = Scene(5, 25.).m_Spectra;
  const VcaResult whole = ExtractVca(InMemorySpectra(spectra, kPixels), Options(5, GetParam(), 4));
  for (const Eigen::Index blockPixels : {1, 37, 1500})
  {
    const VcaResult blocks = ExtractVca(InMemorySpectra(spectra, blockPixels), Options(5, GetParam(), 4));
    EXPECT_EQ(blocks.m_Pixels, whole.m_Pixels) << blockPixels;
    // Reduced pixels are in single precision.
    EXPECT_LT((blocks.m_Endmembers - whole.m_Endmembers).cwiseAbs().maxCoeff(), 1e-6) << blockPixels;
  }
}

TEST_P(VcaBothBranches, DoNotDependOnUnits)
{
  const Eigen::MatrixXf spectra = Scene(5, 25.).m_Spectra;
  const VcaResult truth = ExtractVca(InMemorySpectra(spectra), Options(5, GetParam(), 4));
  for (const float unit : {1e-4f, 1e4f})
  {
    const VcaResult result = ExtractVca(InMemorySpectra(unit * spectra), Options(5, GetParam(), 4));
    EXPECT_EQ(result.m_Pixels, truth.m_Pixels) << unit;
    EXPECT_TRUE(result.m_Endmembers.isApprox(static_cast<double>(unit) * truth.m_Endmembers, 1e-5)) << unit;
  }
}

TEST_P(VcaBothBranches, GiveEveryRunTheSameWhateverOtherRunsAreAskedFor)
{
  const InMemorySpectra source(Scene(5, 25.).m_Spectra);
  const SceneStatistics statistics = ComputeSceneStatistics(source);
  const VcaOptions options = Options(5, GetParam(), 11);
  const VcaProjection projection(statistics, 5, GetParam());
  const std::vector<VcaResult> all = ExtractVcaRuns(source, options, {{projection, {0, 1, 2, 3, 4}}});
  const std::vector<VcaResult> some = ExtractVcaRuns(source, options, {{projection, {4, 2}}});
  const VcaResult single = ExtractVca(source, options);
  ASSERT_EQ(all.size(), 5u);
  ASSERT_EQ(some.size(), 2u);
  for (const auto& [run, other] : {std::pair(all[4], some[0]), std::pair(all[2], some[1]), std::pair(all[0], single)})
  {
    EXPECT_EQ(run.m_Pixels, other.m_Pixels);
    EXPECT_EQ(run.m_Endmembers, other.m_Endmembers);
    EXPECT_EQ(run.m_Branch, other.m_Branch);
  }
  std::set<std::vector<Eigen::Index>> found;
  for (const VcaResult& run : all)
  {
    found.insert(run.m_Pixels);
  }
  EXPECT_GT(found.size(), 1u) << "all runs search in the same directions";
}

TEST_P(VcaBothBranches, ReadTheSceneTwice)
{
  for (const Eigen::Index endmembers : {2, 7})
  {
    const CountingSpectra source(Scene(endmembers, 25.).m_Spectra);
    ExtractVca(source, Options(endmembers, GetParam()));
    EXPECT_EQ(source.m_Visits, 2);
  }
}

TEST_P(VcaBothBranches, AcceptAsManyEndmembersAsBandsAndAsPixels)
{
  const Eigen::MatrixXf spectra = UniformMatrix(5, 61, 21, 0.1, 1.).cast<float>();
  EXPECT_TRUE(ExtractVca(InMemorySpectra(spectra), Options(5, GetParam())).m_Endmembers.allFinite());
  const VcaResult all = ExtractVca(InMemorySpectra(UniformMatrix(9, 4, 22).cast<float>()), Options(4, GetParam()));
  EXPECT_EQ(Sorted(all.m_Pixels), (std::vector<Eigen::Index>{0, 1, 2, 3}));
}

TEST_P(VcaBothBranches, RefuseASceneThatSpansTooFewDimensions)
{
  // Small integers: all mixtures of two spectra, exactly.
  Eigen::MatrixXf spectra(6, 101);
  const Eigen::VectorXf first = (Eigen::VectorXf(6) << 1, 5, 3, 8, 2, 7).finished();
  const Eigen::VectorXf second = (Eigen::VectorXf(6) << 4, 2, 9, 1, 6, 3).finished();
  for (Eigen::Index p = 0; p < spectra.cols(); ++p)
  {
    const auto share = static_cast<float>(p % 17);
    spectra.col(p) = share * first + (16.f - share) * second;
  }
  for (const Eigen::Index endmembers : {4, 6})
  {
    const std::string message =
        MessageOf<InvalidData>([&] { ExtractVca(InMemorySpectra(spectra), Options(endmembers, GetParam())); });
    EXPECT_TRUE(Says(message, std::to_string(endmembers))) << message;
  }
  EXPECT_THROW(ExtractVca(InMemorySpectra(Eigen::MatrixXf::Zero(6, 50)), Options(2, GetParam())), InvalidData);
}

TEST_P(VcaBothBranches, RefuseASceneOfOneSpectrum)
{
  for (std::uint64_t seed = 0; seed < 6; ++seed) // the mean is rounded differently in each
  {
    const Eigen::MatrixXf spectra = UniformMatrix(6, 1, seed).cast<float>().replicate(1, 53);
    for (const Eigen::Index endmembers : {2, 3})
    {
      EXPECT_THROW(ExtractVca(InMemorySpectra(spectra), Options(endmembers, GetParam())), InvalidData)
          << "d " << endmembers << ", seed " << seed;
    }
  }
}

TEST(Vca, RecoversPureEndmembersUnderNoise)
{
  for (const Eigen::Index endmembers : {3, 5})
  {
    for (std::uint64_t seed = 0; seed < 10; ++seed)
    {
      const SyntheticScene scene = Scene(endmembers, 50., 200 + seed);
      const VcaResult result = ExtractVca(InMemorySpectra(scene.m_Spectra), Options(endmembers, {}, seed));
      EXPECT_EQ(result.m_Branch, VcaBranch::Projective);
      EXPECT_LT(Misses(scene.m_Endmembers, result.m_Endmembers).maxCoeff(), 0.02) << "d " << endmembers << ", " << seed;
    }
  }
}

// A single run may take a mixed pixel for a vertex here, so the mean over runs counts. Random pixels miss by over 0.3.
TEST(Vca, RecoversPureEndmembersUnderStrongNoiseInTheMean)
{
  for (const Eigen::Index endmembers : {3, 5})
  {
    double sum = 0.;
    for (std::uint64_t seed = 0; seed < 10; ++seed)
    {
      const SyntheticScene scene = Scene(endmembers, 15., 200 + seed);
      const VcaResult result = ExtractVca(InMemorySpectra(scene.m_Spectra), Options(endmembers, {}, seed));
      EXPECT_EQ(result.m_Branch, VcaBranch::Orthogonal);
      sum += Misses(scene.m_Endmembers, result.m_Endmembers).mean();
    }
    EXPECT_LT(sum / 10., 0.1) << "d " << endmembers;
  }
}

TEST(Vca, RefusesValuesThatAreTooLarge)
{
  Eigen::MatrixXf spectra = Scene(5, 25.).m_Spectra;
  spectra.col(17).setConstant(-std::numeric_limits<float>::max());
  for (const VcaBranch branch : {VcaBranch::Projective, VcaBranch::Orthogonal})
  {
    EXPECT_TRUE(
        Says(MessageOf<InvalidData>([&] { ExtractVca(InMemorySpectra(spectra), Options(5, branch)); }), "no-data"));
  }
}

TEST(Vca, SaysWhenThereIsNoRoomForTheTemporaryFile)
{
  const InMemorySpectra source(Scene(5, 25.).m_Spectra);
  {
    const hud::test::FullDisk full(4096);
    EXPECT_TRUE(Says(MessageOf<hud::FileError>([&] { ExtractVca(source, Options(5)); }), "TMPDIR"));
  }
  const hud::test::TemporaryFolder folder;
  const char* const before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  setenv("TMPDIR", (folder / "missing").c_str(), 1);
  EXPECT_TRUE(Says(MessageOf<hud::FileError>([&] { ExtractVca(source, Options(5)); }), "TMPDIR"));
  before == nullptr ? unsetenv("TMPDIR") : setenv("TMPDIR", kept.c_str(), 1);
}

TEST(Vca, ChoosesTheBranchByTheThreshold)
{
  for (const Eigen::Index endmembers : {3, 8})
  {
    const double threshold = hud::VcaSnrThreshold(endmembers);
    for (const double distance : {-8., -1.5, 1.5, 8.})
    {
      const Eigen::MatrixXf spectra = Scene(endmembers, threshold + distance).m_Spectra;
      const VcaResult result = ExtractVca(InMemorySpectra(spectra), Options(endmembers));
      EXPECT_EQ(result.m_Branch, distance > 0. ? VcaBranch::Projective : VcaBranch::Orthogonal)
          << "d " << endmembers << ", " << distance << " dB from the threshold";
    }
  }
}

TEST(Vca, RefusesOptionsThatDoNotFitTheScene)
{
  const auto message = [](Eigen::Index endmembers, Eigen::Index bands, Eigen::Index pixels) {
    const std::string checked = MessageOf<InvalidOption>([&] { Options(endmembers).Check(bands, pixels); });
    const InMemorySpectra source(UniformMatrix(bands, pixels, 23).cast<float>());
    EXPECT_EQ(MessageOf<InvalidOption>([&] { ExtractVca(source, Options(endmembers)); }), checked);
    return checked;
  };
  EXPECT_TRUE(Says(message(1, 6, 50), "1"));
  EXPECT_TRUE(Says(message(-2, 6, 50), "-2"));
  EXPECT_TRUE(Says(message(7, 6, 50), "7") && Says(message(7, 6, 50), "6"));
  EXPECT_TRUE(Says(message(5, 6, 4), "5") && Says(message(5, 6, 4), "4"));
  EXPECT_EQ(message(2, 6, 50), "no error");
  EXPECT_EQ(message(6, 6, 50), "no error");
}

TEST(Vca, RefusesAnEmptyScene)
{
  EXPECT_THROW(ExtractVca(InMemorySpectra(Eigen::MatrixXf(6, 0)), Options(3)), InvalidData);
}
