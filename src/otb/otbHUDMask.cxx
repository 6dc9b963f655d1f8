// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDMask.h"

#include "otbHUDSceneSource.h"

#include "hud/core/Error.h"

#include "otbFunctorImageFilter.h"

#include <limits>
#include <string>

namespace otb
{

namespace
{

bool IsMasked(float value)
{
  return !(value != 0.f) || value != value;
}

std::string SizeOf(const HUDImageType& image)
{
  const auto size = image.GetLargestPossibleRegion().GetSize();
  return std::to_string(size[0]) + " x " + std::to_string(size[1]) + " pixels";
}

} // namespace

itk::ImageSource<HUDImageType>::Pointer HUDMaskScene(HUDImageType& scene, HUDImageType& mask)
{
  scene.UpdateOutputInformation();
  mask.UpdateOutputInformation();
  if (scene.GetLargestPossibleRegion().GetSize() != mask.GetLargestPossibleRegion().GetSize())
  {
    throw hud::InvalidData("the mask has " + SizeOf(mask) + ", expected those of the scene, " + SizeOf(scene));
  }
  using Pixel = HUDImageType::PixelType;
  const auto apply = [](Pixel& output, const Pixel& spectrum, const Pixel& masked) {
    output = spectrum;
    if (IsMasked(masked[0]))
    {
      output.Fill(std::numeric_limits<float>::quiet_NaN());
    }
  };
  auto filter = NewFunctorFilter(apply, scene.GetNumberOfComponentsPerPixel());
  filter->SetInputs(&scene, &mask);
  return itk::ImageSource<HUDImageType>::Pointer(filter.GetPointer());
}

std::size_t HUDCountMaskedPixels(HUDImageType& mask, unsigned int ram)
{
  mask.UpdateOutputInformation();
  const auto whole = mask.GetLargestPossibleRegion();
  const auto bands = static_cast<std::size_t>(mask.GetNumberOfComponentsPerPixel());
  const std::size_t lines = HUDSceneSource::StripLines(whole.GetSize(0), whole.GetSize(1), bands, 1, ram);
  std::size_t masked = 0;
  for (std::size_t first = 0; first < whole.GetSize(1); first += lines)
  {
    auto strip = whole;
    strip.SetIndex(1, whole.GetIndex(1) + static_cast<itk::IndexValueType>(first));
    strip.SetSize(1, std::min<std::size_t>(lines, whole.GetSize(1) - first));
    mask.SetRequestedRegion(strip);
    mask.PropagateRequestedRegion();
    mask.UpdateOutputData();
    itk::ImageRegionConstIterator<HUDImageType> pixel(&mask, strip);
    for (; !pixel.IsAtEnd(); ++pixel)
    {
      masked += IsMasked(pixel.Get()[0]) ? 1 : 0;
    }
  }
  return masked;
}

} // namespace otb
