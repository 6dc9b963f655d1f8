// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "Denoiser.h"

#include "NetworkCoordinates.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace hud
{

namespace
{

/// Returns a value for each channel as [1, channels, 1, 1].
torch::Tensor PerChannel(const Eigen::ArrayXf& values, const torch::Device& device)
{
  return torch::tensor(std::vector<float>(values.begin(), values.end())).view({1, -1, 1, 1}).to(device);
}

} // namespace

Denoiser::Denoiser(const ModelInfo& info, UNet network, const torch::Device& device, int windowsAtOnce)
  : m_Device(device), m_WindowsAtOnce(windowsAtOnce > 0  ? windowsAtOnce
                                      : device.is_cuda() ? 256
                                                         : 32),
    m_Diffusion(info.m_Options, device), m_Network(std::move(network)),
    m_Lower(PerChannel(NetworkCoordinates(info).LowerBounds(), device)),
    m_Upper(PerChannel(NetworkCoordinates(info).UpperBounds(), device))
{
}

torch::Tensor Denoiser::EstimateClean(const torch::Tensor& windows, int timestep, const Guidance& guidance,
                                      const WindowLevel& level)
{
  const torch::NoGradGuard noGradient;
  std::vector<torch::Tensor> estimates;
  for (std::int64_t first = 0; first < windows.size(0); first += m_WindowsAtOnce)
  {
    const std::int64_t count = std::min(m_WindowsAtOnce, windows.size(0) - first);
    const torch::Tensor noised = windows.narrow(0, first, count).to(m_Device);
    const torch::Tensor timesteps =
        torch::full({count}, timestep, torch::TensorOptions(torch::kInt64).device(m_Device));
    Conditions conditions;
    conditions.m_Levels = torch::full_like(timesteps, level.m_Level);
    if (level.m_Coarse.defined())
    {
      conditions.m_Coarse = level.m_Coarse.narrow(0, first, count).to(m_Device);
      conditions.m_CoarseNoise = torch::full({count}, level.m_CoarseNoise, noised.options());
    }
    const bool isLabelled = guidance.m_Label > 0 && guidance.m_Weight != 0.;
    conditions.m_Labels = torch::full_like(timesteps, isLabelled ? guidance.m_Label : std::int64_t(0));
    torch::Tensor clean = Estimate(noised, timesteps, conditions);
    if (isLabelled && guidance.m_Weight != 1.)
    {
      conditions.m_Labels = torch::zeros_like(timesteps);
      const torch::Tensor without = Estimate(noised, timesteps, conditions);
      clean = without + guidance.m_Weight * (clean - without);
    }
    estimates.push_back(torch::minimum(torch::maximum(clean, m_Lower), m_Upper).to(torch::kCPU));
  }
  return torch::cat(estimates);
}

torch::Tensor Denoiser::Estimate(const torch::Tensor& noised, const torch::Tensor& timesteps,
                                 const Conditions& conditions)
{
  const torch::Tensor output = m_Network(noised, m_Diffusion.RelativeTime(timesteps), conditions);
  return m_Diffusion.EstimateClean(noised, m_Diffusion.Predict(noised, output, timesteps), timesteps);
}

std::int64_t Denoiser::WindowsAtOnce() const
{
  return m_WindowsAtOnce;
}

} // namespace hud
