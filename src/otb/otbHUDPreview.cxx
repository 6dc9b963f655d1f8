// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDPreview.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

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
  const float quantile = HUDQuantile(values, 0.98);
  return quantile > 0.f ? quantile : 1.f;
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

std::array<std::size_t, 3> HUDShownBands(const HUDSceneMetadata& metadata, std::size_t bands)
{
  if (metadata.m_Content == HUDImageContent::Abundances)
  {
    return {0, 1, 2};
  }
  std::array<std::size_t, 3> shown = {};
  const auto display = HUDDisplayBands(metadata.m_Wavelengths, static_cast<Eigen::Index>(bands));
  std::transform(display.begin(), display.end(), shown.begin(),
                 [](Eigen::Index band) { return static_cast<std::size_t>(band); });
  return shown;
}

float HUDQuantile(std::vector<float>& values, double share)
{
  const auto quantile = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), quantile, values.end());
  return *quantile;
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

std::uint8_t HUDDisplayByte(float value)
{
  constexpr float kGamma = 0.7f;
  return static_cast<std::uint8_t>(std::lround(255.f * std::pow(std::clamp(value, 0.f, 1.f), kGamma)));
}

HUDPicture HUDPreview::Draw(const hud::AbundanceMap& map) const
{
  const Eigen::MatrixXf colours = m_Endmembers * map.m_Abundances;
  HUDPicture picture;
  picture.m_Width = static_cast<int>(map.m_Width);
  picture.m_Height = static_cast<int>(map.m_Height);
  picture.m_Bytes.resize(static_cast<std::size_t>(colours.size()));
  std::transform(colours.data(), colours.data() + colours.size(), picture.m_Bytes.begin(), HUDDisplayByte);
  return picture;
}

} // namespace otb
