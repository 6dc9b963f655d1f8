// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/EndmemberCount.h"

#include "ErrorMessage.h"
#include "hud/core/Error.h"
#include "hud/core/SyntheticScene.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <vector>

namespace
{

using hud::CountEndmembers;
using hud::EndmemberCountOptions;
using hud::InMemorySpectra;
using hud::test::MessageOf;
using hud::test::Says;

constexpr Eigen::Index kBands = 31;
constexpr Eigen::Index kPixels = 1203;

Eigen::MatrixXf Spectra(Eigen::Index endmembers, double snr)
{
  hud::SyntheticSceneOptions options;
  options.m_Bands = kBands;
  options.m_Pixels = kPixels;
  options.m_Endmembers = endmembers;
  options.m_SnrDecibel = snr;
  options.m_Seed = 5;
  return MakeSyntheticScene(options).m_Spectra;
}

EndmemberCountOptions Options(double largestError)
{
  EndmemberCountOptions options;
  options.m_LargestError = largestError;
  options.m_Extraction.m_Restarts = 10;
  options.m_Extraction.m_Refinement.m_Iterations = 20;
  return options;
}

} // namespace

TEST(EndmemberCount, IsThatOfTheMixtureWhenTheErrorAllowedIsTheNoise)
{
  for (const Eigen::Index truth : {2, 3, 5})
  {
    // 30 dB: noise of 3 % of the scene.
    EXPECT_EQ(CountEndmembers(InMemorySpectra(Spectra(truth, 30.)), Options(0.033)), truth);
  }
}

TEST(EndmemberCount, IsTheSmallestThatKeepsTheError)
{
  const Eigen::MatrixXf spectra = Spectra(6, 40.);
  std::vector<std::pair<Eigen::Index, double>> tried;
  const EndmemberCountOptions options = Options(0.05);
  const Eigen::Index count =
      CountEndmembers(InMemorySpectra(spectra), options,
                      [&](Eigen::Index endmembers, double error) { tried.emplace_back(endmembers, error); });
  ASSERT_FALSE(tried.empty());
  EXPECT_EQ(tried.back().first, count);
  EXPECT_LE(tried.back().second, 0.05);
  tried.pop_back();
  for (const auto& [endmembers, error] : tried)
  {
    EXPECT_GT(error, 0.05) << endmembers;
  }
  hud::ExtractionOptions extraction = options.m_Extraction;
  extraction.m_Endmembers = count;
  const hud::Extraction found = ExtractEndmembers(InMemorySpectra(spectra), extraction);
  EXPECT_LE(found.m_Rmse, 0.05 * std::sqrt(found.m_Statistics.Power() / kBands));
}

TEST(EndmemberCount, CountsShade)
{
  EndmemberCountOptions options = Options(0.5);
  EXPECT_EQ(CountEndmembers(InMemorySpectra(Spectra(4, 40.)), options), 2);
  options.m_Extraction.m_Refinement.m_Shade = true;
  EXPECT_EQ(CountEndmembers(InMemorySpectra(Spectra(4, 40.)), options), 3);
}

TEST(EndmemberCount, SaysWhatCanBeReachedWhenTheErrorCannot)
{
  // Medians of nearly half the pixels are poor endmembers, far from what the plane allows.
  EndmemberCountOptions options = Options(0.02);
  options.m_Extraction.m_Refinement.m_Iterations = 0;
  options.m_Extraction.m_SmoothedShare = 0.4;
  options.m_MostEndmembers = 5;
  double smallest = 1.;
  const std::string message = MessageOf<hud::InvalidData>([&] {
    CountEndmembers(InMemorySpectra(Spectra(4, 40.)), options,
                    [&](Eigen::Index, double error) { smallest = std::min(smallest, error); });
  });
  std::ostringstream expected;
  expected << "none is below " << 100. * smallest << " %";
  EXPECT_TRUE(Says(message, "up to 5 ") && Says(message, " 2 %") && Says(message, expected.str())) << message;
}

TEST(EndmemberCount, RefusesOptionsOutOfRange)
{
  const InMemorySpectra source(Spectra(3, 30.));
  for (const double error : {0., -0.1, 1., std::nan("")})
  {
    EXPECT_THROW(CountEndmembers(source, Options(error)), hud::InvalidOption) << error;
  }
  EndmemberCountOptions options = Options(0.05);
  options.m_MostEndmembers = 1;
  EXPECT_THROW(CountEndmembers(source, options), hud::InvalidOption);
}
