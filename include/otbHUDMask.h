// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDImageType.h"

#include "itkImageSource.h"

namespace otb
{

/// Returns a filter whose output is the scene with HUDMaskedValue(), hence no-data, in all bands of the pixels in which the
/// first band of the mask is 0 or NaN. Works region by region.
/// @throws hud::InvalidData when the images differ in size
itk::ImageSource<HUDImageType>::Pointer HUDMaskScene(HUDImageType& scene, HUDImageType& mask);

} // namespace otb
