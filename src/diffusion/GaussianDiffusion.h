// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/diffusion/DiffusionOptions.h"

#include <torch/torch.h>

namespace hud
{

/// The relations between clean sample Z_0, noise eps, noised sample Z_t and the prediction: v or eps. All tensors are
/// [batch, d, height, width], `timesteps` is [batch] of t in 1..T (int64).
class GaussianDiffusion
{
public:
  GaussianDiffusion(const TrainingOptions& options, const torch::Device& device);

  /// Returns Z_t = sqrt(alphaBar_t) Z_0 + sqrt(1 - alphaBar_t) eps.
  torch::Tensor AddNoise(const torch::Tensor& clean, const torch::Tensor& noise, const torch::Tensor& timesteps) const;

  /// Returns the prediction that the network's output stands for. With eps it is the output itself. With v it is
  ///   a n (1 - s^2) / (n^2 + a^2 s^2) Z_t + s / sqrt(n^2 + a^2 s^2) output,
  /// a = sqrt(alphaBar_t), n = sqrt(1 - alphaBar_t), s = TrainingOptions::m_PreconditioningSd: the preconditioning of Karras et al.
  /// (2022, Table 1) in terms of v. Up to n = s the estimate of Z_0 begins as a copy of Z_t, which the network corrects;
  /// beyond, the network makes it and need not carry the noise. With s = 1 the prediction is the output.
  torch::Tensor Predict(const torch::Tensor& noised, const torch::Tensor& output, const torch::Tensor& timesteps) const;

  /// Returns what the prediction should be.
  torch::Tensor Target(const torch::Tensor& clean, const torch::Tensor& noise, const torch::Tensor& timesteps) const;

  /// Returns how much each sample's mean square error counts, [batch], by TrainingOptions::m_Weighting.
  torch::Tensor LossWeight(const torch::Tensor& timesteps) const;

  /// Returns the estimate of Z_0 that a prediction implies.
  torch::Tensor EstimateClean(const torch::Tensor& noised, const torch::Tensor& prediction,
                              const torch::Tensor& timesteps) const;

  /// Returns t / T, [batch], as the network takes it.
  torch::Tensor RelativeTime(const torch::Tensor& timesteps) const;

private:
  Prediction m_Prediction;
  int m_Timesteps;
  torch::Tensor m_Signal; ///< sqrt(alphaBar_t), [T + 1]
  torch::Tensor m_Noise;  ///< sqrt(1 - alphaBar_t), [T + 1]
  torch::Tensor m_Skip;   ///< factor of Z_t in the prediction, [T + 1]
  torch::Tensor m_Scale;  ///< factor of the network's output in the prediction, [T + 1]
  torch::Tensor m_Weight; ///< of the loss, [T + 1]
};

} // namespace hud
