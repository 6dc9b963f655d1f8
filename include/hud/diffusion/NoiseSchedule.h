// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <string>
#include <vector>

namespace hud
{

/// How the variance of the added noise grows with the timestep.
enum class ScheduleKind
{
  Linear,   ///< beta from 1e-4 to 0.02 over 1000 timesteps (Ho et al. 2020), scaled by 1000/T for other T
  Cosine,   ///< alphaBar falls with a squared cosine, s = 0.008 (Nichol & Dhariwal 2021, eq. (17)), beta at most 0.999
  Pastorino ///< beta from 1e-6 to 1e-2 over 2000 timesteps (Pastorino et al.), scaled by 2000/T for other T
};

/// Returns the schedule of that name: linear, cosine or pastorino.
/// @throws InvalidOption that lists the known names
ScheduleKind ParseScheduleKind(const std::string& name);

/// Returns the name that ParseScheduleKind reads.
std::string ToString(ScheduleKind kind);

/// The forward process q(Z_t | Z_0) = N(sqrt(alphaBar_t) Z_0, (1 - alphaBar_t) I), eqs. (7) to (12), in double precision.
class NoiseSchedule
{
public:
  /// @param timesteps T, 2 to 100000
  /// @throws InvalidOption
  NoiseSchedule(ScheduleKind kind, int timesteps);

  /// Returns T.
  int Timesteps() const;

  /// Returns beta_t, t in 1..T.
  double Beta(int t) const;

  /// Returns alphaBar_t, the product of 1 - beta up to t, t in 0..T; 1 at t = 0.
  double AlphaBar(int t) const;

  /// Returns the variance of q(Z_{t-1} | Z_t, Z_0): (1 - alphaBar_{t-1}) / (1 - alphaBar_t) beta_t, t in 1..T.
  double PosteriorVariance(int t) const;

private:
  std::vector<double> m_Beta;     ///< entry t - 1 belongs to t
  std::vector<double> m_AlphaBar; ///< entry t belongs to t
};

} // namespace hud
