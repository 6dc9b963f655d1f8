// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDAbundanceImage.h"

#include "StreamedScene.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace
{

constexpr Eigen::Index kWidth = 13;
constexpr Eigen::Index kHeight = 600;

/// Abundances of three endmembers that differ from pixel to pixel; pixel 100 is no-data.
hud::AbundanceMap MakeMap()
{
  hud::AbundanceMap map;
  map.m_Width = kWidth;
  map.m_Height = kHeight;
  map.m_Abundances = Eigen::MatrixXf::Random(3, kWidth * kHeight).cwiseAbs();
  map.m_Valid.assign(static_cast<std::size_t>(kWidth * kHeight), 1);
  map.m_Valid[100] = 0;
  map.m_Abundances.col(100).setZero();
  return map;
}

TEST(HUDAbundanceImage, IsReadInStripsFromARegionThatDoesNotStartAtZero)
{
  const hud::AbundanceMap map = MakeMap();
  const auto scene = hud::test::StreamedScene::New();
  scene->SetScene(map.m_Abundances, static_cast<std::size_t>(kWidth), 5, -3);
  const hud::AbundanceMap back = otb::HUDReadAbundances(*scene->GetOutput(), 1);
  EXPECT_EQ(back.m_Width, map.m_Width);
  EXPECT_EQ(back.m_Height, map.m_Height);
  EXPECT_EQ(back.m_Abundances, map.m_Abundances);
  EXPECT_EQ(back.m_Valid, map.m_Valid);
  EXPECT_EQ(std::count(back.m_Valid.begin(), back.m_Valid.end(), 0), 1); // all bands 0
  EXPECT_GT(scene->Requests(), 1u);
  EXPECT_LT(scene->LargestRequest(), static_cast<std::size_t>(kWidth * kHeight));
}

} // namespace
