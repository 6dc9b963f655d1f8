// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/diffusion/SampleSession.h"

#include "Device.h"
#include "GaussianDiffusion.h"
#include "ModelFile.h"
#include "UNet.h"

#include "hud/core/Error.h"
#include "hud/core/NamedValue.h"
#include "hud/core/Random.h"
#include "hud/core/SimplexProjection.h"

#include <algorithm>

namespace hud
{

namespace
{

constexpr std::array<NamedValue<SampleLayout>, 2> kLayouts = {
    {{"scene", SampleLayout::Scene}, {"patches", SampleLayout::Patches}}};

/// Windows that pass through the network together.
constexpr std::int64_t kWindowsAtOnce = 32;

/// The last steps, in which a scene's windows overlap and are blended.
constexpr int kBlendedSteps = 3;

/// Cuts a canvas [d, height, width] into windows [n, d, patch, patch], row by row. Height and width are multiples.
torch::Tensor CutWindows(const torch::Tensor& canvas, std::int64_t patch)
{
  const auto d = canvas.size(0);
  const auto rows = canvas.size(1) / patch;
  const auto cols = canvas.size(2) / patch;
  return canvas.view({d, rows, patch, cols, patch}).permute({1, 3, 0, 2, 4}).reshape({rows * cols, d, patch, patch});
}

/// Puts the windows of CutWindows together again.
torch::Tensor JoinWindows(const torch::Tensor& windows, std::int64_t height, std::int64_t width)
{
  const auto d = windows.size(1);
  const auto patch = windows.size(2);
  return windows.view({height / patch, width / patch, d, patch, patch})
      .permute({2, 0, 3, 1, 4})
      .reshape({d, height, width});
}

/// Returns the Hann weight of every pixel of a canvas that is cut at multiples of `patch`, [height, width]. The weights of
/// the four canvases shifted by half a patch in either direction sum to one.
torch::Tensor HannWeights(std::int64_t height, std::int64_t width, std::int64_t patch, const torch::Device& device)
{
  const auto profile = [&](std::int64_t size) {
    const torch::Tensor position = torch::arange(size, torch::TensorOptions(torch::kFloat64)) + 0.5;
    return torch::sin(position * (3.14159265358979323846 / static_cast<double>(patch))).square();
  };
  return torch::outer(profile(height), profile(width)).to(device, torch::kFloat32);
}

std::int64_t RoundUp(std::int64_t value, std::int64_t multiple)
{
  return (value + multiple - 1) / multiple * multiple;
}

} // namespace

SampleLayout ParseSampleLayout(const std::string& name)
{
  return ParseNamedValue(kLayouts, name, "layout");
}

void SampleOptions::Check(int timesteps) const
{
  for (const auto& [name, size] : {std::pair("width", m_Width), std::pair("height", m_Height)})
  {
    if (size < 1 || size > 1000000)
    {
      throw InvalidOption(std::string("the ") + name + " of the sample is " + std::to_string(size) +
                          " pixels, expected 1 to 1000000");
    }
  }
  constexpr Eigen::Index kLargest = Eigen::Index(1) << 28;
  if (m_Width * m_Height > kLargest)
  {
    throw InvalidOption("the sample has " + std::to_string(m_Width) + " x " + std::to_string(m_Height) +
                        " pixels, expected at most " + std::to_string(kLargest));
  }
  if (m_Steps < 1 || m_Steps > timesteps)
  {
    throw InvalidOption("the number of sampling steps is " + std::to_string(m_Steps) + ", expected 1 to " +
                        std::to_string(timesteps) + ", the model's number of timesteps");
  }
}

struct SampleSession::Implementation
{
  Implementation(const std::string& modelPath, const ExecutionOptions& execution)
    : Implementation(ModelFileReader(modelPath), execution)
  {
  }

  Implementation(ModelFileReader file, const ExecutionOptions& execution)
    : m_Info(file.Info()), m_Device(SelectDevice(execution)),
      m_Schedule(m_Info.m_Options.m_Schedule, m_Info.m_Options.m_Timesteps), m_Diffusion(m_Info.m_Options, m_Device),
      m_Network(static_cast<int>(m_Info.m_ChannelMean.size()), m_Info.m_Options.m_Network, m_Info.m_Options.m_Seed)
  {
    file.ReadInto(kAveragePrefix, m_Network->named_parameters());
    m_Network->to(m_Device);
    m_Network->eval();
    const SimplexProjection projection(ProjectionKind::Log, static_cast<Eigen::Index>(m_Info.m_ChannelMean.size()),
                                       m_Info.m_Options.m_Floor);
    const auto perChannel = [&](const auto& values) {
      const at::ArrayRef<double> channels(values.data(), static_cast<std::size_t>(values.size()));
      return torch::tensor(channels, torch::kFloat32).view({1, -1, 1, 1}).to(m_Device);
    };
    m_Mean = perChannel(m_Info.m_ChannelMean);
    m_Sd = perChannel(m_Info.m_ChannelSd);
    m_Lower = (perChannel(projection.LowerBounds()) - m_Mean) / m_Sd;
    m_Upper = (perChannel(projection.UpperBounds()) - m_Mean) / m_Sd;
  }

  /// Returns the estimate of Z_0 for each window, [n, d, patch, patch], clamped to the projection's bounds.
  torch::Tensor EstimateClean(const torch::Tensor& windows, int timestep)
  {
    std::vector<torch::Tensor> estimates;
    for (const torch::Tensor& some : windows.split(kWindowsAtOnce))
    {
      const torch::Tensor timesteps =
          torch::full({some.size(0)}, timestep, torch::TensorOptions(torch::kInt64).device(m_Device));
      const torch::Tensor output = m_Network(some, m_Diffusion.RelativeTime(timesteps));
      const torch::Tensor prediction = m_Diffusion.Predict(some, output, timesteps);
      const torch::Tensor clean = m_Diffusion.EstimateClean(some, prediction, timesteps);
      estimates.push_back(torch::minimum(torch::maximum(clean, m_Lower), m_Upper));
    }
    return torch::cat(estimates);
  }

  /// Returns the estimate of Z_0 for a canvas [d, height, width] whose windows are shifted by (dy, dx), around its edges.
  torch::Tensor EstimateShifted(const torch::Tensor& canvas, int timestep, std::int64_t dy, std::int64_t dx)
  {
    const torch::Tensor shifted = canvas.roll({-dy, -dx}, {1, 2}).contiguous();
    const torch::Tensor estimate = EstimateClean(CutWindows(shifted, m_Info.m_Options.m_Patch), timestep);
    return JoinWindows(estimate, canvas.size(1), canvas.size(2)).roll({dy, dx}, {1, 2});
  }

  /// Returns the estimate of Z_0 for a seamless canvas: windows at a random shift, or blended.
  torch::Tensor EstimateScene(const torch::Tensor& canvas, int timestep, std::uint32_t step, bool blended,
                              std::uint64_t seed)
  {
    const std::int64_t patch = m_Info.m_Options.m_Patch;
    if (!blended)
    {
      const auto words = Random(seed, RandomStream::WindowShift).Words(step, 0, 0);
      return EstimateShifted(canvas, timestep, words[0] % static_cast<std::uint32_t>(patch),
                             words[1] % static_cast<std::uint32_t>(patch));
    }
    const torch::Tensor weights = HannWeights(canvas.size(1), canvas.size(2), patch, m_Device);
    torch::Tensor blend = torch::zeros_like(canvas);
    for (const std::int64_t dy : {std::int64_t(0), patch / 2})
    {
      for (const std::int64_t dx : {std::int64_t(0), patch / 2})
      {
        blend += weights.roll({dy, dx}, {0, 1}) * EstimateShifted(canvas, timestep, dy, dx);
      }
    }
    return blend;
  }

  /// Returns normal noise for every pixel of a canvas, [d, height, width]; a pixel's noise depends on its place only.
  torch::Tensor Noise(RandomStream stream, std::uint32_t step, std::uint64_t seed, std::int64_t d, std::int64_t height,
                      std::int64_t width) const
  {
    const Random random(seed, stream);
    torch::Tensor noise = torch::empty({height, width, d}, torch::kFloat32);
    float* row = noise.data_ptr<float>();
    for (std::int64_t y = 0; y < height; ++y, row += width * d)
    {
      random.FillNormal(step, static_cast<std::uint32_t>(y), row, static_cast<std::size_t>(width * d));
    }
    return noise.permute({2, 0, 1}).contiguous().to(m_Device);
  }

  AbundanceMap Sample(const SampleOptions& options, const std::function<bool(double)>& proceed)
  {
    const torch::NoGradGuard noGradient;
    const std::int64_t patch = m_Info.m_Options.m_Patch;
    const std::int64_t d = m_Mean.size(1);
    const std::int64_t height = RoundUp(options.m_Height, patch);
    const std::int64_t width = RoundUp(options.m_Width, patch);
    const bool seamless = options.m_Layout == SampleLayout::Scene && (height > patch || width > patch);
    const std::vector<SamplerStep> plan = PlanSampler(m_Schedule, options.m_Sampler, options.m_Steps);

    torch::Tensor canvas = Noise(RandomStream::InitialNoise, 0, options.m_Seed, d, height, width);
    for (std::size_t i = 0; i < plan.size(); ++i)
    {
      const SamplerStep& step = plan[i];
      const bool blended = i + kBlendedSteps >= plan.size();
      const torch::Tensor clean =
          seamless ? EstimateScene(canvas, step.m_From, static_cast<std::uint32_t>(i), blended, options.m_Seed)
                   : EstimateShifted(canvas, step.m_From, 0, 0);
      canvas = step.m_Current * canvas + step.m_Clean * clean;
      if (step.m_Noise > 0.)
      {
        canvas += step.m_Noise *
                  Noise(RandomStream::SamplerNoise, static_cast<std::uint32_t>(i), options.m_Seed, d, height, width);
      }
      if (proceed && !proceed(static_cast<double>(i + 1) / static_cast<double>(plan.size())))
      {
        throw Error("interrupted while sampling");
      }
    }
    return ToAbundances(canvas, options);
  }

  /// Returns the abundances of a canvas, cut to the size that was asked for.
  AbundanceMap ToAbundances(const torch::Tensor& canvas, const SampleOptions& options) const
  {
    const torch::Tensor projected = (canvas.unsqueeze(0) * m_Sd + m_Mean)
                                        .squeeze(0)
                                        .narrow(1, 0, options.m_Height)
                                        .narrow(2, 0, options.m_Width)
                                        .permute({1, 2, 0})
                                        .contiguous()
                                        .to(torch::kCPU);
    const Eigen::Index d = projected.size(2);
    AbundanceMap map;
    map.m_Width = options.m_Width;
    map.m_Height = options.m_Height;
    map.m_Abundances.resize(d, options.m_Width * options.m_Height);
    SimplexProjection(ProjectionKind::Log, d, m_Info.m_Options.m_Floor)
        .UnprojectExactly(Eigen::Map<const Eigen::MatrixXf>(projected.data_ptr<float>(), d, map.m_Abundances.cols()),
                          map.m_Abundances);
    return map;
  }

  ModelInfo m_Info;
  torch::Device m_Device;
  NoiseSchedule m_Schedule;
  GaussianDiffusion m_Diffusion;
  UNet m_Network;
  torch::Tensor m_Mean;  ///< [1, d, 1, 1]
  torch::Tensor m_Sd;    ///< [1, d, 1, 1]
  torch::Tensor m_Lower; ///< standardised bounds, [1, d, 1, 1]
  torch::Tensor m_Upper; ///< [1, d, 1, 1]
};

SampleSession::SampleSession(const std::string& modelPath, const ExecutionOptions& execution)
  : m_Implementation(std::make_unique<Implementation>(modelPath, execution))
{
}

SampleSession::~SampleSession() = default;

SampleSession::SampleSession(SampleSession&&) noexcept = default;

SampleSession& SampleSession::operator=(SampleSession&&) noexcept = default;

AbundanceMap SampleSession::Sample(const SampleOptions& options, const std::function<bool(double)>& proceed) const
{
  options.Check(m_Implementation->m_Info.m_Options.m_Timesteps);
  return m_Implementation->Sample(options, proceed);
}

const ModelInfo& SampleSession::Info() const
{
  return m_Implementation->m_Info;
}

std::string SampleSession::DeviceDescription() const
{
  return DescribeDevice(m_Implementation->m_Device);
}

} // namespace hud
