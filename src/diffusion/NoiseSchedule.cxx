// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/diffusion/NoiseSchedule.h"

#include "hud/core/NamedValue.h"

#include <algorithm>

namespace hud
{

namespace
{

constexpr std::array<NamedValue<ScheduleKind>, 1> kSchedules = {{{"linear", ScheduleKind::Linear}}};

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
  m_AlphaBar.push_back(1.);
  switch (kind)
  {
  case ScheduleKind::Linear:
    for (int t = 1; t <= timesteps; ++t)
    {
      // The scale keeps the noise at the end the same whatever T is.
      const double scale = 1000. / timesteps;
      const double position = static_cast<double>(t - 1) / (timesteps - 1);
      m_Beta.push_back(std::min(scale * (1e-4 + position * (0.02 - 1e-4)), 0.999));
    }
    break;
  }
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
