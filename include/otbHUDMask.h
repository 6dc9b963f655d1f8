// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDImageType.h"

#include "itkImageSource.h"

#include <cstddef>

namespace otb
{

/// Returns a filter whose output is the scene with NaN, hence no-data, in all bands of the pixels in which the first band of
/// the mask is 0 or NaN. Works region by region.
/// @throws hud::InvalidData when the images differ in size
itk::ImageSource<HUDImageType>::Pointer HUDMaskScene(HUDImageType& scene, HUDImageType& mask);

/// Returns how many pixels a mask leaves out, reading it strip by strip.
/// @param ram MB for a strip
std::size_t HUDCountMaskedPixels(HUDImageType& mask, unsigned int ram);

} // namespace otb
