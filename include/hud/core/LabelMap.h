// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/AbundanceMap.h"

#include <vector>

namespace hud
{

/// Classes of the pixels of a scene.
struct LabelMap
{
  std::vector<int> m_Labels; ///< [width * height], 0 to classes - 1; -1: no label
  int m_Classes = 0;
};

/// Returns for each pixel the endmember with the largest abundance, of those that are largest somewhere, numbered anew.
LabelMap LargestAbundances(const AbundanceMap& map);

} // namespace hud
