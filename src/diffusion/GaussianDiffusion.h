// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/diffusion/DiffusionOptions.h"

#include <torch/torch.h>

namespace hud
{

/// The relations between clean sample Z_0, noise eps, noised sample Z_t and what the network predicts. All tensors are
/// [batch, d, height, width], `timesteps` is [batch] of t in 1..T (int64).
class GaussianDiffusion
{
public:
  GaussianDiffusion(const NoiseSchedule& schedule, Prediction prediction, const torch::Device& device);

  /// Returns Z_t = sqrt(alphaBar_t) Z_0 + sqrt(1 - alphaBar_t) eps.
  torch::Tensor AddNoise(const torch::Tensor& clean, const torch::Tensor& noise, const torch::Tensor& timesteps) const;

  /// Returns what the network should predict.
  torch::Tensor Target(const torch::Tensor& clean, const torch::Tensor& noise, const torch::Tensor& timesteps) const;

  /// Returns the estimate of Z_0 that a prediction implies.
  torch::Tensor EstimateClean(const torch::Tensor& noised, const torch::Tensor& prediction,
                              const torch::Tensor& timesteps) const;

  /// Returns t / T, [batch], as the network takes it.
  torch::Tensor RelativeTime(const torch::Tensor& timesteps) const;

private:
  torch::Tensor Signal(const torch::Tensor& timesteps) const; ///< sqrt(alphaBar_t), [batch, 1, 1, 1]
  torch::Tensor Noise(const torch::Tensor& timesteps) const;  ///< sqrt(1 - alphaBar_t), [batch, 1, 1, 1]

  Prediction m_Prediction;
  int m_Timesteps;
  torch::Tensor m_Signal; ///< [T + 1]
  torch::Tensor m_Noise;  ///< [T + 1]
};

} // namespace hud
