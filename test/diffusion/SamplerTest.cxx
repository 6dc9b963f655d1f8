// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/diffusion/Sampler.h"

#include "hud/core/Error.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace
{

using hud::NoiseSchedule;
using hud::SamplerKind;
using hud::SamplerOptions;
using hud::SamplerStep;
using hud::ScheduleKind;

constexpr int kTimesteps = 1000;
constexpr ScheduleKind kSchedules[] = {ScheduleKind::Linear, ScheduleKind::Cosine, ScheduleKind::Pastorino};
constexpr SamplerKind kSamplers[] = {SamplerKind::DpmSolver, SamplerKind::Ddim, SamplerKind::Ddpm};

NoiseSchedule Schedule()
{
  return {ScheduleKind::Linear, kTimesteps};
}

std::vector<SamplerStep> Plan(const NoiseSchedule& schedule, SamplerKind kind, int steps, double eta = 0.)
{
  return hud::PlanSampler(schedule, {kind, steps, eta});
}

double Lambda(const NoiseSchedule& schedule, int t)
{
  return std::log(std::sqrt(schedule.AlphaBar(t)) / std::sqrt(1. - schedule.AlphaBar(t)));
}

/// Returns where a plan takes a value, without noise.
/// @param estimate (Z_t, alphaBar_t) to the estimate of Z_0
template <typename Estimate>
double Follow(const NoiseSchedule& schedule, const std::vector<SamplerStep>& plan, double value, Estimate&& estimate)
{
  double previous = 0.;
  for (const SamplerStep& step : plan)
  {
    const double clean = estimate(value, schedule.AlphaBar(step.m_From));
    value = step.m_Current * value + step.m_Clean * clean + step.m_Previous * previous;
    previous = clean;
  }
  return value;
}

/// Data from N(mean, sd^2). Everything about them is in closed form, as the best estimate of Z_0 is linear in Z_t.
struct Gaussian
{
  double m_Mean;
  double m_Sd;

  double Estimate(double value, double alphaBar) const
  {
    const double gain = std::sqrt(alphaBar) * m_Sd * m_Sd / (alphaBar * m_Sd * m_Sd + 1. - alphaBar);
    return m_Mean + gain * (value - std::sqrt(alphaBar) * m_Mean);
  }

  /// Returns the standard deviation of Z_t.
  double NoisedSd(double alphaBar) const
  {
    return std::sqrt(alphaBar * m_Sd * m_Sd + 1. - alphaBar);
  }
};

/// Mean and variance of what a plan makes of N(0, 1).
struct Moments
{
  double m_Mean;
  double m_Variance;
};

Moments Sampled(const NoiseSchedule& schedule, const std::vector<SamplerStep>& plan, const Gaussian& data)
{
  const auto follow = [&](const std::vector<SamplerStep>& steps, double value) {
    return Follow(schedule, steps, value, [&](double z, double alphaBar) { return data.Estimate(z, alphaBar); });
  };
  const double mean = follow(plan, 0.);
  double variance = std::pow(follow(plan, 1.) - mean, 2);
  // What a step adds goes through those that follow; plans with noise do not look back.
  double gain = 1.;
  for (auto step = plan.rbegin(); step != plan.rend(); ++step)
  {
    variance += std::pow(gain * step->m_Noise, 2);
    gain *= follow({*step}, 1.) - follow({*step}, 0.);
  }
  return {mean, variance};
}

TEST(Sampler, EveryPlanGoesFromTheLastTimestepToTheEstimateOfTheCleanSample)
{
  for (const ScheduleKind scheduleKind : kSchedules)
  {
    for (const int timesteps : {2, 3, 7, 50, 333, 1000})
    {
      const NoiseSchedule schedule(scheduleKind, timesteps);
      for (const SamplerKind kind : kSamplers)
      {
        for (const int steps : {1, 2, 3, 7, 14, 15, 16, 20, 49, 50, timesteps / 2, timesteps - 1, timesteps})
        {
          if (steps > timesteps)
          {
            continue;
          }
          const std::string where = hud::ToString(scheduleKind) + " " + hud::ToString(kind) + " " +
                                    std::to_string(steps) + " of " + std::to_string(timesteps);
          const auto plan = Plan(schedule, kind, steps);
          ASSERT_EQ(plan.size(), static_cast<std::size_t>(steps)) << where;
          ASSERT_EQ(plan.front().m_From, timesteps) << where;
          ASSERT_EQ(plan.front().m_Previous, 0.) << where;
          ASSERT_EQ(plan.back().m_To, 0) << where;
          ASSERT_EQ(plan.back().m_Current, 0.) << where;
          ASSERT_EQ(plan.back().m_Clean, 1.) << where;
          ASSERT_EQ(plan.back().m_Previous, 0.) << where;
          ASSERT_EQ(plan.back().m_Noise, 0.) << where;
          for (std::size_t i = 0; i < plan.size(); ++i)
          {
            const SamplerStep& step = plan[i];
            ASSERT_LT(step.m_To, step.m_From) << where;
            ASSERT_TRUE(i == 0 || step.m_From == plan[i - 1].m_To) << where;
            const double from = schedule.AlphaBar(step.m_From);
            const double to = schedule.AlphaBar(step.m_To);
            // A sample at the right place and with the right noise stays so.
            ASSERT_NEAR(step.m_Current * std::sqrt(from) + step.m_Clean + step.m_Previous, std::sqrt(to), 1e-12)
                << where;
            ASSERT_NEAR(step.m_Current * step.m_Current * (1. - from) + step.m_Noise * step.m_Noise, 1. - to, 1e-12)
                << where;
            ASSERT_TRUE(kind == SamplerKind::DpmSolver || step.m_Previous == 0.) << where;
            ASSERT_TRUE(kind == SamplerKind::Ddpm || step.m_Noise == 0.) << where;
            // No step extrapolates far.
            ASSERT_LE(-step.m_Previous, 0.75 * step.m_Clean) << where;
          }
        }
      }
    }
  }
}

TEST(Sampler, VisitsEvenlySpacedTimesteps)
{
  for (const SamplerKind kind : {SamplerKind::DpmSolver, SamplerKind::Ddim, SamplerKind::Ddpm})
  {
    for (const SamplerStep& step : Plan(Schedule(), kind, 20))
    {
      EXPECT_EQ(step.m_From - step.m_To, 50);
    }
  }
}

TEST(Sampler, DpmSolverStepIsThePublishedOne)
{
  const NoiseSchedule schedule = Schedule();
  for (const int steps : {1, 2, 3, 14, 15, 40})
  {
    const auto plan = Plan(schedule, SamplerKind::DpmSolver, steps);
    for (std::size_t i = 0; i + 1 < plan.size(); ++i)
    {
      const SamplerStep& step = plan[i];
      const double lambda = Lambda(schedule, step.m_From);
      const double h = Lambda(schedule, step.m_To) - lambda;
      const bool second = i > 0 && (steps >= 15 || i + 2 < plan.size());
      const double r = second ? (lambda - Lambda(schedule, plan[i - 1].m_From)) / h : 1.;
      const double noised = -0.7;
      const double clean = 1.3;
      const double previous = 0.4;
      const double extrapolated = second ? (1. + 1. / (2. * r)) * clean - 1. / (2. * r) * previous : clean;
      const double expected =
          std::sqrt((1. - schedule.AlphaBar(step.m_To)) / (1. - schedule.AlphaBar(step.m_From))) * noised -
          std::sqrt(schedule.AlphaBar(step.m_To)) * (std::exp(-h) - 1.) * extrapolated;
      ASSERT_NEAR(step.m_Current * noised + step.m_Clean * clean + step.m_Previous * previous, expected, 1e-10)
          << i << " of " << steps;
    }
  }
}

TEST(Sampler, DpmSolverWithOneStepIsDdim)
{
  const SamplerStep solver = Plan(Schedule(), SamplerKind::DpmSolver, 1).front();
  const SamplerStep ddim = Plan(Schedule(), SamplerKind::Ddim, 1).front();
  EXPECT_EQ(solver.m_From, ddim.m_From);
  EXPECT_EQ(solver.m_Current, ddim.m_Current);
  EXPECT_EQ(solver.m_Clean, ddim.m_Clean);
}

TEST(Sampler, DdpmAndDdimWithEtaOneAreAlgorithm2)
{
  // Z_{t-1} = (Z_t - (1 - a_t) / sqrt(1 - abar_t) eps) / sqrt(a_t) + sigma_t n, sigma_t^2 the posterior variance.
  const NoiseSchedule schedule = Schedule();
  const double clean = 0.7;
  const double eps = -1.3;
  for (const auto& plan :
       {Plan(schedule, SamplerKind::Ddpm, kTimesteps), Plan(schedule, SamplerKind::Ddim, kTimesteps, 1.)})
  {
    ASSERT_EQ(plan.size(), static_cast<std::size_t>(kTimesteps));
    for (const SamplerStep& step : plan)
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
}

TEST(Sampler, EtaScalesTheNoiseOfDdpm)
{
  const auto ddpm = Plan(Schedule(), SamplerKind::Ddpm, 23);
  const auto ddim = Plan(Schedule(), SamplerKind::Ddim, 23, 0.3);
  for (std::size_t i = 0; i < ddim.size(); ++i)
  {
    EXPECT_NEAR(ddim[i].m_Noise, 0.3 * ddpm[i].m_Noise, 1e-12);
  }
  EXPECT_GT(ddim.front().m_Noise, 0.);
}

TEST(Sampler, AnExactEstimateKeepsItsNoise)
{
  // With the true Z_0 every step lands on sqrt(abar_s) Z_0 + sqrt(1 - abar_s) eps of the same eps, and the last on Z_0.
  const double clean = -0.4;
  const double eps = 1.9;
  for (const ScheduleKind scheduleKind : kSchedules)
  {
    const NoiseSchedule schedule(scheduleKind, kTimesteps);
    for (const SamplerKind kind : {SamplerKind::DpmSolver, SamplerKind::Ddim})
    {
      const double signal = schedule.AlphaBar(kTimesteps);
      double current = std::sqrt(signal) * clean + std::sqrt(1. - signal) * eps;
      for (const SamplerStep& step : Plan(schedule, kind, 37))
      {
        current = step.m_Current * current + (step.m_Clean + step.m_Previous) * clean;
        const double to = schedule.AlphaBar(step.m_To);
        ASSERT_NEAR(current, std::sqrt(to) * clean + std::sqrt(1. - to) * eps, 1e-10);
      }
      EXPECT_NEAR(current, clean, 1e-12);
    }
  }
}

/// Returns how far a deterministic sampler's standard deviation is from the exact one, relatively: along the exact path
/// Z_t - sqrt(abar_t) mean grows as the standard deviation of Z_t.
double PathError(const NoiseSchedule& schedule, std::vector<SamplerStep> plan, double sd)
{
  const Gaussian data{0., sd};
  const double sampled =
      Follow(schedule, plan, 1., [&](double value, double alphaBar) { return data.Estimate(value, alphaBar); });
  const double exact =
      data.NoisedSd(schedule.AlphaBar(plan.back().m_To)) / data.NoisedSd(schedule.AlphaBar(schedule.Timesteps()));
  return std::abs(sampled / exact - 1.);
}

/// Returns the steps of a plan down to a tenth of T, where plans of a multiple of ten steps meet.
std::vector<SamplerStep> Begin(const NoiseSchedule& schedule, SamplerKind kind, int steps)
{
  std::vector<SamplerStep> plan = Plan(schedule, kind, steps);
  plan.resize(plan.size() / 10 * 9);
  return plan;
}

TEST(Sampler, TwiceTheStepsHalveTheErrorOfDdimAndQuarterThatOfDpmSolver)
{
  for (const ScheduleKind kind : kSchedules)
  {
    const NoiseSchedule schedule(kind, 100000);
    for (const int steps : {20, 40})
    {
      const auto ddim = [&](int count) { return PathError(schedule, Begin(schedule, SamplerKind::Ddim, count), 0.2); };
      EXPECT_NEAR(ddim(steps) / ddim(2 * steps), 2., 0.2) << hud::ToString(kind) << " " << steps;
      const auto solver = [&](int count) {
        return PathError(schedule, Begin(schedule, SamplerKind::DpmSolver, count), 0.2);
      };
      EXPECT_GT(solver(steps) / solver(2 * steps), 3.6) << hud::ToString(kind) << " " << steps;
    }
  }
}

TEST(Sampler, ReachesTheMomentsOfGaussianData)
{
  for (const ScheduleKind scheduleKind : kSchedules)
  {
    const NoiseSchedule schedule(scheduleKind, kTimesteps);
    for (const Gaussian& data : {Gaussian{0.3, 0.2}, Gaussian{-1.1, 0.5}, Gaussian{0.7, 1.}, Gaussian{0.4, 2.}})
    {
      for (const SamplerKind kind : kSamplers)
      {
        // Tolerances of the standard deviation, relative, and of the mean, in standard deviations.
        const double coarse = kind == SamplerKind::DpmSolver ? 0.06 : 0.4;
        for (const auto& [steps, tolerance] : {std::pair(20, coarse), std::pair(kTimesteps, 0.02)})
        {
          const auto plan = Plan(schedule, kind, steps);
          const Moments sampled = Sampled(schedule, plan, data);
          // The last step gives the posterior mean, which varies less than the data.
          const double alphaBar = schedule.AlphaBar(plan.back().m_From);
          const double shrinkage = std::sqrt(alphaBar) * data.m_Sd / data.NoisedSd(alphaBar);
          const std::string where = hud::ToString(scheduleKind) + " " + hud::ToString(kind) + " " +
                                    std::to_string(steps) + " sd " + std::to_string(data.m_Sd);
          EXPECT_NEAR(std::sqrt(sampled.m_Variance) / data.m_Sd, shrinkage, tolerance) << where;
          // Noise without the trace of a mean that is left at T.
          EXPECT_NEAR((sampled.m_Mean - data.m_Mean) / data.m_Sd, 0., 0.02) << where;
        }
      }
    }
  }
}

/// Data from two narrow Gaussians, as abundances of 0 and others are.
struct Spikes
{
  static constexpr double kWeights[] = {0.7, 0.3};
  static constexpr double kMeans[] = {-0.65, 1.52};
  static constexpr double kSd = 0.03;

  static double Estimate(double value, double alphaBar)
  {
    const double variance = alphaBar * kSd * kSd + 1. - alphaBar;
    const double signal = std::sqrt(alphaBar);
    // Of the second, as a logistic function: the densities themselves vanish far from both.
    const auto logDensity = [&](int i) {
      return std::log(kWeights[i]) - std::pow(value - signal * kMeans[i], 2) / (2. * variance);
    };
    const double second = 1. / (1. + std::exp(logDensity(0) - logDensity(1)));
    const double gain = signal * kSd * kSd / variance;
    const auto estimate = [&](int i) { return kMeans[i] + gain * (value - signal * kMeans[i]); };
    return (1. - second) * estimate(0) + second * estimate(1);
  }

  static double Distribution(double value)
  {
    double sum = 0.;
    for (const int i : {0, 1})
    {
      sum += kWeights[i] * 0.5 * std::erfc((kMeans[i] - value) / (std::sqrt(2.) * kSd));
    }
    return sum;
  }
};

/// Returns the mean distance between the distribution function of what a plan makes of N(0, 1) and that of the data: their
/// Wasserstein distance.
double DistanceToSpikes(const NoiseSchedule& schedule, const std::vector<SamplerStep>& plan)
{
  constexpr int kBins = 20000;
  std::vector<double> sampled(kBins + 1, 0.);
  constexpr double kLow = -3.;
  constexpr double kWidth = 6. / kBins;
  constexpr int kNoises = 2000;
  double mass = 0.;
  for (int i = 0; i < kNoises; ++i)
  {
    const double noise = -5. + 10. * (i + 0.5) / kNoises;
    const double density = std::exp(-0.5 * noise * noise);
    const double value = Follow(schedule, plan, noise, Spikes::Estimate);
    sampled[static_cast<std::size_t>(std::clamp((value - kLow) / kWidth, 0., static_cast<double>(kBins)))] += density;
    mass += density;
  }
  double distance = 0.;
  double below = 0.;
  for (int bin = 0; bin < kBins; ++bin)
  {
    below += sampled[static_cast<std::size_t>(bin)] / mass;
    distance += std::abs(below - Spikes::Distribution(kLow + kWidth * (bin + 1))) * kWidth;
  }
  return distance;
}

TEST(Sampler, DpmSolverIsNearerToSpikyDataThanDdim)
{
  for (const ScheduleKind kind : kSchedules)
  {
    const NoiseSchedule schedule(kind, kTimesteps);
    for (const int steps : {10, 20}) // with more, the last step alone decides
    {
      const double solver = DistanceToSpikes(schedule, Plan(schedule, SamplerKind::DpmSolver, steps));
      const double ddim = DistanceToSpikes(schedule, Plan(schedule, SamplerKind::Ddim, steps));
      EXPECT_LT(solver, 0.8 * ddim) << hud::ToString(kind) << " " << steps;
    }
  }
}

TEST(Sampler, AllSamplersAgreeAsStepsGrow)
{
  const NoiseSchedule schedule = Schedule();
  const auto solver = DistanceToSpikes(schedule, Plan(schedule, SamplerKind::DpmSolver, kTimesteps));
  const auto ddim = DistanceToSpikes(schedule, Plan(schedule, SamplerKind::Ddim, kTimesteps));
  EXPECT_LT(solver, 0.01);
  EXPECT_NEAR(solver, ddim, 0.003);
}

std::string Refusal(const SamplerOptions& options)
{
  try
  {
    hud::PlanSampler(Schedule(), options);
  }
  catch (const hud::InvalidOption& error)
  {
    return error.what();
  }
  return "no error";
}

TEST(Sampler, RefusesOptionsOutsideTheirRanges)
{
  for (const int steps : {-1, 0, kTimesteps + 1})
  {
    EXPECT_EQ(Refusal({SamplerKind::Ddim, steps, 0.}), "the number of sampling steps is " + std::to_string(steps) +
                                                           ", expected 1 to 1000, the model's number of timesteps");
  }
  for (const double eta : {-0.1, 1.1, std::nan("")})
  {
    EXPECT_NE(Refusal({SamplerKind::Ddim, 20, eta}).find("expected 0 to 1"), std::string::npos) << eta;
  }
  for (const SamplerKind kind : {SamplerKind::DpmSolver, SamplerKind::Ddpm})
  {
    const std::string message = Refusal({kind, 20, 0.5});
    EXPECT_NE(message.find("only ddim"), std::string::npos) << message;
    EXPECT_NE(message.find(hud::ToString(kind)), std::string::npos) << message;
  }
}

TEST(Sampler, NamesAreReadBackAndUnknownOnesRefused)
{
  for (const SamplerKind kind : kSamplers)
  {
    EXPECT_EQ(hud::ParseSamplerKind(hud::ToString(kind)), kind);
  }
  EXPECT_EQ(hud::ToString(SamplerOptions().m_Kind), "dpmpp");
  try
  {
    hud::ParseSamplerKind("euler");
    FAIL() << "no error";
  }
  catch (const hud::InvalidOption& error)
  {
    EXPECT_STREQ(error.what(), "the sampler is 'euler', expected one of: dpmpp, ddim, ddpm");
  }
}

} // namespace
