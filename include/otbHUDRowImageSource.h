// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDImageType.h"

#include <Eigen/Core>

#include "itkImageSource.h"

#include <functional>

namespace otb
{

/// An image whose pixels a function writes row by row, region by region.
class HUDRowImageSource : public itk::ImageSource<HUDImageType>
{
public:
  using Self = HUDRowImageSource;
  using Superclass = itk::ImageSource<HUDImageType>;
  using Pointer = itk::SmartPointer<Self>;
  using ConstPointer = itk::SmartPointer<const Self>;

  itkNewMacro(Self);
  itkTypeMacro(HUDRowImageSource, itk::ImageSource);

  HUDRowImageSource(const Self&) = delete;
  void operator=(const Self&) = delete;

  /// Writes a row, counted from 0, [bands x width]. Called by one thread at a time, in any order.
  using RowReader = std::function<void(Eigen::Index row, Eigen::Ref<Eigen::MatrixXf> pixels)>;

  /// Must be called.
  void SetRows(Eigen::Index bands, Eigen::Index width, Eigen::Index height, RowReader reader);

  /// Gives the image the grid and the projection of another, of the same size.
  void SetReference(HUDImageType& reference);

protected:
  HUDRowImageSource() = default;
  ~HUDRowImageSource() override = default;

  void GenerateOutputInformation() override;
  void GenerateData() override;

private:
  Eigen::Index m_Bands = 0;
  Eigen::Index m_Width = 0;
  Eigen::Index m_Height = 0;
  RowReader m_Reader;
  HUDImageType::Pointer m_Reference;
};

} // namespace otb
