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
    "Looks for seams and repetition in a scene of abundances. Seams: the mean absolute difference across every\n"
    "(PATCH / 2)-th border between columns, or between rows, over that across all borders; prints the least and the\n"
    "largest ratio of all places where the first border can be, which differ by chance in a small scene. Repetition: the\n"
    "largest correlation between two blocks of PATCH x PATCH pixels that do not overlap, each endmember about its mean in\n"
    "the block. Blocks are taken at multiples of PATCH / 2 only, and of a large scene there are more to choose from.\n";

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

/// Returns the least and the largest ratio over the places of the first border.
std::pair<double, double> SeamRatios(const Eigen::VectorXd& jumps, Eigen::Index spacing)
{
  const double mean = jumps.tail(jumps.size() - 1).mean();
  std::vector<double> ratios;
  for (Eigen::Index first = 1; first <= spacing; ++first)
  {
    const Eigen::Index count = (jumps.size() - 1 - first) / spacing + 1;
    double sum = 0.;
    for (Eigen::Index border = 0; border < count; ++border)
    {
      sum += jumps(first + border * spacing);
    }
    ratios.push_back(sum / static_cast<double>(count) / mean);
  }
  const auto [least, largest] = std::minmax_element(ratios.begin(), ratios.end());
  return {*least, *largest};
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
    const auto [least, largest] = SeamRatios(Jumps(map, rows), patch / 2);
    std::printf("jump across borders of %s over that across all: %.3f to %.3f\n", rows ? "rows" : "columns", least,
                largest);
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
