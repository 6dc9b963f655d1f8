// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDImageType.h"
#include "otbHUDNoData.h"

#include "hud/core/BandNoise.h"
#include "hud/core/ResidualModel.h"

#include "itkImageToImageFilter.h"

#include <functional>
#include <optional>

namespace otb
{

/// Adds a drawn residual to every valid pixel: hud::ResidualNoise or hud::BandNoise at the pixel's place, counted from the image's upper left
/// corner. No-data pixels stay as they are. Works region by region, and regions do not change a pixel.
class HUDResidualImageFilter : public itk::ImageToImageFilter<HUDImageType, HUDImageType>
{
public:
  using Self = HUDResidualImageFilter;
  using Superclass = itk::ImageToImageFilter<HUDImageType, HUDImageType>;
  using Pointer = itk::SmartPointer<Self>;
  using ConstPointer = itk::SmartPointer<const Self>;

  itkNewMacro(Self);
  itkTypeMacro(HUDResidualImageFilter, itk::ImageToImageFilter);

  HUDResidualImageFilter(const Self&) = delete;
  void operator=(const Self&) = delete;

  /// @param noise of the image's bands; must be set
  void SetNoise(const hud::ResidualNoise& noise);
  void SetNoise(const hud::BandNoise& noise);

protected:
  HUDResidualImageFilter() = default;
  ~HUDResidualImageFilter() override = default;

  /// @throws hud::InvalidData when the noise has other bands, or was not set
  void GenerateOutputInformation() override;
  void BeforeThreadedGenerateData() override;
  void ThreadedGenerateData(const OutputImageRegionType& region, itk::ThreadIdType thread) override;

private:
  template <typename Noise>
  void SetDraw(const Noise& noise);

  Eigen::Index m_Bands = 0; ///< of the noise
  std::function<void(Eigen::Index, Eigen::Index, const Eigen::Ref<Eigen::MatrixXf>&)> m_Draw;
  std::optional<HUDNoData> m_NoData;
};

} // namespace otb
