// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/PatchSet.h"

#include <algorithm>
#include <utility>

namespace hud
{

namespace
{

/// Returns the number of no-data pixels above and left of every corner, [height + 1 x width + 1].
Eigen::MatrixXi CountNoData(const AbundanceMap& map)
{
  Eigen::MatrixXi count = Eigen::MatrixXi::Zero(map.m_Height + 1, map.m_Width + 1);
  for (Eigen::Index column = 0; column < map.m_Width; ++column)
  {
    int above = 0;
    for (Eigen::Index row = 0; row < map.m_Height; ++row)
    {
      const auto pixel = static_cast<std::size_t>(row * map.m_Width + column);
      above += map.m_Valid.empty() || map.m_Valid[pixel] != 0 ? 0 : 1;
      count(row + 1, column + 1) = count(row + 1, column) + above;
    }
  }
  return count;
}

} // namespace

std::vector<PatchCorner> FindPatches(const AbundanceMap& map, Eigen::Index patch, Eigen::Index stride)
{
  const Eigen::MatrixXi noData = CountNoData(map);
  std::vector<PatchCorner> corners;
  for (Eigen::Index row = 0; row + patch <= map.m_Height; row += stride)
  {
    for (Eigen::Index column = 0; column + patch <= map.m_Width; column += stride)
    {
      if (noData(row + patch, column + patch) - noData(row, column + patch) - noData(row + patch, column) +
              noData(row, column) ==
          0)
      {
        corners.push_back({column, row});
      }
    }
  }
  return corners;
}

std::vector<PatchCorner> DrawPatches(std::vector<PatchCorner> corners, std::size_t count, const Random& random,
                                     std::uint32_t draw)
{
  for (std::size_t i = 0; i < count; ++i)
  {
    const auto words = random.Words(draw, static_cast<std::uint32_t>(i), 0);
    const std::uint64_t word = static_cast<std::uint64_t>(words[0]) << 32 | words[1];
    std::swap(corners[i], corners[i + static_cast<std::size_t>(word % (corners.size() - i))]);
  }
  corners.resize(count);
  return corners;
}

std::vector<Eigen::Index> PatchPixels(Eigen::Index width, Eigen::Index patch, const std::vector<PatchCorner>& corners)
{
  std::vector<Eigen::Index> pixels;
  pixels.reserve(corners.size() * static_cast<std::size_t>(patch * patch));
  for (const PatchCorner& corner : corners)
  {
    for (Eigen::Index pixel = 0; pixel < patch * patch; ++pixel)
    {
      pixels.push_back((corner.m_Row + pixel / patch) * width + corner.m_Column + pixel % patch);
    }
  }
  return pixels;
}

Eigen::MatrixXf CutPatches(const AbundanceMap& map, Eigen::Index patch, const std::vector<PatchCorner>& corners)
{
  const std::vector<Eigen::Index> pixels = PatchPixels(map.m_Width, patch, corners);
  return map.m_Abundances(Eigen::all, pixels);
}

AbundanceMap CropMap(const AbundanceMap& map, Eigen::Index column, Eigen::Index row, Eigen::Index width,
                     Eigen::Index height)
{
  AbundanceMap crop{width, height, Eigen::MatrixXf(map.m_Abundances.rows(), width * height), {}};
  for (Eigen::Index y = 0; y < height; ++y)
  {
    const Eigen::Index first = (row + y) * map.m_Width + column;
    crop.m_Abundances.middleCols(y * width, width) = map.m_Abundances.middleCols(first, width);
    if (!map.m_Valid.empty())
    {
      crop.m_Valid.insert(crop.m_Valid.end(), map.m_Valid.begin() + first, map.m_Valid.begin() + first + width);
    }
  }
  return crop;
}

} // namespace hud
