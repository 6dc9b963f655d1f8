// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDAbundanceImage.h"

#include "otbHUDInterrupt.h"
#include "otbHUDNoData.h"
#include "otbHUDSceneSource.h"

#include <algorithm>

namespace otb
{

hud::AbundanceMap HUDReadAbundances(HUDImageType& image, unsigned int ram)
{
  image.UpdateOutputInformation();
  const auto whole = image.GetLargestPossibleRegion();
  const auto d = static_cast<Eigen::Index>(image.GetNumberOfComponentsPerPixel());
  const HUDNoData noData(image.GetImageMetadata(), static_cast<std::size_t>(d));

  hud::AbundanceMap map;
  map.m_Width = static_cast<Eigen::Index>(whole.GetSize(0));
  map.m_Height = static_cast<Eigen::Index>(whole.GetSize(1));
  map.m_Abundances.resize(d, map.m_Width * map.m_Height);
  map.m_Valid.assign(static_cast<std::size_t>(map.m_Abundances.cols()), 1);

  // Upstream there is the scene, whose bands may be far more than d.
  constexpr std::size_t kAssumedBands = 300;
  const std::size_t lines = HUDSceneSource::StripLines(whole.GetSize(0), whole.GetSize(1), kAssumedBands, 1, ram);
  for (std::size_t first = 0; first < whole.GetSize(1); first += lines)
  {
    HUDInterrupt::ThrowIfRequested();
    auto strip = whole;
    strip.SetIndex(1, whole.GetIndex(1) + static_cast<itk::IndexValueType>(first));
    strip.SetSize(1, std::min<std::size_t>(lines, whole.GetSize(1) - first));
    image.SetRequestedRegion(strip);
    image.PropagateRequestedRegion();
    image.UpdateOutputData();
    for (std::size_t line = 0; line < strip.GetSize(1); ++line)
    {
      // The buffer may hold more than was asked for.
      HUDImageType::IndexType index = strip.GetIndex();
      index[1] += static_cast<itk::IndexValueType>(line);
      const float* pixels = image.GetBufferPointer() + image.ComputeOffset(index) * d;
      const Eigen::Index row = static_cast<Eigen::Index>(first + line) * map.m_Width;
      for (Eigen::Index x = 0; x < map.m_Width; ++x, pixels += d)
      {
        if (noData.IsValid(pixels))
        {
          map.m_Abundances.col(row + x) = Eigen::Map<const Eigen::VectorXf>(pixels, d);
        }
        else
        {
          map.m_Abundances.col(row + x).setZero();
          map.m_Valid[static_cast<std::size_t>(row + x)] = 0;
        }
      }
    }
  }
  return map;
}

HUDImageType::Pointer HUDAbundancesToImage(const hud::AbundanceMap& map)
{
  const auto image = HUDImageType::New();
  HUDImageType::RegionType region;
  region.SetSize(0, static_cast<itk::SizeValueType>(map.m_Width));
  region.SetSize(1, static_cast<itk::SizeValueType>(map.m_Height));
  image->SetRegions(region);
  image->SetNumberOfComponentsPerPixel(static_cast<unsigned int>(map.m_Abundances.rows()));
  // The centre of the first pixel of a file without geotransform; any other origin would be written as one.
  HUDImageType::PointType origin;
  origin.Fill(0.5);
  image->SetOrigin(origin);
  image->Allocate();
  Eigen::Map<Eigen::MatrixXf> pixels(image->GetBufferPointer(), map.m_Abundances.rows(), map.m_Abundances.cols());
  pixels = map.m_Abundances;
  for (std::size_t pixel = 0; pixel < map.m_Valid.size(); ++pixel)
  {
    if (map.m_Valid[pixel] == 0)
    {
      pixels.col(static_cast<Eigen::Index>(pixel)).setConstant(kHUDNoDataValue);
    }
  }
  ImageMetadata metadata;
  HUDResetBandMetadata(metadata, static_cast<std::size_t>(map.m_Abundances.rows()));
  image->SetImageMetadata(metadata);
  return image;
}

} // namespace otb
