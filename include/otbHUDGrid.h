// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <string>

namespace otb
{

/// Gives a complete file the grid of another one: coordinate system, geotransform to the last digit with its rotation, or
/// ground control points. OTB's images keep a pixel's centre instead of its corner, and no rotation. Does nothing when the
/// source says nothing of a grid, cannot be opened, or its name tells OTB to leave the grid out.
/// @param source may be an OTB extended filename
/// @param column, row of the source's pixel that is the target's first
/// @param scale pixels of the target along one of the source
/// @throws hud::FileError when the target cannot be opened or written
void HUDCopyGrid(const std::string& source, const std::string& target, double column = 0., double row = 0.,
                 double scale = 1.);

} // namespace otb
