// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDImageType.h"

#include "hud/core/EndmemberExtraction.h"

#include "itkImageToImageFilter.h"

#include <cstddef>

namespace otb
{

/// A scene to its endmembers: hud::ExtractEndmembers on the valid pixels (HUDNoData). The output is what OTB's
/// VertexComponentAnalysis writes and its HyperspectralUnmixing reads: d x 1 pixels, without georeference, with the scene's
/// bands and what OTB knows of each. Streams through the scene several times; never holds it whole.
/// The test is test/otb/otbHUDVCAImageFilterTest.cxx.
class HUDVCAImageFilter : public itk::ImageToImageFilter<HUDImageType, HUDImageType>
{
public:
  using Self = HUDVCAImageFilter;
  using Superclass = itk::ImageToImageFilter<HUDImageType, HUDImageType>;
  using Pointer = itk::SmartPointer<Self>;
  using ConstPointer = itk::SmartPointer<const Self>;

  itkNewMacro(Self);
  itkTypeMacro(HUDVCAImageFilter, itk::ImageToImageFilter);

  HUDVCAImageFilter(const Self&) = delete;
  void operator=(const Self&) = delete;

  void SetOptions(const hud::ExtractionOptions& options);

  /// @param ram MB for reading the scene; 0, unless set: what OTB is configured to use
  void SetRAM(unsigned int ram);

  /// Returns what was found; empty before the filter has run.
  const hud::Extraction& GetExtraction() const;

  /// Returns how many of the scene's pixels are no-data; 0 before the filter has run.
  std::size_t GetNoDataPixels() const;

protected:
  HUDVCAImageFilter();
  ~HUDVCAImageFilter() override = default;

  void GenerateOutputInformation() override;
  void GenerateInputRequestedRegion() override;
  void EnlargeOutputRequestedRegion(itk::DataObject* output) override;

  /// @throws hud::InvalidOption, hud::InvalidData as hud::ExtractEndmembers
  void GenerateData() override;

private:
  hud::ExtractionOptions m_Options;
  unsigned int m_Ram = 0;
  hud::Extraction m_Extraction;
  std::size_t m_NoDataPixels = 0;
};

} // namespace otb
