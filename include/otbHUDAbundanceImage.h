// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDImageType.h"

#include "hud/core/AbundanceMap.h"

namespace otb
{

/// Returns the whole abundance image, with its no-data pixels marked.
/// @param ram MB for a strip and what is upstream of it; 0: what OTB is configured to use
hud::AbundanceMap HUDReadAbundances(HUDImageType& image, unsigned int ram);

} // namespace otb
