// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <cstdint>

namespace hud
{

/// Returns the standard deviation of the noise in each band, [bands]: the size of the mean signal over the ratio of signal to
/// noise.
/// @param signal [bands], mean of the scene in each band
/// @param ratios [bands], signal over standard deviation of the noise, not in decibels; finite, above 0
/// @throws InvalidOption that names the band and its ratio, InvalidData when a signal is not finite or numbers of bands differ
Eigen::VectorXd NoiseDeviations(const Eigen::Ref<const Eigen::VectorXd>& signal,
                                const Eigen::Ref<const Eigen::VectorXd>& ratios);

/// Noise of a sensor: normal, of mean 0, independent between bands and pixels. A pixel's noise depends on the seed and the
/// pixel's place only.
class BandNoise
{
public:
  /// @param deviations [bands], finite, at least 0
  /// @throws InvalidData when one is not
  BandNoise(const Eigen::Ref<const Eigen::VectorXd>& deviations, std::uint64_t seed);

  Eigen::Index Bands() const
  {
    return m_Deviations.size();
  }

  /// Writes the noise of the pixels from column x of row y on.
  /// @param noise [bands x pixels]
  /// @throws InvalidData when it has other bands
  void Draw(Eigen::Index x, Eigen::Index y, Eigen::Ref<Eigen::MatrixXf> noise) const;

private:
  std::uint64_t m_Seed;
  Eigen::VectorXf m_Deviations;
};

} // namespace hud
