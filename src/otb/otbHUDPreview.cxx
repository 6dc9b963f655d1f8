// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDPreview.h"

#include "otbHUDStagedFile.h"

#include "hud/core/Error.h"

#include <cpl_conv.h>
#include <cpl_vsi.h>
#include <gdal_priv.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <memory>

namespace otb
{

namespace
{

// The 98 % quantile of a band over the valid pixels; 1 when none is above 0.
float WhiteLevel(const Eigen::RowVectorXf& endmembers, const std::vector<hud::AbundanceMap>& scenes)
{
  std::vector<float> values;
  for (const hud::AbundanceMap& scene : scenes)
  {
    const Eigen::RowVectorXf band = endmembers * scene.m_Abundances;
    for (Eigen::Index pixel = 0; pixel < band.size(); ++pixel)
    {
      if (scene.m_Valid.empty() || scene.m_Valid[static_cast<std::size_t>(pixel)] != 0)
      {
        values.push_back(band[pixel]);
      }
    }
  }
  if (values.empty())
  {
    return 1.f;
  }
  const auto quantile = values.begin() + static_cast<std::ptrdiff_t>(0.98 * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), quantile, values.end());
  return *quantile > 0.f ? *quantile : 1.f;
}

// The bytes of a PNG file. GDAL's driver copies a dataset; in memory no error of writing escapes it.
std::vector<GByte> EncodePng(const std::vector<std::uint8_t>& pixels, int width, int height, const std::string& path)
{
  GDALAllRegister();
  const CPLErrorHandlerPusher quiet(CPLQuietErrorHandler);
  const CPLConfigOptionSetter noSidecar("GDAL_PAM_ENABLED", "NO", false);
  CPLErrorReset();
  const auto failed = [&path] { return hud::FileError("cannot write " + path + ": " + CPLGetLastErrorMsg()); };
  GDALDriver* const memory = GetGDALDriverManager()->GetDriverByName("MEM");
  GDALDriver* const png = GetGDALDriverManager()->GetDriverByName("PNG");
  if (memory == nullptr || png == nullptr)
  {
    throw hud::FileError("cannot write " + path + ": GDAL has no PNG driver");
  }
  const GDALDatasetUniquePtr picture(memory->Create("", width, height, 3, GDT_Byte, nullptr));
  if (!picture || picture->RasterIO(GF_Write, 0, 0, width, height, const_cast<std::uint8_t*>(pixels.data()), width,
                                    height, GDT_Byte, 3, nullptr, 3, 3 * GSpacing(width), 1, nullptr) != CE_None)
  {
    throw failed();
  }
  const std::string name = "/vsimem/hud-preview-" + std::to_string(reinterpret_cast<std::uintptr_t>(&picture)) + ".png";
  const bool written =
      GDALDatasetUniquePtr(png->CreateCopy(name.c_str(), picture.get(), FALSE, nullptr, nullptr, nullptr)) != nullptr;
  vsi_l_offset size = 0;
  const std::unique_ptr<GByte, void (*)(void*)> bytes(VSIGetMemFileBuffer(name.c_str(), &size, TRUE), VSIFree);
  if (!written || !bytes)
  {
    throw failed();
  }
  return std::vector<GByte>(bytes.get(), bytes.get() + size);
}

} // namespace

std::array<Eigen::Index, 3> HUDDisplayBands(const std::vector<double>& wavelengths, Eigen::Index bands)
{
  constexpr std::array<double, 3> kColours = {660., 550., 450.};
  std::array<Eigen::Index, 3> display = {5 * bands / 6, bands / 2, bands / 6};
  if (wavelengths.empty())
  {
    return display;
  }
  const auto [shortest, longest] = std::minmax_element(wavelengths.begin(), wavelengths.end());
  if (*shortest <= kColours[2] && *longest >= kColours[0])
  {
    for (std::size_t i = 0; i < 3; ++i)
    {
      const auto nearest = std::min_element(wavelengths.begin(), wavelengths.end(), [&](double a, double b) {
        return std::abs(a - kColours[i]) < std::abs(b - kColours[i]);
      });
      display[i] = nearest - wavelengths.begin();
    }
  }
  return display;
}

HUDPreview::HUDPreview(const Eigen::MatrixXd& endmembers, const std::vector<double>& wavelengths,
                       const std::vector<hud::AbundanceMap>& scenes)
  : m_Endmembers(3, endmembers.cols())
{
  const std::array<Eigen::Index, 3> bands = HUDDisplayBands(wavelengths, endmembers.rows());
  for (Eigen::Index i = 0; i < 3; ++i)
  {
    const Eigen::RowVectorXf band = endmembers.row(bands[static_cast<std::size_t>(i)]).cast<float>();
    m_Endmembers.row(i) = band / WhiteLevel(band, scenes);
  }
}

void HUDPreview::Write(const hud::AbundanceMap& map, const std::string& path) const
{
  constexpr float kGamma = 0.7f;
  const Eigen::MatrixXf colours = m_Endmembers * map.m_Abundances;
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(colours.size()));
  std::transform(colours.data(), colours.data() + colours.size(), pixels.begin(), [](float value) {
    return static_cast<std::uint8_t>(std::lround(255.f * std::pow(std::clamp(value, 0.f, 1.f), kGamma)));
  });
  const std::vector<GByte> bytes =
      EncodePng(pixels, static_cast<int>(map.m_Width), static_cast<int>(map.m_Height), path);

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
