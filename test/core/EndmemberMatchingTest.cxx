// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/EndmemberMatching.h"

#include "ErrorMessage.h"
#include "RandomMatrix.h"
#include "hud/core/Error.h"
#include "hud/core/SyntheticScene.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

namespace
{

using hud::MatchEndmembers;
using hud::SpectralAngle;
using hud::test::MessageOf;
using hud::test::Says;
using hud::test::UniformMatrix;
using Order = std::vector<Eigen::Index>;

double SumOfAngles(const Eigen::MatrixXd& reference, const Eigen::MatrixXd& endmembers, const Order& order)
{
  double sum = 0.;
  for (std::size_t k = 0; k < order.size(); ++k)
  {
    sum += SpectralAngle(reference.col(static_cast<Eigen::Index>(k)), endmembers.col(order[k]));
  }
  return sum;
}

double LeastSumOfAngles(const Eigen::MatrixXd& reference, const Eigen::MatrixXd& endmembers)
{
  Order order(static_cast<std::size_t>(reference.cols()));
  std::iota(order.begin(), order.end(), 0);
  double least = std::numeric_limits<double>::infinity();
  do
  {
    least = std::min(least, SumOfAngles(reference, endmembers, order));
  }
  while (std::next_permutation(order.begin(), order.end()));
  return least;
}

bool IsPermutation(Order order)
{
  std::sort(order.begin(), order.end());
  Order counted(order.size());
  std::iota(counted.begin(), counted.end(), 0);
  return order == counted;
}

} // namespace

TEST(EndmemberMatching, FindsAPermutationOfScaledSpectra)
{
  const Eigen::MatrixXd reference = UniformMatrix(11, 5, 1);
  const Order truth = {3, 0, 4, 1, 2};
  Eigen::MatrixXd endmembers(11, 5);
  for (Eigen::Index k = 0; k < 5; ++k)
  {
    endmembers.col(truth[static_cast<std::size_t>(k)]) = (0.3 + static_cast<double>(k)) * reference.col(k);
  }
  EXPECT_EQ(MatchEndmembers(reference, endmembers), truth);
}

TEST(EndmemberMatching, HasTheLeastSumOfAllPermutations)
{
  for (const Eigen::Index count : {1, 2, 3, 5, 7})
  {
    for (std::uint64_t seed = 0; seed < 12; ++seed)
    {
      SCOPED_TRACE(testing::Message() << count << " endmembers, seed " << seed);
      // Signs of both kinds, so that angles reach from 0 to pi.
      const Eigen::MatrixXd reference = UniformMatrix(9, count, 2 * seed, -0.3, 1.);
      const Eigen::MatrixXd endmembers = UniformMatrix(9, count, 2 * seed + 1, -0.3, 1.);
      const Order order = MatchEndmembers(reference, endmembers);
      ASSERT_EQ(order.size(), static_cast<std::size_t>(count));
      ASSERT_TRUE(IsPermutation(order));
      EXPECT_NEAR(SumOfAngles(reference, endmembers, order), LeastSumOfAngles(reference, endmembers), 1e-12);
    }
  }
}

// By hand, in the plane: the reference at 0 and 50 degrees, endmembers at 40 and 100. The nearest pair, 50 and 40, would
// leave 0 to 100: 110 degrees in all, where 40 + 50 = 90 can be had.
TEST(EndmemberMatching, DoesNotTakeTheNearestPairFirst)
{
  const double degree = std::acos(-1.) / 180.;
  Eigen::MatrixXd reference(2, 2);
  reference << 1., std::cos(50. * degree), 0., std::sin(50. * degree);
  Eigen::MatrixXd endmembers(2, 2);
  endmembers << std::cos(100. * degree), std::cos(40. * degree), std::sin(100. * degree), std::sin(40. * degree);
  EXPECT_EQ(MatchEndmembers(reference, endmembers), (Order{1, 0}));
}

TEST(EndmemberMatching, ManyEndmembersAreMatchedInTime)
{
  const Eigen::Index count = 120;
  const Eigen::MatrixXd reference = UniformMatrix(150, count, 3);
  const Order order = MatchEndmembers(reference, reference.rowwise().reverse() + 0.01 * UniformMatrix(150, count, 4));
  ASSERT_TRUE(IsPermutation(order));
  for (Eigen::Index k = 0; k < count; ++k)
  {
    ASSERT_EQ(order[static_cast<std::size_t>(k)], count - 1 - k);
  }
}

TEST(EndmemberMatching, ShadeGoesToShade)
{
  Eigen::MatrixXd reference = UniformMatrix(6, 3, 5, 0.1, 1.);
  reference.col(0).setZero();
  Eigen::MatrixXd endmembers(6, 3);
  endmembers << reference.col(2), reference.col(1), Eigen::VectorXd::Zero(6);
  EXPECT_EQ(MatchEndmembers(reference, endmembers), (Order{2, 1, 0}));
}

TEST(EndmemberMatching, ShadeWithoutCounterpartTakesWhatIsLeft)
{
  const Eigen::MatrixXd reference = UniformMatrix(6, 3, 6, 0.1, 1.);
  Eigen::MatrixXd endmembers = reference;
  endmembers.col(1).setZero();
  EXPECT_EQ(MatchEndmembers(reference, endmembers), (Order{0, 1, 2}));
}

TEST(EndmemberMatching, OtherShapesAreRefused)
{
  const Eigen::MatrixXd reference = UniformMatrix(6, 3, 7);
  const std::string bands = MessageOf<hud::InvalidData>([&] { MatchEndmembers(reference, UniformMatrix(5, 3, 8)); });
  EXPECT_TRUE(Says(bands, "3 endmembers of 5 bands")) << bands;
  EXPECT_TRUE(Says(bands, "3 endmembers of 6 bands")) << bands;
  const std::string count = MessageOf<hud::InvalidData>([&] { MatchEndmembers(reference, UniformMatrix(6, 4, 8)); });
  EXPECT_TRUE(Says(count, "4 endmembers of 6 bands")) << count;
}

TEST(EndmemberMatching, ValuesThatAreNotFiniteAreRefused)
{
  const Eigen::MatrixXd good = UniformMatrix(6, 3, 9);
  Eigen::MatrixXd bad = good;
  bad(4, 1) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(Says(MessageOf<hud::InvalidData>([&] { MatchEndmembers(good, bad); }), "the endmembers have"));
  bad(4, 1) = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(Says(MessageOf<hud::InvalidData>([&] { MatchEndmembers(bad, good); }), "the reference has"));
}
