// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "Argument.h"
#include "SpectralRaster.h"

#include "hud/core/EndmemberExtraction.h"
#include "hud/core/Error.h"
#include "hud/core/Random.h"

#include <gdal_priv.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace
{

constexpr const char* kUsage =
    "usage: hud_make_scene SCENE ENDMEMBERS SIZE OUTPUT\n"
    "Writes SIZE x SIZE pixels that are mixtures of that many endmembers of a scene, with noise and dark water.\n";

constexpr double kTwoPi = 6.283185307179586;
constexpr std::size_t kWaves = 6;
constexpr double kContrast = 4.; // of the fields whose softmax is the abundances: two or three materials in most pixels
constexpr double kNoiseShare = 0.005; // of the endmembers' root mean square: 46 dB
constexpr double kWaterBrightness = 0.03;

/// A smooth random field: a few plane waves.
class SmoothField
{
public:
  SmoothField(const hud::Random& random, std::uint32_t number) : m_Draws(4 * kWaves)
  {
    random.FillUniform(0, number, m_Draws.data(), m_Draws.size());
  }

  /// Returns the field at a pixel, mean 0, variance 1.
  double At(double x, double y) const
  {
    double sum = 0.;
    for (std::size_t wave = 0; wave < kWaves; ++wave)
    {
      const float* draw = m_Draws.data() + 4 * wave;
      const double frequency = kTwoPi / (20. + 180. * draw[0]);
      const double angle = kTwoPi * draw[1];
      sum += std::cos(frequency * (std::cos(angle) * x + std::sin(angle) * y) + kTwoPi * draw[2]);
    }
    return sum * std::sqrt(2. / static_cast<double>(kWaves));
  }

private:
  std::vector<float> m_Draws;
};

/// Writes `size` x `size` pixels: mixtures of the endmembers, smooth abundances, white noise, and dark water.
void WriteScene(const std::string& path, int size, const Eigen::MatrixXd& endmembers)
{
  const Eigen::Index d = endmembers.cols();
  const int bands = static_cast<int>(endmembers.rows());
  const hud::Random random(0, hud::RandomStream::SyntheticScene);
  std::vector<SmoothField> fields;
  for (std::uint32_t k = 0; k <= static_cast<std::uint32_t>(d); ++k)
  {
    fields.emplace_back(random, k);
  }
  const double sigma = kNoiseShare * std::sqrt(endmembers.squaredNorm() / static_cast<double>(endmembers.size()));

  const char* creation[] = {"INTERLEAVE=PIXEL", "BIGTIFF=IF_SAFER", nullptr};
  GDALDriver* const driver = GetGDALDriverManager()->GetDriverByName("GTiff");
  const GDALDatasetUniquePtr raster(
      driver->Create(path.c_str(), size, size, bands, GDT_UInt16, const_cast<char**>(creation)));
  if (raster == nullptr)
  {
    throw hud::FileError("cannot create " + path);
  }
  Eigen::MatrixXf line(bands, size);
  Eigen::VectorXf noise(bands);
  for (int y = 0; y < size; ++y)
  {
    for (int x = 0; x < size; ++x)
    {
      Eigen::VectorXd abundances(d);
      for (Eigen::Index k = 0; k < d; ++k)
      {
        abundances(k) = std::exp(kContrast * fields[static_cast<std::size_t>(k)].At(x, y));
      }
      abundances /= abundances.sum();
      const double brightness = fields.back().At(x, y) > 1.2 ? kWaterBrightness : 1.;
      random.FillNormal(1, static_cast<std::uint32_t>(y * size + x), noise.data(), static_cast<std::size_t>(bands));
      line.col(x) = (brightness * endmembers * abundances).cast<float>() + static_cast<float>(sigma) * noise;
    }
    // 1: a pixel of zeros would be no-data.
    line = line.array().round().max(1.f);
    const GSpacing sample = sizeof(float);
    if (raster->RasterIO(GF_Write, 0, y, size, 1, line.data(), size, 1, GDT_Float32, bands, nullptr, sample * bands,
                         sample * bands * size, sample, nullptr) != CE_None)
    {
      throw hud::FileError("cannot write " + path);
    }
  }
}

} // namespace

int main(int count, char** values)
{
  if (count != 5)
  {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try
  {
    hud::ExtractionOptions options;
    options.m_Endmembers = hud::bench::ParseWholeNumber("ENDMEMBERS", values[2]);
    options.m_Refinement.m_Iterations = 0;
    const int size = hud::bench::ParseWholeNumber("SIZE", values[3]);
    const hud::InMemorySpectra real(hud::bench::ReadSpectralRaster(values[1]).m_Spectra);
    WriteScene(values[4], size, hud::ExtractEndmembers(real, options).m_Endmembers);
  }
  catch (const std::exception& error)
  {
    std::fprintf(stderr, "hud_make_scene: %s\n", error.what());
    return 1;
  }
  return 0;
}
