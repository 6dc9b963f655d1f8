// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDCoarseMap.h"

#include "hud/core/AbundanceMap.h"
#include "hud/core/Error.h"
#include "hud/core/Message.h"

#include <cmath>
#include <cstddef>
#include <utility>

namespace otb
{

HUDCoarseMap::HUDCoarseMap(HUDImageType& image, std::string name, Eigen::Index endmembers, unsigned int ram)
  : m_Rows(image, ram), m_Name(std::move(name)), m_Endmembers(endmembers)
{
  if (m_Rows.Bands() != 1 && m_Rows.Bands() != endmembers)
  {
    throw hud::InvalidData(hud::Compose(m_Name, ": found ", m_Rows.Bands(), " bands, expected ", endmembers,
                                        ", the abundances of the model's endmembers, or 1, with their numbers"));
  }
}

Eigen::Index HUDCoarseMap::Width() const
{
  return m_Rows.Width();
}

Eigen::Index HUDCoarseMap::Height() const
{
  return m_Rows.Height();
}

void HUDCoarseMap::Read(Eigen::Index row, Eigen::Ref<Eigen::MatrixXf> abundances,
                        std::vector<std::uint8_t>& valid) const
{
  constexpr double kTolerance = 0.01;
  hud::AbundanceMap line;
  line.m_Width = Width();
  line.m_Height = 1;
  line.m_Abundances.resize(m_Rows.Bands(), Width());
  line.m_Valid.resize(static_cast<std::size_t>(Width()));
  m_Rows.Read(row, line.m_Abundances, line.m_Valid.data());
  if (m_Rows.Bands() == 1)
  {
    abundances.setZero();
    for (Eigen::Index x = 0; x < Width(); ++x)
    {
      const float number = line.m_Abundances(0, x);
      if (number != std::floor(number) || number < 0.f || number > static_cast<float>(m_Endmembers))
      {
        throw hud::InvalidData(hud::Compose(m_Name, ": found the number ", number, " in pixel (", x, ", ", row,
                                            "), expected 1 to ", m_Endmembers, ", of an endmember, or 0"));
      }
      if (number > 0.f)
      {
        abundances(static_cast<Eigen::Index>(number) - 1, x) = 1.f;
      }
    }
  }
  else
  {
    try
    {
      hud::NormaliseAbundances(line, kTolerance, row);
    }
    catch (const hud::InvalidData& error)
    {
      throw hud::InvalidData(hud::Compose(m_Name, ": ", error.what()));
    }
    abundances = line.m_Abundances;
  }
  valid = line.m_Valid;
}

} // namespace otb
