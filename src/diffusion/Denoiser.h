// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "GaussianDiffusion.h"
#include "UNet.h"

#include "hud/diffusion/ModelInfo.h"

#include <torch/torch.h>

#include <cstdint>

namespace hud
{

/// Classifier-free guidance (Ho & Salimans 2022): Z_0 is estimated without a label, moved towards and beyond the estimate with
/// it, estimate = without + weight (with - without).
struct Guidance
{
  std::int64_t m_Label = 0; ///< its number, from 1 on; 0: none
  double m_Weight = 0.;     ///< 0: as without a label, 1: as with it
};

/// Of which level of the cascade windows are, and their coarser level, where it is known.
struct WindowLevel
{
  int m_Level = 0;
  torch::Tensor m_Coarse; ///< of the windows, [n, channels, patch / 2, patch / 2], noised, on the CPU; may be undefined
  double m_CoarseNoise = 0.; ///< deviation of its noise
};

/// A trained network as samplers see it: noised windows in, estimates of Z_0 out.
class Denoiser
{
public:
  /// @param network with the weights that are to sample, on the device
  /// @param windowsAtOnce ExecutionOptions::m_WindowsAtOnce
  Denoiser(const ModelInfo& info, UNet network, const torch::Device& device, int windowsAtOnce = 0);

  /// Returns the estimate of Z_0, clamped to the projection's bounds, [n, channels, patch, patch], on the CPU.
  /// @param windows Z_t, of that shape, on the CPU
  /// @param timestep t, the same for all
  torch::Tensor EstimateClean(const torch::Tensor& windows, int timestep, const Guidance& guidance = {},
                              const WindowLevel& level = {});

  /// Returns how many windows pass through the network together at most.
  std::int64_t WindowsAtOnce() const;

private:
  /// Returns the network's estimate of Z_0, not clamped, on the device.
  torch::Tensor Estimate(const torch::Tensor& noised, const torch::Tensor& timesteps, const Conditions& conditions);

  torch::Device m_Device;
  std::int64_t m_WindowsAtOnce;
  GaussianDiffusion m_Diffusion;
  UNet m_Network;
  torch::Tensor m_Lower; ///< the projection's bounds, [1, channels, 1, 1]
  torch::Tensor m_Upper; ///< [1, channels, 1, 1]
};

} // namespace hud
