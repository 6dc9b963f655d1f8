// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDImageType.h"

#include <Eigen/Core>

#include "itkImageToImageFilter.h"

#include <memory>
#include <vector>

namespace otb
{

/// A scene with some of its pixels replaced by those of another image; all others stay bit for bit. The output has the
/// scene's grid, projection and metadata. Works region by region.
class HUDReplaceImageFilter : public itk::ImageToImageFilter<HUDImageType, HUDImageType>
{
public:
  using Self = HUDReplaceImageFilter;
  using Superclass = itk::ImageToImageFilter<HUDImageType, HUDImageType>;
  using Pointer = itk::SmartPointer<Self>;
  using ConstPointer = itk::SmartPointer<const Self>;

  itkNewMacro(Self);
  itkTypeMacro(HUDReplaceImageFilter, itk::ImageToImageFilter);

  HUDReplaceImageFilter(const Self&) = delete;
  void operator=(const Self&) = delete;

  void SetScene(HUDImageType* scene);

  /// @param replacement of the scene's region and bands
  void SetReplacement(HUDImageType* replacement);

  /// @param replaced for each pixel of the scene, row by row, whether it is replaced
  void SetReplaced(std::shared_ptr<const std::vector<bool>> replaced);

  /// Has these bands, counted from 0, be the scene's in all pixels: bands without data stay so.
  void SetKeptBands(std::vector<Eigen::Index> bands);

protected:
  HUDReplaceImageFilter();
  ~HUDReplaceImageFilter() override = default;

  /// @throws hud::InvalidData when the images or `replaced` do not fit together
  void GenerateOutputInformation() override;
  void ThreadedGenerateData(const OutputImageRegionType& region, itk::ThreadIdType thread) override;

private:
  std::shared_ptr<const std::vector<bool>> m_Replaced;
  std::vector<Eigen::Index> m_KeptBands;
};

} // namespace otb
