// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDAbundanceImage.h"

#include "otbHUDImageRows.h"

#include <cstddef>

namespace otb
{

hud::AbundanceMap HUDReadAbundances(HUDImageType& image, unsigned int ram)
{
  const HUDImageRows rows(image, ram);
  hud::AbundanceMap map;
  map.m_Width = rows.Width();
  map.m_Height = rows.Height();
  map.m_Abundances.resize(rows.Bands(), map.m_Width * map.m_Height);
  map.m_Valid.resize(static_cast<std::size_t>(map.m_Abundances.cols()));
  rows.Read(0, map.m_Abundances, map.m_Valid.data());
  return map;
}

} // namespace otb
