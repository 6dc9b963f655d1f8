// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/Sisal.h"

#include "ErrorMessage.h"
#include "hud/core/EndmemberMatching.h"
#include "hud/core/Error.h"
#include "hud/core/SyntheticScene.h"
#include "hud/core/Vca.h"

#include <Eigen/QR>

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace
{

using hud::ExtractSisal;
using hud::SisalOptions;
using hud::SyntheticScene;
using hud::test::MessageOf;
using hud::test::Says;

constexpr Eigen::Index kBands = 60;
constexpr Eigen::Index kPixels = 3001;

SyntheticScene Scene(double snr, bool purePixels, Eigen::Index endmembers = 4)
{
  hud::SyntheticSceneOptions options;
  options.m_Bands = kBands;
  options.m_Pixels = kPixels;
  options.m_Endmembers = endmembers;
  options.m_SnrDecibel = snr;
  options.m_PurePixels = purePixels;
  options.m_Seed = 3;
  return MakeSyntheticScene(options);
}

Eigen::MatrixXd Start(const Eigen::MatrixXf& spectra, Eigen::Index endmembers)
{
  hud::VcaOptions options;
  options.m_Endmembers = endmembers;
  return ExtractVca(hud::InMemorySpectra(spectra), options).m_Endmembers;
}

SisalOptions Share(double share)
{
  SisalOptions options;
  options.m_OutsideShare = share;
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

} // namespace

TEST(Sisal, FindsMaterialsWithoutPurePixels)
{
  for (const double snr : {30., 60.})
  {
    const SyntheticScene scene = Scene(snr, false);
    const Eigen::MatrixXd start = Start(scene.m_Spectra, 4);
    const Eigen::MatrixXd found = ExtractSisal(scene.m_Spectra, start);
    ASSERT_EQ(found.rows(), kBands);
    ASSERT_EQ(found.cols(), 4);
    ASSERT_TRUE(found.allFinite());
    EXPECT_GT(MeanAngle(scene.m_Endmembers, start), 0.03) << "the start was too good to show anything";
    EXPECT_LT(MeanAngle(scene.m_Endmembers, found), 0.02) << snr;
  }
}

TEST(Sisal, FindsMaterialsWithPurePixels)
{
  const SyntheticScene scene = Scene(50., true);
  const Eigen::MatrixXd found = ExtractSisal(scene.m_Spectra, Start(scene.m_Spectra, 4), Share(0.002));
  EXPECT_LT(MeanAngle(scene.m_Endmembers, found), 0.005);
}

// What the minimum is: outside of each facet lies that share of the pixels, up to those on the facets, d - 1 of each.
TEST(Sisal, LeavesTheShareOutsideOfEachFacet)
{
  for (const Eigen::Index endmembers : {3, 5})
  {
    for (const double share : {0.01, 0.05})
    {
      SCOPED_TRACE(testing::Message() << endmembers << " endmembers, share " << share);
      const SyntheticScene scene = Scene(40., false, endmembers);
      const Eigen::MatrixXd found = ExtractSisal(scene.m_Spectra, Start(scene.m_Spectra, endmembers), Share(share));
      ASSERT_GT(found.minCoeff(), 0.) << "endmembers were cut off";
      // Barycentric coordinates of the pixels' projections.
      const Eigen::MatrixXd edges = found.leftCols(endmembers - 1).colwise() - found.col(endmembers - 1);
      const Eigen::MatrixXd pixels = scene.m_Spectra.cast<double>().colwise() - found.col(endmembers - 1);
      const Eigen::MatrixXd coordinates = edges.colPivHouseholderQr().solve(pixels);
      const double expected = share * static_cast<double>(kPixels);
      for (Eigen::Index k = 0; k < endmembers; ++k)
      {
        const auto outside =
            static_cast<double>(k < endmembers - 1 ? (coordinates.row(k).array() < 0.).count()
                                                   : (coordinates.colwise().sum().array() > 1.).count());
        EXPECT_NEAR(outside, expected, 0.05 * expected + static_cast<double>(endmembers)) << "facet " << k;
      }
    }
  }
}

TEST(Sisal, ScalesWithTheSpectra)
{
  const SyntheticScene scene = Scene(40., false);
  const Eigen::MatrixXd start = Start(scene.m_Spectra, 4);
  const Eigen::MatrixXd found = ExtractSisal(scene.m_Spectra, start);
  const Eigen::MatrixXd scaled = ExtractSisal(1024.f * scene.m_Spectra, 1024. * start);
  EXPECT_TRUE(scaled.isApprox(1024. * found, 1e-4));
  EXPECT_EQ(ExtractSisal(scene.m_Spectra, start), found) << "the same start does not give the same endmembers";
}

TEST(Sisal, EndmembersAreNotNegative)
{
  SyntheticScene scene = Scene(20., false);
  scene.m_Spectra.array() -= scene.m_Spectra.minCoeff() + 0.1f; // the simplex reaches below zero
  const Eigen::MatrixXd found = ExtractSisal(scene.m_Spectra, Start(scene.m_Spectra, 4), Share(0.001));
  ASSERT_TRUE(found.allFinite());
  EXPECT_GE(found.minCoeff(), 0.);
}

TEST(Sisal, CanBeStopped)
{
  const SyntheticScene scene = Scene(40., false);
  EXPECT_THROW(ExtractSisal(scene.m_Spectra, Start(scene.m_Spectra, 4), {}, [] { throw std::runtime_error("stop"); }),
               std::runtime_error);
}

TEST(Sisal, BadInputIsRefused)
{
  const SyntheticScene scene = Scene(40., false);
  const Eigen::MatrixXd start = Start(scene.m_Spectra, 4);
  const auto option = [&](const SisalOptions& options) {
    return MessageOf<hud::InvalidOption>([&] { ExtractSisal(scene.m_Spectra, start, options); });
  };
  const auto data = [&](const Eigen::MatrixXf& spectra, const Eigen::MatrixXd& endmembers) {
    return MessageOf<hud::InvalidData>([&] { ExtractSisal(spectra, endmembers); });
  };
  EXPECT_TRUE(Says(option(Share(0.)), "outside of each facet is 0 %, expected more than 0")) << option(Share(0.));
  EXPECT_TRUE(Says(option(Share(0.6)), "60 %"));
  EXPECT_TRUE(Says(option(Share(std::numeric_limits<double>::quiet_NaN())), "nan"));
  SisalOptions none;
  none.m_Iterations = 0;
  EXPECT_TRUE(Says(option(none), "iterations of SISAL is 0, expected at least 1"));
  EXPECT_TRUE(Says(data(scene.m_Spectra, start.topRows(50)), "4 endmembers of 50 bands")) << "bands";
  EXPECT_TRUE(Says(data(scene.m_Spectra.leftCols(3), start), "no more than bands or pixels")) << "pixels";
  Eigen::MatrixXd flat = start;
  flat.col(2) = flat.col(1);
  EXPECT_TRUE(Says(data(scene.m_Spectra, flat), "enclose no volume")) << data(scene.m_Spectra, flat);
  const Eigen::MatrixXf line = scene.m_Spectra.col(0) * Eigen::RowVectorXf::LinSpaced(100, 0.5f, 1.f);
  EXPECT_TRUE(Says(data(line, start), "fewer than the 4 dimensions")) << data(line, start);
}
