// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDEndmemberImage.h"

#include "hud/core/Error.h"

#include <cmath>
#include <string>

namespace otb
{

void HUDCheckFinite(const Eigen::MatrixXd& endmembers)
{
  for (Eigen::Index endmember = 0; endmember < endmembers.cols(); ++endmember)
  {
    for (Eigen::Index band = 0; band < endmembers.rows(); ++band)
    {
      if (!std::isfinite(endmembers(band, endmember)))
      {
        throw hud::InvalidData("endmember " + std::to_string(endmember + 1) + " is not finite in band " +
                               std::to_string(band + 1));
      }
    }
  }
}

Eigen::MatrixXd HUDReadEndmembers(HUDImageType& image)
{
  image.UpdateOutputInformation();
  image.SetRequestedRegionToLargestPossibleRegion();
  image.PropagateRequestedRegion();
  image.UpdateOutputData();
  const auto bands = static_cast<Eigen::Index>(image.GetNumberOfComponentsPerPixel());
  const auto region = image.GetLargestPossibleRegion();
  const auto count = static_cast<Eigen::Index>(region.GetNumberOfPixels());
  // The buffered region is the whole image, so pixels follow each other row by row.
  const Eigen::MatrixXd endmembers =
      Eigen::Map<const Eigen::MatrixXf>(image.GetBufferPointer(), bands, count).cast<double>();
  HUDCheckFinite(endmembers);
  return endmembers;
}

void HUDSetEndmemberGrid(HUDImageType& image, Eigen::Index endmembers, Eigen::Index bands)
{
  HUDImageType::RegionType region;
  region.SetSize(0, static_cast<itk::SizeValueType>(endmembers));
  region.SetSize(1, 1);
  image.SetLargestPossibleRegion(region);
  image.SetNumberOfComponentsPerPixel(static_cast<unsigned int>(bands));
  // The centre of the first pixel of a file without geotransform; any other origin would be written as one.
  HUDImageType::PointType origin;
  origin.Fill(0.5);
  image.SetOrigin(origin);
  HUDImageType::DirectionType direction;
  direction.SetIdentity();
  image.SetDirection(direction);
  HUDImageType::SpacingType spacing;
  spacing.Fill(1.);
  image.SetSignedSpacing(spacing);
}

void HUDFillEndmembers(HUDImageType& image, const Eigen::MatrixXd& endmembers)
{
  Eigen::Map<Eigen::MatrixXf>(image.GetBufferPointer(), endmembers.rows(), endmembers.cols()) =
      endmembers.cast<float>();
}

HUDImageType::Pointer HUDEndmembersToImage(const Eigen::MatrixXd& endmembers)
{
  const auto image = HUDImageType::New();
  HUDSetEndmemberGrid(*image, endmembers.cols(), endmembers.rows());
  image->SetBufferedRegion(image->GetLargestPossibleRegion());
  image->SetRequestedRegion(image->GetLargestPossibleRegion());
  image->Allocate();
  HUDFillEndmembers(*image, endmembers);
  return image;
}

} // namespace otb
