// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDImageType.h"

#include <Eigen/Core>

#include "itkImageSource.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>

namespace hud::test
{

/// A pipeline's source that makes any region of a scene on request, as a reader does, and records what was asked for.
class StreamedScene : public itk::ImageSource<otb::HUDImageType>
{
public:
  using Self = StreamedScene;
  using Superclass = itk::ImageSource<otb::HUDImageType>;
  using Pointer = itk::SmartPointer<Self>;
  using RegionType = otb::HUDImageType::RegionType;

  itkNewMacro(Self);

  /// @param spectra [bands x width * height], row by row
  void SetScene(Eigen::MatrixXf spectra, std::size_t width, itk::IndexValueType startX = 0,
                itk::IndexValueType startY = 0)
  {
    m_Spectra = std::move(spectra);
    m_Region.SetIndex(0, startX);
    m_Region.SetIndex(1, startY);
    m_Region.SetSize(0, width);
    m_Region.SetSize(1, static_cast<std::size_t>(m_Spectra.cols()) / width);
    Modified();
  }

  void SetMetadata(const otb::ImageMetadata& metadata)
  {
    m_Metadata = metadata;
    Modified();
  }

  /// Called for each region before it is made.
  void SetHook(std::function<void(const RegionType&)> hook)
  {
    m_Hook = std::move(hook);
  }

  std::size_t LargestRequest() const
  {
    return m_LargestRequest;
  }

  std::size_t Requests() const
  {
    return m_Requests;
  }

protected:
  void GenerateOutputInformation() override
  {
    otb::HUDImageType& output = *GetOutput();
    output.SetLargestPossibleRegion(m_Region);
    output.SetNumberOfComponentsPerPixel(static_cast<unsigned int>(m_Spectra.rows()));
    output.SetImageMetadata(m_Metadata);
    double origin[] = {500.5, 1200.25};
    double spacing[] = {2.5, -3.5};
    output.SetOrigin(origin);
    output.SetSignedSpacing(spacing);
  }

  void GenerateData() override
  {
    AllocateOutputs();
    otb::HUDImageType& output = *GetOutput();
    const auto region = output.GetRequestedRegion();
    m_LargestRequest = std::max<std::size_t>(m_LargestRequest, region.GetNumberOfPixels());
    ++m_Requests;
    if (m_Hook)
    {
      m_Hook(region);
    }
    const auto width = static_cast<Eigen::Index>(m_Region.GetSize(0));
    float* target = output.GetBufferPointer();
    for (std::size_t line = 0; line < region.GetSize(1); ++line)
    {
      const Eigen::Index y = region.GetIndex(1) - m_Region.GetIndex(1) + static_cast<Eigen::Index>(line);
      const Eigen::Index x = region.GetIndex(0) - m_Region.GetIndex(0);
      const auto count = static_cast<Eigen::Index>(region.GetSize(0));
      Eigen::Map<Eigen::MatrixXf>(target, m_Spectra.rows(), count) = m_Spectra.middleCols(y * width + x, count);
      target += m_Spectra.rows() * count;
    }
  }

private:
  Eigen::MatrixXf m_Spectra;
  RegionType m_Region;
  otb::ImageMetadata m_Metadata;
  std::function<void(const RegionType&)> m_Hook;
  std::size_t m_LargestRequest = 0;
  std::size_t m_Requests = 0;
};

/// Returns a whole image, [bands x pixels], asked for in tiles of at most that size.
inline Eigen::MatrixXf ReadInTiles(otb::HUDImageType& image, std::size_t tileWidth, std::size_t tileHeight)
{
  image.UpdateOutputInformation();
  const auto whole = image.GetLargestPossibleRegion();
  const auto bands = static_cast<Eigen::Index>(image.GetNumberOfComponentsPerPixel());
  const auto width = static_cast<Eigen::Index>(whole.GetSize(0));
  Eigen::MatrixXf pixels = Eigen::MatrixXf::Zero(bands, static_cast<Eigen::Index>(whole.GetNumberOfPixels()));
  for (std::size_t y = 0; y < whole.GetSize(1); y += tileHeight)
  {
    for (std::size_t x = 0; x < whole.GetSize(0); x += tileWidth)
    {
      otb::HUDImageType::RegionType tile;
      tile.SetIndex(0, whole.GetIndex(0) + static_cast<itk::IndexValueType>(x));
      tile.SetIndex(1, whole.GetIndex(1) + static_cast<itk::IndexValueType>(y));
      tile.SetSize(0, std::min(tileWidth, whole.GetSize(0) - x));
      tile.SetSize(1, std::min(tileHeight, whole.GetSize(1) - y));
      image.SetRequestedRegion(tile);
      image.PropagateRequestedRegion();
      image.UpdateOutputData();
      for (std::size_t line = 0; line < tile.GetSize(1); ++line)
      {
        auto index = tile.GetIndex();
        index[1] += static_cast<itk::IndexValueType>(line);
        const auto count = static_cast<Eigen::Index>(tile.GetSize(0));
        const auto first = static_cast<Eigen::Index>(y + line) * width + static_cast<Eigen::Index>(x);
        pixels.middleCols(first, count) = Eigen::Map<const Eigen::MatrixXf>(
            image.GetBufferPointer() + image.ComputeOffset(index) * bands, bands, count);
      }
    }
  }
  return pixels;
}

} // namespace hud::test
