// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDRowImageSource.h"

#include "otbHUDInterrupt.h"
#include "otbHUDNoData.h"

#include <utility>

namespace otb
{

void HUDRowImageSource::SetRows(Eigen::Index bands, Eigen::Index width, Eigen::Index height, RowReader reader)
{
  m_Bands = bands;
  m_Width = width;
  m_Height = height;
  m_Reader = std::move(reader);
  Modified();
}

void HUDRowImageSource::SetReference(HUDImageType& reference)
{
  m_Reference = &reference;
  Modified();
}

void HUDRowImageSource::GenerateOutputInformation()
{
  HUDImageType& output = *GetOutput();
  ImageMetadata metadata;
  if (m_Reference)
  {
    m_Reference->UpdateOutputInformation();
    output.CopyInformation(m_Reference);
    metadata = m_Reference->GetImageMetadata();
  }
  else
  {
    HUDImageType::RegionType region;
    region.SetSize(0, static_cast<itk::SizeValueType>(m_Width));
    region.SetSize(1, static_cast<itk::SizeValueType>(m_Height));
    output.SetLargestPossibleRegion(region);
    // The centre of the first pixel of a file without geotransform; any other origin would be written as one.
    HUDImageType::PointType origin;
    origin.Fill(0.5);
    output.SetOrigin(origin);
  }
  output.SetNumberOfComponentsPerPixel(static_cast<unsigned int>(m_Bands));
  HUDResetBandMetadata(metadata, static_cast<std::size_t>(m_Bands));
  output.SetImageMetadata(metadata);
}

void HUDRowImageSource::GenerateData()
{
  AllocateOutputs();
  HUDImageType& output = *GetOutput();
  const auto region = output.GetRequestedRegion();
  const auto first = output.GetLargestPossibleRegion().GetIndex();
  const auto left = static_cast<Eigen::Index>(region.GetIndex(0) - first[0]);
  const auto width = static_cast<Eigen::Index>(region.GetSize(0));
  Eigen::MatrixXf row(m_Bands, m_Width);
  for (std::size_t line = 0; line < region.GetSize(1); ++line)
  {
    HUDInterrupt::ThrowIfRequested();
    auto index = region.GetIndex();
    index[1] += static_cast<itk::IndexValueType>(line);
    m_Reader(static_cast<Eigen::Index>(index[1] - first[1]), row);
    Eigen::Map<Eigen::MatrixXf>(output.GetBufferPointer() + output.ComputeOffset(index) * m_Bands, m_Bands, width) =
        row.middleCols(left, width);
  }
}

} // namespace otb
