// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/BandResampling.h"

#include "hud/core/Error.h"

#include "core/ErrorMessage.h"
#include "core/RandomMatrix.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace
{

using hud::BandResampling;
using hud::ComputeBandResampling;
using hud::test::MessageOf;
using hud::test::Says;
using List = std::vector<double>;

void ExpectSays(const std::string& message, const std::vector<std::string>& texts)
{
  for (const std::string& text : texts)
  {
    EXPECT_TRUE(Says(message, text)) << message;
  }
}

// Ranges of two spectrometers that overlap, the first one falling; 950 twice; irregular distances.
const List kSource = {950., 938., 931., 919., 911., 902., 940., 950., 957., 966., 979., 985.5, 997., 1004., 1016.};

Eigen::VectorXd Values(const List& wavelengths, double (*spectrum)(double))
{
  Eigen::VectorXd values(static_cast<Eigen::Index>(wavelengths.size()));
  std::transform(wavelengths.begin(), wavelengths.end(), values.begin(), spectrum);
  return values;
}

double Line(double x)
{
  return 3. - 0.0021 * x;
}

/// The mean of the spectrum between the wavelengths under a Gaussian, by the midpoint rule.
double Integrate(const List& wavelengths, const Eigen::VectorXd& values, double centre, double width)
{
  double sum = 0.;
  double weight = 0.;
  const double step = width / 2000.;
  for (double x = centre - 5. * width + 0.5 * step; x < centre + 5. * width; x += step)
  {
    const auto next = std::upper_bound(wavelengths.begin(), wavelengths.end(), x);
    if (next != wavelengths.begin() && next != wavelengths.end())
    {
      const auto i = next - wavelengths.begin();
      const double share = (x - *(next - 1)) / (*next - *(next - 1));
      const double response = std::exp(-4. * std::log(2.) * (x - centre) * (x - centre) / (width * width));
      sum += response * ((1. - share) * values[i - 1] + share * values[i]);
      weight += response;
    }
  }
  return sum / weight;
}

TEST(ComputeBandResampling, KeepsAFlatSpectrumAndALineAtTheCentre)
{
  const List centres = {960., 945.3, 970.};
  const BandResampling resampling = ComputeBandResampling(kSource, {}, centres, {9., 2.5, 14.});
  ASSERT_EQ(resampling.m_Weights.rows(), 3);
  ASSERT_EQ(resampling.m_Weights.cols(), 15);
  EXPECT_GE(resampling.m_Weights.minCoeff(), 0.);
  EXPECT_LT((resampling.m_Weights.rowwise().sum().array() - 1.).abs().maxCoeff(), 1e-14);
  const Eigen::VectorXd line = resampling.m_Weights * Values(kSource, Line);
  for (Eigen::Index band = 0; band < 3; ++band)
  {
    // Beyond the range are up to 1e-10 of these responses.
    EXPECT_NEAR(line[band], Line(centres[static_cast<std::size_t>(band)]), 1e-9) << band;
  }
}

TEST(ComputeBandResampling, GivesTheKnownIntegralOfTwoGaussians)
{
  // Of widths 20 and 30 the product of the densities integrates to that of width sqrt(20^2 + 30^2) at their distance.
  List wavelengths;
  for (double x = 400.; x <= 700.; x += 0.25)
  {
    wavelengths.push_back(x);
  }
  const auto gaussian = [](double x, double width) { return std::exp(-4. * std::log(2.) * x * x / (width * width)); };
  Eigen::VectorXd values(static_cast<Eigen::Index>(wavelengths.size()));
  std::transform(wavelengths.begin(), wavelengths.end(), values.begin(),
                 [&](double x) { return gaussian(x - 550., 20.); });
  const List centres = {541., 550., 575.};
  const Eigen::VectorXd found = ComputeBandResampling(wavelengths, {}, centres, {30., 30., 30.}).m_Weights * values;
  for (Eigen::Index band = 0; band < 3; ++band)
  {
    const double width = std::sqrt(20. * 20. + 30. * 30.);
    EXPECT_NEAR(found[band], 20. / width * gaussian(centres[static_cast<std::size_t>(band)] - 550., width), 2e-5)
        << band;
  }
}

TEST(ComputeBandResampling, IntegratesAnySpectrumExactlyInAnyOrder)
{
  List sorted = {902., 911., 919., 931., 938., 940., 950., 957., 966., 979., 985.5, 997., 1004., 1016.};
  const Eigen::VectorXd values = hud::test::UniformMatrix(15, 1, 3);
  Eigen::VectorXd sortedValues(14);
  for (std::size_t i = 0; i < sorted.size(); ++i)
  {
    const auto place = std::find(kSource.begin(), kSource.end(), sorted[i]) - kSource.begin();
    // Of the two bands of one wavelength, the mean.
    sortedValues[static_cast<Eigen::Index>(i)] = sorted[i] == 950. ? 0.5 * (values[0] + values[7]) : values[place];
  }
  const List centres = {960., 941., 950.};
  const List widths = {11., 6., 0.8};
  const Eigen::VectorXd found = ComputeBandResampling(kSource, {}, centres, widths).m_Weights * values;
  for (std::size_t band = 0; band < 3; ++band)
  {
    EXPECT_NEAR(found[static_cast<Eigen::Index>(band)], Integrate(sorted, sortedValues, centres[band], widths[band]),
                1e-6);
  }
}

TEST(ComputeBandResampling, InterpolatesLinearlyWhereABandIsNarrow)
{
  const BandResampling resampling =
      ComputeBandResampling({500., 510., 530.}, {}, {503., 510., 525.}, {1e-3, 1e-3, 1e-3});
  Eigen::MatrixXd expected(3, 3);
  expected << 0.7, 0.3, 0., 0., 1., 0., 0., 0.25, 0.75;
  EXPECT_LT((resampling.m_Weights - expected).cwiseAbs().maxCoeff(), 1e-4);
}

TEST(ComputeBandResampling, EndsHalfABandBeyondTheLastWavelength)
{
  const List source = {500., 510., 520., 530.};
  const BandResampling spaced = ComputeBandResampling(source, {}, {495., 530., 545.}, {10., 10., 10.});
  EXPECT_EQ(spaced.m_First, 495.);
  EXPECT_EQ(spaced.m_Last, 535.);
  EXPECT_NEAR(spaced.m_Outside[0], 0.5, 1e-4);
  EXPECT_FALSE(spaced.IsCovered(0));
  // As far from the end as the half maximum: 1 - erf(sqrt(ln 2)) over 2.
  EXPECT_NEAR(spaced.m_Outside[1], 0.11951, 1e-4);
  EXPECT_TRUE(spaced.IsCovered(1));
  EXPECT_GT(spaced.m_Outside[2], 0.98);
  const BandResampling wide = ComputeBandResampling(source, {14., 14., 14., 12.}, {500.}, {14.});
  EXPECT_EQ(wide.m_First, 493.);
  EXPECT_EQ(wide.m_Last, 536.);
  EXPECT_TRUE(wide.IsCovered(0));
  EXPECT_EQ(ComputeBandResampling({500.}, {12.}, {500.}, {11.}).m_Weights(0, 0), 1.);
  // Between the last wavelength and the end of the range there is only the last band.
  const BandResampling narrow = ComputeBandResampling(source, {}, {496., 534.}, {0.5, 0.5});
  EXPECT_TRUE(narrow.IsCovered(0) && narrow.IsCovered(1));
  EXPECT_EQ(narrow.m_Weights.row(0), Eigen::RowVector4d(1., 0., 0., 0.));
  EXPECT_EQ(narrow.m_Weights.row(1), Eigen::RowVector4d(0., 0., 0., 1.));
}

TEST(ComputeBandResampling, FindsWhatLiesInAGap)
{
  // 40 nm are a gap of 30 between bands of 10; 20 nm are none, as one lost band is interpolated.
  const List source = {500., 510., 520., 540., 550., 590., 600.};
  const BandResampling resampling = ComputeBandResampling(source, {}, {570., 530., 550., 557.}, {12., 12., 12., 12.});
  EXPECT_GT(resampling.m_InGaps[0], 0.99);
  EXPECT_FALSE(resampling.IsCovered(0));
  EXPECT_LT(resampling.m_InGaps[1], 1e-4);
  EXPECT_TRUE(resampling.IsCovered(1));
  // 5 nm of 12 beyond the centre: 1 - erf(sqrt(ln 2) 5 / 6) over 2.
  EXPECT_NEAR(resampling.m_InGaps[2], 0.16325, 1e-4);
  EXPECT_FALSE(resampling.IsCovered(2));
  EXPECT_GT(resampling.m_InGaps[3], 0.6);
  EXPECT_EQ(resampling.m_Outside.maxCoeff() < 1e-4, true);
}

TEST(ComputeBandResampling, SaysWhatIsWrong)
{
  ExpectSays(MessageOf<hud::InvalidData>([] {
               ComputeBandResampling({500., 510.}, {9.}, {505.}, {9.});
             }),
             {"source", "2 wavelengths", "1 widths"});
  ExpectSays(MessageOf<hud::InvalidData>([] { ComputeBandResampling({}, {}, {505.}, {9.}); }),
             {"source", "0 wavelengths"});
  ExpectSays(MessageOf<hud::InvalidData>([] { ComputeBandResampling({500.}, {}, {505.}, {9.}); }),
             {"one wavelength, 500 nm, of unknown width"});
  ExpectSays(MessageOf<hud::InvalidData>([] {
               ComputeBandResampling({500., 510.}, {}, {505., 506.}, {9., 0.});
             }),
             {"band 2 of the target", "wavelength 506 and width 0", "above 0"});
  ExpectSays(MessageOf<hud::InvalidData>([] {
               ComputeBandResampling({500., std::numeric_limits<double>::quiet_NaN()}, {}, {505.}, {9.});
             }),
             {"band 2 of the source", "wavelength nan"});
  ExpectSays(MessageOf<hud::InvalidData>([] {
               ComputeBandResampling({500., 510.}, {}, {505.}, {});
             }),
             {"target", "no widths"});
}

} // namespace
