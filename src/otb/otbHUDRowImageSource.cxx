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
  SetBlocks(bands, width, height,
            [reader = std::move(reader), width](Eigen::Index row, Eigen::Ref<Eigen::MatrixXf> pixels) {
              for (Eigen::Index line = 0; line < pixels.cols() / width; ++line)
              {
                HUDInterrupt::ThrowIfRequested();
                reader(row + line, pixels.middleCols(line * width, width));
              }
            });
}

void HUDRowImageSource::SetBlocks(Eigen::Index bands, Eigen::Index width, Eigen::Index height, BlockReader reader)
{
  m_Bands = bands;
  m_Width = width;
  m_Height = height;
  m_Reader = std::move(reader);
  Modified();
}

void HUDRowImageSource::SetMetadata(const ImageMetadata& metadata)
{
  m_Metadata = metadata;
  Modified();
}

void HUDRowImageSource::SetGrid(const HUDImageType::PointType& origin, const HUDImageType::SpacingType& spacing)
{
  m_Origin = origin;
  m_Spacing = spacing;
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
  ImageMetadata metadata = m_Metadata;
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
    output.SetOrigin(m_Spacing ? m_Origin : origin);
    if (m_Spacing)
    {
      output.SetSignedSpacing(*m_Spacing);
    }
  }
  output.SetNumberOfComponentsPerPixel(static_cast<unsigned int>(m_Bands));
  HUDResetBandMetadata(metadata, static_cast<std::size_t>(m_Bands));
  // Has a writer ask for strips of whole rows, not for squares, each of which would have its rows read again.
  metadata.Add(MDNum::TileHintX, static_cast<double>(output.GetLargestPossibleRegion().GetSize(0)));
  metadata.Add(MDNum::TileHintY, 1.);
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
  const auto rows = static_cast<Eigen::Index>(region.GetSize(1));
  const auto row = static_cast<Eigen::Index>(region.GetIndex(1) - first[1]);
  float* const buffer = output.GetBufferPointer() + output.ComputeOffset(region.GetIndex()) * m_Bands;
  HUDInterrupt::ThrowIfRequested();
  if (width == m_Width && output.GetBufferedRegion() == region)
  {
    m_Reader(row, Eigen::Map<Eigen::MatrixXf>(buffer, m_Bands, width * rows));
    return;
  }
  Eigen::MatrixXf line(m_Bands, m_Width);
  const auto stride = static_cast<Eigen::Index>(output.GetBufferedRegion().GetSize(0)) * m_Bands;
  for (Eigen::Index i = 0; i < rows; ++i)
  {
    HUDInterrupt::ThrowIfRequested();
    m_Reader(row + i, line);
    Eigen::Map<Eigen::MatrixXf>(buffer + i * stride, m_Bands, width) = line.middleCols(left, width);
  }
}

} // namespace otb
