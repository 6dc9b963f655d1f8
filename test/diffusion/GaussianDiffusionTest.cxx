// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "GaussianDiffusion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace
{

hud::GaussianDiffusion MakeDiffusion(hud::Prediction prediction, double dataSd = 0.2)
{
  hud::TrainingOptions options;
  options.m_Prediction = prediction;
  options.m_PreconditioningSd = dataSd;
  return hud::GaussianDiffusion(options, torch::kCPU);
}

class GaussianDiffusion : public testing::TestWithParam<hud::Prediction>
{
};

TEST_P(GaussianDiffusion, NoisedSamplesHaveTheMomentsOfTheForwardProcess)
{
  torch::manual_seed(1);
  const hud::NoiseSchedule schedule(hud::ScheduleKind::Linear, 1000);
  for (const int t : {1, 200, 700, 1000})
  {
    const torch::Tensor clean = torch::full({7, 3, 50, 40}, 1.7);
    const torch::Tensor timesteps = torch::full({7}, t, torch::kInt64);
    const torch::Tensor noised =
        MakeDiffusion(GetParam()).AddNoise(clean, torch::randn_like(clean), timesteps).to(torch::kFloat64);
    ASSERT_EQ(noised.sizes(), clean.sizes());
    const double sd = std::sqrt(1. - schedule.AlphaBar(t));
    EXPECT_NEAR(noised.mean().item<double>(), std::sqrt(schedule.AlphaBar(t)) * 1.7, 5. * sd / std::sqrt(42000.));
    EXPECT_NEAR(noised.std().item<double>(), sd, 0.02 * sd);
  }
}

TEST_P(GaussianDiffusion, TheTargetGivesTheCleanSampleBack)
{
  torch::manual_seed(2);
  const auto diffusion = MakeDiffusion(GetParam());
  const torch::Tensor clean = torch::randn({5, 3, 4, 6});
  const torch::Tensor noise = torch::randn({5, 3, 4, 6});
  const torch::Tensor timesteps = torch::tensor({1, 10, 100, 400, 700}, torch::kInt64);
  const torch::Tensor noised = diffusion.AddNoise(clean, noise, timesteps);
  const torch::Tensor target = diffusion.Target(clean, noise, timesteps);
  EXPECT_LT((diffusion.EstimateClean(noised, target, timesteps) - clean).abs().max().item<double>(), 1e-4);
}

TEST_P(GaussianDiffusion, TheLossCountsByTheSignalToNoiseRatio)
{
  hud::TrainingOptions options;
  options.m_Prediction = GetParam();
  const torch::Tensor timesteps = torch::tensor({1, 30, 400, 1000}, torch::kInt64);
  const hud::GaussianDiffusion none(options, torch::kCPU);
  EXPECT_TRUE(torch::equal(none.LossWeight(timesteps), torch::ones({4})));
  options.m_Weighting = hud::LossWeighting::MinSnr;
  const torch::Tensor weights = hud::GaussianDiffusion(options, torch::kCPU).LossWeight(timesteps);
  ASSERT_EQ(weights.sizes(), timesteps.sizes());
  const hud::NoiseSchedule schedule(options.m_Schedule, options.m_Timesteps);
  for (int i = 0; i < 4; ++i)
  {
    const double alphaBar = schedule.AlphaBar(timesteps[i].item<int>());
    const double snr = alphaBar / (1. - alphaBar);
    const double expected = std::min(snr, 5.) / (GetParam() == hud::Prediction::Epsilon ? snr : snr + 1.);
    EXPECT_NEAR(weights[i].item<double>(), expected, 1e-6) << i;
  }
}

TEST_P(GaussianDiffusion, TimeIsRelativeToTheLastTimestep)
{
  const torch::Tensor time = MakeDiffusion(GetParam()).RelativeTime(torch::tensor({1, 250, 1000}, torch::kInt64));
  EXPECT_TRUE(torch::allclose(time, torch::tensor({0.001f, 0.25f, 1.f})));
}

TEST_P(GaussianDiffusion, TheOutputIsThePredictionAtUnitDeviationOfTheData)
{
  torch::manual_seed(3);
  const torch::Tensor noised = torch::randn({3, 2, 4, 4});
  const torch::Tensor output = torch::randn({3, 2, 4, 4});
  const torch::Tensor timesteps = torch::tensor({1, 300, 1000}, torch::kInt64);
  EXPECT_TRUE(torch::allclose(MakeDiffusion(GetParam(), 1.).Predict(noised, output, timesteps), output));
}

INSTANTIATE_TEST_SUITE_P(Predictions, GaussianDiffusion,
                         testing::Values(hud::Prediction::Velocity, hud::Prediction::Epsilon),
                         [](const auto& parameter) { return hud::ToString(parameter.param); });

TEST(GaussianDiffusionEpsilon, TheOutputIsThePrediction)
{
  const torch::Tensor output = torch::randn({1, 2, 4, 4});
  const auto diffusion = MakeDiffusion(hud::Prediction::Epsilon, 0.2);
  EXPECT_TRUE(
      torch::allclose(diffusion.Predict(torch::randn_like(output), output, torch::tensor({9}, torch::kInt64)), output));
}

// Of pixels that are independent and normal with that deviation, Z_t says all there is to know of Z_0: the estimate that
// a silent network leaves is the posterior mean, and what a perfect one has to output has mean square one.
TEST(GaussianDiffusionVelocity, ASilentNetworkEstimatesThePosteriorMean)
{
  torch::manual_seed(4);
  const double dataSd = 0.3;
  const auto diffusion = MakeDiffusion(hud::Prediction::Velocity, dataSd);
  const hud::NoiseSchedule schedule(hud::ScheduleKind::Linear, 1000);
  for (const int t : {1, 100, 400, 800})
  {
    const torch::Tensor timesteps = torch::full({1}, t, torch::kInt64);
    const torch::Tensor clean = dataSd * torch::randn({1, 1, 200, 200});
    const torch::Tensor noise = torch::randn_like(clean);
    const torch::Tensor noised = diffusion.AddNoise(clean, noise, timesteps);
    const torch::Tensor silent = diffusion.Predict(noised, torch::zeros_like(noised), timesteps);
    const double signal = schedule.AlphaBar(t);
    const double variance = 1. - signal + signal * dataSd * dataSd;
    const torch::Tensor posteriorMean = std::sqrt(signal) * dataSd * dataSd / variance * noised;
    EXPECT_LT((diffusion.EstimateClean(noised, silent, timesteps) - posteriorMean).abs().max().item<double>(), 1e-5);
    // Predict is linear in the output.
    const torch::Tensor scale = diffusion.Predict(noised, torch::ones_like(noised), timesteps) - silent;
    const torch::Tensor output = (diffusion.Target(clean, noise, timesteps) - silent) / scale;
    EXPECT_NEAR(output.square().mean().item<double>(), 1., 0.05);
  }
}

TEST(GaussianDiffusionVelocity, IsTheDerivativeAlongTheArc)
{
  // With Z = cos(phi) Z_0 + sin(phi) eps, v = dZ / dphi.
  const auto diffusion = MakeDiffusion(hud::Prediction::Velocity);
  const torch::Tensor clean = torch::full({1, 1, 1, 1}, 0.8);
  const torch::Tensor noise = torch::full({1, 1, 1, 1}, -0.6);
  const double signal = hud::NoiseSchedule(hud::ScheduleKind::Linear, 1000).AlphaBar(300);
  const double phi = std::acos(std::sqrt(signal));
  const double step = 1e-4;
  const auto position = [&](double angle) { return std::cos(angle) * 0.8 - std::sin(angle) * 0.6; };
  EXPECT_NEAR(diffusion.Target(clean, noise, torch::tensor({300}, torch::kInt64)).item<double>(),
              (position(phi + step) - position(phi - step)) / (2. * step), 1e-5);
}

} // namespace
