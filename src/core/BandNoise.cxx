// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/BandNoise.h"

#include "hud/core/Error.h"
#include "hud/core/Message.h"
#include "hud/core/Random.h"

#include <cmath>

namespace hud
{

Eigen::VectorXd NoiseDeviations(const Eigen::Ref<const Eigen::VectorXd>& signal,
                                const Eigen::Ref<const Eigen::VectorXd>& ratios)
{
  if (signal.size() != ratios.size())
  {
    throw InvalidData(Compose("found ", ratios.size(), " ratios of signal to noise for ", signal.size(), " bands"));
  }
  for (Eigen::Index band = 0; band < signal.size(); ++band)
  {
    if (!(ratios[band] > 0.) || !std::isfinite(ratios[band]))
    {
      throw InvalidOption(Compose("the ratio of signal to noise of band ", band + 1, " is ", ratios[band],
                                  ", expected a finite number above 0"));
    }
    if (!std::isfinite(signal[band]))
    {
      throw InvalidData(Compose("the mean signal of band ", band + 1, " is not finite"));
    }
  }
  return signal.cwiseAbs().cwiseQuotient(ratios);
}

BandNoise::BandNoise(const Eigen::Ref<const Eigen::VectorXd>& deviations, std::uint64_t seed)
  : m_Seed(seed), m_Deviations(deviations.cast<float>())
{
  for (Eigen::Index band = 0; band < deviations.size(); ++band)
  {
    if (!(deviations[band] >= 0.) || !std::isfinite(deviations[band]))
    {
      throw InvalidData(Compose("the noise of band ", band + 1, " has the standard deviation ", deviations[band],
                                ", expected a finite number of at least 0"));
    }
  }
}

void BandNoise::Draw(Eigen::Index x, Eigen::Index y, Eigen::Ref<Eigen::MatrixXf> noise) const
{
  if (noise.rows() != Bands())
  {
    throw InvalidData(Compose("noise of ", noise.rows(), " bands from a sensor of ", Bands(), " bands"));
  }
  const Random random(m_Seed, RandomStream::SensorNoise);
  for (Eigen::Index i = 0; i < noise.cols(); ++i)
  {
    random.FillNormal(static_cast<std::uint32_t>(y), static_cast<std::uint32_t>(x + i), noise.col(i).data(),
                      static_cast<std::size_t>(noise.rows()));
  }
  noise.array().colwise() *= m_Deviations.array();
}

} // namespace hud
