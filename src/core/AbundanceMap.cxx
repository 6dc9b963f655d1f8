// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/AbundanceMap.h"

#include "hud/core/Error.h"
#include "hud/core/Message.h"

namespace hud
{

void NormaliseAbundances(AbundanceMap& map, double tolerance, Eigen::Index firstRow)
{
  for (Eigen::Index pixel = 0; pixel < map.m_Abundances.cols(); ++pixel)
  {
    if (!map.m_Valid.empty() && map.m_Valid[static_cast<std::size_t>(pixel)] == 0)
    {
      continue;
    }
    auto abundances = map.m_Abundances.col(pixel);
    const double sum = abundances.cast<double>().sum();
    const double least = abundances.minCoeff();
    // Written so that NaN is refused.
    if (!(sum >= 1. - tolerance && sum <= 1. + tolerance && least >= -tolerance))
    {
      throw InvalidData(Compose("the abundances of pixel (", pixel % map.m_Width, ", ", firstRow + pixel / map.m_Width,
                                ") sum to ", sum, ", the least is ", least,
                                "; expected a sum of 1 and none below 0, within ", tolerance));
    }
    abundances = abundances.cwiseMax(0.f);
    abundances /= static_cast<float>(abundances.cast<double>().sum());
  }
}

} // namespace hud
