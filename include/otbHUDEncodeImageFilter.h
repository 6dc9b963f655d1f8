// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDSpectralImageFilter.h"

#include "hud/core/LeastSquares.h"

#include <optional>

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

protected:
  HUDEncodeImageFilter();

private:
  Eigen::Index Configure(Eigen::Index bands) override;
  void Process(const Eigen::Ref<const Eigen::MatrixXf>& input, Eigen::Ref<Eigen::MatrixXf> output) const override;

  Eigen::MatrixXd m_Endmembers;
  hud::EncoderKind m_Kind = hud::EncoderKind::Fcls;
  std::optional<hud::Encoder> m_Encoder;
};

} // namespace otb
