// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/SimplexProjection.h"

#include "ErrorMessage.h"
#include "RandomMatrix.h"
#include "hud/core/Error.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>

namespace
{

using hud::ProjectionKind;
using hud::SimplexProjection;
using hud::test::MessageOf;
using hud::test::Says;

constexpr std::array<ProjectionKind, 3> kKinds = {ProjectionKind::Log, ProjectionKind::Clr, ProjectionKind::Ilr};

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

// Equal shares of the first j endmembers, of one endmember alone, and of all but one: the extremes of every coordinate.
Eigen::MatrixXf EqualSharesOfSome(Eigen::Index endmembers)
{
  Eigen::MatrixXd abundances = Eigen::MatrixXd::Zero(endmembers, 3 * endmembers);
  for (Eigen::Index j = 0; j < endmembers; ++j)
  {
    abundances.col(j).head(j + 1).setConstant(1. / static_cast<double>(j + 1));
    abundances(j, endmembers + j) = 1.;
    abundances.col(2 * endmembers + j).setConstant(1. / static_cast<double>(endmembers - 1));
    abundances(j, 2 * endmembers + j) = 0.;
  }
  return abundances.cast<float>();
}

Eigen::MatrixXf Projected(const SimplexProjection& projection, const Eigen::MatrixXf& abundances)
{
  Eigen::MatrixXf projected(projection.Channels(), abundances.cols());
  projection.Project(abundances, projected);
  EXPECT_TRUE(projected.allFinite());
  return projected;
}

void ExpectOnTheSimplex(const Eigen::MatrixXf& abundances)
{
  ASSERT_TRUE(abundances.allFinite());
  EXPECT_GE(abundances.minCoeff(), 0.f);
  EXPECT_LT((abundances.cast<double>().colwise().sum().array() - 1.).abs().maxCoeff(), 1e-6);
}

} // namespace

TEST(SimplexProjection, RoundTripOfEveryKindIsEquationSix)
{
  for (const ProjectionKind kind : kKinds)
  {
    for (const Eigen::Index endmembers : {2, 3, 9, 20, 30})
    {
      for (const double floor : {1., 5., 8., 20.})
      {
        SCOPED_TRACE(testing::Message() << hud::ToString(kind) << ", d " << endmembers << ", floor " << floor);
        const SimplexProjection projection(kind, endmembers, floor);
        const Eigen::MatrixXf abundances = AbundancesWithFacesAndVertices(endmembers);
        Eigen::MatrixXf back(endmembers, kPixels);
        projection.Unproject(Projected(projection, abundances), back);
        ExpectOnTheSimplex(back);
        const double offset = std::exp(-std::log(static_cast<double>(endmembers)) - floor);
        const Eigen::ArrayXXd truth = (abundances.cast<double>().array() + offset) / (1. + std::exp(-floor));
        EXPECT_LT((back.cast<double>().array() - truth).abs().maxCoeff(), kind == ProjectionKind::Log ? 1e-6 : 3e-6);
      }
    }
  }
}

TEST(SimplexProjection, TheExactInverseOfEveryKindGivesTheAbundancesBack)
{
  for (const ProjectionKind kind : kKinds)
  {
    for (Eigen::Index endmembers = 2; endmembers <= 20; ++endmembers)
    {
      for (const double floor : {1., 5., 8.})
      {
        SCOPED_TRACE(testing::Message() << hud::ToString(kind) << ", d " << endmembers << ", floor " << floor);
        const SimplexProjection projection(kind, endmembers, floor);
        const Eigen::MatrixXf abundances = AbundancesWithFacesAndVertices(endmembers);
        Eigen::MatrixXf back(endmembers, kPixels);
        projection.UnprojectExactly(Projected(projection, abundances), back);
        ExpectOnTheSimplex(back);
        EXPECT_LT((back - abundances).cwiseAbs().maxCoeff(), kind == ProjectionKind::Log ? 1e-6f : 3e-6f);
      }
    }
  }
}

TEST(SimplexProjection, TheExactInverseStaysOnTheSimplexForAnyInput)
{
  for (const ProjectionKind kind : kKinds)
  {
    SCOPED_TRACE(hud::ToString(kind));
    const SimplexProjection projection(kind, 4, 3.);
    Eigen::MatrixXf projected = 5.f * Eigen::MatrixXf::Random(projection.Channels(), 57);
    projected.col(0).setZero();
    projected.col(1) = Eigen::Vector4f(1e4f, -1e4f, 0.f, 1.f).head(projection.Channels());
    Eigen::MatrixXf abundances(4, 57);
    projection.UnprojectExactly(projected, abundances);
    ExpectOnTheSimplex(abundances);
  }
}

TEST(SimplexProjection, IsEquationFour)
{
  const Eigen::MatrixXf abundances = AbundancesWithFacesAndVertices(5);
  const Eigen::MatrixXf projected = Projected(SimplexProjection(ProjectionKind::Log, 5, 8.), abundances);
  const Eigen::ArrayXXd truth = (abundances.cast<double>().array() + std::exp(-std::log(5.) - 8.)).log();
  EXPECT_LT((projected.cast<double>().array() - truth).abs().maxCoeff(), 1e-6);
}

TEST(SimplexProjection, ClrIsTheLogarithmLessItsMean)
{
  const Eigen::MatrixXf abundances = AbundancesWithFacesAndVertices(5);
  const Eigen::MatrixXf projected = Projected(SimplexProjection(ProjectionKind::Clr, 5, 6.), abundances);
  for (Eigen::Index p = 0; p < kPixels; ++p)
  {
    const Eigen::ArrayXd logarithm = (abundances.col(p).cast<double>().array() + std::exp(-6.) / 5.).log();
    const Eigen::ArrayXd truth = logarithm - logarithm.mean();
    EXPECT_LT((projected.col(p).cast<double>().array() - truth).abs().maxCoeff(), 1e-6);
  }
}

TEST(SimplexProjection, IlrIsTheBalanceOfTheFirstEndmembersAgainstTheNext)
{
  const Eigen::MatrixXf abundances = AbundancesWithFacesAndVertices(5);
  const Eigen::MatrixXf projected = Projected(SimplexProjection(ProjectionKind::Ilr, 5, 6.), abundances);
  for (Eigen::Index p = 0; p < kPixels; ++p)
  {
    const Eigen::ArrayXd logarithm = (abundances.col(p).cast<double>().array() + std::exp(-6.) / 5.).log();
    for (Eigen::Index j = 1; j < 5; ++j)
    {
      const double size = static_cast<double>(j);
      EXPECT_NEAR(projected(j - 1, p), std::sqrt(size / (size + 1.)) * (logarithm.head(j).mean() - logarithm[j]), 2e-6);
    }
  }
}

TEST(SimplexProjection, IlrKeepsTheDistancesOfClr)
{
  for (Eigen::Index endmembers = 2; endmembers <= 20; ++endmembers)
  {
    SCOPED_TRACE(endmembers);
    const Eigen::MatrixXf abundances = AbundancesWithFacesAndVertices(endmembers);
    const Eigen::MatrixXf clr = Projected(SimplexProjection(ProjectionKind::Clr, endmembers), abundances);
    const Eigen::MatrixXf ilr = Projected(SimplexProjection(ProjectionKind::Ilr, endmembers), abundances);
    for (Eigen::Index p = 0; p < kPixels; ++p)
    {
      EXPECT_NEAR(ilr.col(p).norm(), clr.col(p).norm(), 1e-5);
      EXPECT_NEAR((ilr.col(p) - ilr.col(0)).norm(), (clr.col(p) - clr.col(0)).norm(), 1e-5);
    }
  }
}

// The centred logarithm of the abundances of a unit vector is a column of the basis.
TEST(SimplexProjection, TheIlrBasisIsOrthonormalAndItsColumnsSumToZero)
{
  for (Eigen::Index endmembers = 2; endmembers <= 20; ++endmembers)
  {
    SCOPED_TRACE(endmembers);
    const SimplexProjection projection(ProjectionKind::Ilr, endmembers);
    const Eigen::MatrixXf unit = Eigen::MatrixXf::Identity(endmembers - 1, endmembers - 1);
    Eigen::MatrixXf abundances(endmembers, endmembers - 1);
    projection.Unproject(unit, abundances);
    const Eigen::MatrixXd logarithm = abundances.cast<double>().array().log();
    const Eigen::MatrixXd basis = logarithm.rowwise() - logarithm.colwise().mean();
    const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(endmembers - 1, endmembers - 1);
    EXPECT_LT((basis.transpose() * basis - identity).cwiseAbs().maxCoeff(), 1e-6);
    for (Eigen::Index row = 0; row < endmembers; ++row)
    {
      for (Eigen::Index column = 0; column < row - 1; ++column)
      {
        EXPECT_NEAR(basis(row, column), 0., 1e-6);
      }
    }
  }
}

TEST(SimplexProjection, LogReachesItsBoundsExactlyAndNeverLeavesThem)
{
  for (const Eigen::Index endmembers : {2, 4, 30})
  {
    for (const double floor : {1., 5., 8., 20.})
    {
      SCOPED_TRACE(testing::Message() << "d " << endmembers << ", floor " << floor);
      const SimplexProjection projection(ProjectionKind::Log, endmembers, floor);
      const Eigen::VectorXd lower = projection.LowerBounds();
      const Eigen::VectorXd upper = projection.UpperBounds();
      ASSERT_EQ(lower.size(), endmembers);
      ASSERT_EQ(upper.size(), endmembers);
      EXPECT_TRUE(lower.isApproxToConstant(lower[0], 0.));
      EXPECT_TRUE(upper.isApproxToConstant(upper[0], 0.));
      const double logEndmembers = std::log(static_cast<double>(endmembers));
      EXPECT_NEAR(lower[0], -logEndmembers - floor, 1e-12);
      EXPECT_NEAR(upper[0], std::log1p(std::exp(-logEndmembers - floor)), 1e-15);

      const Eigen::MatrixXf projected = Projected(projection, AbundancesWithFacesAndVertices(endmembers));
      EXPECT_EQ(projected.minCoeff(), static_cast<float>(lower[0]));
      EXPECT_EQ(projected.maxCoeff(), static_cast<float>(upper[0]));
      EXPECT_EQ(projected(0, 1), static_cast<float>(lower[0]));
      EXPECT_EQ(projected(1, 1), static_cast<float>(upper[0]));
    }
  }
}

TEST(SimplexProjection, EveryKindStaysWithinItsBounds)
{
  for (const ProjectionKind kind : kKinds)
  {
    for (Eigen::Index endmembers = 2; endmembers <= 20; ++endmembers)
    {
      for (const double floor : {1., 5., 8., 20.})
      {
        SCOPED_TRACE(testing::Message() << hud::ToString(kind) << ", d " << endmembers << ", floor " << floor);
        const SimplexProjection projection(kind, endmembers, floor);
        const Eigen::VectorXf lower = projection.LowerBounds().cast<float>();
        const Eigen::VectorXf upper = projection.UpperBounds().cast<float>();
        ASSERT_EQ(lower.size(), projection.Channels());
        ASSERT_EQ(upper.size(), projection.Channels());
        for (const Eigen::MatrixXf& abundances :
             {AbundancesWithFacesAndVertices(endmembers), EqualSharesOfSome(endmembers)})
        {
          const Eigen::MatrixXf projected = Projected(projection, abundances);
          EXPECT_TRUE((projected.array() >= lower.replicate(1, projected.cols()).array()).all());
          EXPECT_TRUE((projected.array() <= upper.replicate(1, projected.cols()).array()).all());
        }
      }
    }
  }
}

TEST(SimplexProjection, EveryKindReachesItsBounds)
{
  for (const ProjectionKind kind : kKinds)
  {
    for (Eigen::Index endmembers = 2; endmembers <= 20; ++endmembers)
    {
      for (const double floor : {1., 5., 8., 20.})
      {
        SCOPED_TRACE(testing::Message() << hud::ToString(kind) << ", d " << endmembers << ", floor " << floor);
        const SimplexProjection projection(kind, endmembers, floor);
        const Eigen::VectorXf lower = projection.LowerBounds().cast<float>();
        const Eigen::VectorXf upper = projection.UpperBounds().cast<float>();
        const Eigen::MatrixXf projected = Projected(projection, EqualSharesOfSome(endmembers));
        EXPECT_TRUE(projected.rowwise().minCoeff().isApprox(lower, 5e-6f));
        EXPECT_TRUE(projected.rowwise().maxCoeff().isApprox(upper, 5e-6f));
      }
    }
  }
}

TEST(SimplexProjection, UnprojectIgnoresAConstantAddedToAllChannels)
{
  const SimplexProjection projection(ProjectionKind::Log, 6);
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
    SimplexProjection(ProjectionKind::Log, 4).Unproject(projected, abundances);
    ExpectOnTheSimplex(abundances);
    EXPECT_TRUE(abundances.leftCols(2).isApproxToConstant(0.25f, 1e-6f));
    EXPECT_LT((abundances.col(2) - Eigen::Vector4f::Unit(2)).cwiseAbs().maxCoeff(), 1e-40f);
    EXPECT_LT(abundances(1, 3), 1e-40f);
    EXPECT_TRUE(abundances.col(4).isApprox(Eigen::Vector4f(0.5f, 0.f, 0.5f, 0.f), 1e-6f));
  }
}

TEST(SimplexProjection, WritesIntoPartOfAMatrix)
{
  for (const ProjectionKind kind : kKinds)
  {
    SCOPED_TRACE(hud::ToString(kind));
    const SimplexProjection projection(kind, 3);
    const Eigen::Index channels = projection.Channels();
    const Eigen::MatrixXf abundances = AbundancesWithFacesAndVertices(3);
    const Eigen::MatrixXf whole = Projected(projection, abundances);
    Eigen::MatrixXf larger = Eigen::MatrixXf::Constant(5, kPixels, -77.f);
    projection.Project(abundances.middleCols(10, 20), larger.block(1, 4, channels, 20));
    EXPECT_EQ(larger.block(1, 4, channels, 20), whole.middleCols(10, 20));
    larger.block(1, 4, channels, 20).setConstant(-77.f);
    EXPECT_TRUE(larger.isApproxToConstant(-77.f));
  }
}

TEST(SimplexProjection, RefusesOptionsOutOfRange)
{
  const auto message = [](Eigen::Index endmembers, double floor) {
    return MessageOf<hud::InvalidOption>([&] { SimplexProjection(ProjectionKind::Ilr, endmembers, floor); });
  };
  EXPECT_TRUE(Says(message(1, 8.), "1"));
  EXPECT_TRUE(Says(message(-3, 8.), "-3"));
  EXPECT_TRUE(Says(message(4, 0.75), "0.75"));
  EXPECT_TRUE(Says(message(4, 20.5), "20.5"));
  EXPECT_TRUE(Says(message(4, std::numeric_limits<double>::quiet_NaN()), "nan"));
  EXPECT_EQ(message(2, 1.), "no error");
  EXPECT_EQ(message(2, 20.), "no error");
}

TEST(SimplexProjection, RefusesMatricesOfAnotherShape)
{
  const SimplexProjection projection(ProjectionKind::Ilr, 5);
  const auto message = [&](Eigen::Index endmembers, Eigen::Index channels, Eigen::Index pixels) {
    Eigen::MatrixXf abundances = Eigen::MatrixXf::Constant(endmembers, 7, 0.2f);
    Eigen::MatrixXf projected = Eigen::MatrixXf::Zero(channels, pixels);
    const std::string there = MessageOf<hud::InvalidData>([&] { projection.Project(abundances, projected); });
    EXPECT_EQ(MessageOf<hud::InvalidData>([&] { projection.Unproject(projected, abundances); }), there);
    EXPECT_EQ(MessageOf<hud::InvalidData>([&] { projection.UnprojectExactly(projected, abundances); }), there);
    return there;
  };
  EXPECT_EQ(message(5, 4, 7), "no error");
  EXPECT_TRUE(Says(message(6, 4, 7), "6 endmembers"));
  EXPECT_TRUE(Says(message(5, 3, 7), "3 channels"));
  EXPECT_TRUE(Says(message(5, 4, 8), "8 pixels"));
}

TEST(SimplexProjection, MatchMeanGivesPixelsTheMeanAndChangesThemAlike)
{
  const Eigen::MatrixXf abundances = hud::test::UniformAbundances(5, 4, 3).cast<float>();
  Eigen::VectorXf mean = hud::test::UniformAbundances(5, 1, 8).cast<float>().col(0);
  for (const ProjectionKind kind : kKinds)
  {
    const SimplexProjection projection(kind, 5, 6.);
    Eigen::MatrixXf coordinates = Projected(projection, abundances);
    projection.MatchMean(coordinates, mean);
    Eigen::MatrixXf matched(5, 4);
    projection.UnprojectExactly(coordinates, matched);
    ASSERT_TRUE(matched.allFinite());
    EXPECT_LT((matched.rowwise().mean() - mean).cwiseAbs().maxCoeff(), 2e-3f);
    // A factor for each endmember and one for each pixel: ratios of ratios stay.
    const auto share = [&](const Eigen::MatrixXf& x, Eigen::Index k, Eigen::Index pixel) {
      return std::log((static_cast<double>(x(k, pixel)) + std::exp(-6.) / 5.));
    };
    for (Eigen::Index k = 1; k < 5; ++k)
    {
      const double before =
          share(abundances, k, 3) - share(abundances, 0, 3) - share(abundances, k, 1) + share(abundances, 0, 1);
      const double after = share(matched, k, 3) - share(matched, 0, 3) - share(matched, k, 1) + share(matched, 0, 1);
      EXPECT_NEAR(after, before, 0.02) << k;
    }
    // What has the mean already stays.
    Eigen::MatrixXf kept = Projected(projection, abundances);
    projection.MatchMean(kept, abundances.rowwise().mean());
    EXPECT_LT((kept - Projected(projection, abundances)).cwiseAbs().maxCoeff(), 1e-4f);
  }
}

TEST(SimplexProjection, MatchMeanReachesFacesAndVertices)
{
  const SimplexProjection projection(ProjectionKind::Ilr, 3, 3.);
  Eigen::MatrixXf abundances(3, 4);
  abundances << 1.f, 1.f, 0.f, 0.5f, 0.f, 0.f, 1.f, 0.5f, 0.f, 0.f, 0.f, 0.f;
  for (const Eigen::Vector3f& mean :
       {Eigen::Vector3f(0.f, 0.f, 1.f), Eigen::Vector3f(0.f, 1.f, 0.f), Eigen::Vector3f(0.5f, 0.f, 0.5f)})
  {
    Eigen::MatrixXf coordinates = Projected(projection, abundances);
    projection.MatchMean(coordinates, mean);
    Eigen::MatrixXf matched(3, 4);
    projection.UnprojectExactly(coordinates, matched);
    EXPECT_LT((matched.rowwise().mean() - mean).cwiseAbs().maxCoeff(), 0.03f);
  }
  Eigen::MatrixXf three = Eigen::MatrixXf::Zero(3, 4);
  EXPECT_TRUE(
      Says(MessageOf<hud::InvalidData>([&] { projection.MatchMean(three, Eigen::Vector3f::Ones()); }), "3 channels"));
}

TEST(ParseProjectionKind, KnowsTheThreeNamesAndListsThemForAnyOther)
{
  for (const ProjectionKind kind : kKinds)
  {
    EXPECT_EQ(hud::ParseProjectionKind(hud::ToString(kind)), kind);
  }
  EXPECT_EQ(hud::ParseProjectionKind("ilr"), ProjectionKind::Ilr);
  for (const char* const name : {"alr", "Log", ""})
  {
    const std::string message = MessageOf<hud::InvalidOption>([&] { hud::ParseProjectionKind(name); });
    EXPECT_TRUE(Says(message, std::string("'") + name + "'") && Says(message, "log, clr, ilr")) << message;
  }
}
