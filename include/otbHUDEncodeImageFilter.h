// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDSpectralImageFilter.h"

#include "hud/core/LeastSquares.h"
#include "hud/core/UnmixingSummary.h"

#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace otb
{

/// Spectra to abundances: hud::Encoder on every pixel. The output has one band for each endmember.
class HUDEncodeImageFilter : public HUDSpectralImageFilter
{
public:
  using Self = HUDEncodeImageFilter;
  using Superclass = HUDSpectralImageFilter;
  using Pointer = itk::SmartPointer<Self>;
  using ConstPointer = itk::SmartPointer<const Self>;

  itkNewMacro(Self);
  itkTypeMacro(HUDEncodeImageFilter, HUDSpectralImageFilter);

  /// @param endmembers A, [bands x d]; must be set
  void SetEndmembers(const Eigen::MatrixXd& endmembers);

  /// @param encoder hud::EncoderKind::Fcls unless set
  void SetEncoder(hud::EncoderKind encoder);

  /// The endmembers count as 0 there too.
  using HUDSpectralImageFilter::SetIgnoredBands;

  /// Has the filter keep what GetSummary returns, which costs about twice what unconstrained abundances do.
  void SetSummarise(bool summarise);

  /// Returns how well the abundances describe the valid pixels among those computed since the filter last computed the
  /// image's first pixel: once a writer is done, those of the image that it wrote. The ignored bands count as 0.
  hud::UnmixingSummary GetSummary() const;

protected:
  HUDEncodeImageFilter();

  void AfterThreadedGenerateData() override;

private:
  void StartImage() override;
  Eigen::Index Configure(Eigen::Index bands) override;
  void Process(const Eigen::Ref<const Eigen::MatrixXf>& input, Eigen::Ref<Eigen::MatrixXf> output) const override;
  void Inspect(const Eigen::Ref<const Eigen::MatrixXf>& input, const Eigen::Ref<const Eigen::MatrixXf>& output,
               const HUDImageType::IndexType& first) const override;

  Eigen::MatrixXd m_Endmembers;
  bool m_Summarise = false;
  hud::EncoderKind m_Kind = hud::EncoderKind::Fcls;
  std::optional<hud::Encoder> m_Encoder;
  std::optional<hud::UnmixingSummariser> m_Summariser; ///< when asked for
  mutable std::mutex m_SummaryMutex;                   ///< of what follows
  /// Of the region's lines, by row and column: added in this order, the sums do not depend on when a thread is done.
  mutable std::map<std::pair<itk::IndexValueType, itk::IndexValueType>, hud::UnmixingSummary> m_Lines;
  hud::UnmixingSummary m_Summary;
};

} // namespace otb
