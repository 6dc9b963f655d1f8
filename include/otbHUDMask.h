// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDImageType.h"

#include "itkImageSource.h"

namespace otb
{

/// What the pixels are whose mask is neither 0 nor NaN.
enum class HUDMaskMeaning
{
  Keep,    ///< all others are left out
  LeaveOut ///< all others are kept
};

/// Returns a filter whose output is the scene with HUDMaskedValue(), hence no-data, in all bands of the pixels that the
/// first band of the mask leaves out. Works region by region.
/// @throws hud::InvalidData when the images differ in size
itk::ImageSource<HUDImageType>::Pointer HUDMaskScene(HUDImageType& scene, HUDImageType& mask,
                                                     HUDMaskMeaning meaning = HUDMaskMeaning::Keep);

} // namespace otb
