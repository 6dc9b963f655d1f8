// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbVectorImage.h"

namespace otb
{

/// The image of every HUD filter: pixel-interleaved, so a run of pixels in a line is a column-major [bands x pixels] matrix.
using HUDImageType = VectorImage<float, 2>;

} // namespace otb
