// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/diffusion/NoiseSchedule.h"

#include "hud/core/Error.h"

#include <gtest/gtest.h>

#include <cmath>

namespace
{

TEST(NoiseSchedule, LinearBetaHasThePublishedEnds)
{
  const hud::NoiseSchedule schedule(hud::ScheduleKind::Linear, 1000);
  EXPECT_EQ(schedule.Timesteps(), 1000);
  EXPECT_DOUBLE_EQ(schedule.Beta(1), 1e-4);
  EXPECT_DOUBLE_EQ(schedule.Beta(1000), 0.02);
  EXPECT_NEAR(schedule.Beta(500), 1e-4 + 499. / 999. * (0.02 - 1e-4), 1e-15);
}

TEST(NoiseSchedule, AlphaBarIsTheProductOfOneMinusBeta)
{
  const hud::NoiseSchedule schedule(hud::ScheduleKind::Linear, 1000);
  EXPECT_DOUBLE_EQ(schedule.AlphaBar(0), 1.);
  double logarithm = 0.;
  for (int t = 1; t <= 1000; ++t)
  {
    logarithm += std::log1p(-schedule.Beta(t));
    ASSERT_NEAR(schedule.AlphaBar(t) / std::exp(logarithm), 1., 1e-12) << t;
  }
}

TEST(NoiseSchedule, PosteriorVarianceIsThatOfTwoGaussiansMultiplied)
{
  // 1 / variance = alpha_t / beta_t + 1 / (1 - alphaBar_{t-1}), from Bayes' rule.
  const hud::NoiseSchedule schedule(hud::ScheduleKind::Linear, 300);
  EXPECT_DOUBLE_EQ(schedule.PosteriorVariance(1), 0.);
  for (int t = 2; t <= 300; ++t)
  {
    const double precision = (1. - schedule.Beta(t)) / schedule.Beta(t) + 1. / (1. - schedule.AlphaBar(t - 1));
    ASSERT_NEAR(schedule.PosteriorVariance(t) * precision, 1., 1e-10) << t;
  }
}

TEST(NoiseSchedule, EndsWithTheSameNoiseWhateverTheNumberOfTimesteps)
{
  const double full = hud::NoiseSchedule(hud::ScheduleKind::Linear, 1000).AlphaBar(1000);
  const double few = hud::NoiseSchedule(hud::ScheduleKind::Linear, 200).AlphaBar(200);
  EXPECT_NEAR(std::log(few) / std::log(full), 1., 0.1);
}

TEST(NoiseSchedule, RefusesTooFewTimestepsAndUnknownNames)
{
  EXPECT_THROW(hud::NoiseSchedule(hud::ScheduleKind::Linear, 1), hud::InvalidOption);
  EXPECT_EQ(hud::ParseScheduleKind("linear"), hud::ScheduleKind::Linear);
  try
  {
    hud::ParseScheduleKind("quadratic");
    FAIL() << "no error";
  }
  catch (const hud::InvalidOption& error)
  {
    EXPECT_NE(std::string(error.what()).find("quadratic"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("linear"), std::string::npos);
  }
}

} // namespace
