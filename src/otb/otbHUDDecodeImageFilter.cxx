// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDDecodeImageFilter.h"

#include "hud/core/Error.h"

#include <string>

namespace otb
{

HUDDecodeImageFilter::HUDDecodeImageFilter() : Superclass(HUDZeroPixels::AreNoData) {}

void HUDDecodeImageFilter::SetEndmembers(const Eigen::MatrixXd& endmembers)
{
  m_Endmembers = endmembers;
  Modified();
}

Eigen::Index HUDDecodeImageFilter::Configure(Eigen::Index bands)
{
  if (m_Endmembers.size() == 0)
  {
    throw hud::InvalidOption("HUDDecodeImageFilter: no endmembers were set");
  }
  CheckBands(bands, m_Endmembers.cols(), "there are " + std::to_string(m_Endmembers.cols()) + " endmembers");
  m_Decoder.emplace(m_Endmembers);
  return m_Decoder->Bands();
}

void HUDDecodeImageFilter::Process(const Eigen::Ref<const Eigen::MatrixXf>& input,
                                   Eigen::Ref<Eigen::MatrixXf> output) const
{
  m_Decoder->Decode(input, output);
}

} // namespace otb
