// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace otb
{

/// Returns where HDF5 begins in a file: at 0, or behind a block of 512 bytes; nothing when it is no HDF5 file.
std::optional<std::uint64_t> HUDFindHdf5(const std::string& path);

/// Throws hud::FileError when an HDF5 file is shorter than its header says, as a download that was cut off is. The library
/// would say the same in a dozen lines. Other files pass.
void HUDCheckHdf5Length(const std::string& path);

/// Returns why reading failed: GDAL's last error in this thread, or a guess when it has none.
std::string HUDReadFailure();

} // namespace otb
