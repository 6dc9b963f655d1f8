// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "Denoiser.h"

#include "NetworkCoordinates.h"

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

torch::Tensor Denoiser::EstimateClean(const torch::Tensor& windows, int timestep, const Guidance& guidance)
{
  const torch::NoGradGuard noGradient;
  std::vector<torch::Tensor> estimates;
  for (const torch::Tensor& part : windows.split(m_WindowsAtOnce))
  {
    const torch::Tensor noised = part.to(m_Device);
    const torch::Tensor timesteps =
        torch::full({noised.size(0)}, timestep, torch::TensorOptions(torch::kInt64).device(m_Device));
    const bool isLabelled = guidance.m_Label > 0 && guidance.m_Weight != 0.;
    torch::Tensor clean =
        Estimate(noised, timesteps, torch::full_like(timesteps, isLabelled ? guidance.m_Label : std::int64_t(0)));
    if (isLabelled && guidance.m_Weight != 1.)
    {
      const torch::Tensor without = Estimate(noised, timesteps, torch::zeros_like(timesteps));
      clean = without + guidance.m_Weight * (clean - without);
    }
    estimates.push_back(torch::minimum(torch::maximum(clean, m_Lower), m_Upper).to(torch::kCPU));
  }
  return torch::cat(estimates);
}

torch::Tensor Denoiser::Estimate(const torch::Tensor& noised, const torch::Tensor& timesteps,
                                 const torch::Tensor& labels)
{
  const torch::Tensor output = m_Network(noised, m_Diffusion.RelativeTime(timesteps), labels);
  return m_Diffusion.EstimateClean(noised, m_Diffusion.Predict(noised, output, timesteps), timesteps);
}

std::int64_t Denoiser::WindowsAtOnce() const
{
  return m_WindowsAtOnce;
}

} // namespace hud
