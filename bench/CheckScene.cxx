// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "Argument.h"
#include "SpectralRaster.h"

#include "hud/core/Error.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace
{

constexpr const char* kUsage =
    "usage: hud_check_scene ABUNDANCES PATCH\n"
    "Looks for seams and repetition in a scene of abundances. Seams: the mean absolute difference between neighbouring\n"
    "columns, or rows, across the borders of windows, at multiples of PATCH / 2, over that elsewhere; and the same for\n"
    "borders displaced by each number of pixels below PATCH / 2, least and largest: what chance and texture do. Repetition:\n"
    "the largest correlation between two blocks of PATCH x PATCH pixels that do not overlap, each endmember about its mean\n"
    "in the block. Blocks are taken at multiples of PATCH / 2 only, and of a large scene there are more to choose from.\n";

/// Returns the mean absolute difference of each column of pixels to the one left of it, or of each row to the one above,
/// [width or height]; the first is 0.
Eigen::VectorXd Jumps(const hud::AbundanceMap& map, bool rows)
{
  Eigen::VectorXd jumps = Eigen::VectorXd::Zero(rows ? map.m_Height : map.m_Width);
  for (Eigen::Index y = 0; y < map.m_Height; ++y)
  {
    for (Eigen::Index x = 0; x < map.m_Width; ++x)
    {
      const Eigen::Index place = rows ? y : x;
      if (place > 0)
      {
        const Eigen::Index pixel = y * map.m_Width + x;
        const Eigen::Index before = pixel - (rows ? map.m_Width : 1);
        jumps(place) += (map.m_Abundances.col(pixel) - map.m_Abundances.col(before)).cwiseAbs().mean();
      }
    }
  }
  return jumps / static_cast<double>(rows ? map.m_Width : map.m_Height);
}

/// Returns the mean jump across every `spacing`-th border over that across all others, for each place of the first such
/// border: [spacing], the borders at multiples of `spacing` first.
Eigen::VectorXd SeamRatios(const Eigen::VectorXd& jumps, Eigen::Index spacing)
{
  Eigen::VectorXd sums = Eigen::VectorXd::Zero(spacing);
  Eigen::VectorXd counts = Eigen::VectorXd::Zero(spacing);
  for (Eigen::Index border = 1; border < jumps.size(); ++border)
  {
    sums(border % spacing) += jumps(border);
    counts(border % spacing) += 1.;
  }
  const Eigen::ArrayXd elsewhere = (sums.sum() - sums.array()) / (counts.sum() - counts.array());
  return sums.array() / counts.array() / elsewhere;
}

/// Returns the largest correlation of two blocks.
double LargestCorrelation(const hud::AbundanceMap& map, Eigen::Index patch)
{
  const Eigen::Index d = map.m_Abundances.rows();
  std::vector<std::pair<Eigen::Index, Eigen::Index>> corners;
  for (Eigen::Index y = 0; y + patch <= map.m_Height; y += patch / 2)
  {
    for (Eigen::Index x = 0; x + patch <= map.m_Width; x += patch / 2)
    {
      corners.emplace_back(x, y);
    }
  }
  Eigen::MatrixXf blocks(d * patch * patch, static_cast<Eigen::Index>(corners.size()));
  for (Eigen::Index b = 0; b < blocks.cols(); ++b)
  {
    const auto [x, y] = corners[static_cast<std::size_t>(b)];
    Eigen::MatrixXf block(d, patch * patch);
    for (Eigen::Index row = 0; row < patch; ++row)
    {
      block.middleCols(row * patch, patch) = map.m_Abundances.middleCols((y + row) * map.m_Width + x, patch);
    }
    block.colwise() -= block.rowwise().mean().eval();
    blocks.col(b) = block.reshaped().stableNormalized();
  }
  double largest = -1.;
  for (Eigen::Index b = 1; b < blocks.cols(); ++b)
  {
    const Eigen::VectorXf correlations = blocks.leftCols(b).transpose() * blocks.col(b);
    const auto [x, y] = corners[static_cast<std::size_t>(b)];
    for (Eigen::Index other = 0; other < b; ++other)
    {
      const auto [otherX, otherY] = corners[static_cast<std::size_t>(other)];
      if (std::abs(x - otherX) >= patch || std::abs(y - otherY) >= patch)
      {
        largest = std::max(largest, static_cast<double>(correlations(other)));
      }
    }
  }
  return largest;
}

/// Writes one line for each figure.
void Check(const std::string& path, const std::string& patchText)
{
  const Eigen::Index patch = hud::bench::ParseWholeNumber("PATCH", patchText);
  const hud::AbundanceMap map = hud::bench::ReadAbundanceRaster(path);
  if (patch % 2 != 0 || map.m_Width < 2 * patch || map.m_Height < 2 * patch)
  {
    throw hud::InvalidData(path + " has " + std::to_string(map.m_Width) + " x " + std::to_string(map.m_Height) +
                           " pixels, expected at least two patches of an even size each way, of " + patchText);
  }
  for (const bool rows : {false, true})
  {
    const Eigen::VectorXd ratios = SeamRatios(Jumps(map, rows), patch / 2);
    const auto displaced = ratios.tail(ratios.size() - 1);
    std::printf("jump between %s across borders of windows over that elsewhere: %.3f; displaced: %.3f to %.3f\n",
                rows ? "rows" : "columns", ratios(0), displaced.minCoeff(), displaced.maxCoeff());
  }
  std::printf("largest correlation of two blocks: %.3f\n", LargestCorrelation(map, patch));
}

} // namespace

int main(int count, char** values)
{
  if (count != 3)
  {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try
  {
    Check(values[1], values[2]);
  }
  catch (const std::exception& error)
  {
    std::fprintf(stderr, "hud_check_scene: %s\n", error.what());
    return 1;
  }
  return 0;
}
