// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace otb
{

/// A picture of 8 bits a channel.
struct HUDPicture
{
  int m_Width = 0;
  int m_Height = 0;
  int m_Channels = 3;                ///< 1: grey, 3: red, green, blue
  std::vector<std::uint8_t> m_Bytes; ///< [width * height * channels], pixels row by row
};

/// Returns the picture as a PNG file in a "data:" address, as web pages take it.
/// @throws hud::FileError when GDAL cannot make it
std::string HUDPictureAddress(const HUDPicture& picture);

/// Writes a PNG file, whole or not at all, and nothing beside it.
/// @throws hud::FileError
void HUDWritePicture(const HUDPicture& picture, const std::string& path);

} // namespace otb
