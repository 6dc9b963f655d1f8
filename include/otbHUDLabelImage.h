// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDImageType.h"

#include "hud/core/LabelMap.h"

namespace otb
{

/// Returns the classes of an image's pixels, numbered in the order of their values. Pixels of value 0 and no-data pixels
/// have no class.
/// @param image of one band, whole numbers
/// @param ram MB for a strip and what is upstream of it; 0: what OTB is configured to use
/// @throws hud::InvalidData when it has several bands, other than whole numbers, or more than 1000 different ones
hud::LabelMap HUDReadLabels(HUDImageType& image, unsigned int ram);

} // namespace otb
