// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "UNet.h"

#include <gtest/gtest.h>

namespace
{

hud::NetworkOptions SmallNetwork()
{
  hud::NetworkOptions options;
  options.m_Width = 8;
  options.m_Multipliers = {1, 2, 3};
  options.m_Blocks = 1;
  return options;
}

TEST(UNet, KeepsTheShapeOfItsInput)
{
  hud::UNet network(3, SmallNetwork(), 5);
  const torch::Tensor output = network(torch::randn({2, 3, 8, 12}), torch::tensor({0.1f, 0.9f}));
  EXPECT_EQ(output.sizes(), (torch::IntArrayRef{2, 3, 8, 12}));
  EXPECT_TRUE(torch::isfinite(output).all().item<bool>());
}

TEST(UNet, GradientReachesEveryParameter)
{
  hud::UNet network(3, SmallNetwork(), 5);
  {
    // Layers that start at zero would stop the gradient.
    const torch::NoGradGuard noGradient;
    torch::manual_seed(4);
    for (const auto& parameter : network->parameters())
    {
      parameter.add_(0.05 * torch::randn_like(parameter));
    }
  }
  torch::manual_seed(3);
  network(torch::randn({2, 3, 8, 12}), torch::tensor({0.2f, 0.7f})).square().sum().backward();
  for (const auto& parameter : network->named_parameters())
  {
    ASSERT_TRUE(parameter.value().grad().defined()) << parameter.key();
    EXPECT_GT(parameter.value().grad().abs().max().item<double>(), 0.) << parameter.key();
  }
}

TEST(UNet, InitialWeightsDependOnTheSeedOnly)
{
  torch::manual_seed(1);
  hud::UNet first(3, SmallNetwork(), 5);
  torch::manual_seed(2);
  hud::UNet second(3, SmallNetwork(), 5);
  hud::UNet other(3, SmallNetwork(), 6);
  bool differs = false;
  for (const auto& parameter : first->named_parameters())
  {
    EXPECT_TRUE(torch::equal(parameter.value(), second->named_parameters()[parameter.key()])) << parameter.key();
    differs = differs || !torch::equal(parameter.value(), other->named_parameters()[parameter.key()]);
  }
  EXPECT_TRUE(differs);
}

TEST(UNet, InitialWeightsOfDifferentLayersDiffer)
{
  hud::UNet network(3, SmallNetwork(), 5);
  const auto parameters = network->named_parameters();
  EXPECT_FALSE(torch::equal(parameters["middle1.convolution1.weight"], parameters["middle2.convolution1.weight"]));
  EXPECT_LT(parameters["middle1.convolution1.weight"].mean().abs().item<double>(), 0.01);
}

TEST(UNet, SeesTheTimestep)
{
  hud::UNet network(3, SmallNetwork(), 5);
  {
    const torch::NoGradGuard noGradient;
    for (const auto& parameter : network->parameters())
    {
      parameter.add_(0.05 * torch::randn_like(parameter));
    }
  }
  const torch::Tensor input = torch::randn({1, 3, 8, 12});
  EXPECT_FALSE(torch::allclose(network(input, torch::tensor({0.1f})), network(input, torch::tensor({0.6f}))));
}

TEST(UNet, WorksWithoutAttentionAndWithOneLevel)
{
  hud::NetworkOptions options = SmallNetwork();
  options.m_Attention = false;
  options.m_Multipliers = {2};
  hud::UNet network(4, options, 1);
  EXPECT_EQ(network(torch::randn({1, 4, 5, 7}), torch::tensor({0.5f})).sizes(), (torch::IntArrayRef{1, 4, 5, 7}));
}

} // namespace
