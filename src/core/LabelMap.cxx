// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/LabelMap.h"

#include <cstddef>

namespace hud
{

LabelMap LargestAbundances(const AbundanceMap& map)
{
  LabelMap labels;
  std::vector<int> numbers(static_cast<std::size_t>(map.m_Abundances.rows()), -1);
  for (Eigen::Index pixel = 0; pixel < map.m_Abundances.cols(); ++pixel)
  {
    if (!map.m_Valid.empty() && map.m_Valid[static_cast<std::size_t>(pixel)] == 0)
    {
      labels.m_Labels.push_back(-1);
      continue;
    }
    Eigen::Index largest = 0;
    map.m_Abundances.col(pixel).maxCoeff(&largest);
    int& number = numbers[static_cast<std::size_t>(largest)];
    if (number < 0)
    {
      number = labels.m_Classes++;
    }
    labels.m_Labels.push_back(number);
  }
  return labels;
}

} // namespace hud
