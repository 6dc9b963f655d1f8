// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/PatchSet.h"

#include "RandomMatrix.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

namespace
{

using hud::AbundanceMap;
using hud::PatchCorner;

/// Returns a map whose pixel (column, row) holds column, row and their sum.
AbundanceMap MakeMap(Eigen::Index width, Eigen::Index height)
{
  AbundanceMap map{width, height, Eigen::MatrixXf(3, width * height), {}};
  for (Eigen::Index pixel = 0; pixel < width * height; ++pixel)
  {
    const auto x = static_cast<float>(pixel % width);
    const Eigen::Index row = pixel / width;
    const auto y = static_cast<float>(row);
    map.m_Abundances.col(pixel) << x, y, x + y;
  }
  return map;
}

} // namespace

TEST(PatchSet, HoldsEveryPatchThatFits)
{
  const AbundanceMap map = MakeMap(11, 7);
  EXPECT_EQ(FindPatches(map, 3, 1).size(), 9u * 5u);
  EXPECT_EQ(FindPatches(map, 3, 3).size(), 3u * 2u);
  EXPECT_EQ(FindPatches(map, 3, 3)[4].m_Column, 3);
  EXPECT_EQ(FindPatches(map, 3, 3)[4].m_Row, 3);
  EXPECT_TRUE(FindPatches(map, 8, 1).empty());
}

TEST(PatchSet, LeavesOutPatchesWithANoDataPixel)
{
  AbundanceMap map = MakeMap(11, 7);
  map.m_Valid.assign(77, 1);
  map.m_Valid[3 * 11 + 5] = 0; // column 5, row 3
  std::set<std::pair<Eigen::Index, Eigen::Index>> found;
  for (const PatchCorner& corner : FindPatches(map, 2, 1))
  {
    found.insert({corner.m_Column, corner.m_Row});
  }
  EXPECT_EQ(found.size(), 10u * 6u - 4u);
  EXPECT_EQ(found.count({4, 2}), 0u);
  EXPECT_EQ(found.count({5, 3}), 0u);
  EXPECT_EQ(found.count({6, 3}), 1u);
}

TEST(PatchSet, IsDrawnWithoutReplacementAndDiffersFromDrawToDraw)
{
  const std::vector<PatchCorner> corners = FindPatches(MakeMap(11, 7), 3, 1);
  const hud::Random random(5, hud::RandomStream::EvaluationCrop);
  const auto places = [&](std::size_t count, std::uint32_t draw) {
    std::vector<std::pair<Eigen::Index, Eigen::Index>> list;
    for (const PatchCorner& corner : DrawPatches(corners, count, random, draw))
    {
      list.emplace_back(corner.m_Column, corner.m_Row);
    }
    return list;
  };
  const auto all = places(corners.size(), 1);
  EXPECT_EQ(std::set(all.begin(), all.end()).size(), corners.size());
  EXPECT_EQ(places(7, 1), decltype(all)(all.begin(), all.begin() + 7));
  EXPECT_NE(places(7, 1), places(7, 2));
}

TEST(PatchSet, IsCutPatchAfterPatchRowByRow)
{
  const AbundanceMap map = MakeMap(11, 7);
  const Eigen::MatrixXf patches = CutPatches(map, 2, {{4, 1}, {9, 5}});
  ASSERT_EQ(patches.cols(), 8);
  Eigen::MatrixXf truth(2, 8);
  truth << 4, 5, 4, 5, 9, 10, 9, 10, //
      1, 1, 2, 2, 5, 5, 6, 6;
  EXPECT_EQ(patches.topRows(2), truth);
  EXPECT_EQ(hud::PatchPixels(map.m_Width, 2, {{4, 1}}), (std::vector<Eigen::Index>{15, 16, 26, 27}));
}

TEST(PatchSet, OfACroppedMapIsThatOfItsPlace)
{
  AbundanceMap map = MakeMap(11, 7);
  map.m_Valid.assign(77, 1);
  map.m_Valid[3 * 11 + 5] = 0;
  const AbundanceMap crop = CropMap(map, 4, 2, 5, 3);
  EXPECT_EQ(crop.m_Width, 5);
  EXPECT_EQ(crop.m_Height, 3);
  EXPECT_EQ(crop.m_Abundances(0, 7), 6.f); // column 2, row 1 of the crop
  EXPECT_EQ(crop.m_Abundances(1, 7), 3.f);
  EXPECT_EQ(crop.m_Valid[1 * 5 + 1], 0);
  EXPECT_EQ(crop.m_Valid[1 * 5 + 2], 1);
}
