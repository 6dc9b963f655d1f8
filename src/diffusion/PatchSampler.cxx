// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "PatchSampler.h"

#include "hud/core/Random.h"
#include "hud/core/SimplexProjection.h"

namespace hud
{

namespace
{

/// Patches side by side.
struct Canvas
{
  std::int64_t m_Columns;
  std::int64_t m_Rows;
  std::int64_t m_Channels;
  std::int64_t m_Patch;

  /// Returns normal noise, [rows * columns, channels, patch, patch].
  torch::Tensor Noise(const Random& random, std::uint32_t step) const
  {
    const std::int64_t lines = m_Rows * m_Patch;
    const std::int64_t values = m_Columns * m_Patch * m_Channels;
    torch::Tensor noise = torch::empty({lines, values}, torch::kFloat32);
    for (std::int64_t line = 0; line < lines; ++line)
    {
      random.FillNormal(step, static_cast<std::uint32_t>(line), noise[line].data_ptr<float>(),
                        static_cast<std::size_t>(values));
    }
    return noise.view({m_Rows, m_Patch, m_Columns, m_Patch, m_Channels})
        .permute({0, 2, 4, 1, 3})
        .reshape({m_Rows * m_Columns, m_Channels, m_Patch, m_Patch});
  }

  /// Returns the patches of Noise side by side, pixels row by row with their channels together.
  torch::Tensor Join(const torch::Tensor& patches) const
  {
    return patches.view({m_Rows, m_Columns, m_Channels, m_Patch, m_Patch}).permute({0, 3, 1, 4, 2}).contiguous();
  }
};

} // namespace

AbundanceMap SamplePatches(UNet& network, const GaussianDiffusion& diffusion, const ModelInfo& info,
                           const std::vector<SamplerStep>& plan, Eigen::Index columns, Eigen::Index rows,
                           std::uint64_t seed)
{
  const torch::NoGradGuard noGradient;
  const torch::Device device = network->parameters().front().device();
  const SimplexProjection projection(info.m_Options.m_Projection, info.m_Scene.m_Endmembers.cols(),
                                     info.m_Options.m_Floor);
  const auto perChannel = [&](const double* values) {
    return torch::tensor(at::ArrayRef<double>(values, info.m_ChannelMean.size()), torch::kFloat32)
        .view({1, -1, 1, 1})
        .to(device);
  };
  const torch::Tensor mean = perChannel(info.m_ChannelMean.data());
  const torch::Tensor sd = perChannel(info.m_ChannelSd.data());
  const torch::Tensor lower = (perChannel(projection.LowerBounds().data()) - mean) / sd;
  const torch::Tensor upper = (perChannel(projection.UpperBounds().data()) - mean) / sd;

  const Canvas canvas{columns, rows, projection.Channels(), info.m_Options.m_Patch};
  const Random random(seed, RandomStream::SamplerNoise);
  torch::Tensor patches = canvas.Noise(Random(seed, RandomStream::InitialNoise), 0).to(device);
  for (std::size_t i = 0; i < plan.size(); ++i)
  {
    const SamplerStep& step = plan[i];
    const torch::Tensor timesteps =
        torch::full({patches.size(0)}, step.m_From, torch::TensorOptions(torch::kInt64).device(device));
    const torch::Tensor output = network(patches, diffusion.RelativeTime(timesteps));
    const torch::Tensor estimate =
        diffusion.EstimateClean(patches, diffusion.Predict(patches, output, timesteps), timesteps);
    patches = step.m_Current * patches + step.m_Clean * torch::minimum(torch::maximum(estimate, lower), upper);
    if (step.m_Noise > 0.)
    {
      patches += step.m_Noise * canvas.Noise(random, static_cast<std::uint32_t>(i)).to(device);
    }
  }

  const torch::Tensor projected = canvas.Join(patches * sd + mean).to(torch::kCPU);
  AbundanceMap map;
  map.m_Width = columns * info.m_Options.m_Patch;
  map.m_Height = rows * info.m_Options.m_Patch;
  map.m_Abundances.resize(projection.Endmembers(), map.m_Width * map.m_Height);
  projection.UnprojectExactly(
      Eigen::Map<const Eigen::MatrixXf>(projected.data_ptr<float>(), projection.Channels(), map.m_Abundances.cols()),
      map.m_Abundances);
  return map;
}

} // namespace hud
