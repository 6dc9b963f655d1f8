// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/LeastSquares.h"

#include "AllocationCount.h"
#include "ErrorMessage.h"
#include "RandomMatrix.h"
#include "hud/core/Error.h"

#include <Eigen/QR>
#include <Eigen/SVD>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace
{

using hud::ConstrainedLeastSquares;
using hud::Constraint;
using hud::Encoder;
using hud::EncoderKind;
using hud::InvalidData;
using hud::test::MessageOf;
using hud::test::NamesANumber;
using hud::test::Says;
using hud::test::UniformAbundances;
using hud::test::UniformMatrix;

constexpr EncoderKind kAllKinds[] = {EncoderKind::Fcls, EncoderKind::Nnls, EncoderKind::Linear,
                                     EncoderKind::Unconstrained};
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Spectra inside the simplex of the endmembers, on its faces, at its vertices, off its plane and far outside; and zero.
Eigen::MatrixXd SpectraAround(const Eigen::MatrixXd& endmembers, std::uint64_t seed)
{
  const Eigen::Index bands = endmembers.rows();
  const Eigen::Index d = endmembers.cols();
  Eigen::MatrixXd faces = UniformAbundances(d, 8, seed + 1);
  for (Eigen::Index p = 0; p < faces.cols(); ++p)
  {
    faces(p % d, p) = 0.;
    faces.col(p) /= faces.col(p).sum();
  }
  Eigen::MatrixXd spectra(bands, 8 + 8 + d + 8 + 8 + 8 + 1);
  spectra << endmembers * UniformAbundances(d, 8, seed), endmembers * faces, endmembers,
      endmembers * UniformAbundances(d, 8, seed + 2) + UniformMatrix(bands, 8, seed + 3, -0.1, 0.1),
      endmembers * UniformMatrix(d, 8, seed + 4, -3., 3.), UniformMatrix(bands, 8, seed + 5, -1e3, 1e3),
      Eigen::VectorXd::Zero(bands);
  return spectra;
}

Eigen::VectorXd Solved(const ConstrainedLeastSquares& solver, const Eigen::VectorXd& correlation)
{
  Eigen::MatrixXd solution(correlation.size(), 1);
  solver.Solve(correlation, solution);
  return solution;
}

// Karush-Kuhn-Tucker conditions of min ||A x - y||^2, which at a convex problem hold at the optimum and nowhere else.
void ExpectOptimal(const Eigen::MatrixXd& gram, const Eigen::VectorXd& correlation, Constraint constraint,
                   double relative = 1e-9)
{
  const Eigen::VectorXd x = Solved(ConstrainedLeastSquares(gram, constraint), correlation);
  ASSERT_EQ(x.size(), correlation.size());
  ASSERT_TRUE(x.allFinite());
  EXPECT_GE(x.minCoeff(), 0.);
  const Eigen::VectorXd gradient = gram * x - correlation;
  const double tolerance = relative * std::max(correlation.cwiseAbs().maxCoeff(), gram.cwiseAbs().maxCoeff());
  double multiplier = 0.;
  if (constraint == Constraint::NonNegativeAndSumToOne)
  {
    EXPECT_NEAR(x.sum(), 1., 1e-12);
    multiplier = x.dot(gradient) / x.sum();
  }
  EXPECT_GE(gradient.minCoeff(), multiplier - tolerance) << "a zero abundance should grow";
  for (Eigen::Index i = 0; i < x.size(); ++i)
  {
    if (x(i) > 0.)
    {
      EXPECT_NEAR(gradient(i), multiplier, tolerance) << "abundance " << i << " is " << x(i);
    }
  }
}

// The optimum by definition: the best of the feasible points among the stationary points of all supports.
Eigen::VectorXd BestOverAllSupports(const Eigen::MatrixXd& a, const Eigen::VectorXd& y, Constraint constraint)
{
  const bool sumToOne = constraint == Constraint::NonNegativeAndSumToOne;
  Eigen::VectorXd best = Eigen::VectorXd::Zero(a.cols());
  double bestError = sumToOne ? kInfinity : y.norm();
  for (unsigned support = 1; support < (1u << a.cols()); ++support)
  {
    std::vector<Eigen::Index> columns;
    for (Eigen::Index i = 0; i < a.cols(); ++i)
    {
      if ((support >> i & 1u) != 0u)
      {
        columns.push_back(i);
      }
    }
    const Eigen::MatrixXd basis = a(Eigen::all, columns);
    const Eigen::Index n = basis.cols();
    Eigen::VectorXd values(n);
    if (sumToOne)
    {
      const Eigen::VectorXd last = basis.col(n - 1);
      const Eigen::MatrixXd edges = basis.leftCols(n - 1).colwise() - last;
      if (n > 1)
      {
        values.head(n - 1) = edges.completeOrthogonalDecomposition().solve(y - last);
      }
      values(n - 1) = 1. - values.head(n - 1).sum();
    }
    else
    {
      values = basis.completeOrthogonalDecomposition().solve(y);
    }
    const double error = (basis * values - y).norm();
    if (values.minCoeff() >= 0. && error < bestError)
    {
      best.setZero();
      best(columns) = values;
      bestError = error;
    }
  }
  return best;
}

// Closed form of FCLS where the endmembers are orthonormal: y moved by a constant and clamped.
Eigen::VectorXd ProjectionOntoTheSimplex(const Eigen::VectorXd& y)
{
  std::vector<double> sorted(y.begin(), y.end());
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  double sum = 0.;
  double shift = 0.;
  for (std::size_t i = 0; i < sorted.size(); ++i)
  {
    sum += sorted[i];
    const double candidate = (sum - 1.) / static_cast<double>(i + 1);
    shift = sorted[i] > candidate ? candidate : shift;
  }
  return (y.array() - shift).cwiseMax(0.);
}

// Endmembers whose singular values run from 1 down to 1 / condition.
Eigen::MatrixXd EndmembersOfCondition(double condition, Eigen::Index bands, Eigen::Index d)
{
  const Eigen::MatrixXd left =
      UniformMatrix(bands, d, 31, -1., 1.).householderQr().householderQ() * Eigen::MatrixXd::Identity(bands, d);
  const Eigen::MatrixXd right = UniformMatrix(d, d, 32, -1., 1.).householderQr().householderQ();
  const Eigen::ArrayXd exponents = Eigen::ArrayXd::LinSpaced(d, 0., -std::log10(condition));
  return left * Eigen::pow(10., exponents).matrix().asDiagonal() * right.transpose();
}

Eigen::MatrixXd Encoded(const Eigen::MatrixXd& endmembers, EncoderKind kind, const Eigen::MatrixXf& spectra)
{
  const Encoder encoder(endmembers, kind);
  Eigen::MatrixXf abundances(encoder.Endmembers(), spectra.cols());
  encoder.Encode(spectra, abundances);
  return abundances.cast<double>();
}

void ExpectOnTheSimplex(const Eigen::MatrixXd& abundances)
{
  ASSERT_TRUE(abundances.allFinite());
  EXPECT_GE(abundances.minCoeff(), 0.);
  EXPECT_LT((abundances.colwise().sum().array() - 1.).abs().maxCoeff(), 1e-6);
}

class BothConstraints : public testing::TestWithParam<Constraint>
{
};

INSTANTIATE_TEST_SUITE_P(ConstrainedLeastSquares, BothConstraints,
                         testing::Values(Constraint::NonNegative, Constraint::NonNegativeAndSumToOne),
                         [](const auto& tested) { return tested.param == Constraint::NonNegative ? "Nnls" : "Fcls"; });

} // namespace

TEST_P(BothConstraints, AreMetAtAPointWhereTheOptimalityConditionsHold)
{
  for (Eigen::Index d = 2; d <= 20; ++d)
  {
    SCOPED_TRACE(d);
    const auto seed = static_cast<std::uint64_t>(100 * d);
    const Eigen::MatrixXd endmembers = UniformMatrix(d + 7, d, seed);
    const Eigen::MatrixXd gram = endmembers.transpose() * endmembers;
    const Eigen::MatrixXd spectra = SpectraAround(endmembers, seed + 1);
    for (Eigen::Index p = 0; p < spectra.cols(); ++p)
    {
      ExpectOptimal(gram, endmembers.transpose() * spectra.col(p), GetParam());
    }
  }
}

TEST_P(BothConstraints, AreMetAtTheOptimumOfEverySizeAndCondition)
{
  for (const Eigen::Index d : {2, 3, 7, 8, 12, 17, 64})
  {
    for (const double condition : {1., 1e2, 1e3, 1e4, 1e6})
    {
      SCOPED_TRACE(testing::Message() << "d " << d << ", condition " << condition);
      const Eigen::MatrixXd endmembers = EndmembersOfCondition(condition, 70, d);
      const Eigen::MatrixXd gram = endmembers.transpose() * endmembers;
      const Eigen::MatrixXd spectra = SpectraAround(endmembers, 101);
      for (Eigen::Index p = 0; p < spectra.cols(); ++p)
      {
        ExpectOptimal(gram, endmembers.transpose() * spectra.col(p), GetParam(), 1e-10);
      }
    }
  }
}

TEST_P(BothConstraints, AreMetByEveryColumnAsIfItWereAlone)
{
  for (const Eigen::Index d : {3, 8, 17, 64})
  {
    const Eigen::MatrixXd endmembers = UniformMatrix(d + 11, d, 102);
    const ConstrainedLeastSquares solver(endmembers.transpose() * endmembers, GetParam());
    const Eigen::MatrixXd correlations = endmembers.transpose() * SpectraAround(endmembers, 103);
    Eigen::MatrixXd together = correlations;
    solver.Solve(together, together);
    for (Eigen::Index p = 0; p < correlations.cols(); ++p)
    {
      EXPECT_EQ(together.col(p), Solved(solver, correlations.col(p))) << "d " << d << ", spectrum " << p;
    }
  }
}

TEST_P(BothConstraints, RefuseAGramMatrixThatIsNotDefinite)
{
  Eigen::MatrixXd gram = Eigen::MatrixXd::Identity(5, 5);
  gram(3, 3) = -2.; // and so on the plane sum(x) = 0
  EXPECT_TRUE(NamesANumber(MessageOf<InvalidData>([&] { ConstrainedLeastSquares(gram, GetParam()); })));
  gram(3, 3) = std::nan("");
  EXPECT_THROW(ConstrainedLeastSquares(gram, GetParam()), InvalidData);
}

TEST_P(BothConstraints, GiveTheBestOfAllSupports)
{
  for (Eigen::Index d = 2; d <= 5; ++d)
  {
    const auto seed = static_cast<std::uint64_t>(1000 * d);
    const Eigen::MatrixXd endmembers = UniformMatrix(11, d, seed);
    const ConstrainedLeastSquares solver(endmembers.transpose() * endmembers, GetParam());
    const Eigen::MatrixXd spectra = SpectraAround(endmembers, seed + 1);
    for (Eigen::Index p = 0; p < spectra.cols(); ++p)
    {
      const Eigen::VectorXd truth = BestOverAllSupports(endmembers, spectra.col(p), GetParam());
      const Eigen::VectorXd x = Solved(solver, endmembers.transpose() * spectra.col(p));
      ASSERT_EQ(x.size(), d);
      ASSERT_TRUE(x.allFinite());
      EXPECT_LT((x - truth).cwiseAbs().maxCoeff(), 1e-9 * (1. + truth.maxCoeff())) << "d " << d << ", spectrum " << p;
    }
  }
}

TEST_P(BothConstraints, HoldInAnyUnits)
{
  const Eigen::MatrixXd endmembers = UniformMatrix(23, 6, 41);
  const Eigen::MatrixXd gram = endmembers.transpose() * endmembers;
  const Eigen::MatrixXd spectra = SpectraAround(endmembers, 42);
  const ConstrainedLeastSquares solver(gram, GetParam());
  for (const double unit : {1e-8, 1e-3, 1e4, 1e8})
  {
    const ConstrainedLeastSquares scaled(unit * unit * gram, GetParam());
    for (Eigen::Index p = 0; p < spectra.cols(); ++p)
    {
      const Eigen::VectorXd correlation = endmembers.transpose() * spectra.col(p);
      const Eigen::VectorXd truth = Solved(solver, correlation);
      const Eigen::VectorXd x = Solved(scaled, unit * unit * correlation);
      ASSERT_TRUE(x.allFinite());
      EXPECT_LT((x - truth).cwiseAbs().maxCoeff(), 1e-9 * (1. + truth.maxCoeff())) << unit << ", spectrum " << p;
    }
  }
}

TEST(Nnls, WithOrthonormalEndmembersIsClamping)
{
  for (const Eigen::Index d : {2, 17, 60})
  {
    const ConstrainedLeastSquares solver(Eigen::MatrixXd::Identity(d, d), Constraint::NonNegative);
    const Eigen::MatrixXd spectra = UniformMatrix(d, 5, 44, -3., 2.);
    for (Eigen::Index p = 0; p < spectra.cols(); ++p)
    {
      const Eigen::VectorXd x = Solved(solver, spectra.col(p));
      EXPECT_LT((x - spectra.col(p).cwiseMax(0.)).cwiseAbs().maxCoeff(), 1e-12) << d;
    }
  }
}

TEST(Nnls, OfTwoEndmembersIsTheirClosedForm)
{
  // G = [1 c; c 1]: both are free, or the larger correlation alone, or none.
  const double c = 0.6;
  const ConstrainedLeastSquares solver((Eigen::Matrix2d() << 1., c, c, 1.).finished(), Constraint::NonNegative);
  EXPECT_LT((Solved(solver, Eigen::Vector2d(1., 0.9)) - Eigen::Vector2d(1. - 0.9 * c, 0.9 - c) / (1. - c * c)).norm(),
            1e-14);
  EXPECT_LT((Solved(solver, Eigen::Vector2d(2., 0.9)) - Eigen::Vector2d(2., 0.)).norm(), 1e-14);
  EXPECT_LT((Solved(solver, Eigen::Vector2d(-1., 3.)) - Eigen::Vector2d(0., 3.)).norm(), 1e-14);
  EXPECT_EQ(Solved(solver, Eigen::Vector2d(-1., -3.)), Eigen::Vector2d(0., 0.));
  EXPECT_EQ(Solved(solver, Eigen::Vector2d(0., 0.)), Eigen::Vector2d(0., 0.));
}

TEST(Fcls, WithOrthonormalEndmembersIsTheProjectionOntoTheSimplex)
{
  for (const Eigen::Index d : {2, 17, 60})
  {
    const ConstrainedLeastSquares solver(Eigen::MatrixXd::Identity(d, d), Constraint::NonNegativeAndSumToOne);
    for (const double spread : {0.01, 0.3, 5., 1e4})
    {
      const Eigen::MatrixXd spectra = UniformMatrix(d, 5, 45, -spread, spread);
      for (Eigen::Index p = 0; p < spectra.cols(); ++p)
      {
        const Eigen::VectorXd x = Solved(solver, spectra.col(p));
        ASSERT_TRUE(x.allFinite());
        EXPECT_LT((x - ProjectionOntoTheSimplex(spectra.col(p))).cwiseAbs().maxCoeff(), 1e-11 * (1. + spread))
            << "d " << d << ", spread " << spread;
      }
    }
  }
}

TEST(Fcls, SharesEquallyWhereEverythingTies)
{
  for (const Eigen::Index d : {2, 7, 20})
  {
    const ConstrainedLeastSquares solver(Eigen::MatrixXd::Identity(d, d), Constraint::NonNegativeAndSumToOne);
    for (const double value : {-2., 0., 1., 3.})
    {
      const Eigen::VectorXd x = Solved(solver, Eigen::VectorXd::Constant(d, value));
      ASSERT_TRUE(x.allFinite());
      EXPECT_LT((x.array() - 1. / static_cast<double>(d)).abs().maxCoeff(), 1e-12) << d << ", " << value;
    }
  }
}

TEST(Fcls, AcceptsAGramMatrixThatIsDefiniteOnlyWhereTheSumIsZero)
{
  for (Eigen::Index d = 2; d <= 5; ++d)
  {
    Eigen::MatrixXd endmembers = UniformMatrix(9, d, 46);
    endmembers.col(d / 2).setZero(); // shade
    const Eigen::MatrixXd gram = endmembers.transpose() * endmembers;
    const Eigen::MatrixXd spectra = SpectraAround(endmembers, 47);
    for (Eigen::Index p = 0; p < spectra.cols(); ++p)
    {
      const Eigen::VectorXd correlation = endmembers.transpose() * spectra.col(p);
      ExpectOptimal(gram, correlation, Constraint::NonNegativeAndSumToOne);
      const Eigen::VectorXd truth = BestOverAllSupports(endmembers, spectra.col(p), Constraint::NonNegativeAndSumToOne);
      const Eigen::VectorXd x = Solved(ConstrainedLeastSquares(gram, Constraint::NonNegativeAndSumToOne), correlation);
      EXPECT_LT((x - truth).cwiseAbs().maxCoeff(), 1e-9) << "d " << d << ", spectrum " << p;
    }
  }
}

TEST(Encoder, FclsGivesTheBestOfAllSupports)
{
  for (Eigen::Index d = 2; d <= 5; ++d)
  {
    SCOPED_TRACE(d);
    const Eigen::MatrixXd endmembers = UniformMatrix(31, d, 51);
    const Eigen::MatrixXf spectra = SpectraAround(endmembers, 52).cast<float>();
    const Encoder encoder(endmembers, EncoderKind::Fcls);
    EXPECT_EQ(encoder.Bands(), 31);
    EXPECT_EQ(encoder.Endmembers(), d);
    const Eigen::MatrixXd abundances = Encoded(endmembers, EncoderKind::Fcls, spectra);
    ExpectOnTheSimplex(abundances);
    for (Eigen::Index p = 0; p < spectra.cols(); ++p)
    {
      const Eigen::VectorXd truth =
          BestOverAllSupports(endmembers, spectra.col(p).cast<double>(), Constraint::NonNegativeAndSumToOne);
      EXPECT_LT((abundances.col(p) - truth).cwiseAbs().maxCoeff(), 1e-6) << p;
    }
  }
}

TEST(Encoder, FclsReturnsTheAbundancesThatMadeTheSpectra)
{
  const Eigen::MatrixXd endmembers = UniformMatrix(103, 12, 53);
  Eigen::MatrixXd truth = UniformAbundances(12, 5003, 54);
  truth.leftCols(12).setIdentity();
  const Eigen::MatrixXf spectra = (endmembers * truth).cast<float>();
  const Eigen::MatrixXd abundances = Encoded(endmembers, EncoderKind::Fcls, spectra);
  ExpectOnTheSimplex(abundances);
  EXPECT_LT((abundances - truth).cwiseAbs().maxCoeff(), 2e-6);
}

TEST(Encoder, FclsDoesNotDependOnUnitsOrOnASpectrumAddedToEverything)
{
  const Eigen::MatrixXd endmembers = UniformMatrix(31, 7, 55);
  const Eigen::MatrixXd spectra = SpectraAround(endmembers, 56);
  const Eigen::MatrixXd truth = Encoded(endmembers, EncoderKind::Fcls, spectra.cast<float>());
  for (const double unit : {1e-4, 1e4})
  {
    const Eigen::MatrixXd scaled = Encoded(unit * endmembers, EncoderKind::Fcls, (unit * spectra).cast<float>());
    ExpectOnTheSimplex(scaled);
    EXPECT_LT((scaled - truth).cwiseAbs().maxCoeff(), 1e-4) << unit;
  }
  const Eigen::VectorXd added = UniformMatrix(31, 1, 57, 1., 3.);
  const Eigen::MatrixXd moved =
      Encoded(endmembers.colwise() + added, EncoderKind::Fcls, (spectra.colwise() + added).cast<float>());
  ExpectOnTheSimplex(moved);
  EXPECT_LT((moved - truth).cwiseAbs().maxCoeff(), 1e-4);
}

TEST(Encoder, FclsAcceptsAShadeEndmember)
{
  Eigen::MatrixXd endmembers = UniformMatrix(31, 4, 58);
  endmembers.col(2).setZero();
  const Eigen::MatrixXd truth = UniformAbundances(4, 101, 59);
  const Eigen::MatrixXd abundances = Encoded(endmembers, EncoderKind::Fcls, (endmembers * truth).cast<float>());
  ExpectOnTheSimplex(abundances);
  EXPECT_LT((abundances - truth).cwiseAbs().maxCoeff(), 2e-6);
}

TEST(Encoder, FclsStaysOnTheSimplexForHugeSpectra)
{
  for (const Eigen::Index d : {2, 17, 64})
  {
    const Eigen::MatrixXd endmembers = UniformMatrix(70, d, 104);
    for (const double size : {1e3, 1e9, 1e18, 1e37})
    {
      SCOPED_TRACE(testing::Message() << "d " << d << ", values of " << size);
      ExpectOnTheSimplex(Encoded(endmembers, EncoderKind::Fcls, UniformMatrix(70, 31, 105, -size, size).cast<float>()));
    }
  }
}

TEST(Encoder, NnlsReturnsTheAbundancesThatMadeTheSpectraWhateverTheirSum)
{
  const Eigen::MatrixXd endmembers = UniformMatrix(103, 12, 106);
  Eigen::MatrixXd truth = UniformMatrix(12, 503, 107, -1., 2.).cwiseMax(0.);
  truth.col(3).setZero();
  const Eigen::MatrixXd abundances = Encoded(endmembers, EncoderKind::Nnls, (endmembers * truth).cast<float>());
  ASSERT_TRUE(abundances.allFinite());
  EXPECT_GE(abundances.minCoeff(), 0.);
  EXPECT_LT((abundances - truth).cwiseAbs().maxCoeff(), 1e-5);
}

TEST(Encoder, NnlsGivesTheBestOfAllSupports)
{
  const Eigen::MatrixXd endmembers = UniformMatrix(31, 4, 108);
  const Eigen::MatrixXf spectra = SpectraAround(endmembers, 109).cast<float>();
  const Eigen::MatrixXd abundances = Encoded(endmembers, EncoderKind::Nnls, spectra);
  for (Eigen::Index p = 0; p < spectra.cols(); ++p)
  {
    const Eigen::VectorXd truth =
        BestOverAllSupports(endmembers, spectra.col(p).cast<double>(), Constraint::NonNegative);
    EXPECT_LT((abundances.col(p) - truth).cwiseAbs().maxCoeff(), 1e-6 * (1. + truth.maxCoeff())) << p;
  }
}

#ifdef HUD_COUNTS_ALLOCATIONS
TEST(Encoder, AllocatesNothingPerPixel)
{
  const Eigen::MatrixXd endmembers = UniformMatrix(300, 17, 110);
  const Eigen::MatrixXf spectra = UniformMatrix(300, 1003, 111).cast<float>();
  Eigen::MatrixXf abundances(17, 1003);
  for (const EncoderKind kind : kAllKinds)
  {
    const Encoder encoder(endmembers, kind);
    const auto allocationsFor = [&](Eigen::Index pixels) {
      const std::size_t before = hud::test::Allocations();
      encoder.Encode(spectra.leftCols(pixels), abundances.leftCols(pixels));
      return hud::test::Allocations() - before;
    };
    const std::size_t allocations = allocationsFor(1);
    EXPECT_GT(allocations, 0u) << "nothing is counted";
    EXPECT_EQ(allocationsFor(1003), allocations);
  }
}
#endif

TEST(Encoder, FclsOfAnIllConditionedMixtureDecodesToIt)
{
  const Eigen::MatrixXd endmembers = EndmembersOfCondition(1e6, 31, 5);
  const Eigen::MatrixXf spectra = (endmembers * UniformAbundances(5, 101, 60)).cast<float>();
  const Eigen::MatrixXd abundances = Encoded(endmembers, EncoderKind::Fcls, spectra);
  ExpectOnTheSimplex(abundances);
  EXPECT_LT((endmembers * abundances - spectra.cast<double>()).cwiseAbs().maxCoeff(), 1e-6);
}

TEST(Encoder, UnconstrainedAgreesWithADenseSolver)
{
  for (const Eigen::Index d : {2, 9, 20})
  {
    const Eigen::MatrixXd endmembers = UniformMatrix(31, d, 61);
    const Eigen::MatrixXf spectra = SpectraAround(endmembers, 62).cast<float>();
    const Eigen::MatrixXd truth =
        Eigen::JacobiSVD<Eigen::MatrixXd>(endmembers, Eigen::ComputeThinU | Eigen::ComputeThinV)
            .solve(spectra.cast<double>());
    const Eigen::MatrixXd abundances = Encoded(endmembers, EncoderKind::Unconstrained, spectra);
    ASSERT_TRUE(abundances.allFinite());
    for (Eigen::Index p = 0; p < spectra.cols(); ++p)
    {
      EXPECT_LT((abundances.col(p) - truth.col(p)).cwiseAbs().maxCoeff(), 1e-6 * (1. + truth.col(p).norm()))
          << "d " << d << ", spectrum " << p;
    }
    EXPECT_LT(abundances.minCoeff(), -1.) << "values outside the simplex must stay";
  }
}

TEST(Encoder, UnconstrainedAgreesWithADenseSolverForIllConditionedEndmembers)
{
  const Eigen::MatrixXd endmembers = EndmembersOfCondition(1e6, 31, 5);
  const Eigen::MatrixXf spectra = (endmembers * UniformMatrix(5, 23, 63, -2., 2.)).cast<float>();
  const Eigen::MatrixXd truth = endmembers.completeOrthogonalDecomposition().solve(spectra.cast<double>());
  const Eigen::MatrixXd abundances = Encoded(endmembers, EncoderKind::Unconstrained, spectra);
  ASSERT_TRUE(abundances.allFinite());
  EXPECT_LT((abundances - truth).norm(), 1e-4 * truth.norm());
}

TEST(Encoder, LinearIsTheUnconstrainedResultClampedAndRenormalised)
{
  const Eigen::MatrixXd endmembers = UniformMatrix(31, 6, 64);
  const Eigen::MatrixXf spectra = SpectraAround(endmembers, 65).cast<float>();
  Eigen::MatrixXd truth = endmembers.completeOrthogonalDecomposition().solve(spectra.cast<double>());
  const Eigen::MatrixXd abundances = Encoded(endmembers, EncoderKind::Linear, spectra);
  ExpectOnTheSimplex(abundances);
  for (Eigen::Index p = 0; p < spectra.cols(); ++p)
  {
    truth.col(p) = truth.col(p).cwiseMax(0.).eval();
    const double sum = truth.col(p).sum();
    truth.col(p) = sum > 0. ? Eigen::VectorXd(truth.col(p) / sum) : Eigen::VectorXd::Constant(6, 1. / 6.);
    EXPECT_LT((abundances.col(p) - truth.col(p)).cwiseAbs().maxCoeff(), 1e-5) << p;
  }
}

TEST(Encoder, WritesIntoPartOfAMatrix)
{
  const Eigen::MatrixXd endmembers = UniformMatrix(31, 3, 66);
  Eigen::MatrixXf larger = UniformMatrix(40, 50, 67).cast<float>();
  const Eigen::MatrixXf spectra = larger.block(4, 7, 31, 20);
  for (const EncoderKind kind : kAllKinds)
  {
    Eigen::MatrixXf target = Eigen::MatrixXf::Constant(8, 30, -77.f);
    Encoder(endmembers, kind).Encode(larger.block(4, 7, 31, 20), target.block(2, 5, 3, 20));
    const Eigen::MatrixXd written = target.block(2, 5, 3, 20).cast<double>();
    EXPECT_LT((written - Encoded(endmembers, kind, spectra)).cwiseAbs().maxCoeff(), 1e-6);
    target.block(2, 5, 3, 20).setConstant(-77.f);
    EXPECT_TRUE(target.isApproxToConstant(-77.f));
  }
}

TEST(Encoder, GivesEveryPixelTheSameAbundancesAloneAndAmongOthers)
{
  const Eigen::MatrixXd endmembers = UniformMatrix(31, 5, 68);
  const Eigen::MatrixXf spectra = SpectraAround(endmembers, 69).cast<float>();
  for (const EncoderKind kind : kAllKinds)
  {
    const Eigen::MatrixXd together = Encoded(endmembers, kind, spectra);
    for (Eigen::Index p = 0; p < spectra.cols(); p += 4)
    {
      const Eigen::MatrixXd alone = Encoded(endmembers, kind, spectra.col(p));
      EXPECT_EQ(alone, together.col(p)) << p;
    }
  }
}

TEST(Encoder, RefusesEndmembersItCannotInvert)
{
  const Eigen::MatrixXd good = UniformMatrix(7, 4, 71);
  const auto message = [](const Eigen::MatrixXd& endmembers, EncoderKind kind) {
    return MessageOf<InvalidData>([&] { Encoder encoder(endmembers, kind); });
  };
  for (const EncoderKind kind : kAllKinds)
  {
    const std::string tooMany = message(UniformMatrix(7, 9, 72), kind);
    EXPECT_TRUE(Says(tooMany, "9") && Says(tooMany, "7")) << tooMany;
    const std::string tooFew = message(good.leftCols(1), kind);
    EXPECT_TRUE(Says(tooFew, "1") && Says(tooFew, "2")) << tooFew;
    for (const double value : {std::nan(""), kInfinity})
    {
      Eigen::MatrixXd bad = good;
      bad(5, 2) = value;
      EXPECT_TRUE(NamesANumber(message(bad, kind))) << message(bad, kind);
    }
    Eigen::MatrixXd repeated = good;
    repeated.col(3) = repeated.col(1);
    EXPECT_TRUE(NamesANumber(message(repeated, kind))) << message(repeated, kind);
    Eigen::MatrixXd onALine = good;
    onALine.col(0) = 0.25 * good.col(1) + 0.75 * good.col(2);
    EXPECT_TRUE(NamesANumber(message(onALine, kind))) << message(onALine, kind);
    EXPECT_NE(message(Eigen::MatrixXd(1e4 * onALine), kind), "no error") << "in other units";
  }
}

TEST(Encoder, RefusesAShadeEndmemberWhereTheSumIsFree)
{
  Eigen::MatrixXd endmembers = UniformMatrix(7, 4, 73);
  endmembers.col(1).setZero();
  EXPECT_THROW(Encoder(endmembers, EncoderKind::Nnls), InvalidData);
  EXPECT_THROW(Encoder(endmembers, EncoderKind::Linear), InvalidData);
  EXPECT_THROW(Encoder(endmembers, EncoderKind::Unconstrained), InvalidData);
}

TEST(ClampAndRenormalise, AgreesWithItsDefinition)
{
  Eigen::MatrixXf abundances(3, 6);
  // clang-format off
  abundances << 0.2f, -1.f, 2.f, -1.f, 0.f, -79.f,
                0.3f,  1.f, 6.f, -2.f, 0.f,  3.f,
                0.5f,  3.f, 0.f, -3.f, 0.f,  1.f;
  Eigen::MatrixXf truth(3, 6);
  truth << 0.2f, 0.f,   0.25f, 1.f / 3.f, 1.f / 3.f, 0.f,
           0.3f, 0.25f, 0.75f, 1.f / 3.f, 1.f / 3.f, 0.75f,
           0.5f, 0.75f, 0.f,   1.f / 3.f, 1.f / 3.f, 0.25f;
  // clang-format on
  hud::ClampAndRenormalise(abundances);
  ASSERT_TRUE(abundances.allFinite());
  EXPECT_LT((abundances - truth).cwiseAbs().maxCoeff(), 1e-7f);
}

TEST(ClampAndRenormalise, StaysOnTheSimplexForHugeAndTinyValues)
{
  const float huge = std::numeric_limits<float>::max();
  const float tiny = std::numeric_limits<float>::denorm_min();
  Eigen::MatrixXf abundances(2, 4);
  abundances << huge, tiny, tiny, huge, //
      huge, -huge, tiny, tiny;
  hud::ClampAndRenormalise(abundances);
  ASSERT_TRUE(abundances.allFinite());
  Eigen::MatrixXf truth(2, 4);
  truth << 0.5f, 1.f, 0.5f, 1.f, //
      0.5f, 0.f, 0.5f, 0.f;
  EXPECT_LT((abundances - truth).cwiseAbs().maxCoeff(), 1e-6f);
}

TEST(ClampAndRenormalise, LeavesAbundancesOnTheSimplexAlone)
{
  const Eigen::MatrixXf truth = UniformAbundances(5, 71, 74).cast<float>();
  Eigen::MatrixXf abundances = truth;
  hud::ClampAndRenormalise(abundances.middleCols(3, 60));
  EXPECT_LT((abundances - truth).cwiseAbs().maxCoeff(), 1e-6f);
}

TEST(ParseEncoderKind, KnowsTheFourNamesAndListsThemForAnyOther)
{
  EXPECT_EQ(hud::ParseEncoderKind("fcls"), EncoderKind::Fcls);
  EXPECT_EQ(hud::ParseEncoderKind("nnls"), EncoderKind::Nnls);
  EXPECT_EQ(hud::ParseEncoderKind("linear"), EncoderKind::Linear);
  EXPECT_EQ(hud::ParseEncoderKind("ucls"), EncoderKind::Unconstrained);
  for (const char* const name : {"nnl", "FCLS", ""})
  {
    const std::string message = MessageOf<hud::InvalidOption>([&] { hud::ParseEncoderKind(name); });
    EXPECT_TRUE(Says(message, name)) << message;
    EXPECT_TRUE(Says(message, "fcls") && Says(message, "nnls") && Says(message, "linear") && Says(message, "ucls"))
        << message;
  }
}
