// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDProjectImageFilter.h"

namespace otb
{

HUDProjectImageFilter::HUDProjectImageFilter() : Superclass(HUDZeroPixels::AreNoData) {}

void HUDProjectImageFilter::SetFloor(double floor)
{
  m_Floor = floor;
  Modified();
}

Eigen::Index HUDProjectImageFilter::Configure(Eigen::Index bands)
{
  m_Projection.emplace(hud::ProjectionKind::Log, bands, m_Floor);
  return bands;
}

void HUDProjectImageFilter::Process(const Eigen::Ref<const Eigen::MatrixXf>& input,
                                    Eigen::Ref<Eigen::MatrixXf> output) const
{
  m_Projection->Project(input, output);
}

} // namespace otb
