// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/diffusion/NoiseSchedule.h"

#include "hud/core/NamedValue.h"

#include <algorithm>
#include <cmath>

namespace hud
{

namespace
{

constexpr std::array<NamedValue<ScheduleKind>, 3> kSchedules = {
    {{"linear", ScheduleKind::Linear}, {"cosine", ScheduleKind::Cosine}, {"pastorino", ScheduleKind::Pastorino}}};

constexpr double kLargestBeta = 0.999;

/// Returns the betas that grow evenly from `first` to `last` over as many timesteps as were published, scaled so that the
/// noise at the end is the same whatever T is.
std::vector<double> EvenBetas(int timesteps, int published, double first, double last)
{
  std::vector<double> betas;
  const double scale = static_cast<double>(published) / timesteps;
  for (int t = 1; t <= timesteps; ++t)
  {
    const double position = static_cast<double>(t - 1) / (timesteps - 1);
    betas.push_back(std::min(scale * (first + position * (last - first)), kLargestBeta));
  }
  return betas;
}

/// Returns the betas of Nichol & Dhariwal (2021), eq. (17): alphaBar_t = f(t) / f(0), f(t) = cos^2(pi/2 (t/T + s)/(1 + s)).
std::vector<double> CosineBetas(int timesteps)
{
  constexpr double kOffset = 0.008;
  constexpr double kHalfPi = 1.57079632679489661923;
  const auto signal = [&](int t) {
    const double cosine = std::cos(kHalfPi * (static_cast<double>(t) / timesteps + kOffset) / (1. + kOffset));
    return cosine * cosine;
  };
  std::vector<double> betas;
  for (int t = 1; t <= timesteps; ++t)
  {
    betas.push_back(std::min(1. - signal(t) / signal(t - 1), kLargestBeta));
  }
  return betas;
}

} // namespace

ScheduleKind ParseScheduleKind(const std::string& name)
{
  return ParseNamedValue(kSchedules, name, "noise schedule");
}

std::string ToString(ScheduleKind kind)
{
  return NameOf(kSchedules, kind);
}

NoiseSchedule::NoiseSchedule(ScheduleKind kind, int timesteps)
{
  if (timesteps < 2 || timesteps > 100000)
  {
    throw InvalidOption("the number of timesteps is " + std::to_string(timesteps) + ", expected 2 to 100000");
  }
  switch (kind)
  {
  case ScheduleKind::Linear:
    m_Beta = EvenBetas(timesteps, 1000, 1e-4, 0.02);
    break;
  case ScheduleKind::Cosine:
    m_Beta = CosineBetas(timesteps);
    break;
  case ScheduleKind::Pastorino:
    m_Beta = EvenBetas(timesteps, 2000, 1e-6, 1e-2);
    break;
  }
  m_AlphaBar.push_back(1.);
  for (const double beta : m_Beta)
  {
    m_AlphaBar.push_back(m_AlphaBar.back() * (1. - beta));
  }
}

int NoiseSchedule::Timesteps() const
{
  return static_cast<int>(m_Beta.size());
}

double NoiseSchedule::Beta(int t) const
{
  return m_Beta.at(static_cast<std::size_t>(t - 1));
}

double NoiseSchedule::AlphaBar(int t) const
{
  return m_AlphaBar.at(static_cast<std::size_t>(t));
}

double NoiseSchedule::PosteriorVariance(int t) const
{
  return (1. - AlphaBar(t - 1)) / (1. - AlphaBar(t)) * Beta(t);
}

} // namespace hud
