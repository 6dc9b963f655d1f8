// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "GaussianDiffusion.h"

namespace hud
{

namespace
{

/// Returns the entries of a table [T + 1] at the timesteps, [batch, 1, 1, 1].
torch::Tensor At(const torch::Tensor& table, const torch::Tensor& timesteps)
{
  return table.index_select(0, timesteps).view({-1, 1, 1, 1});
}

/// Returns the weights of the loss, [T + 1].
/// @param alphaBar [T + 1]
torch::Tensor Weights(const TrainingOptions& options, const torch::Tensor& alphaBar)
{
  if (options.m_Weighting == LossWeighting::None)
  {
    return torch::ones_like(alphaBar);
  }
  constexpr double kGamma = 5.;
  const torch::Tensor snr = alphaBar / (1. - alphaBar);
  // With eps as 1 where the ratio is 0, and with v as 0 where it is infinite.
  return options.m_Prediction == Prediction::Epsilon ? torch::clamp_max(kGamma / snr, 1.)
                                                     : torch::clamp_max(snr, kGamma) / (snr + 1.);
}

} // namespace

GaussianDiffusion::GaussianDiffusion(const TrainingOptions& options, const torch::Device& device)
  : m_Prediction(options.m_Prediction), m_Timesteps(options.m_Timesteps)
{
  const NoiseSchedule schedule(options.m_Schedule, m_Timesteps);
  torch::Tensor alphaBar = torch::empty({m_Timesteps + 1}, torch::kFloat64);
  for (int t = 0; t <= m_Timesteps; ++t)
  {
    alphaBar[t] = schedule.AlphaBar(t);
  }
  const torch::Tensor signal = torch::sqrt(alphaBar);
  const torch::Tensor noise = torch::sqrt(1. - alphaBar);
  const double dataVariance =
      m_Prediction == Prediction::Velocity ? options.m_PreconditioningSd * options.m_PreconditioningSd : 1.;
  const torch::Tensor variance = noise.square() + dataVariance * signal.square();
  const auto store = [&](const torch::Tensor& table) { return table.to(device, torch::kFloat32); };
  m_Signal = store(signal);
  m_Noise = store(noise);
  m_Skip = store(signal * noise * (1. - dataVariance) / variance);
  m_Scale = store(torch::sqrt(dataVariance / variance));
  m_Weight = store(Weights(options, alphaBar));
}

torch::Tensor GaussianDiffusion::AddNoise(const torch::Tensor& clean, const torch::Tensor& noise,
                                          const torch::Tensor& timesteps) const
{
  return At(m_Signal, timesteps) * clean + At(m_Noise, timesteps) * noise;
}

torch::Tensor GaussianDiffusion::Predict(const torch::Tensor& noised, const torch::Tensor& output,
                                         const torch::Tensor& timesteps) const
{
  return At(m_Skip, timesteps) * noised + At(m_Scale, timesteps) * output;
}

torch::Tensor GaussianDiffusion::Target(const torch::Tensor& clean, const torch::Tensor& noise,
                                        const torch::Tensor& timesteps) const
{
  if (m_Prediction == Prediction::Epsilon)
  {
    return noise;
  }
  return At(m_Signal, timesteps) * noise - At(m_Noise, timesteps) * clean;
}

torch::Tensor GaussianDiffusion::LossWeight(const torch::Tensor& timesteps) const
{
  return m_Weight.index_select(0, timesteps);
}

torch::Tensor GaussianDiffusion::EstimateClean(const torch::Tensor& noised, const torch::Tensor& prediction,
                                               const torch::Tensor& timesteps) const
{
  if (m_Prediction == Prediction::Epsilon)
  {
    return (noised - At(m_Noise, timesteps) * prediction) / At(m_Signal, timesteps);
  }
  return At(m_Signal, timesteps) * noised - At(m_Noise, timesteps) * prediction;
}

torch::Tensor GaussianDiffusion::RelativeTime(const torch::Tensor& timesteps) const
{
  return timesteps.to(torch::kFloat32) / m_Timesteps;
}

} // namespace hud
