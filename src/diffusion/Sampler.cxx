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

constexpr std::array<NamedValue<SamplerKind>, 3> kSamplers = {
    {{"dpmpp", SamplerKind::DpmSolver}, {"ddim", SamplerKind::Ddim}, {"ddpm", SamplerKind::Ddpm}}};

/// Returns lambda_t = ln(sqrt(alphaBar_t) / sqrt(1 - alphaBar_t)), t in 1..T.
double LogSignalToNoise(const NoiseSchedule& schedule, int t)
{
  return 0.5 * std::log(schedule.AlphaBar(t) / (1. - schedule.AlphaBar(t)));
}

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

/// Makes steps second order: DPM-Solver++(2M), Algorithm 2 of Lu et al. 2022. Its a_s (e^-h - 1) is
/// a_t sigma_s / sigma_t - a_s, so in first order it is DDIM. What is left is to put
/// (1 + 1/(2r)) D_t - 1/(2r) D_previous for D_t, r = h_previous / h.
void RaiseOrder(const NoiseSchedule& schedule, std::vector<SamplerStep>& plan)
{
  // The step to 0 is infinitely long in lambda. With few steps the one before stays of first order too, as in the authors'
  // code (lower_order_final): else 5 steps end a quarter farther from narrow Gaussians.
  constexpr std::size_t kFew = 15;
  const std::size_t firstOrderAtEnd = plan.size() < kFew ? 2 : 1;
  for (std::size_t i = 1; i + firstOrderAtEnd < plan.size(); ++i)
  {
    SamplerStep& step = plan[i];
    const double lambda = LogSignalToNoise(schedule, step.m_From);
    const double previousLength = lambda - LogSignalToNoise(schedule, plan[i - 1].m_From);
    const double length = LogSignalToNoise(schedule, step.m_To) - lambda;
    const double share = length / (2. * previousLength);
    step.m_Previous = -share * step.m_Clean;
    step.m_Clean *= 1. + share;
  }
}

} // namespace

SamplerKind ParseSamplerKind(const std::string& name)
{
  return ParseNamedValue(kSamplers, name, "sampler");
}

std::string ToString(SamplerKind kind)
{
  return NameOf(kSamplers, kind);
}

void SamplerOptions::Check(int timesteps) const
{
  if (m_Steps < 1 || m_Steps > timesteps)
  {
    throw InvalidOption("the number of sampling steps is " + std::to_string(m_Steps) + ", expected 1 to " +
                        std::to_string(timesteps) + ", the model's number of timesteps");
  }
  if (!(m_Eta >= 0. && m_Eta <= 1.))
  {
    throw InvalidOption("eta is " + std::to_string(m_Eta) + ", expected 0 to 1");
  }
  if (m_Eta > 0. && m_Kind != SamplerKind::Ddim)
  {
    throw InvalidOption("eta is " + std::to_string(m_Eta) + " with the sampler " + ToString(m_Kind) +
                        ", expected 0: only ddim takes another");
  }
}

std::vector<SamplerStep> PlanSampler(const NoiseSchedule& schedule, const SamplerOptions& options)
{
  options.Check(schedule.Timesteps());
  const double eta = options.m_Kind == SamplerKind::Ddpm ? 1. : options.m_Eta;
  // Timestep after i of the steps: T at i = 0, 0 at the end. With an exact network DPM-Solver++ would end nearer to the data
  // with timesteps even in lambda, but a trained one is worst at the weakest noise, where those go: with the demonstration's
  // model, 20 of them end at twice the log-power-spectrum distance to the scene.
  const auto timestep = [&](int i) {
    return static_cast<int>(
        std::lround(static_cast<double>(schedule.Timesteps()) * (options.m_Steps - i) / options.m_Steps));
  };
  std::vector<SamplerStep> plan;
  for (int i = 0; i < options.m_Steps; ++i)
  {
    plan.push_back(DdimStep(schedule, timestep(i), timestep(i + 1), eta));
  }
  if (options.m_Kind == SamplerKind::DpmSolver)
  {
    RaiseOrder(schedule, plan);
  }
  return plan;
}

} // namespace hud
