// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/SimplexProjection.h"

#include "ErrorMessage.h"
#include "RandomMatrix.h"
#include "hud/core/Error.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace
{

using hud::SimplexProjection;

constexpr Eigen::Index kPixels = 211;

// Abundances from everywhere on the simplex: its inside, its faces (zeros) and its vertices (the first d pixels).
Eigen::MatrixXf AbundancesWithFacesAndVertices(Eigen::Index endmembers)
{
  Eigen::MatrixXd abundances = hud::test::UniformAbundances(endmembers, kPixels, 7);
  for (Eigen::Index p = 0; p < kPixels; p += 3)
  {
    abundances(p % endmembers, p) = 0.;
    abundances.col(p) /= abundances.col(p).sum();
  }
  abundances.leftCols(endmembers).setIdentity();
  return abundances.cast<float>();
}

void ExpectOnTheSimplex(const Eigen::MatrixXf& abundances)
{
  ASSERT_TRUE(abundances.allFinite());
  EXPECT_GE(abundances.minCoeff(), 0.f);
  EXPECT_LT((abundances.cast<double>().colwise().sum().array() - 1.).abs().maxCoeff(), 1e-6);
}

} // namespace

TEST(SimplexProjection, RoundTripIsEquationSix)
{
  for (const Eigen::Index endmembers : {2, 3, 9, 30})
  {
    for (const double floor : {1., 5., 8., 20.})
    {
      SCOPED_TRACE(testing::Message() << "d " << endmembers << ", floor " << floor);
      const SimplexProjection projection(endmembers, floor);
      const Eigen::MatrixXf abundances = AbundancesWithFacesAndVertices(endmembers);
      Eigen::MatrixXf projected(endmembers, kPixels);
      Eigen::MatrixXf back(endmembers, kPixels);
      projection.Project(abundances, projected);
      projection.Unproject(projected, back);
      ExpectOnTheSimplex(back);
      const double offset = std::exp(-std::log(static_cast<double>(endmembers)) - floor);
      const Eigen::ArrayXXd truth = (abundances.cast<double>().array() + offset) / (1. + std::exp(-floor));
      EXPECT_LT((back.cast<double>().array() - truth).abs().maxCoeff(), 1e-6);
    }
  }
}

TEST(SimplexProjection, TheExactInverseGivesTheAbundancesBack)
{
  for (const Eigen::Index endmembers : {2, 3, 9, 30})
  {
    for (const double floor : {1., 5., 8.})
    {
      SCOPED_TRACE(testing::Message() << "d " << endmembers << ", floor " << floor);
      const SimplexProjection projection(endmembers, floor);
      const Eigen::MatrixXf abundances = AbundancesWithFacesAndVertices(endmembers);
      Eigen::MatrixXf projected(endmembers, kPixels);
      Eigen::MatrixXf back(endmembers, kPixels);
      projection.Project(abundances, projected);
      projection.UnprojectExactly(projected, back);
      ExpectOnTheSimplex(back);
      EXPECT_LT((back - abundances).cwiseAbs().maxCoeff(), 1e-6f);
    }
  }
}

TEST(SimplexProjection, TheExactInverseStaysOnTheSimplexForAnyInput)
{
  const SimplexProjection projection(4, 3.);
  Eigen::MatrixXf projected = 5.f * Eigen::MatrixXf::Random(4, 57);
  projected.col(0).setZero();
  projected.col(1) << 1e4f, -1e4f, 0.f, 1.f;
  Eigen::MatrixXf abundances(4, 57);
  projection.UnprojectExactly(projected, abundances);
  ExpectOnTheSimplex(abundances);
}

TEST(SimplexProjection, IsEquationFour)
{
  const SimplexProjection projection(5, 8.);
  const Eigen::MatrixXf abundances = AbundancesWithFacesAndVertices(5);
  Eigen::MatrixXf projected(5, kPixels);
  projection.Project(abundances, projected);
  ASSERT_TRUE(projected.allFinite());
  const Eigen::ArrayXXd truth = (abundances.cast<double>().array() + std::exp(-std::log(5.) - 8.)).log();
  EXPECT_LT((projected.cast<double>().array() - truth).abs().maxCoeff(), 1e-6);
}

TEST(SimplexProjection, ReachesItsBoundsExactlyAndNeverLeavesThem)
{
  for (const Eigen::Index endmembers : {2, 4, 30})
  {
    for (const double floor : {1., 5., 8., 20.})
    {
      SCOPED_TRACE(testing::Message() << "d " << endmembers << ", floor " << floor);
      const SimplexProjection projection(endmembers, floor);
      EXPECT_EQ(projection.Endmembers(), endmembers);
      const double logEndmembers = std::log(static_cast<double>(endmembers));
      EXPECT_NEAR(projection.LowerBound(), -logEndmembers - floor, 1e-12);
      EXPECT_NEAR(projection.UpperBound(), std::log1p(std::exp(-logEndmembers - floor)), 1e-15);

      Eigen::MatrixXf projected(endmembers, kPixels);
      projection.Project(AbundancesWithFacesAndVertices(endmembers), projected);
      ASSERT_TRUE(projected.allFinite());
      EXPECT_EQ(projected.minCoeff(), static_cast<float>(projection.LowerBound()));
      EXPECT_EQ(projected.maxCoeff(), static_cast<float>(projection.UpperBound()));
      EXPECT_EQ(projected(0, 1), static_cast<float>(projection.LowerBound()));
      EXPECT_EQ(projected(1, 1), static_cast<float>(projection.UpperBound()));
    }
  }
}

TEST(SimplexProjection, UnprojectIgnoresAConstantAddedToAllChannels)
{
  const SimplexProjection projection(6);
  // Multiples of 1/64, so that adding the constants is exact in float.
  const Eigen::MatrixXf projected =
      ((64. * hud::test::UniformMatrix(6, kPixels, 8, -10., 1.)).array().round() / 64.).cast<float>();
  Eigen::MatrixXf truth(6, kPixels);
  projection.Unproject(projected, truth);
  for (const float constant : {-1000.f, -0.5f, 3.25f, 90.f, 1000.f})
  {
    Eigen::MatrixXf shifted(6, kPixels);
    projection.Unproject((projected.array() + constant).matrix(), shifted);
    ASSERT_TRUE(shifted.allFinite()) << constant;
    EXPECT_LT((shifted - truth).cwiseAbs().maxCoeff(), 1e-6f) << constant;
  }
}

TEST(SimplexProjection, UnprojectOfExtremeValuesStaysOnTheSimplex)
{
  for (const float extreme : {100.f, 1e4f, 1e30f, std::numeric_limits<float>::max()})
  {
    SCOPED_TRACE(extreme);
    Eigen::MatrixXf projected = hud::test::UniformMatrix(4, 6, 9, -1., 1.).cast<float>();
    projected.col(0).setConstant(extreme);
    projected.col(1).setConstant(-extreme);
    projected(2, 2) = extreme;
    projected(1, 3) = -extreme;
    projected.col(4) << extreme, -extreme, extreme, 0.f;
    Eigen::MatrixXf abundances(4, 6);
    SimplexProjection(4).Unproject(projected, abundances);
    ExpectOnTheSimplex(abundances);
    EXPECT_TRUE(abundances.leftCols(2).isApproxToConstant(0.25f, 1e-6f));
    EXPECT_LT((abundances.col(2) - Eigen::Vector4f::Unit(2)).cwiseAbs().maxCoeff(), 1e-40f);
    EXPECT_LT(abundances(1, 3), 1e-40f);
    EXPECT_TRUE(abundances.col(4).isApprox(Eigen::Vector4f(0.5f, 0.f, 0.5f, 0.f), 1e-6f));
  }
}

TEST(SimplexProjection, WritesIntoPartOfAMatrix)
{
  const SimplexProjection projection(3);
  const Eigen::MatrixXf abundances = AbundancesWithFacesAndVertices(3);
  Eigen::MatrixXf whole(3, kPixels);
  projection.Project(abundances, whole);
  Eigen::MatrixXf larger = Eigen::MatrixXf::Constant(5, kPixels, -77.f);
  projection.Project(abundances.middleCols(10, 20), larger.block(1, 4, 3, 20));
  EXPECT_EQ(larger.block(1, 4, 3, 20), whole.middleCols(10, 20));
  larger.block(1, 4, 3, 20).setConstant(-77.f);
  EXPECT_TRUE(larger.isApproxToConstant(-77.f));
}

TEST(SimplexProjection, RefusesOptionsOutOfRange)
{
  using hud::InvalidOption;
  using hud::test::MessageOf;
  using hud::test::Says;
  EXPECT_TRUE(Says(MessageOf<InvalidOption>([] { SimplexProjection projection(1); }), "1"));
  EXPECT_TRUE(Says(MessageOf<InvalidOption>([] { SimplexProjection projection(-3); }), "-3"));
  EXPECT_TRUE(Says(MessageOf<InvalidOption>([] { SimplexProjection projection(4, 0.75); }), "0.75"));
  EXPECT_TRUE(Says(MessageOf<InvalidOption>([] { SimplexProjection projection(4, 20.5); }), "20.5"));
  EXPECT_THROW(SimplexProjection(4, std::numeric_limits<double>::quiet_NaN()), InvalidOption);
  EXPECT_NO_THROW(SimplexProjection(2, 1.));
  EXPECT_NO_THROW(SimplexProjection(2, 20.));
}
