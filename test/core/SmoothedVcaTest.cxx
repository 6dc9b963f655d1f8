// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/SmoothedVca.h"

#include "hud/core/Error.h"
#include "hud/core/SyntheticScene.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace
{

using hud::ExtractSmoothedVcaRuns;
using hud::VcaBranch;

constexpr Eigen::Index kBands = 30;
constexpr Eigen::Index kPixels = 903;
constexpr Eigen::Index kEndmembers = 4;

hud::SyntheticScene Scene(double snr)
{
  hud::SyntheticSceneOptions options;
  options.m_Bands = kBands;
  options.m_Pixels = kPixels;
  options.m_Endmembers = kEndmembers;
  options.m_SnrDecibel = snr;
  options.m_Seed = 3;
  return MakeSyntheticScene(options);
}

hud::VcaOptions Options()
{
  hud::VcaOptions options;
  options.m_Endmembers = kEndmembers;
  options.m_Seed = 8;
  return options;
}

hud::VcaRuns Runs(const Eigen::MatrixXf& spectra, VcaBranch branch, std::vector<std::uint32_t> numbers)
{
  const hud::SceneStatistics statistics = ComputeSceneStatistics(hud::InMemorySpectra(spectra));
  return {hud::VcaProjection(statistics, kEndmembers, branch), std::move(numbers)};
}

} // namespace

TEST(SmoothedVca, OfOnePixelIsVca)
{
  const Eigen::MatrixXf spectra = Scene(25.).m_Spectra;
  for (const VcaBranch branch : {VcaBranch::Projective, VcaBranch::Orthogonal})
  {
    const hud::VcaRuns runs = Runs(spectra, branch, {0, 3, 7});
    const std::vector<hud::VcaResult> plain = ExtractVcaRuns(hud::InMemorySpectra(spectra, 71), Options(), {runs});
    const std::vector<Eigen::MatrixXd> smoothed = ExtractSmoothedVcaRuns(spectra, Options(), runs, 1);
    ASSERT_EQ(smoothed.size(), plain.size());
    for (std::size_t run = 0; run < plain.size(); ++run)
    {
      EXPECT_TRUE(smoothed[run].isApprox(plain[run].m_Endmembers, 1e-5)) << "run " << run;
    }
  }
}

TEST(SmoothedVca, IsNotMovedByFewerOutliersThanHalfTheMedian)
{
  // Many pixels of each pure material, and outliers far beyond them.
  const hud::SyntheticScene scene = Scene(1e9);
  Eigen::MatrixXf spectra(kBands, kPixels);
  for (Eigen::Index pixel = 0; pixel < kPixels; ++pixel)
  {
    spectra.col(pixel) = pixel < 400 ? Eigen::VectorXf(scene.m_Endmembers.col(pixel % kEndmembers).cast<float>())
                                     : Eigen::VectorXf(scene.m_Spectra.col(pixel));
  }
  const hud::VcaRuns runs = Runs(spectra, VcaBranch::Orthogonal, {0, 1, 2});
  for (Eigen::Index pixel = 400; pixel < 410; ++pixel)
  {
    // Along one direction of the signal subspace, where projection does not help.
    spectra.col(pixel) += 20.f * (scene.m_Endmembers.col(0) - scene.m_Endmembers.col(1)).cast<float>();
  }
  for (const Eigen::MatrixXd& endmembers : ExtractSmoothedVcaRuns(spectra, Options(), runs, 41))
  {
    for (Eigen::Index i = 0; i < kEndmembers; ++i)
    {
      double nearest = 4.;
      for (Eigen::Index j = 0; j < kEndmembers; ++j)
      {
        nearest = std::min(nearest, hud::SpectralAngle(scene.m_Endmembers.col(i), endmembers.col(j)));
      }
      EXPECT_LT(nearest, 0.01) << "endmember " << i;
    }
  }
}

TEST(SmoothedVca, RefusesAMedianOfNoPixelOrTooMany)
{
  const Eigen::MatrixXf spectra = Scene(25.).m_Spectra;
  const hud::VcaRuns runs = Runs(spectra, VcaBranch::Projective, {0});
  EXPECT_THROW(ExtractSmoothedVcaRuns(spectra, Options(), runs, 0), hud::InvalidOption);
  EXPECT_THROW(ExtractSmoothedVcaRuns(spectra, Options(), runs, kPixels + 1), hud::InvalidOption);
}
