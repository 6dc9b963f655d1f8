// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDSceneSource.h"

#include "otbHUDInterrupt.h"
#include "otbHUDNoData.h"

#include "hud/core/Error.h"

#include "otbConfigurationManager.h"

#include <algorithm>
#include <cstring>
#include <future>
#include <utility>

namespace otb
{

namespace
{

// Bytes for each sample of a strip: the image (4), the reader's buffer in the file's type (up to 8), and as much again for
// filters in between.
constexpr std::size_t kBytesPerSample = 24;

// Larger strips leave the processor's caches before they are looked at: measured 8 % slower at 32 MB, a third at 256 MB.
constexpr unsigned int kCachedMegabytes = 8;

std::size_t TileHeight(const HUDImageType& image)
{
  const ImageMetadata& metadata = image.GetImageMetadata();
  return metadata.Has(MDNum::TileHintY) ? static_cast<std::size_t>(std::max(1., metadata[MDNum::TileHintY])) : 1;
}

} // namespace

/// Gathers pixels to blocks of fixed size. While one block is worked on, by another thread, the next is filled.
class HUDSceneSource::Packer
{
public:
  Packer(Eigen::Index bands, const std::vector<Eigen::Index>& emptyBands, const Visitor& visit)
    : m_EmptyBands(emptyBands), m_Visit(visit), m_Block(bands, kBlockPixels), m_BlockAtWork(bands, kBlockPixels)
  {
  }

  void Add(const float* spectrum)
  {
    std::memcpy(m_Block.col(m_Filled).data(), spectrum, static_cast<std::size_t>(m_Block.rows()) * sizeof(float));
    for (const Eigen::Index band : m_EmptyBands)
    {
      m_Block(band, m_Filled) = 0.f;
    }
    ++m_Pixels;
    if (++m_Filled == kBlockPixels)
    {
      Flush();
    }
  }

  /// Hands the block over, once the one before is done.
  void Flush()
  {
    Finish();
    m_Block.swap(m_BlockAtWork);
    m_Work = std::async(std::launch::async,
                        [this, filled = std::exchange(m_Filled, 0)] { m_Visit(m_BlockAtWork.leftCols(filled)); });
  }

  /// Waits for the block at work.
  void Finish()
  {
    if (m_Work.valid())
    {
      m_Work.get();
    }
  }

  /// Hands over what is left, and waits for it.
  void End()
  {
    if (m_Filled > 0)
    {
      Flush();
    }
    Finish();
  }

  Eigen::Index Pixels() const
  {
    return m_Pixels;
  }

private:
  const std::vector<Eigen::Index>& m_EmptyBands;
  const Visitor& m_Visit;
  Eigen::MatrixXf m_Block;
  Eigen::MatrixXf m_BlockAtWork;
  Eigen::Index m_Filled = 0;
  Eigen::Index m_Pixels = 0;
  std::future<void> m_Work; ///< last, so that it is waited for before what it works on goes
};

HUDSceneSource::HUDSceneSource(const std::vector<HUDImageType*>& images, unsigned int ram,
                               std::vector<std::string> names)
  : m_Ram(ram)
{
  if (images.empty())
  {
    throw hud::InvalidData("there is no image to read");
  }
  for (std::size_t i = 0; i < images.size(); ++i)
  {
    images[i]->UpdateOutputInformation();
    const auto bands = static_cast<Eigen::Index>(images[i]->GetNumberOfComponentsPerPixel());
    if (i == 0)
    {
      m_Bands = bands;
    }
    else if (bands != m_Bands)
    {
      const std::string name = i < names.size() ? names[i] : "image " + std::to_string(i + 1);
      throw hud::InvalidData(name + " has " + std::to_string(bands) + " bands, but the first image has " +
                             std::to_string(m_Bands));
    }
    m_Lines += images[i]->GetLargestPossibleRegion().GetSize(1);
    m_Images.emplace_back(images[i]);
  }
}

Eigen::Index HUDSceneSource::Bands() const
{
  return m_Bands;
}

void HUDSceneSource::SetProgress(std::function<void(double)> progress)
{
  m_Progress = std::move(progress);
}

Eigen::Index HUDSceneSource::ValidPixels() const
{
  return m_ValidPixels;
}

const HUDNoDataCounts& HUDSceneSource::NoDataPixels() const
{
  return m_NoDataPixels;
}

const std::vector<Eigen::Index>& HUDSceneSource::EmptyBands() const
{
  if (!m_EmptyBands)
  {
    m_EmptyBands = FindEmptyBands();
  }
  return *m_EmptyBands;
}

void HUDSceneSource::SetEmptyBands(std::vector<Eigen::Index> bands)
{
  m_EmptyBands = std::move(bands);
}

std::size_t HUDSceneSource::StripLines(std::size_t width, std::size_t height, std::size_t bands, std::size_t tileHeight,
                                       unsigned int ram)
{
  const std::size_t megabytes = ram > 0 ? ram : static_cast<std::size_t>(ConfigurationManager::GetMaxRAMHint());
  const std::size_t lineBytes = std::max<std::size_t>(1, width * bands * kBytesPerSample);
  std::size_t lines = megabytes * 1024 * 1024 / lineBytes;
  if (lines > tileHeight)
  {
    lines -= lines % tileHeight;
  }
  return std::clamp<std::size_t>(lines, 1, std::max<std::size_t>(1, height));
}

void HUDSceneSource::ReadLines(const std::vector<Eigen::Index>& ignoredBands, const LineVisitor& visit) const
{
  for (const auto& pointer : m_Images)
  {
    HUDImageType& image = *pointer;
    image.UpdateOutputInformation();
    const HUDNoData noData(image.GetImageMetadata(), static_cast<std::size_t>(m_Bands), HUDZeroPixels::AreNoData,
                           ignoredBands);
    const auto whole = image.GetLargestPossibleRegion();
    const std::size_t width = whole.GetSize(0);
    const std::size_t height = whole.GetSize(1);
    const auto bands = static_cast<std::size_t>(m_Bands);
    const std::size_t tileHeight = TileHeight(image);
    const std::size_t affordable = StripLines(width, height, bands, tileHeight, m_Ram);
    const std::size_t cached = StripLines(width, height, bands, tileHeight, kCachedMegabytes);
    // Never part of a row of tiles where a whole one is affordable: each part would decode all of it.
    const std::size_t lines = std::min(affordable, std::max(cached, tileHeight));
    for (std::size_t first = 0; first < height; first += lines)
    {
      HUDInterrupt::ThrowIfRequested();
      auto strip = whole;
      strip.SetIndex(1, whole.GetIndex(1) + static_cast<itk::IndexValueType>(first));
      strip.SetSize(1, std::min(lines, height - first));
      image.SetRequestedRegion(strip);
      image.PropagateRequestedRegion();
      image.UpdateOutputData();
      for (std::size_t line = 0; line < strip.GetSize(1); ++line)
      {
        // The buffer may be larger than the strip.
        auto index = strip.GetIndex();
        index[1] += static_cast<itk::IndexValueType>(line);
        if (!visit(noData, image.GetBufferPointer() + image.ComputeOffset(index) * m_Bands, width))
        {
          return;
        }
      }
    }
  }
}

std::vector<Eigen::Index> HUDSceneSource::FindEmptyBands() const
{
  const auto bands = static_cast<std::size_t>(m_Bands);
  std::vector<char> holdsData(bands, 0);
  ReadLines({}, [&](const HUDNoData& noData, const float* spectrum, std::size_t pixels) {
    for (std::size_t pixel = 0; pixel < pixels; ++pixel, spectrum += bands)
    {
      switch (noData.Classify(spectrum))
      {
      case HUDPixelState::Valid:
        holdsData.assign(bands, 1);
        return false;
      case HUDPixelState::NotFinite:
      case HUDPixelState::NoDataValue:
        for (std::size_t band = 0; band < bands; ++band)
        {
          if (noData.IsValid(band, spectrum[band]))
          {
            holdsData[band] = 1;
          }
        }
        break;
      case HUDPixelState::Masked:
      case HUDPixelState::Zero:
        break;
      }
    }
    return true;
  });
  std::vector<Eigen::Index> empty;
  for (std::size_t band = 0; band < bands; ++band)
  {
    if (holdsData[band] == 0)
    {
      empty.push_back(static_cast<Eigen::Index>(band));
    }
  }
  // Where no band holds data, it is not for the bands that pixels do not.
  return empty.size() < bands ? empty : std::vector<Eigen::Index>();
}

void HUDSceneSource::Visit(const Visitor& visit) const
{
  const std::vector<Eigen::Index>& emptyBands = EmptyBands();
  Packer packer(m_Bands, emptyBands, visit);
  HUDNoDataCounts noDataPixels;
  std::size_t linesRead = 0;
  ReadLines(emptyBands, [&](const HUDNoData& noData, const float* spectrum, std::size_t pixels) {
    for (std::size_t pixel = 0; pixel < pixels; ++pixel, spectrum += m_Bands)
    {
      if (noData.IsValid(spectrum))
      {
        packer.Add(spectrum);
      }
      else
      {
        noDataPixels.Add(noData.Classify(spectrum));
      }
    }
    ++linesRead;
    if (m_Progress)
    {
      m_Progress(static_cast<double>(linesRead) / static_cast<double>(m_Lines));
    }
    return true;
  });
  packer.End();
  m_ValidPixels = packer.Pixels();
  m_NoDataPixels = noDataPixels;
  if (m_ValidPixels == 0)
  {
    throw hud::InvalidData("the scene has no valid pixel: " + noDataPixels.Describe());
  }
}

} // namespace otb
