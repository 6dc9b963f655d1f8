// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDSpectralImageFilter.h"

#include "hud/core/SimplexProjection.h"

#include <optional>

namespace otb
{

/// Projected abundances Z to abundances X, eq. (5): hud::SimplexProjection::Unproject on every pixel. Here a pixel of zeros
/// is data, namely equal abundances.
class HUDUnprojectImageFilter : public HUDSpectralImageFilter
{
public:
  using Self = HUDUnprojectImageFilter;
  using Superclass = HUDSpectralImageFilter;
  using Pointer = itk::SmartPointer<Self>;
  using ConstPointer = itk::SmartPointer<const Self>;

  itkNewMacro(Self);
  itkTypeMacro(HUDUnprojectImageFilter, HUDSpectralImageFilter);

  /// @param floor k of the floor e^-k / d that the projection added, 1 to 20; 8 unless set
  void SetFloor(double floor);

  /// @param exact true: the exact inverse of the projection; false, unless set: softmax alone, eq. (5)
  void SetExact(bool exact);

protected:
  HUDUnprojectImageFilter();

private:
  Eigen::Index Configure(Eigen::Index bands) override;
  void Process(const Eigen::Ref<const Eigen::MatrixXf>& input, Eigen::Ref<Eigen::MatrixXf> output) const override;

  double m_Floor = 8.;
  bool m_Exact = false;
  std::optional<hud::SimplexProjection> m_Projection;
};

} // namespace otb
