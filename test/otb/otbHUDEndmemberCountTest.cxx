// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDEndmemberCount.h"

#include "hud/core/Error.h"
#include "hud/core/SyntheticScene.h"

#include "core/ErrorMessage.h"

#include <gtest/gtest.h>

#include <string>

namespace
{

using hud::SceneStatistics;
using hud::test::MessageOf;
using hud::test::Says;
using otb::HUDCountEndmembers;
using otb::HUDCountMethod;

constexpr Eigen::Index kBands = 31;

SceneStatistics Synthetic(Eigen::Index endmembers, double snr, float unit = 1.f)
{
  hud::SyntheticSceneOptions options;
  options.m_Bands = kBands;
  options.m_Pixels = 4003;
  options.m_Endmembers = endmembers;
  options.m_SnrDecibel = snr;
  options.m_Seed = 7;
  return ComputeSceneStatistics(hud::InMemorySpectra(unit * MakeSyntheticScene(options).m_Spectra));
}

/// Statistics without sampling error: variances that fall from band to band, and a mean in the first bands only. Adding
/// m m^T to a diagonal matrix of distinct values moves exactly the eigenvalues of the bands in which m is not 0.
SceneStatistics Exact(Eigen::Index bandsWithMean)
{
  SceneStatistics statistics;
  statistics.m_Pixels = 4000000000;
  statistics.m_Mean = Eigen::VectorXd::Zero(kBands);
  statistics.m_Mean.head(bandsWithMean).setConstant(0.1);
  Eigen::VectorXd variances(kBands);
  for (Eigen::Index band = 0; band < kBands; ++band)
  {
    variances(band) = 0.5 / static_cast<double>(1 + band);
  }
  statistics.m_Correlation = Eigen::MatrixXd(variances.asDiagonal());
  statistics.m_Correlation += statistics.m_Mean * statistics.m_Mean.transpose();
  return statistics;
}

const HUDCountMethod kOtbMethods[] = {HUDCountMethod::EigenvalueLikelihood, HUDCountMethod::VirtualDimensionality};

} // namespace

TEST(HUDEndmemberCount, KnowsItsMethodsByName)
{
  EXPECT_EQ(otb::HUDParseCountMethod("error"), HUDCountMethod::DecodeError);
  EXPECT_EQ(otb::HUDParseCountMethod("elm"), HUDCountMethod::EigenvalueLikelihood);
  EXPECT_EQ(otb::HUDParseCountMethod("vd"), HUDCountMethod::VirtualDimensionality);
  for (const char* name : {"", "ELM", "hysime"})
  {
    const std::string message = MessageOf<hud::InvalidOption>([&] { otb::HUDParseCountMethod(name); });
    EXPECT_TRUE(Says(message, "'" + std::string(name) + "'") && Says(message, "error, elm or vd")) << message;
  }
}

TEST(HUDEndmemberCount, IsTheNumberOfEigenvaluesThatTheMeanMoves)
{
  for (const HUDCountMethod method : kOtbMethods)
  {
    for (const Eigen::Index truth : {2, 3, 6})
    {
      EXPECT_EQ(HUDCountEndmembers(Exact(truth), method), truth) << static_cast<int>(method);
    }
  }
}

TEST(HUDEndmemberCount, IsThatOfTheMixtureInAnyUnit)
{
  for (const HUDCountMethod method : kOtbMethods)
  {
    for (const float unit : {1.f, 1e4f, 1e-3f})
    {
      for (const Eigen::Index truth : {2, 4, 6})
      {
        EXPECT_EQ(HUDCountEndmembers(Synthetic(truth, 40., unit), method), truth)
            << static_cast<int>(method) << ", unit " << unit;
      }
    }
  }
}

TEST(HUDEndmemberCount, IsNoLargerThanThatOfTheMixtureWhereNoiseHidesSome)
{
  for (const HUDCountMethod method : kOtbMethods)
  {
    const Eigen::Index count = HUDCountEndmembers(Synthetic(8, 20.), method);
    EXPECT_GE(count, 3) << static_cast<int>(method);
    EXPECT_LE(count, 8) << static_cast<int>(method);
  }
}

TEST(HUDEndmemberCount, DoesNotDependOnBandsOfZeros)
{
  for (const HUDCountMethod method : kOtbMethods)
  {
    const SceneStatistics full = Exact(4);
    SceneStatistics holed;
    holed.m_Pixels = full.m_Pixels;
    holed.m_Mean = Eigen::VectorXd::Zero(kBands + 3);
    holed.m_Correlation = Eigen::MatrixXd::Zero(kBands + 3, kBands + 3);
    const Eigen::Index half = kBands / 2;
    Eigen::VectorXi bands(kBands);
    bands << Eigen::VectorXi::LinSpaced(half, 0, static_cast<int>(half) - 1),
        Eigen::VectorXi::LinSpaced(kBands - half, static_cast<int>(half) + 3, static_cast<int>(kBands) + 2);
    holed.m_Mean(bands) = full.m_Mean;
    holed.m_Correlation(bands, bands) = full.m_Correlation;
    EXPECT_EQ(HUDCountEndmembers(holed, method), 4) << static_cast<int>(method);
  }
}

TEST(HUDEndmemberCount, RefusesFewerThanTwo)
{
  // Without a mean, correlation and covariance are the same: there is nothing to count.
  const std::string likelihood =
      MessageOf<hud::InvalidData>([] { HUDCountEndmembers(Exact(0), HUDCountMethod::EigenvalueLikelihood); });
  EXPECT_TRUE(Says(likelihood, "eigenvalue likelihood maximisation finds 0 endmembers")) << likelihood;
  EXPECT_TRUE(Says(likelihood, "at least 2")) << likelihood;
  const std::string dimensionality =
      MessageOf<hud::InvalidData>([] { HUDCountEndmembers(Exact(1), HUDCountMethod::VirtualDimensionality); });
  EXPECT_TRUE(Says(dimensionality, "virtual dimensionality finds 1 endmembers")) << dimensionality;
  SceneStatistics dark = Exact(2);
  dark.m_Mean.setZero();
  dark.m_Correlation.setZero();
  for (const HUDCountMethod method : kOtbMethods)
  {
    EXPECT_THROW(HUDCountEndmembers(dark, method), hud::InvalidData) << static_cast<int>(method);
  }
}
