// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDPicture.h"

#include "otbHUDStagedFile.h"

#include "hud/core/Error.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal_priv.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

namespace otb
{

namespace
{

/// Returns the bytes of a PNG file. GDAL's driver copies a dataset; in memory no error of writing escapes it.
std::vector<GByte> EncodePng(const HUDPicture& picture, const std::string& name)
{
  GDALAllRegister();
  const CPLErrorHandlerPusher quiet(CPLQuietErrorHandler);
  const CPLConfigOptionSetter noSidecar("GDAL_PAM_ENABLED", "NO", false);
  CPLErrorReset();
  const auto failed = [&name] { return hud::FileError("cannot write " + name + ": " + CPLGetLastErrorMsg()); };
  GDALDriver* const memory = GetGDALDriverManager()->GetDriverByName("MEM");
  GDALDriver* const png = GetGDALDriverManager()->GetDriverByName("PNG");
  if (memory == nullptr || png == nullptr)
  {
    throw hud::FileError("cannot write " + name + ": GDAL has no PNG driver");
  }
  const int channels = picture.m_Channels;
  const GDALDatasetUniquePtr dataset(
      memory->Create("", picture.m_Width, picture.m_Height, channels, GDT_Byte, nullptr));
  if (!dataset ||
      dataset->RasterIO(GF_Write, 0, 0, picture.m_Width, picture.m_Height,
                        const_cast<std::uint8_t*>(picture.m_Bytes.data()), picture.m_Width, picture.m_Height, GDT_Byte,
                        channels, nullptr, channels, channels * GSpacing(picture.m_Width), 1, nullptr) != CE_None)
  {
    throw failed();
  }
  const std::string file = "/vsimem/hud-picture-" + std::to_string(reinterpret_cast<std::uintptr_t>(&dataset)) + ".png";
  const bool written =
      GDALDatasetUniquePtr(png->CreateCopy(file.c_str(), dataset.get(), FALSE, nullptr, nullptr, nullptr)) != nullptr;
  vsi_l_offset size = 0;
  const std::unique_ptr<GByte, void (*)(void*)> bytes(VSIGetMemFileBuffer(file.c_str(), &size, TRUE), VSIFree);
  if (!written || !bytes)
  {
    throw failed();
  }
  return std::vector<GByte>(bytes.get(), bytes.get() + size);
}

} // namespace

std::string HUDPictureAddress(const HUDPicture& picture)
{
  const std::vector<GByte> bytes = EncodePng(picture, "a picture");
  const std::unique_ptr<char, void (*)(void*)> text(CPLBase64Encode(static_cast<int>(bytes.size()), bytes.data()),
                                                    VSIFree);
  return std::string("data:image/png;base64,") + text.get();
}

void HUDWritePicture(const HUDPicture& picture, const std::string& path)
{
  const std::vector<GByte> bytes = EncodePng(picture, path);
  HUDStagedFile staged(path);
  std::ofstream stream(staged.StagedPath(), std::ios::binary);
  stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  if (!stream)
  {
    throw hud::FileError("cannot write " + path + ": " + std::strerror(errno));
  }
  staged.Commit();
}

} // namespace otb
