// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "ErrorMessage.h"

#include "hud/core/AbundanceMap.h"
#include "hud/core/Error.h"

#include <gtest/gtest.h>

#include <limits>

namespace
{

/// Returns a map of 2 x 2 pixels, the last of them no-data.
hud::AbundanceMap MakeMap()
{
  hud::AbundanceMap map;
  map.m_Width = 2;
  map.m_Height = 2;
  map.m_Abundances.resize(3, 4);
  map.m_Abundances << 0.5f, -0.004f, 0.2f, -9999.f, 0.3f, 0.6f, 0.2f, -9999.f, 0.2f, 0.4f, 0.605f, -9999.f;
  map.m_Valid = {1, 1, 1, 0};
  return map;
}

TEST(NormaliseAbundances, ScalesWhatIsNearTheSimplexOntoIt)
{
  hud::AbundanceMap map = MakeMap();
  hud::NormaliseAbundances(map, 0.01);
  EXPECT_TRUE(map.m_Abundances.col(0).isApprox(Eigen::Vector3f(0.5f, 0.3f, 0.2f)));
  EXPECT_TRUE(map.m_Abundances.col(1).isApprox(Eigen::Vector3f(0.f, 0.6f, 0.4f)));
  EXPECT_TRUE(map.m_Abundances.col(2).isApprox(Eigen::Vector3f(0.2f, 0.2f, 0.605f) / 1.005f));
  EXPECT_EQ(map.m_Abundances(1, 3), -9999.f);
}

TEST(NormaliseAbundances, RefusesWhatIsFarFromIt)
{
  hud::AbundanceMap map = MakeMap();
  map.m_Abundances.col(2) << 0.2f, 0.3f, 0.33f;
  EXPECT_EQ(
      hud::test::MessageOf<hud::InvalidData>([&] { hud::NormaliseAbundances(map, 0.01); }),
      "the abundances of pixel (0, 1) sum to 0.83, the least is 0.2; expected a sum of 1 and none below 0, within "
      "0.01");
  for (const float least : {-0.02f, std::numeric_limits<float>::quiet_NaN()})
  {
    map = MakeMap();
    map.m_Abundances.col(1) << least, 0.6f, 0.4f - least;
    EXPECT_THROW(hud::NormaliseAbundances(map, 0.01), hud::InvalidData) << least;
  }
}

} // namespace
