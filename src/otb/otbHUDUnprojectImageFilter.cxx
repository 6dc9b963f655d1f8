// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDUnprojectImageFilter.h"

namespace otb
{

HUDUnprojectImageFilter::HUDUnprojectImageFilter() : Superclass(HUDZeroPixels::AreValid) {}

void HUDUnprojectImageFilter::SetFloor(double floor)
{
  m_Floor = floor;
  Modified();
}

void HUDUnprojectImageFilter::SetExact(bool exact)
{
  m_Exact = exact;
  Modified();
}

Eigen::Index HUDUnprojectImageFilter::Configure(Eigen::Index bands)
{
  m_Projection.emplace(hud::ProjectionKind::Log, bands, m_Floor);
  return bands;
}

void HUDUnprojectImageFilter::Process(const Eigen::Ref<const Eigen::MatrixXf>& input,
                                      Eigen::Ref<Eigen::MatrixXf> output) const
{
  if (m_Exact)
  {
    m_Projection->UnprojectExactly(input, output);
  }
  else
  {
    m_Projection->Unproject(input, output);
  }
}

} // namespace otb
