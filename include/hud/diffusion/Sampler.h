// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/diffusion/NoiseSchedule.h"

#include <string>
#include <vector>

namespace hud
{

/// How noise becomes a sample.
enum class SamplerKind
{
  Ddim, ///< deterministic, any number of steps (Song et al. 2021, eta = 0)
  Ddpm  ///< ancestral sampling, Algorithm 2; with fewer steps than T on the respaced chain (DDIM with eta = 1)
};

/// Returns the sampler of that name: ddim or ddpm.
/// @throws InvalidOption that lists the known names
SamplerKind ParseSamplerKind(const std::string& name);

/// One step from timestep t to an earlier one s, given the network's estimate of Z_0:
/// Z_s = m_Current Z_t + m_Clean Z_0 + m_Noise n, with n from N(0, I). A sampler is a list of such steps; it knows neither
/// the network nor tensors.
struct SamplerStep
{
  int m_From = 0; ///< t
  int m_To = 0;   ///< s < t; 0 is the clean sample
  double m_Current = 0.;
  double m_Clean = 0.;
  double m_Noise = 0.;
};

/// Returns the steps from T to 0.
/// @param steps 1 to T; the timesteps visited are evenly spaced and begin with T
/// @throws InvalidOption
std::vector<SamplerStep> PlanSampler(const NoiseSchedule& schedule, SamplerKind kind, int steps);

} // namespace hud
