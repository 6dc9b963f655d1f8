// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/diffusion/Sampler.h"

#include "hud/core/NamedValue.h"

#include <algorithm>
#include <cmath>

namespace hud
{

namespace
{

constexpr std::array<NamedValue<SamplerKind>, 2> kSamplers = {
    {{"ddim", SamplerKind::Ddim}, {"ddpm", SamplerKind::Ddpm}}};

/// Returns the step from t to s. Eq. (12) of Song et al. 2021; with eta = 1 and s = t - 1 it is eq. (13) of the paper, with
/// the posterior variance as sigma^2.
SamplerStep DdimStep(const NoiseSchedule& schedule, int t, int s, double eta)
{
  const double from = schedule.AlphaBar(t);
  const double to = schedule.AlphaBar(s);
  const double sigma = eta * std::sqrt((1. - to) / (1. - from) * (1. - from / to));
  // Z_s = sqrt(to) Z_0 + sqrt(1 - to - sigma^2) eps + sigma n with eps = (Z_t - sqrt(from) Z_0) / sqrt(1 - from).
  const double noiseScale = std::sqrt(std::max(1. - to - sigma * sigma, 0.) / (1. - from));
  SamplerStep step;
  step.m_From = t;
  step.m_To = s;
  step.m_Current = noiseScale;
  step.m_Clean = std::sqrt(to) - noiseScale * std::sqrt(from);
  step.m_Noise = sigma;
  return step;
}

} // namespace

SamplerKind ParseSamplerKind(const std::string& name)
{
  return ParseNamedValue(kSamplers, name, "sampler");
}

std::vector<SamplerStep> PlanSampler(const NoiseSchedule& schedule, SamplerKind kind, int steps)
{
  const int timesteps = schedule.Timesteps();
  if (steps < 1 || steps > timesteps)
  {
    throw InvalidOption("the number of sampling steps is " + std::to_string(steps) +
                        ", expected 1 to the model's number of timesteps, " + std::to_string(timesteps));
  }
  // Timestep after i of the steps: T at i = 0, 0 at i = steps.
  const auto timestep = [&](int i) {
    return static_cast<int>(std::lround(static_cast<double>(timesteps) * (steps - i) / steps));
  };
  std::vector<SamplerStep> plan;
  for (int i = 0; i < steps; ++i)
  {
    plan.push_back(DdimStep(schedule, timestep(i), timestep(i + 1), kind == SamplerKind::Ddpm ? 1. : 0.));
  }
  return plan;
}

} // namespace hud
