// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDMask.h"

#include "otbHUDNoData.h"

#include "hud/core/Error.h"

#include "otbFunctorImageFilter.h"

#include <cmath>
#include <string>

namespace otb
{

namespace
{

std::string SizeOf(const HUDImageType& image)
{
  const auto size = image.GetLargestPossibleRegion().GetSize();
  return std::to_string(size[0]) + " x " + std::to_string(size[1]) + " pixels";
}

} // namespace

itk::ImageSource<HUDImageType>::Pointer HUDMaskScene(HUDImageType& scene, HUDImageType& mask, HUDMaskMeaning meaning)
{
  scene.UpdateOutputInformation();
  mask.UpdateOutputInformation();
  if (scene.GetLargestPossibleRegion().GetSize() != mask.GetLargestPossibleRegion().GetSize())
  {
    throw hud::InvalidData("the mask has " + SizeOf(mask) + ", expected those of the scene, " + SizeOf(scene));
  }
  using Pixel = HUDImageType::PixelType;
  const bool keep = meaning == HUDMaskMeaning::Keep;
  const auto apply = [keep, value = HUDMaskedValue()](Pixel& output, const Pixel& spectrum, const Pixel& masked) {
    output = spectrum;
    const bool marked = masked[0] != 0.f && !std::isnan(masked[0]);
    if (marked != keep)
    {
      output.Fill(value);
    }
  };
  auto filter = NewFunctorFilter(apply, scene.GetNumberOfComponentsPerPixel());
  filter->SetInputs(&scene, &mask);
  return itk::ImageSource<HUDImageType>::Pointer(filter.GetPointer());
}

} // namespace otb
