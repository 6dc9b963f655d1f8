// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "Argument.h"
#include "SpectralRaster.h"

#include "hud/core/Fidelity.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace
{

constexpr const char* kUsage = "usage: hud_score_patches REAL GENERATED PATCH...\n"
                               "Prints the point fidelity F_p of the image GENERATED, and its block diversity D_b with "
                               "blocks of PATCH x PATCH pixels, against the image REAL.\n";

/// Writes one line for each figure.
void Score(const std::vector<std::string>& arguments)
{
  std::vector<Eigen::Index> patches(arguments.size() - 2);
  std::transform(arguments.begin() + 2, arguments.end(), patches.begin(),
                 [](const std::string& text) { return hud::bench::ParseWholeNumber("PATCH", text); });
  const hud::InMemoryRows real(hud::bench::ReadSpectralRaster(arguments[0]));
  const hud::InMemoryRows generated(hud::bench::ReadSpectralRaster(arguments[1]));
  for (std::size_t i = 0; i < patches.size(); ++i)
  {
    hud::FidelityOptions options;
    options.m_Patch = patches[i];
    const hud::FidelityScore score = hud::ScoreFidelity(real, generated, options);
    if (i == 0)
    {
      std::printf("F_p: %.4f\n", score.m_PointFidelity); // the same for every size of the blocks
    }
    const auto patch = static_cast<long>(patches[i]);
    std::printf("D_b, %ld x %ld blocks: %.4f\n", patch, patch, score.m_BlockDiversity);
    std::printf("D_b/F_p, %ld x %ld blocks: %.4f\n", patch, patch, score.m_BlockDiversity / score.m_PointFidelity);
  }
}

} // namespace

int main(int count, char** values)
{
  const std::vector<std::string> arguments(values + 1, values + count);
  if (arguments.size() < 3)
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
    std::fprintf(stderr, "hud_score_patches: %s\n", error.what());
    return 1;
  }
  return 0;
}
