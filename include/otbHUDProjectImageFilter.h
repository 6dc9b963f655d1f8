// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDSpectralImageFilter.h"

#include "hud/core/SimplexProjection.h"

#include <optional>

namespace otb
{

/// Abundances X to projected abundances Z, eq. (4): hud::SimplexProjection::Project on every pixel.
class HUDProjectImageFilter : public HUDSpectralImageFilter
{
public:
  using Self = HUDProjectImageFilter;
  using Superclass = HUDSpectralImageFilter;
  using Pointer = itk::SmartPointer<Self>;
  using ConstPointer = itk::SmartPointer<const Self>;

  itkNewMacro(Self);
  itkTypeMacro(HUDProjectImageFilter, HUDSpectralImageFilter);

  /// @param floor k of the floor e^-k / d, 1 to 20; 8 unless set
  void SetFloor(double floor);

protected:
  HUDProjectImageFilter();

private:
  Eigen::Index Configure(Eigen::Index bands) override;
  void Process(const Eigen::Ref<const Eigen::MatrixXf>& input, Eigen::Ref<Eigen::MatrixXf> output) const override;

  double m_Floor = 8.;
  std::optional<hud::SimplexProjection> m_Projection;
};

} // namespace otb
