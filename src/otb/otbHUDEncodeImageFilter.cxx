// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDEncodeImageFilter.h"

#include "hud/core/Error.h"

#include <string>

namespace otb
{

HUDEncodeImageFilter::HUDEncodeImageFilter() : Superclass(HUDZeroPixels::AreNoData) {}

void HUDEncodeImageFilter::SetEndmembers(const Eigen::MatrixXd& endmembers)
{
  m_Endmembers = endmembers;
  Modified();
}

void HUDEncodeImageFilter::SetEncoder(hud::EncoderKind encoder)
{
  m_Kind = encoder;
  Modified();
}

Eigen::Index HUDEncodeImageFilter::Configure(Eigen::Index bands)
{
  if (m_Endmembers.size() == 0)
  {
    throw hud::InvalidOption("HUDEncodeImageFilter: no endmembers were set");
  }
  CheckBands(bands, m_Endmembers.rows(), "the endmembers have " + std::to_string(m_Endmembers.rows()));
  m_Encoder.emplace(m_Endmembers, m_Kind);
  return m_Encoder->Endmembers();
}

void HUDEncodeImageFilter::Process(const Eigen::Ref<const Eigen::MatrixXf>& input,
                                   Eigen::Ref<Eigen::MatrixXf> output) const
{
  m_Encoder->Encode(input, output);
}

} // namespace otb
