// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/InceptionScore.h"

#include "ErrorMessage.h"
#include "RandomMatrix.h"
#include "hud/core/Error.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace
{

using hud::InceptionScore;
using hud::InvalidData;
using hud::test::MessageOf;
using hud::test::Says;

// Image i is surely of class i % classes.
Eigen::MatrixXd SureOfOne(Eigen::Index classes, Eigen::Index images)
{
  return Eigen::MatrixXd::NullaryExpr(
      classes, images, [&](Eigen::Index k, Eigen::Index image) { return image % classes == k ? 1. : 0.; });
}

} // namespace

TEST(InceptionScore, OfImagesThatAreAllAlikeIsOne)
{
  EXPECT_NEAR(InceptionScore(Eigen::MatrixXd::Constant(5, 7, 0.2)), 1., 1e-12);
  EXPECT_NEAR(InceptionScore(hud::test::UniformAbundances(5, 1, 1).replicate(1, 7)), 1., 1e-12);
  EXPECT_EQ(InceptionScore(SureOfOne(4, 1).replicate(1, 3)), 1.);
}

TEST(InceptionScore, OfSureImagesEvenlyOverTheClassesIsTheirNumber)
{
  EXPECT_NEAR(InceptionScore(SureOfOne(4, 12)), 4., 1e-12);
  EXPECT_NEAR(InceptionScore(SureOfOne(7, 7)), 7., 1e-12);
}

TEST(InceptionScore, OfSureImagesIsThePerplexityOfTheirClasses)
{
  // Classes 0, 1, 0, 1, 0: exp of the entropy of (3/5, 2/5); the third class is not there.
  Eigen::MatrixXd probabilities = Eigen::MatrixXd::Zero(3, 5);
  probabilities.topRows(2) = SureOfOne(2, 5);
  EXPECT_NEAR(InceptionScore(probabilities), std::exp(-0.6 * std::log(0.6) - 0.4 * std::log(0.4)), 1e-12);
}

TEST(InceptionScore, OfTwoMirroredImagesIsTheClosedForm)
{
  // The mean is even, so the divergence of either is ln 2 less its entropy.
  constexpr double kShare = 0.2;
  Eigen::MatrixXd probabilities(2, 2);
  probabilities << kShare, 1. - kShare, 1. - kShare, kShare;
  const double entropy = -kShare * std::log(kShare) - (1. - kShare) * std::log(1. - kShare);
  EXPECT_NEAR(InceptionScore(probabilities), 2. * std::exp(-entropy), 1e-12);
}

TEST(InceptionScore, DoesNotDependOnTheOrderOfImagesOrClasses)
{
  const Eigen::MatrixXd probabilities = hud::test::UniformAbundances(4, 9, 3);
  const double score = InceptionScore(probabilities);
  EXPECT_GT(score, 1.01);
  EXPECT_LT(score, 4.);
  EXPECT_NEAR(InceptionScore(probabilities.rowwise().reverse()), score, 1e-12);
  EXPECT_NEAR(InceptionScore(probabilities.colwise().reverse()), score, 1e-12);
  EXPECT_NEAR(InceptionScore(probabilities.replicate(1, 3)), score, 1e-12);
}

TEST(InceptionScore, TakesSumsThatSinglePrecisionLeaves)
{
  const Eigen::MatrixXd probabilities = hud::test::UniformAbundances(6, 11, 4);
  EXPECT_NEAR(InceptionScore(probabilities.cast<float>().cast<double>()), InceptionScore(probabilities), 1e-6);
}

TEST(InceptionScore, RefusesWhatIsNoSetOfProbabilities)
{
  const Eigen::MatrixXd good = hud::test::UniformAbundances(3, 5, 2);
  const auto message = [](const Eigen::MatrixXd& probabilities) {
    return MessageOf<InvalidData>([&] { InceptionScore(probabilities); });
  };
  EXPECT_EQ(message(good), "no error");
  EXPECT_TRUE(Says(message(Eigen::MatrixXd(3, 0)), "3 classes for 0 images"));
  EXPECT_TRUE(Says(message(Eigen::MatrixXd(0, 5)), "0 classes for 5 images"));
  Eigen::MatrixXd bad = good;
  bad.col(3) *= 1.01;
  EXPECT_TRUE(Says(message(bad), "image 4 of 5"));
  EXPECT_TRUE(Says(message(bad), "sum 1.01"));
  bad = good;
  bad(0, 2) = -0.25;
  bad(1, 2) += good(0, 2) + 0.25;
  EXPECT_TRUE(Says(message(bad), "from -0.25"));
  bad = good;
  bad(2, 1) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(Says(message(bad), "image 2 of 5"));
}
