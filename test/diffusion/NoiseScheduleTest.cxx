// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/diffusion/NoiseSchedule.h"

#include "hud/core/Error.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace
{

constexpr hud::ScheduleKind kKinds[] = {hud::ScheduleKind::Linear, hud::ScheduleKind::Cosine,
                                        hud::ScheduleKind::Pastorino};

TEST(NoiseSchedule, LinearBetaHasThePublishedEnds)
{
  const hud::NoiseSchedule schedule(hud::ScheduleKind::Linear, 1000);
  EXPECT_EQ(schedule.Timesteps(), 1000);
  EXPECT_DOUBLE_EQ(schedule.Beta(1), 1e-4);
  EXPECT_DOUBLE_EQ(schedule.Beta(1000), 0.02);
  EXPECT_NEAR(schedule.Beta(500), 1e-4 + 499. / 999. * (0.02 - 1e-4), 1e-15);
}

TEST(NoiseSchedule, PastorinoBetaHasThePublishedEnds)
{
  const hud::NoiseSchedule schedule(hud::ScheduleKind::Pastorino, 2000);
  EXPECT_DOUBLE_EQ(schedule.Beta(1), 1e-6);
  EXPECT_DOUBLE_EQ(schedule.Beta(2000), 1e-2);
  EXPECT_NEAR(schedule.Beta(500), 1e-6 + 499. / 1999. * (1e-2 - 1e-6), 1e-15);
  EXPECT_DOUBLE_EQ(hud::NoiseSchedule(hud::ScheduleKind::Pastorino, 500).Beta(500), 4e-2);
}

TEST(NoiseSchedule, CosineAlphaBarIsTheSquaredCosine)
{
  // cos^2(x) = (1 + cos(2 x)) / 2, so that the test does not repeat the code.
  const auto published = [](double time) { return 1. + std::cos(std::acos(-1.) * (time + 0.008) / 1.008); };
  for (const int timesteps : {2, 37, 1000})
  {
    const hud::NoiseSchedule schedule(hud::ScheduleKind::Cosine, timesteps);
    for (int t = 0; t < timesteps; ++t)
    {
      const double expected = published(static_cast<double>(t) / timesteps) / published(0.);
      ASSERT_NEAR(schedule.AlphaBar(t) / expected, 1., 1e-9) << t << " of " << timesteps;
    }
    // The cosine ends at 0, where no sample is left to be found; the largest beta keeps a thousandth.
    EXPECT_DOUBLE_EQ(schedule.Beta(timesteps), 0.999);
    EXPECT_NEAR(schedule.AlphaBar(timesteps) / schedule.AlphaBar(timesteps - 1), 1e-3, 1e-12);
  }
}

TEST(NoiseSchedule, AlphaBarIsTheProductOfOneMinusBeta)
{
  for (const hud::ScheduleKind kind : kKinds)
  {
    const hud::NoiseSchedule schedule(kind, 1000);
    EXPECT_DOUBLE_EQ(schedule.AlphaBar(0), 1.);
    double logarithm = 0.;
    for (int t = 1; t <= 1000; ++t)
    {
      logarithm += std::log1p(-schedule.Beta(t));
      ASSERT_NEAR(schedule.AlphaBar(t) / std::exp(logarithm), 1., 1e-12) << hud::ToString(kind) << " " << t;
    }
  }
}

TEST(NoiseSchedule, GrowsFromLittleNoiseToAlmostNothingElse)
{
  for (const hud::ScheduleKind kind : kKinds)
  {
    for (const int timesteps : {2, 3, 10, 97, 1000, 2000, 100000})
    {
      const hud::NoiseSchedule schedule(kind, timesteps);
      for (int t = 1; t <= timesteps; ++t)
      {
        ASSERT_GT(schedule.Beta(t), 0.) << hud::ToString(kind) << " " << t << " of " << timesteps;
        ASSERT_LE(schedule.Beta(t), 0.999) << hud::ToString(kind) << " " << t << " of " << timesteps;
        ASSERT_GE(schedule.Beta(t), t > 1 ? schedule.Beta(t - 1) : 0.)
            << hud::ToString(kind) << " " << t << " of " << timesteps;
        ASSERT_LT(schedule.AlphaBar(t), schedule.AlphaBar(t - 1))
            << hud::ToString(kind) << " " << t << " of " << timesteps;
      }
      EXPECT_GT(schedule.AlphaBar(timesteps), 0.);
      EXPECT_LT(schedule.AlphaBar(timesteps), 1e-3) << hud::ToString(kind) << " " << timesteps;
    }
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

TEST(NoiseSchedule, IsTheSameWhateverTheNumberOfTimesteps)
{
  for (const hud::ScheduleKind kind : kKinds)
  {
    const hud::NoiseSchedule few(kind, 200);
    const hud::NoiseSchedule many(kind, 3000);
    for (int t = 1; t < 200; ++t)
    {
      ASSERT_NEAR(few.AlphaBar(t), many.AlphaBar(15 * t), 0.01) << hud::ToString(kind) << " " << t;
    }
  }
  for (const hud::ScheduleKind kind : {hud::ScheduleKind::Linear, hud::ScheduleKind::Pastorino})
  {
    const double full = hud::NoiseSchedule(kind, 2000).AlphaBar(2000);
    const double few = hud::NoiseSchedule(kind, 200).AlphaBar(200);
    EXPECT_NEAR(std::log(few) / std::log(full), 1., 0.1) << hud::ToString(kind);
  }
}

TEST(NoiseSchedule, NamesAreReadBack)
{
  for (const hud::ScheduleKind kind : kKinds)
  {
    EXPECT_EQ(hud::ParseScheduleKind(hud::ToString(kind)), kind);
  }
  EXPECT_EQ(hud::ToString(hud::ScheduleKind::Linear), "linear");
  EXPECT_EQ(hud::ToString(hud::ScheduleKind::Cosine), "cosine");
  EXPECT_EQ(hud::ToString(hud::ScheduleKind::Pastorino), "pastorino");
}

TEST(NoiseSchedule, RefusesTooFewTimestepsAndUnknownNames)
{
  for (const hud::ScheduleKind kind : kKinds)
  {
    EXPECT_THROW(hud::NoiseSchedule(kind, 1), hud::InvalidOption);
    EXPECT_THROW(hud::NoiseSchedule(kind, 100001), hud::InvalidOption);
  }
  try
  {
    hud::ParseScheduleKind("quadratic");
    FAIL() << "no error";
  }
  catch (const hud::InvalidOption& error)
  {
    EXPECT_STREQ(error.what(), "the noise schedule is 'quadratic', expected one of: linear, cosine, pastorino");
  }
}

} // namespace
