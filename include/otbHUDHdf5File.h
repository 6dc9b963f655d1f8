// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <string>

namespace otb
{

/// Throws hud::FileError when an HDF5 file is shorter than its header says, as a download that was cut off is. The library
/// would say the same in a dozen lines. Other files pass.
void HUDCheckHdf5Length(const std::string& path);

} // namespace otb
