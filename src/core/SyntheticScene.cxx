// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/SyntheticScene.h"

#include "hud/core/Error.h"
#include "hud/core/Random.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace hud
{

namespace
{

/// Addresses of the random numbers of a scene.
enum Purpose : std::uint32_t
{
  kEndmember = 0,
  kAbundance = 1,
  kNoise = 2
};

/// Returns spectra that vary smoothly with the band: three bumps each, [bands x d].
Eigen::MatrixXd SmoothSpectra(const SyntheticSceneOptions& options, const Random& random)
{
  Eigen::MatrixXd spectra(options.m_Bands, options.m_Endmembers);
  for (Eigen::Index k = 0; k < options.m_Endmembers; ++k)
  {
    std::vector<float> draws(10);
    random.FillUniform(kEndmember, static_cast<std::uint32_t>(k), draws.data(), draws.size());
    for (Eigen::Index band = 0; band < options.m_Bands; ++band)
    {
      const double position = static_cast<double>(band) / static_cast<double>(options.m_Bands);
      double value = 0.;
      for (std::size_t bump = 0; bump < 3; ++bump)
      {
        const double width = 0.05 + 0.2 * draws[3 * bump + 1];
        const double distance = (position - draws[3 * bump + 2]) / width;
        value += (2. * draws[3 * bump + 3] - 1.) * std::exp(-0.5 * distance * distance);
      }
      spectra(band, k) = value;
    }
    // From 0.05 to a random level of at most 0.95.
    const double low = spectra.col(k).minCoeff();
    const double high = spectra.col(k).maxCoeff();
    const double contrast = 0.3 + 0.6 * draws[0];
    spectra.col(k) = (0.05 + contrast * (spectra.col(k).array() - low) / std::max(high - low, 1e-9)).matrix();
  }
  return spectra;
}

} // namespace

void SyntheticSceneOptions::Check() const
{
  if (std::isnan(m_SnrDecibel))
  {
    throw InvalidOption("the SNR of a synthetic scene is not a number, expected decibel or infinity");
  }
  if (m_Endmembers < 2 || m_Bands < m_Endmembers || m_Pixels < m_Endmembers)
  {
    throw InvalidOption("a synthetic scene of " + std::to_string(m_Bands) + " bands, " + std::to_string(m_Pixels) +
                        " pixels and " + std::to_string(m_Endmembers) +
                        " endmembers was asked for, expected at least 2 endmembers and no more than bands or pixels");
  }
}

SyntheticScene MakeSyntheticScene(const SyntheticSceneOptions& options)
{
  options.Check();
  const Random random(options.m_Seed, RandomStream::SyntheticScene);
  const Eigen::Index d = options.m_Endmembers;
  SyntheticScene scene;
  scene.m_Endmembers = SmoothSpectra(options, random);

  scene.m_Abundances.resize(d, options.m_Pixels);
  for (Eigen::Index pixel = 0; pixel < options.m_Pixels; ++pixel)
  {
    if (options.m_PurePixels && pixel < d)
    {
      scene.m_Abundances.col(pixel) = Eigen::VectorXf::Unit(d, pixel);
      continue;
    }
    // Exponential variables over their sum are uniform on the simplex.
    Eigen::VectorXf draws(d);
    random.FillUniform(kAbundance, static_cast<std::uint32_t>(pixel), draws.data(), static_cast<std::size_t>(d));
    const Eigen::VectorXd exponential = -draws.cast<double>().array().log();
    scene.m_Abundances.col(pixel) = (exponential / exponential.sum()).cast<float>();
  }

  const Eigen::MatrixXd clean = scene.m_Endmembers * scene.m_Abundances.cast<double>();
  const double power = clean.squaredNorm() / static_cast<double>(clean.size());
  const double sigma =
      std::isinf(options.m_SnrDecibel) ? 0. : std::sqrt(power * std::pow(10., -options.m_SnrDecibel / 10.));
  scene.m_Spectra = clean.cast<float>();
  if (sigma > 0.)
  {
    Eigen::VectorXf noise(options.m_Bands);
    for (Eigen::Index pixel = 0; pixel < options.m_Pixels; ++pixel)
    {
      random.FillNormal(kNoise, static_cast<std::uint32_t>(pixel), noise.data(),
                        static_cast<std::size_t>(options.m_Bands));
      scene.m_Spectra.col(pixel) += static_cast<float>(sigma) * noise;
    }
  }
  return scene;
}

double SpectralAngle(const Eigen::VectorXd& first, const Eigen::VectorXd& second)
{
  if (first.isZero(0.) || second.isZero(0.))
  {
    return first.isZero(0.) && second.isZero(0.) ? 0. : std::acos(0.);
  }
  const double cosine = first.dot(second) / (first.norm() * second.norm());
  return std::acos(std::clamp(cosine, -1., 1.));
}

} // namespace hud
