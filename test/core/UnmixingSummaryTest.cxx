// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/UnmixingSummary.h"

#include "ErrorMessage.h"
#include "RandomMatrix.h"
#include "hud/core/Error.h"
#include "hud/core/LeastSquares.h"

#include <gtest/gtest.h>

#include <cmath>

namespace
{

using hud::UnmixingSummariser;
using hud::UnmixingSummary;
using hud::test::MessageOf;
using hud::test::Says;

constexpr Eigen::Index kBands = 11;
constexpr Eigen::Index kEndmembers = 4;
constexpr Eigen::Index kPixels = 237;

Eigen::MatrixXd Endmembers()
{
  return hud::test::UniformMatrix(kBands, kEndmembers, 1, 0.1, 0.9);
}

Eigen::MatrixXf Abundances()
{
  return hud::test::UniformAbundances(kEndmembers, kPixels, 2).cast<float>();
}

Eigen::MatrixXf Spectra()
{
  return (Endmembers() * hud::test::UniformAbundances(kEndmembers, kPixels, 2) +
          hud::test::UniformMatrix(kBands, kPixels, 3, -0.2, 0.2))
      .cast<float>();
}

} // namespace

TEST(UnmixingSummary, OfASmallCaseIsWhatOneComputesByHand)
{
  Eigen::MatrixXd endmembers(3, 2);
  endmembers << 2., 0., 0., 1., 0., 0.;
  // One pixel in each column; eq. (3) is (y1 / 2, y2).
  Eigen::MatrixXf abundances(2, 5);
  abundances << 1.f, 0.25f, 0.f, 0.96875f, 0.5625f, //
      0.f, 0.75f, 1.f, 0.03125f, 0.4375f;
  Eigen::MatrixXf spectra(3, 5);
  spectra << 2.f, 0.5f, -1.f, 1.9375f, 1.125f, //
      0.f, 0.75f, 1.f, -0.96875f, 0.4375f,     //
      0.f, 2.f, 0.f, 0.f, 0.f;
  const UnmixingSummary summary = UnmixingSummariser(endmembers).Summarise(spectra, abundances);
  EXPECT_EQ(summary.m_Pixels, 5);
  EXPECT_DOUBLE_EQ(summary.m_Power, 16.9619140625);
  EXPECT_DOUBLE_EQ(summary.m_SquaredError, 0. + 4. + 1. + 1. + 0.);
  EXPECT_EQ(summary.m_Negative, 2);
  ASSERT_EQ(summary.m_Largest.size(), 2);
  EXPECT_EQ(summary.m_Largest(0), 3);
  EXPECT_EQ(summary.m_Largest(1), 2);
  ASSERT_EQ(summary.m_Pure.size(), 2);
  EXPECT_EQ(summary.m_Pure(0), 2);
  EXPECT_EQ(summary.m_Pure(1), 1);
  ASSERT_EQ(summary.m_Abundance.size(), 2);
  EXPECT_DOUBLE_EQ(summary.m_Abundance(0), 2.78125);
  EXPECT_DOUBLE_EQ(summary.m_Abundance(1), 2.21875);
  EXPECT_DOUBLE_EQ(summary.DecodeRmse(3), std::sqrt(6. / 15.));
  EXPECT_DOUBLE_EQ(summary.RelativeDecodeError(), std::sqrt(6. / 16.9619140625));
  EXPECT_DOUBLE_EQ(summary.NegativeShare(), 0.2);
}

TEST(UnmixingSummary, AgreesWithItsDefinitionOnRandomSpectra)
{
  const Eigen::MatrixXf spectra = Spectra();
  const Eigen::MatrixXf abundances = Abundances();
  const UnmixingSummary summary = UnmixingSummariser(Endmembers()).Summarise(spectra, abundances);
  EXPECT_NEAR(summary.m_SquaredError, (spectra.cast<double>() - Endmembers() * abundances.cast<double>()).squaredNorm(),
              1e-5);
  EXPECT_NEAR(summary.m_Power, spectra.cast<double>().squaredNorm(), 1e-9);
  Eigen::MatrixXf unconstrained(kEndmembers, kPixels);
  hud::Encoder(Endmembers(), hud::EncoderKind::Unconstrained).Encode(spectra, unconstrained);
  EXPECT_EQ(summary.m_Negative, (unconstrained.array() < 0.f).count());
  EXPECT_GT(summary.m_Negative, 0);
  EXPECT_EQ(summary.m_Largest.sum(), kPixels);
  EXPECT_TRUE((summary.m_Pure <= summary.m_Largest).all()); // who has 95 % has the most
  EXPECT_NEAR(summary.m_Abundance.sum(), static_cast<double>(kPixels), 1e-4);
}

TEST(UnmixingSummary, CountsAnAbundanceOfExactlyTheLimitAsPure)
{
  const float limit = UnmixingSummary::kPureAbundance;
  Eigen::MatrixXf abundances(2, 3);
  abundances << limit, std::nextafter(limit, 0.f), 0.f, 1.f - limit, 0.f, limit;
  const Eigen::MatrixXd endmembers = Endmembers().leftCols(2);
  const Eigen::MatrixXf spectra = (endmembers * abundances.cast<double>()).cast<float>();
  const UnmixingSummary summary = UnmixingSummariser(endmembers).Summarise(spectra, abundances);
  EXPECT_EQ(summary.m_Pure(0), 1);
  EXPECT_EQ(summary.m_Pure(1), 1);
}

TEST(UnmixingSummary, SumOfPartsIsThatOfTheWhole)
{
  const Eigen::MatrixXf spectra = Spectra();
  const Eigen::MatrixXf abundances = Abundances();
  const UnmixingSummariser summariser(Endmembers());
  const UnmixingSummary whole = summariser.Summarise(spectra, abundances);
  UnmixingSummary sum;
  for (const auto& [first, count] : {std::pair<Eigen::Index, Eigen::Index>{0, 100}, {100, 0}, {100, 1}, {101, 136}})
  {
    sum += summariser.Summarise(spectra.middleCols(first, count), abundances.middleCols(first, count));
    sum += UnmixingSummary();
  }
  EXPECT_EQ(sum.m_Pixels, whole.m_Pixels);
  EXPECT_EQ(sum.m_Negative, whole.m_Negative);
  ASSERT_EQ(sum.m_Largest.size(), kEndmembers);
  EXPECT_TRUE((sum.m_Largest == whole.m_Largest).all());
  EXPECT_TRUE((sum.m_Pure == whole.m_Pure).all());
  EXPECT_TRUE(sum.m_Abundance.isApprox(whole.m_Abundance, 1e-12));
  EXPECT_NEAR(sum.m_Power, whole.m_Power, 1e-9);
  EXPECT_NEAR(sum.m_SquaredError, whole.m_SquaredError, 1e-5);
}

TEST(UnmixingSummary, IsFiniteWhereAnEndmemberIsShade)
{
  Eigen::MatrixXd endmembers = Endmembers();
  endmembers.col(2).setZero();
  const UnmixingSummary summary = UnmixingSummariser(endmembers).Summarise(Spectra(), Abundances());
  EXPECT_TRUE(std::isfinite(summary.DecodeRmse(kBands)));
  EXPECT_GE(summary.NegativeShare(), 0.);
  EXPECT_LT(summary.NegativeShare(), 1.);
}

TEST(UnmixingSummary, RefusesShapesThatDoNotFit)
{
  const UnmixingSummariser summariser(Endmembers());
  const Eigen::MatrixXf spectra = Spectra();
  const Eigen::MatrixXf abundances = Abundances();
  const std::string bands =
      MessageOf<hud::InvalidData>([&] { summariser.Summarise(spectra.topRows(kBands - 2), abundances); });
  EXPECT_TRUE(Says(bands, "9 bands") && Says(bands, "expected 11")) << bands;
  const std::string endmembers =
      MessageOf<hud::InvalidData>([&] { summariser.Summarise(spectra, abundances.topRows(3)); });
  EXPECT_TRUE(Says(endmembers, "3 endmembers")) << endmembers;
  EXPECT_THROW(summariser.Summarise(spectra.leftCols(5), abundances.leftCols(6)), hud::InvalidData);
}
