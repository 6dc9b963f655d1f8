// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDUnprojectImageFilter.h"

namespace otb
{

HUDUnprojectImageFilter::HUDUnprojectImageFilter() : Superclass(HUDZeroPixels::AreValid) {}

Eigen::Index HUDUnprojectImageFilter::Configure(Eigen::Index bands)
{
  m_Projection.emplace(bands);
  return bands;
}

void HUDUnprojectImageFilter::Process(const Eigen::Ref<const Eigen::MatrixXf>& input,
                                      Eigen::Ref<Eigen::MatrixXf> output) const
{
  m_Projection->Unproject(input, output);
}

} // namespace otb
