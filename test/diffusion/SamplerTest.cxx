// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/diffusion/Sampler.h"

#include "hud/core/Error.h"
#include "hud/core/Random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace
{

constexpr int kTimesteps = 1000;

hud::NoiseSchedule Schedule()
{
  return hud::NoiseSchedule(hud::ScheduleKind::Linear, kTimesteps);
}

TEST(Sampler, VisitsEvenlySpacedTimestepsFromTheLastToZero)
{
  const auto plan = hud::PlanSampler(Schedule(), hud::SamplerKind::Ddim, 20);
  ASSERT_EQ(plan.size(), 20u);
  EXPECT_EQ(plan.front().m_From, 1000);
  EXPECT_EQ(plan.back().m_To, 0);
  for (std::size_t i = 0; i < plan.size(); ++i)
  {
    EXPECT_EQ(plan[i].m_From - plan[i].m_To, 50);
    EXPECT_TRUE(i == 0 || plan[i].m_From == plan[i - 1].m_To);
  }
}

TEST(Sampler, DdpmStepIsAlgorithm2)
{
  // Z_{t-1} = (Z_t - (1 - a_t) / sqrt(1 - abar_t) eps) / sqrt(a_t) + sigma_t n, sigma_t^2 the posterior variance.
  const hud::NoiseSchedule schedule = Schedule();
  const auto plan = hud::PlanSampler(schedule, hud::SamplerKind::Ddpm, kTimesteps);
  ASSERT_EQ(plan.size(), static_cast<std::size_t>(kTimesteps));
  const double clean = 0.7;
  const double eps = -1.3;
  for (const hud::SamplerStep& step : plan)
  {
    const int t = step.m_From;
    const double alpha = 1. - schedule.Beta(t);
    const double noised = std::sqrt(schedule.AlphaBar(t)) * clean + std::sqrt(1. - schedule.AlphaBar(t)) * eps;
    const double mean = (noised - (1. - alpha) / std::sqrt(1. - schedule.AlphaBar(t)) * eps) / std::sqrt(alpha);
    ASSERT_NEAR(step.m_Current * noised + step.m_Clean * clean, mean, 1e-9) << t;
    ASSERT_NEAR(step.m_Noise * step.m_Noise, schedule.PosteriorVariance(t), 1e-12) << t;
  }
  EXPECT_DOUBLE_EQ(plan.back().m_Noise, 0.);
}

TEST(Sampler, DdimKeepsTheNoiseOfAnExactEstimate)
{
  // With the true Z_0 every step lands on sqrt(abar_s) Z_0 + sqrt(1 - abar_s) eps of the same eps.
  const hud::NoiseSchedule schedule = Schedule();
  const double clean = -0.4;
  const double eps = 1.9;
  double current =
      std::sqrt(schedule.AlphaBar(kTimesteps)) * clean + std::sqrt(1. - schedule.AlphaBar(kTimesteps)) * eps;
  for (const hud::SamplerStep& step : hud::PlanSampler(schedule, hud::SamplerKind::Ddim, 37))
  {
    EXPECT_DOUBLE_EQ(step.m_Noise, 0.);
    current = step.m_Current * current + step.m_Clean * clean;
    const double signal = schedule.AlphaBar(step.m_To);
    ASSERT_NEAR(current, std::sqrt(signal) * clean + std::sqrt(1. - signal) * eps, 1e-10);
  }
  EXPECT_NEAR(current, clean, 1e-12);
}

/// Variance of what a sampler makes of N(0, 1) noise when the data are N(0, sd^2), whose best estimate of Z_0 is
/// sqrt(abar) sd^2 / (abar sd^2 + 1 - abar) Z_t: linear, so the variance follows in closed form.
double SampledVariance(hud::SamplerKind kind, int steps, double sd)
{
  const hud::NoiseSchedule schedule = Schedule();
  double variance = 1.;
  for (const hud::SamplerStep& step : hud::PlanSampler(schedule, kind, steps))
  {
    const double signal = schedule.AlphaBar(step.m_From);
    const double estimate = std::sqrt(signal) * sd * sd / (signal * sd * sd + 1. - signal);
    const double factor = step.m_Current + step.m_Clean * estimate;
    variance = factor * factor * variance + step.m_Noise * step.m_Noise;
  }
  return variance;
}

TEST(Sampler, ReachesTheVarianceOfGaussianData)
{
  for (const double sd : {0.5, 1., 2.})
  {
    EXPECT_NEAR(SampledVariance(hud::SamplerKind::Ddpm, kTimesteps, sd) / (sd * sd), 1., 0.02) << sd;
    EXPECT_NEAR(SampledVariance(hud::SamplerKind::Ddim, kTimesteps, sd) / (sd * sd), 1., 0.02) << sd;
    EXPECT_NEAR(SampledVariance(hud::SamplerKind::Ddim, 50, sd) / (sd * sd), 1., 0.15) << sd;
  }
}

TEST(Sampler, RefusesStepsOutsideTheSchedule)
{
  for (const int steps : {-1, 0, kTimesteps + 1})
  {
    try
    {
      hud::PlanSampler(Schedule(), hud::SamplerKind::Ddim, steps);
      FAIL() << "no error for " << steps;
    }
    catch (const hud::InvalidOption& error)
    {
      EXPECT_NE(std::string(error.what()).find(std::to_string(steps)), std::string::npos);
    }
  }
  EXPECT_THROW(hud::ParseSamplerKind("euler"), hud::InvalidOption);
}

} // namespace
