// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDResidualImageFilter.h"

#include "hud/core/Error.h"

#include "itkProgressReporter.h"

#include <string>

namespace otb
{

template <typename Noise>
void HUDResidualImageFilter::SetDraw(const Noise& noise)
{
  m_Bands = noise.Bands();
  m_Draw = [noise](Eigen::Index x, Eigen::Index y, const Eigen::Ref<Eigen::MatrixXf>& residuals) {
    noise.Draw(x, y, residuals);
  };
  Modified();
}

void HUDResidualImageFilter::SetNoise(const hud::ResidualNoise& noise)
{
  SetDraw(noise);
}

void HUDResidualImageFilter::SetNoise(const hud::BandNoise& noise)
{
  SetDraw(noise);
}

void HUDResidualImageFilter::GenerateOutputInformation()
{
  Superclass::GenerateOutputInformation();
  const auto bands = static_cast<Eigen::Index>(GetInput()->GetNumberOfComponentsPerPixel());
  if (m_Bands != bands)
  {
    throw hud::InvalidData("the image has " + std::to_string(bands) + " bands, but the residual " +
                           std::to_string(m_Bands));
  }
}

void HUDResidualImageFilter::BeforeThreadedGenerateData()
{
  m_NoData.emplace(GetInput()->GetImageMetadata(), GetInput()->GetNumberOfComponentsPerPixel());
}

void HUDResidualImageFilter::ThreadedGenerateData(const OutputImageRegionType& region, itk::ThreadIdType thread)
{
  const HUDImageType& input = *GetInput();
  HUDImageType& output = *GetOutput();
  const auto whole = input.GetLargestPossibleRegion();
  const auto bands = static_cast<Eigen::Index>(input.GetNumberOfComponentsPerPixel());
  const auto width = static_cast<Eigen::Index>(region.GetSize(0));
  itk::ProgressReporter progress(this, thread, region.GetSize(1));
  Eigen::MatrixXf residuals(bands, width);
  for (std::size_t line = 0; line < region.GetSize(1); ++line)
  {
    auto index = region.GetIndex();
    index[1] += static_cast<itk::IndexValueType>(line);
    m_Draw(index[0] - whole.GetIndex(0), index[1] - whole.GetIndex(1), residuals);
    const Eigen::Map<const Eigen::MatrixXf> spectra(input.GetBufferPointer() + input.ComputeOffset(index) * bands,
                                                    bands, width);
    Eigen::Map<Eigen::MatrixXf> result(output.GetBufferPointer() + output.ComputeOffset(index) * bands, bands, width);
    result = spectra;
    for (Eigen::Index pixel = 0; pixel < width; ++pixel)
    {
      if (m_NoData->IsValid(spectra.col(pixel).data()))
      {
        result.col(pixel) += residuals.col(pixel);
      }
    }
    progress.CompletedPixel();
  }
}

} // namespace otb
