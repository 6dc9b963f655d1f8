// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDVCAImageFilter.h"

#include "otbHUDEndmemberImage.h"
#include "otbHUDInterrupt.h"
#include "otbHUDSceneSource.h"

namespace otb
{

HUDVCAImageFilter::HUDVCAImageFilter() = default;

void HUDVCAImageFilter::SetOptions(const hud::ExtractionOptions& options)
{
  m_Options = options;
  Modified();
}

void HUDVCAImageFilter::SetRAM(unsigned int ram)
{
  m_Ram = ram;
  Modified();
}

const hud::Extraction& HUDVCAImageFilter::GetExtraction() const
{
  return m_Extraction;
}

std::size_t HUDVCAImageFilter::GetNoDataPixels() const
{
  return m_NoDataPixels;
}

void HUDVCAImageFilter::GenerateOutputInformation()
{
  const HUDImageType& input = *GetInput();
  HUDImageType& output = *GetOutput();
  const auto bands = static_cast<Eigen::Index>(input.GetNumberOfComponentsPerPixel());
  m_Options.Check(bands, static_cast<Eigen::Index>(input.GetLargestPossibleRegion().GetNumberOfPixels()));
  HUDSetEndmemberGrid(output, m_Options.m_Endmembers, bands);

  ImageMetadata metadata;
  metadata.Bands = input.GetImageMetadata().Bands;
  metadata.Bands.resize(input.GetNumberOfComponentsPerPixel());
  for (ImageMetadataBase& band : metadata.Bands)
  {
    band.Remove(MDNum::NoData);
  }
  output.SetImageMetadata(metadata);
}

void HUDVCAImageFilter::GenerateInputRequestedRegion()
{
  // One pixel: GenerateData asks for the rest, strip by strip.
  HUDImageType& input = const_cast<HUDImageType&>(*GetInput());
  auto region = input.GetLargestPossibleRegion();
  region.SetSize(0, 1);
  region.SetSize(1, 1);
  input.SetRequestedRegion(region);
}

void HUDVCAImageFilter::EnlargeOutputRequestedRegion(itk::DataObject* output)
{
  output->SetRequestedRegionToLargestPossibleRegion();
}

void HUDVCAImageFilter::GenerateData()
{
  HUDImageType& input = const_cast<HUDImageType&>(*GetInput());
  const HUDSceneSource source({&input}, m_Ram);
  m_Extraction = hud::ExtractEndmembers(source, m_Options);
  HUDInterrupt::ThrowIfRequested();
  m_NoDataPixels = source.NoDataPixels().Total();
  AllocateOutputs();
  HUDFillEndmembers(*GetOutput(), m_Extraction.m_Endmembers);
}

} // namespace otb
