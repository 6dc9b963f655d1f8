// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDReplaceImageFilter.h"

#include "hud/core/Error.h"

#include "itkProgressReporter.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

namespace otb
{

HUDReplaceImageFilter::HUDReplaceImageFilter()
{
  SetNumberOfRequiredInputs(2);
}

void HUDReplaceImageFilter::SetScene(HUDImageType* scene)
{
  SetNthInput(0, scene);
}

void HUDReplaceImageFilter::SetReplacement(HUDImageType* replacement)
{
  SetNthInput(1, replacement);
}

void HUDReplaceImageFilter::SetReplaced(std::shared_ptr<const std::vector<bool>> replaced)
{
  m_Replaced = std::move(replaced);
  Modified();
}

void HUDReplaceImageFilter::SetKeptBands(std::vector<Eigen::Index> bands)
{
  m_KeptBands = std::move(bands);
  Modified();
}

void HUDReplaceImageFilter::GenerateOutputInformation()
{
  Superclass::GenerateOutputInformation();
  const HUDImageType& scene = *GetInput(0);
  const HUDImageType& replacement = *GetInput(1);
  const auto region = scene.GetLargestPossibleRegion();
  if (region != replacement.GetLargestPossibleRegion() ||
      scene.GetNumberOfComponentsPerPixel() != replacement.GetNumberOfComponentsPerPixel() || !m_Replaced ||
      m_Replaced->size() != region.GetNumberOfPixels())
  {
    throw hud::InvalidData("a scene of " + std::to_string(region.GetNumberOfPixels()) + " pixels and " +
                           std::to_string(scene.GetNumberOfComponentsPerPixel()) +
                           " bands is to take pixels of an image of another size or with other bands");
  }
}

void HUDReplaceImageFilter::ThreadedGenerateData(const OutputImageRegionType& region, itk::ThreadIdType thread)
{
  const HUDImageType& scene = *GetInput(0);
  const HUDImageType& replacement = *GetInput(1);
  HUDImageType& output = *GetOutput();
  const auto whole = scene.GetLargestPossibleRegion();
  const auto bands = static_cast<std::ptrdiff_t>(scene.GetNumberOfComponentsPerPixel());
  itk::ProgressReporter progress(this, thread, region.GetNumberOfPixels());
  for (std::size_t line = 0; line < region.GetSize(1); ++line)
  {
    for (std::size_t pixel = 0; pixel < region.GetSize(0); ++pixel)
    {
      auto index = region.GetIndex();
      index[0] += static_cast<itk::IndexValueType>(pixel);
      index[1] += static_cast<itk::IndexValueType>(line);
      const auto place = static_cast<std::size_t>(index[1] - whole.GetIndex(1)) * whole.GetSize(0) +
                         static_cast<std::size_t>(index[0] - whole.GetIndex(0));
      const HUDImageType& from = (*m_Replaced)[place] ? replacement : scene;
      const float* const kept = scene.GetBufferPointer() + scene.ComputeOffset(index) * bands;
      float* const target = output.GetBufferPointer() + output.ComputeOffset(index) * bands;
      std::copy_n(from.GetBufferPointer() + from.ComputeOffset(index) * bands, bands, target);
      for (const Eigen::Index band : m_KeptBands)
      {
        target[band] = kept[band];
      }
      progress.CompletedPixel();
    }
  }
}

} // namespace otb
