// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDSpectralImageFilter.h"

#include "otbHUDInterrupt.h"

#include "hud/core/Error.h"

#include "itkProgressReporter.h"

#include <algorithm>
#include <vector>

namespace otb
{

HUDSpectralImageFilter::HUDSpectralImageFilter(HUDZeroPixels zeroPixels) : m_ZeroPixels(zeroPixels) {}

std::size_t HUDSpectralImageFilter::GetNoDataPixels() const
{
  return m_NoDataPixels;
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
  m_NoData.emplace(input.GetImageMetadata(), input.GetNumberOfComponentsPerPixel(), m_ZeroPixels);
  m_Failure = nullptr;
  if (GetOutput()->GetRequestedRegion().GetIndex() == GetOutput()->GetLargestPossibleRegion().GetIndex())
  {
    m_NoDataPixels = 0;
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
      m_NoDataPixels += ProcessScanline(input.GetBufferPointer() + input.ComputeOffset(index) * inputBands,
                                        output.GetBufferPointer() + output.ComputeOffset(index) * outputBands,
                                        static_cast<Eigen::Index>(width));
      progress.CompletedPixel();
    }
  }
  catch (const itk::ProcessAborted&)
  {
    throw;
  }
  catch (...)
  {
    const std::lock_guard<std::mutex> lock(m_FailureMutex);
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

std::size_t HUDSpectralImageFilter::ProcessScanline(const float* input, float* output, Eigen::Index pixels) const
{
  const auto inputBands = static_cast<Eigen::Index>(GetInput()->GetNumberOfComponentsPerPixel());
  const auto outputBands = static_cast<Eigen::Index>(GetOutput()->GetNumberOfComponentsPerPixel());

  const Eigen::Map<const Eigen::MatrixXf> spectra(input, inputBands, pixels);
  Eigen::Map<Eigen::MatrixXf> result(output, outputBands, pixels);

  std::vector<Eigen::Index> valid;
  valid.reserve(static_cast<std::size_t>(pixels));
  for (Eigen::Index pixel = 0; pixel < pixels; ++pixel)
  {
    if (m_NoData->IsValid(spectra.col(pixel).data()))
    {
      valid.push_back(pixel);
    }
  }
  const auto count = static_cast<Eigen::Index>(valid.size());
  if (count == pixels)
  {
    Process(spectra, result);
    return 0;
  }
  result.setConstant(kHUDNoDataValue);
  if (count > 0)
  {
    const Eigen::MatrixXf packed = spectra(Eigen::all, valid);
    Eigen::MatrixXf mapped(outputBands, count);
    Process(packed, mapped);
    result(Eigen::all, valid) = mapped;
  }
  return static_cast<std::size_t>(pixels - count);
}

} // namespace otb
