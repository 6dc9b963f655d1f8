// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDImageRows.h"

#include "otbHUDInterrupt.h"
#include "otbHUDSceneSource.h"

#include <algorithm>

namespace otb
{

namespace
{

/// Upstream of abundances there is a scene, whose bands may be far more than theirs.
constexpr std::size_t kAssumedBands = 300;

/// Returns the image, its information up to date.
HUDImageType& UpToDate(HUDImageType& image)
{
  image.UpdateOutputInformation();
  return image;
}

} // namespace

HUDImageRows::HUDImageRows(HUDImageType& image, unsigned int ram, const std::vector<Eigen::Index>& ignored)
  : m_Image(&UpToDate(image)), m_Whole(image.GetLargestPossibleRegion()),
    m_NoData(image.GetImageMetadata(), image.GetNumberOfComponentsPerPixel(), HUDZeroPixels::AreNoData, ignored),
    m_Ignored(ignored), m_StripLines(static_cast<Eigen::Index>(HUDSceneSource::StripLines(
                            m_Whole.GetSize(0), m_Whole.GetSize(1),
                            std::max<std::size_t>(kAssumedBands, image.GetNumberOfComponentsPerPixel()), 1, ram)))
{
}

Eigen::Index HUDImageRows::Bands() const
{
  return static_cast<Eigen::Index>(m_Image->GetNumberOfComponentsPerPixel());
}

Eigen::Index HUDImageRows::Width() const
{
  return static_cast<Eigen::Index>(m_Whole.GetSize(0));
}

Eigen::Index HUDImageRows::Height() const
{
  return static_cast<Eigen::Index>(m_Whole.GetSize(1));
}

void HUDImageRows::ComputeStrip(Eigen::Index row) const
{
  HUDInterrupt::ThrowIfRequested();
  m_StripFirst = -1;
  auto strip = m_Whole;
  strip.SetIndex(1, m_Whole.GetIndex(1) + row);
  strip.SetSize(1, static_cast<std::size_t>(std::min(m_StripLines, Height() - row)));
  m_Image->SetRequestedRegion(strip);
  m_Image->PropagateRequestedRegion();
  m_Image->UpdateOutputData();
  m_StripFirst = row;
}

void HUDImageRows::Read(Eigen::Index first, Eigen::Ref<Eigen::MatrixXf> spectra, std::uint8_t* valid) const
{
  for (Eigen::Index begin = 0; begin < spectra.cols(); begin += Width())
  {
    const Eigen::Index row = first + begin / Width();
    if (m_StripFirst < 0 || row < m_StripFirst || row >= m_StripFirst + m_StripLines)
    {
      ComputeStrip(row);
    }
    // The buffer may hold more than was asked for.
    HUDImageType::IndexType index = m_Whole.GetIndex();
    index[1] += row;
    const Eigen::Map<const Eigen::MatrixXf> pixels(
        m_Image->GetBufferPointer() + m_Image->ComputeOffset(index) * Bands(), Bands(), Width());
    for (Eigen::Index x = 0; x < Width(); ++x)
    {
      const bool isValid = m_NoData.IsValid(pixels.col(x).data());
      valid[begin + x] = isValid ? 1 : 0;
      if (isValid)
      {
        spectra.col(begin + x) = pixels.col(x);
        for (const Eigen::Index band : m_Ignored)
        {
          spectra(band, begin + x) = 0.f;
        }
      }
      else
      {
        spectra.col(begin + x).setZero();
      }
    }
  }
}

} // namespace otb
