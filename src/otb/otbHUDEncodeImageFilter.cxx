// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDEncodeImageFilter.h"

#include "hud/core/Error.h"

#include <string>
#include <utility>

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

void HUDEncodeImageFilter::SetSummarise(bool summarise)
{
  m_Summarise = summarise;
  Modified();
}

hud::UnmixingSummary HUDEncodeImageFilter::GetSummary() const
{
  const std::lock_guard<std::mutex> lock(m_SummaryMutex);
  return m_Summary;
}

void HUDEncodeImageFilter::StartImage()
{
  m_Summary = hud::UnmixingSummary();
  m_Lines.clear();
}

Eigen::Index HUDEncodeImageFilter::Configure(Eigen::Index bands)
{
  if (m_Endmembers.size() == 0)
  {
    throw hud::InvalidOption("HUDEncodeImageFilter: no endmembers were set");
  }
  CheckBands(bands, m_Endmembers.rows(), "the endmembers have " + std::to_string(m_Endmembers.rows()));
  Eigen::MatrixXd endmembers = m_Endmembers;
  for (const Eigen::Index band : GetIgnoredBands())
  {
    if (band < 0 || band >= bands)
    {
      throw hud::InvalidOption("HUDEncodeImageFilter: band " + std::to_string(band) +
                               " is to be ignored, expected 0 to " + std::to_string(bands - 1));
    }
    endmembers.row(band).setZero();
  }
  m_Encoder.emplace(endmembers, m_Kind);
  m_Summariser.reset();
  if (m_Summarise)
  {
    m_Summariser.emplace(endmembers);
  }
  return m_Encoder->Endmembers();
}

void HUDEncodeImageFilter::Process(const Eigen::Ref<const Eigen::MatrixXf>& input,
                                   Eigen::Ref<Eigen::MatrixXf> output) const
{
  m_Encoder->Encode(input, output);
}

void HUDEncodeImageFilter::Inspect(const Eigen::Ref<const Eigen::MatrixXf>& input,
                                   const Eigen::Ref<const Eigen::MatrixXf>& output,
                                   const HUDImageType::IndexType& first) const
{
  if (!m_Summariser)
  {
    return;
  }
  hud::UnmixingSummary summary = m_Summariser->Summarise(input, output);
  const std::lock_guard<std::mutex> lock(m_SummaryMutex);
  m_Lines[{first[1], first[0]}] = std::move(summary);
}

void HUDEncodeImageFilter::AfterThreadedGenerateData()
{
  const auto lines = std::exchange(m_Lines, {});
  Superclass::AfterThreadedGenerateData();
  const std::lock_guard<std::mutex> lock(m_SummaryMutex);
  for (const auto& [first, summary] : lines)
  {
    m_Summary += summary;
  }
}

} // namespace otb
