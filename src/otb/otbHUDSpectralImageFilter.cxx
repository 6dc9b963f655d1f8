// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDSpectralImageFilter.h"

#include "otbHUDInterrupt.h"

#include "hud/core/Error.h"

#include "itkProgressReporter.h"

#include <utility>

namespace otb
{

HUDSpectralImageFilter::HUDSpectralImageFilter(HUDZeroPixels zeroPixels) : m_ZeroPixels(zeroPixels) {}

std::size_t HUDSpectralImageFilter::GetNoDataPixels() const
{
  return GetNoDataCounts().Total();
}

HUDNoDataCounts HUDSpectralImageFilter::GetNoDataCounts() const
{
  const std::lock_guard<std::mutex> lock(m_Mutex);
  return m_NoDataCounts;
}

void HUDSpectralImageFilter::SetIgnoredBands(std::vector<Eigen::Index> bands)
{
  m_IgnoredBands = std::move(bands);
  Modified();
}

const std::vector<Eigen::Index>& HUDSpectralImageFilter::GetIgnoredBands() const
{
  return m_IgnoredBands;
}

void HUDSpectralImageFilter::CheckBands(Eigen::Index bands, Eigen::Index expected, const std::string& reference) const
{
  if (bands != expected)
  {
    throw hud::InvalidData("the image has " + std::to_string(bands) + " bands, but " + reference);
  }
}

void HUDSpectralImageFilter::GenerateOutputInformation()
{
  Superclass::GenerateOutputInformation();
  const HUDImageType& input = *GetInput();
  HUDImageType& output = *GetOutput();
  const auto inputBands = input.GetNumberOfComponentsPerPixel();
  const auto bands = static_cast<unsigned int>(Configure(static_cast<Eigen::Index>(inputBands)));
  output.SetNumberOfComponentsPerPixel(bands);
  ImageMetadata metadata = input.GetImageMetadata();
  HUDResetBandMetadata(metadata, bands);
  output.SetImageMetadata(metadata);
}

void HUDSpectralImageFilter::BeforeThreadedGenerateData()
{
  const HUDImageType& input = *GetInput();
  m_NoData.emplace(input.GetImageMetadata(), input.GetNumberOfComponentsPerPixel(), m_ZeroPixels, m_IgnoredBands);
  m_Failure = nullptr;
  if (GetOutput()->GetRequestedRegion().GetIndex() == GetOutput()->GetLargestPossibleRegion().GetIndex())
  {
    m_NoDataCounts = HUDNoDataCounts();
    StartImage();
  }
}

void HUDSpectralImageFilter::ThreadedGenerateData(const OutputImageRegionType& region, itk::ThreadIdType thread)
{
  const HUDImageType& input = *GetInput();
  HUDImageType& output = *GetOutput();
  const auto inputBands = static_cast<std::ptrdiff_t>(input.GetNumberOfComponentsPerPixel());
  const auto outputBands = static_cast<std::ptrdiff_t>(output.GetNumberOfComponentsPerPixel());
  const auto width = region.GetSize(0);
  const auto height = region.GetSize(1);
  if (width == 0)
  {
    return;
  }
  try
  {
    itk::ProgressReporter progress(this, thread, height);
    for (std::size_t line = 0; line < height; ++line)
    {
      HUDInterrupt::ThrowIfRequested();
      auto index = region.GetIndex();
      index[1] += static_cast<itk::IndexValueType>(line);
      const HUDNoDataCounts counts =
          ProcessScanline(input.GetBufferPointer() + input.ComputeOffset(index) * inputBands,
                          output.GetBufferPointer() + output.ComputeOffset(index) * outputBands,
                          static_cast<Eigen::Index>(width), index);
      {
        const std::lock_guard<std::mutex> lock(m_Mutex);
        m_NoDataCounts += counts;
      }
      progress.CompletedPixel();
    }
  }
  catch (const itk::ProcessAborted&)
  {
    throw;
  }
  catch (...)
  {
    const std::lock_guard<std::mutex> lock(m_Mutex);
    if (!m_Failure)
    {
      m_Failure = std::current_exception();
    }
  }
}

void HUDSpectralImageFilter::AfterThreadedGenerateData()
{
  if (m_Failure)
  {
    std::rethrow_exception(m_Failure);
  }
}

HUDNoDataCounts HUDSpectralImageFilter::ProcessScanline(const float* input, float* output, Eigen::Index pixels,
                                                        const HUDImageType::IndexType& first) const
{
  const auto inputBands = static_cast<Eigen::Index>(GetInput()->GetNumberOfComponentsPerPixel());
  const auto outputBands = static_cast<Eigen::Index>(GetOutput()->GetNumberOfComponentsPerPixel());

  const Eigen::Map<const Eigen::MatrixXf> spectra(input, inputBands, pixels);
  Eigen::Map<Eigen::MatrixXf> result(output, outputBands, pixels);

  HUDNoDataCounts noData;
  std::vector<Eigen::Index> valid;
  valid.reserve(static_cast<std::size_t>(pixels));
  for (Eigen::Index pixel = 0; pixel < pixels; ++pixel)
  {
    const float* const spectrum = spectra.col(pixel).data();
    if (m_NoData->IsValid(spectrum))
    {
      valid.push_back(pixel);
    }
    else
    {
      noData.Add(m_NoData->Classify(spectrum));
    }
  }
  const auto count = static_cast<Eigen::Index>(valid.size());
  if (count == pixels && m_IgnoredBands.empty())
  {
    Process(spectra, result);
    Inspect(spectra, result, first);
    return noData;
  }
  result.setConstant(kHUDNoDataValue);
  if (count > 0)
  {
    Eigen::MatrixXf packed = spectra(Eigen::all, valid);
    packed(m_IgnoredBands, Eigen::all).setZero();
    Eigen::MatrixXf mapped(outputBands, count);
    Process(packed, mapped);
    Inspect(packed, mapped, first);
    result(Eigen::all, valid) = mapped;
  }
  return noData;
}

} // namespace otb
