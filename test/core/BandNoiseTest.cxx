// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/BandNoise.h"

#include "hud/core/Error.h"

#include "core/ErrorMessage.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace
{

using hud::BandNoise;
using hud::NoiseDeviations;
using hud::test::MessageOf;
using hud::test::Says;

void ExpectSays(const std::string& message, const std::vector<std::string>& texts)
{
  for (const std::string& text : texts)
  {
    EXPECT_TRUE(Says(message, text)) << message;
  }
}

TEST(NoiseDeviations, AreTheSizeOfTheSignalOverTheRatio)
{
  EXPECT_EQ(NoiseDeviations(Eigen::Vector3d(6., -2., 0.), Eigen::Vector3d(3., 8., 5.)), Eigen::Vector3d(2., 0.25, 0.));
}

TEST(NoiseDeviations, RefuseWhatIsNoRatio)
{
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinite = std::numeric_limits<double>::infinity();
  const std::pair<double, const char*> cases[] = {
      {0., " is 0,"}, {-3., " is -3,"}, {nan, " is nan,"}, {infinite, " is inf,"}};
  for (const auto& [ratio, text] : cases)
  {
    ExpectSays(MessageOf<hud::InvalidOption>(
                   [r = ratio] { NoiseDeviations(Eigen::Vector2d(1., 1.), Eigen::Vector2d(1., r)); }),
               {"signal to noise of band 2", text, "above 0"});
  }
  ExpectSays(MessageOf<hud::InvalidData>([] { NoiseDeviations(Eigen::Vector2d(1., 1.), Eigen::Vector3d(1., 1., 1.)); }),
             {"3 ratios", "2 bands"});
  ExpectSays(MessageOf<hud::InvalidData>([nan] { NoiseDeviations(Eigen::Vector2d(1., nan), Eigen::Vector2d(1., 1.)); }),
             {"mean signal of band 2"});
}

TEST(BandNoise, HasTheDeviationsAskedForAndIsIndependent)
{
  const Eigen::Vector3d deviations(0.5, 0., 20.);
  const BandNoise noise(deviations, 11);
  constexpr Eigen::Index kPixels = 200000;
  Eigen::MatrixXf drawn(3, kPixels);
  noise.Draw(0, 5, drawn);
  const Eigen::MatrixXd values = drawn.cast<double>();
  const Eigen::MatrixXd covariance = values * values.transpose() / double(kPixels);
  EXPECT_NEAR(std::sqrt(covariance(0, 0)) / 0.5, 1., 0.01);
  EXPECT_EQ(covariance(1, 1), 0.);
  EXPECT_NEAR(std::sqrt(covariance(2, 2)) / 20., 1., 0.01);
  EXPECT_LT(std::abs(covariance(0, 2)) / 10., 0.01);
  EXPECT_LT(std::abs(values.row(0).mean()) / 0.5, 0.01);
  // Neighbours do not depend on each other.
  EXPECT_LT(std::abs(values.row(2).head(kPixels - 1).dot(values.row(2).tail(kPixels - 1))) / kPixels / 400., 0.01);
}

TEST(BandNoise, DependsOnSeedAndPlaceOnly)
{
  const Eigen::VectorXd deviations = Eigen::VectorXd::LinSpaced(7, 1., 2.);
  const BandNoise noise(deviations, 3);
  Eigen::MatrixXf line(7, 10);
  noise.Draw(4, 9, line);
  Eigen::MatrixXf part(7, 3);
  noise.Draw(6, 9, part);
  EXPECT_EQ(part, line.middleCols(2, 3));
  noise.Draw(6, 8, part);
  EXPECT_NE(part, line.middleCols(2, 3));
  BandNoise(deviations, 4).Draw(6, 9, part);
  EXPECT_NE(part, line.middleCols(2, 3));
}

TEST(BandNoise, RefusesDeviationsAndShapesThatDoNotFit)
{
  ExpectSays(MessageOf<hud::InvalidData>([] { BandNoise(Eigen::Vector2d(1., -0.5), 0); }),
             {"noise of band 2", "-0.5", "at least 0"});
  Eigen::MatrixXf noise(3, 4);
  ExpectSays(MessageOf<hud::InvalidData>([&] { BandNoise(Eigen::Vector2d(1., 1.), 0).Draw(0, 0, noise); }),
             {"3 bands", "2 bands"});
}

} // namespace
