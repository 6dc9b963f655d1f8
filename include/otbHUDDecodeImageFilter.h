// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDSpectralImageFilter.h"

#include "hud/core/Decoder.h"

#include <optional>

namespace otb
{

/// Abundances to spectra: hud::Decoder on every pixel.
class HUDDecodeImageFilter : public HUDSpectralImageFilter
{
public:
  using Self = HUDDecodeImageFilter;
  using Superclass = HUDSpectralImageFilter;
  using Pointer = itk::SmartPointer<Self>;
  using ConstPointer = itk::SmartPointer<const Self>;

  itkNewMacro(Self);
  itkTypeMacro(HUDDecodeImageFilter, HUDSpectralImageFilter);

  /// @param endmembers A, [bands x d]; must be set
  void SetEndmembers(const Eigen::MatrixXd& endmembers);

protected:
  HUDDecodeImageFilter();

private:
  Eigen::Index Configure(Eigen::Index bands) override;
  void Process(const Eigen::Ref<const Eigen::MatrixXf>& input, Eigen::Ref<Eigen::MatrixXf> output) const override;

  Eigen::MatrixXd m_Endmembers;
  std::optional<hud::Decoder> m_Decoder;
};

} // namespace otb
