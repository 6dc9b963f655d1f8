// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "Argument.h"
#include "SpectralRaster.h"

#include "hud/core/NearestCrop.h"
#include "hud/core/PatchSet.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace
{

constexpr const char* kUsage =
    "usage: hud_score_copies REAL GENERATED BLOCK SCALE\n"
    "Prints how near blocks of BLOCK x BLOCK pixels of the abundances GENERATED come to the scene REAL, where each pixel is\n"
    "the mean of SCALE x SCALE, as on a level of a cascade. A block's distance is that to the nearest crop of REAL, wherever\n"
    "its pixels begin, turned in any of eight ways, over the block's own contrast; least, tenth and median of all blocks.\n"
    "Beside it the blocks of one half of REAL and the other half: left, right, top and bottom.\n";

/// Returns the map whose pixels are the means of `scale` x `scale`, from a pixel on; a mean with a no-data pixel is no-data.
hud::AbundanceMap Average(const hud::AbundanceMap& map, Eigen::Index scale, Eigen::Index left, Eigen::Index top)
{
  hud::AbundanceMap mean;
  mean.m_Width = (map.m_Width - left) / scale;
  mean.m_Height = (map.m_Height - top) / scale;
  mean.m_Abundances = Eigen::MatrixXf::Zero(map.m_Abundances.rows(), mean.m_Width * mean.m_Height);
  mean.m_Valid.assign(static_cast<std::size_t>(mean.m_Abundances.cols()), 1);
  for (Eigen::Index y = 0; y < mean.m_Height * scale; ++y)
  {
    for (Eigen::Index x = 0; x < mean.m_Width * scale; ++x)
    {
      const Eigen::Index pixel = (top + y) * map.m_Width + left + x;
      const Eigen::Index target = y / scale * mean.m_Width + x / scale;
      mean.m_Abundances.col(target) += map.m_Abundances.col(pixel) / static_cast<float>(scale * scale);
      if (!map.m_Valid.empty() && map.m_Valid[static_cast<std::size_t>(pixel)] == 0)
      {
        mean.m_Valid[static_cast<std::size_t>(target)] = 0;
      }
    }
  }
  return mean;
}

/// Returns each block's distance to the nearest crop of a scene, over its contrast; blocks without contrast are left out.
std::vector<double> Distances(const hud::AbundanceMap& real, const hud::AbundanceMap& blocks, Eigen::Index block,
                              Eigen::Index scale)
{
  constexpr double kLeastContrast = 1e-3;
  const hud::AbundanceMap averaged = Average(blocks, scale, 0, 0);
  const Eigen::MatrixXf patches = hud::CutPatches(averaged, block, hud::FindPatches(averaged, block, block));
  std::vector<double> nearest(static_cast<std::size_t>(patches.cols() / (block * block)), 1e9);
  for (Eigen::Index phase = 0; phase < scale * scale; ++phase)
  {
    const std::vector<hud::NearestCrop> crops =
        hud::FindNearestCrops(Average(real, scale, phase % scale, phase / scale), patches, block);
    for (std::size_t i = 0; i < nearest.size(); ++i)
    {
      nearest[i] = std::min(nearest[i], crops[i].m_Distance);
    }
  }
  std::vector<double> distances;
  for (std::size_t i = 0; i < nearest.size(); ++i)
  {
    const auto pixels = patches.middleCols(static_cast<Eigen::Index>(i) * block * block, block * block);
    const double contrast = std::sqrt((pixels.colwise() - pixels.rowwise().mean()).colwise().squaredNorm().mean());
    if (contrast > kLeastContrast)
    {
      distances.push_back(nearest[i] / contrast);
    }
  }
  return distances;
}

void Print(const char* what, std::vector<double> distances)
{
  std::sort(distances.begin(), distances.end());
  if (distances.empty())
  {
    std::printf("%s: no block\n", what);
    return;
  }
  std::printf("%s, least, tenth, median of %zu: %.3f %.3f %.3f\n", what, distances.size(), distances.front(),
              distances[distances.size() / 10], distances[distances.size() / 2]);
}

/// Writes one line for each figure.
void Score(const std::vector<std::string>& arguments)
{
  const Eigen::Index block = hud::bench::ParseWholeNumber("BLOCK", arguments[2]);
  const Eigen::Index scale = hud::bench::ParseWholeNumber("SCALE", arguments[3]);
  const hud::AbundanceMap real = hud::bench::ReadAbundanceRaster(arguments[0]);
  const hud::AbundanceMap generated = hud::bench::ReadAbundanceRaster(arguments[1]);
  std::vector<double> halves;
  const auto add = [&](const hud::AbundanceMap& first, const hud::AbundanceMap& second) {
    const Eigen::Index edge = block * scale + scale - 1; // with room for every phase
    if (std::min(first.m_Width, first.m_Height) < edge || std::min(second.m_Width, second.m_Height) < edge)
    {
      return;
    }
    for (const auto& [blocks, scene] : {std::pair(&first, &second), std::pair(&second, &first)})
    {
      const std::vector<double> distances = Distances(*scene, *blocks, block, scale);
      halves.insert(halves.end(), distances.begin(), distances.end());
    }
  };
  const Eigen::Index x = real.m_Width / 2;
  const Eigen::Index y = real.m_Height / 2;
  add(hud::CropMap(real, 0, 0, x, real.m_Height), hud::CropMap(real, x, 0, real.m_Width - x, real.m_Height));
  add(hud::CropMap(real, 0, 0, real.m_Width, y), hud::CropMap(real, 0, y, real.m_Width, real.m_Height - y));
  Print("one half of the real scene and the other", halves);
  Print("generated and real", Distances(real, generated, block, scale));
}

} // namespace

int main(int count, char** values)
{
  const std::vector<std::string> arguments(values + 1, values + count);
  if (arguments.size() != 4)
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
    std::fprintf(stderr, "hud_score_copies: %s\n", error.what());
    return 1;
  }
  return 0;
}
