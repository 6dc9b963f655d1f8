// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDImageType.h"

#include <Eigen/Core>

#include "otbImageMetadata.h"

#include "itkImageSource.h"

#include <functional>
#include <optional>

namespace otb
{

/// An image whose pixels a function writes, row by row or several rows at once, region by region.
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

  /// Writes rows from `row` on, [bands x width * rows], each one after the one above. Called by one thread at a time.
  using BlockReader = std::function<void(Eigen::Index row, Eigen::Ref<Eigen::MatrixXf> pixels)>;

  /// This or SetBlocks must be called.
  void SetRows(Eigen::Index bands, Eigen::Index width, Eigen::Index height, RowReader reader);

  /// For a function that is faster with several rows at once: all of a region are asked for together.
  void SetBlocks(Eigen::Index bands, Eigen::Index width, Eigen::Index height, BlockReader reader);

  /// Gives the image a description: a projection, ground control points and the like.
  void SetMetadata(const ImageMetadata& metadata);

  /// Gives the image a grid.
  /// @param origin centre of the first pixel
  /// @param spacing signed
  void SetGrid(const HUDImageType::PointType& origin, const HUDImageType::SpacingType& spacing);

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
  BlockReader m_Reader;
  HUDImageType::Pointer m_Reference;
  ImageMetadata m_Metadata;
  HUDImageType::PointType m_Origin;
  std::optional<HUDImageType::SpacingType> m_Spacing; ///< nothing: without a grid
};

} // namespace otb
