// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/LabelMap.h"

#include <gtest/gtest.h>

TEST(LargestAbundances, NumberTheEndmembersThatAreLargestSomewhere)
{
  hud::AbundanceMap map{2, 2, Eigen::MatrixXf(4, 4), {1, 0, 1, 1}};
  map.m_Abundances << 0.1f, 1.f, 0.2f, 0.f, //
      0.2f, 0.f, 0.1f, 0.3f,                //
      0.6f, 0.f, 0.1f, 0.5f,                //
      0.1f, 0.f, 0.6f, 0.2f;
  const hud::LabelMap labels = hud::LargestAbundances(map);
  EXPECT_EQ(labels.m_Classes, 2);
  EXPECT_EQ(labels.m_Labels, (std::vector<int>{0, -1, 1, 0}));
}
