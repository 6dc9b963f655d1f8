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
  DpmSolver, ///< deterministic, second order: the fewest steps (DPM-Solver++(2M), Lu et al. 2022, arXiv 2211.01095)
  Ddim,      ///< first order, any number of steps, deterministic unless eta > 0 (Song et al. 2021)
  Ddpm       ///< ancestral sampling, Algorithm 2; with fewer steps than T on the respaced chain (DDIM with eta = 1)
};

/// Returns the sampler of that name: dpmpp, ddim or ddpm.
/// @throws InvalidOption that lists the known names
SamplerKind ParseSamplerKind(const std::string& name);

/// Returns the name that ParseSamplerKind reads.
std::string ToString(SamplerKind kind);

/// Which steps to take.
struct SamplerOptions
{
  SamplerKind m_Kind = SamplerKind::DpmSolver;
  int m_Steps = 20;  ///< 1 to T
  double m_Eta = 0.; ///< of DDIM, 0 to 1: new noise in each step, 0 none, 1 as much as DDPM; 0 for the others

  /// @param timesteps T of the model
  /// @throws InvalidOption
  void Check(int timesteps) const;
};

/// One step from timestep t to an earlier one s, given D_t, the network's estimate of Z_0 at t:
/// Z_s = m_Current Z_t + m_Clean D_t + m_Previous D_previous + m_Noise n, with D_previous the estimate of the step before
/// and n from N(0, I). A sampler is a list of such steps; it knows neither the network nor tensors.
struct SamplerStep
{
  int m_From = 0; ///< t
  int m_To = 0;   ///< s < t; 0 is the clean sample
  double m_Current = 0.;
  double m_Clean = 0.;
  double m_Previous = 0.; ///< 0 in the first step
  double m_Noise = 0.;
};

/// Returns the steps from T to 0, through evenly spaced timesteps. The last step returns its estimate of Z_0.
/// @throws InvalidOption as SamplerOptions::Check
std::vector<SamplerStep> PlanSampler(const NoiseSchedule& schedule, const SamplerOptions& options);

} // namespace hud
