// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "Argument.h"
#include "SpectralRaster.h"

#include "hud/core/DistributionDistance.h"
#include "hud/core/PatchDistance.h"
#include "hud/core/PatchSet.h"
#include "hud/core/Random.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace
{

constexpr const char* kUsage =
    "usage: hud_score_abundances REAL GENERATED PATCH COUNT SEED [crops]\n"
    "Prints how far the patches of PATCH x PATCH pixels of the abundances GENERATED are from those of the scene REAL, and "
    "how far random patches of REAL are from each other: the Wasserstein distance of the values, mean over endmembers, and "
    "the root mean square difference of the logarithmic power spectra, and the Frechet distance of what patches hold and how it is arranged. A set is COUNT patches, and all is the mean over "
    "100 draws of two sets of REAL, which have no patch in common. GENERATED is blocks side by side, of which COUNT are "
    "drawn if there are more; with 'crops' it is a scene, of which COUNT patches are drawn anywhere. Patches with a "
    "no-data pixel are left out.\n";

constexpr std::uint32_t kDraws = 100;

/// Sums of distances over draws.
struct Sums
{
  double m_Wasserstein = 0.;
  double m_LogSpectrum = 0.;
  double m_Frechet = 0.;

  void Add(const Eigen::MatrixXf& first, const Eigen::MatrixXf& second, Eigen::Index patch)
  {
    const hud::PatchDistance distance = hud::ComputePatchDistance(first, second, patch);
    m_Wasserstein += distance.m_Wasserstein.mean();
    m_LogSpectrum += distance.m_LogSpectrum;
    m_Frechet += hud::FrechetDistance(hud::PatchFeatures(first, patch), hud::PatchFeatures(second, patch));
  }
};

void Print(const char* what, const Sums& sums)
{
  std::printf("%s, Wasserstein: %.5f\n", what, sums.m_Wasserstein / kDraws);
  std::printf("%s, log spectrum: %.4f\n", what, sums.m_LogSpectrum / kDraws);
  std::printf("%s, Frechet: %.5f\n", what, sums.m_Frechet / kDraws);
}

/// Writes one line for each figure.
void Score(const std::vector<std::string>& arguments)
{
  const Eigen::Index patch = hud::bench::ParseWholeNumber("PATCH", arguments[2]);
  const auto count = static_cast<std::size_t>(hud::bench::ParseWholeNumber("COUNT", arguments[3]));
  const auto seed = static_cast<std::uint64_t>(hud::bench::ParseWholeNumber("SEED", arguments[4]));
  const bool anywhere = arguments.size() > 5;
  if (anywhere && arguments[5] != "crops")
  {
    throw hud::InvalidOption("the last argument is '" + arguments[5] + "', expected crops or nothing");
  }
  const hud::AbundanceMap real = hud::bench::ReadAbundanceRaster(arguments[0]);
  const hud::AbundanceMap generated = hud::bench::ReadAbundanceRaster(arguments[1]);
  const std::vector<hud::PatchCorner> realCorners = hud::FindPatches(real, patch, 1);
  const std::vector<hud::PatchCorner> generatedCorners = hud::FindPatches(generated, patch, anywhere ? 1 : patch);
  if (realCorners.size() < 2 * count || generatedCorners.empty())
  {
    throw hud::InvalidData("found " + std::to_string(realCorners.size()) + " patches in " + arguments[0] + " and " +
                           std::to_string(generatedCorners.size()) + " in " + arguments[1] + ", expected at least " +
                           std::to_string(2 * count) + " and 1");
  }

  const hud::Random random(seed, hud::RandomStream::EvaluationCrop);
  const std::size_t generatedCount = std::min(count, generatedCorners.size());
  const Eigen::MatrixXf generatedPatches =
      hud::CutPatches(generated, patch, hud::DrawPatches(generatedCorners, generatedCount, random, kDraws));
  Sums among;
  Sums between;
  for (std::uint32_t draw = 0; draw < kDraws; ++draw)
  {
    const Eigen::MatrixXf both = hud::CutPatches(real, patch, hud::DrawPatches(realCorners, 2 * count, random, draw));
    const Eigen::MatrixXf first = both.leftCols(both.cols() / 2);
    among.Add(first, both.rightCols(both.cols() / 2), patch);
    between.Add(first, generatedPatches, patch);
  }
  std::printf("Patches of a set, real: %zu\n", count);
  std::printf("Patches of a set, generated: %zu\n", generatedCount);
  Print("Real against real", among);
  Print("Generated against real", between);
  std::printf("Ratio, Wasserstein: %.2f\n", between.m_Wasserstein / among.m_Wasserstein);
  std::printf("Ratio, log spectrum: %.2f\n", between.m_LogSpectrum / among.m_LogSpectrum);
}

} // namespace

int main(int count, char** values)
{
  const std::vector<std::string> arguments(values + 1, values + count);
  if (arguments.size() < 5 || arguments.size() > 6)
  {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try
  {
    Score(arguments);
  }
  catch (const std::exception& error)
  {
    std::fprintf(stderr, "hud_score_abundances: %s\n", error.what());
    return 1;
  }
  return 0;
}
