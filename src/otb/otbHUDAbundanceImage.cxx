// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDAbundanceImage.h"

#include "otbHUDInterrupt.h"
#include "otbHUDSceneSource.h"

#include <algorithm>

namespace otb
{

namespace
{

/// Returns the image, its information up to date.
HUDImageType& UpToDate(HUDImageType& image)
{
  image.UpdateOutputInformation();
  return image;
}

} // namespace

HUDAbundanceReader::HUDAbundanceReader(HUDImageType& image, unsigned int ram)
  : m_Image(&UpToDate(image)), m_Whole(image.GetLargestPossibleRegion()),
    m_NoData(image.GetImageMetadata(), image.GetNumberOfComponentsPerPixel())
{
  // Upstream there is the scene, whose bands may be far more than d.
  constexpr std::size_t kAssumedBands = 300;
  m_StripLines = HUDSceneSource::StripLines(m_Whole.GetSize(0), m_Whole.GetSize(1), kAssumedBands, 1, ram);
}

Eigen::Index HUDAbundanceReader::Width() const
{
  return static_cast<Eigen::Index>(m_Whole.GetSize(0));
}

Eigen::Index HUDAbundanceReader::Height() const
{
  return static_cast<Eigen::Index>(m_Whole.GetSize(1));
}

Eigen::Index HUDAbundanceReader::Endmembers() const
{
  return static_cast<Eigen::Index>(m_Image->GetNumberOfComponentsPerPixel());
}

void HUDAbundanceReader::ComputeStrip()
{
  HUDInterrupt::ThrowIfRequested();
  auto strip = m_Whole;
  strip.SetIndex(1, m_Whole.GetIndex(1) + static_cast<itk::IndexValueType>(m_Row));
  strip.SetSize(1, std::min<std::size_t>(m_StripLines, m_Whole.GetSize(1) - m_Row));
  m_Image->SetRequestedRegion(strip);
  m_Image->PropagateRequestedRegion();
  m_Image->UpdateOutputData();
}

void HUDAbundanceReader::ReadRow(Eigen::Ref<Eigen::MatrixXf> abundances, std::vector<std::uint8_t>& valid)
{
  if (m_Row % m_StripLines == 0)
  {
    ComputeStrip();
  }
  // The buffer may hold more than was asked for.
  HUDImageType::IndexType index = m_Whole.GetIndex();
  index[1] += static_cast<itk::IndexValueType>(m_Row);
  const Eigen::Map<const Eigen::MatrixXf> pixels(
      m_Image->GetBufferPointer() + m_Image->ComputeOffset(index) * Endmembers(), Endmembers(), Width());
  valid.assign(m_Whole.GetSize(0), 1);
  for (Eigen::Index x = 0; x < Width(); ++x)
  {
    if (m_NoData.IsValid(pixels.col(x).data()))
    {
      abundances.col(x) = pixels.col(x);
    }
    else
    {
      abundances.col(x).setZero();
      valid[static_cast<std::size_t>(x)] = 0;
    }
  }
  ++m_Row;
}

hud::AbundanceMap HUDReadAbundances(HUDImageType& image, unsigned int ram)
{
  HUDAbundanceReader reader(image, ram);
  hud::AbundanceMap map;
  map.m_Width = reader.Width();
  map.m_Height = reader.Height();
  map.m_Abundances.resize(reader.Endmembers(), map.m_Width * map.m_Height);
  map.m_Valid.reserve(static_cast<std::size_t>(map.m_Width * map.m_Height));
  std::vector<std::uint8_t> valid;
  for (Eigen::Index row = 0; row < map.m_Height; ++row)
  {
    reader.ReadRow(map.m_Abundances.middleCols(row * map.m_Width, map.m_Width), valid);
    map.m_Valid.insert(map.m_Valid.end(), valid.begin(), valid.end());
  }
  return map;
}

} // namespace otb
