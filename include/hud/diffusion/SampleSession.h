// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/AbundanceMap.h"
#include "hud/diffusion/DiffusionOptions.h"
#include "hud/diffusion/ModelInfo.h"
#include "hud/diffusion/Sampler.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace hud
{

/// How the canvas of a sample is filled.
enum class SampleLayout
{
  Scene,  ///< one seamless image
  Patches ///< independent patches side by side, without gaps
};

/// Returns the layout of that name: scene or patches.
/// @throws InvalidOption that lists the known names
SampleLayout ParseSampleLayout(const std::string& name);

/// Settings of one sample.
struct SampleOptions
{
  Eigen::Index m_Width = 128;
  Eigen::Index m_Height = 128;
  SampleLayout m_Layout = SampleLayout::Scene;
  SamplerKind m_Sampler = SamplerKind::Ddim;
  int m_Steps = 20;
  std::uint64_t m_Seed = 0;

  /// @param timesteps T of the model
  /// @throws InvalidOption
  void Check(int timesteps) const;
};

/// Draws abundance maps from a trained model.
class SampleSession
{
public:
  /// @throws FileError as ReadModelInfo, InvalidOption (device)
  SampleSession(const std::string& modelPath, const ExecutionOptions& execution);

  ~SampleSession();
  SampleSession(SampleSession&&) noexcept;
  SampleSession& operator=(SampleSession&&) noexcept;

  /// Returns abundances on the simplex. The same options and seed give the same map. Scenes larger than a patch are
  /// sampled through windows of the patch size: non-overlapping ones that are shifted at random at every step
  /// (SpotDiffusion, arXiv 2407.15507), and half-overlapping ones blended with a Hann weight in the last steps
  /// (after MultiDiffusion, arXiv 2302.08113), so that no window border is left.
  /// @param proceed called with the fraction done; returning false ends the work with an Error; may be empty
  /// @throws InvalidOption as SampleOptions::Check
  AbundanceMap Sample(const SampleOptions& options, const std::function<bool(double)>& proceed = {}) const;

  const ModelInfo& Info() const;

  /// Returns the device in words, such as "CPU, 2 threads".
  std::string DeviceDescription() const;

private:
  struct Implementation;
  std::unique_ptr<Implementation> m_Implementation;
};

} // namespace hud
