// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "GaussianDiffusion.h"

#include <cmath>

namespace hud
{

GaussianDiffusion::GaussianDiffusion(const NoiseSchedule& schedule, Prediction prediction, const torch::Device& device)
  : m_Prediction(prediction), m_Timesteps(schedule.Timesteps())
{
  torch::Tensor signal = torch::empty({m_Timesteps + 1}, torch::kFloat64);
  torch::Tensor noise = torch::empty({m_Timesteps + 1}, torch::kFloat64);
  for (int t = 0; t <= m_Timesteps; ++t)
  {
    signal[t] = std::sqrt(schedule.AlphaBar(t));
    noise[t] = std::sqrt(1. - schedule.AlphaBar(t));
  }
  m_Signal = signal.to(device, torch::kFloat32);
  m_Noise = noise.to(device, torch::kFloat32);
}

torch::Tensor GaussianDiffusion::Signal(const torch::Tensor& timesteps) const
{
  return m_Signal.index_select(0, timesteps).view({-1, 1, 1, 1});
}

torch::Tensor GaussianDiffusion::Noise(const torch::Tensor& timesteps) const
{
  return m_Noise.index_select(0, timesteps).view({-1, 1, 1, 1});
}

torch::Tensor GaussianDiffusion::AddNoise(const torch::Tensor& clean, const torch::Tensor& noise,
                                          const torch::Tensor& timesteps) const
{
  return Signal(timesteps) * clean + Noise(timesteps) * noise;
}

torch::Tensor GaussianDiffusion::Target(const torch::Tensor& clean, const torch::Tensor& noise,
                                        const torch::Tensor& timesteps) const
{
  if (m_Prediction == Prediction::Epsilon)
  {
    return noise;
  }
  return Signal(timesteps) * noise - Noise(timesteps) * clean;
}

torch::Tensor GaussianDiffusion::EstimateClean(const torch::Tensor& noised, const torch::Tensor& prediction,
                                               const torch::Tensor& timesteps) const
{
  if (m_Prediction == Prediction::Epsilon)
  {
    return (noised - Noise(timesteps) * prediction) / Signal(timesteps);
  }
  return Signal(timesteps) * noised - Noise(timesteps) * prediction;
}

torch::Tensor GaussianDiffusion::RelativeTime(const torch::Tensor& timesteps) const
{
  return timesteps.to(torch::kFloat32) / m_Timesteps;
}

} // namespace hud
