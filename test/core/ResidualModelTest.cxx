// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/ResidualModel.h"

#include "ErrorMessage.h"
#include "RandomMatrix.h"
#include "hud/core/Error.h"
#include "hud/core/SyntheticScene.h"

#include <Eigen/QR>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>

namespace
{

using hud::InvalidData;
using hud::InvalidOption;
using hud::ResidualEstimator;
using hud::ResidualModel;
using hud::ResidualNoise;
using hud::test::MessageOf;
using hud::test::NamesANumber;
using hud::test::Says;
using hud::test::UniformMatrix;

constexpr Eigen::Index kBands = 7;
constexpr Eigen::Index kEndmembers = 3;
constexpr Eigen::Index kPixels = 211;

Eigen::MatrixXd Endmembers()
{
  return UniformMatrix(kBands, kEndmembers, 1);
}

Eigen::MatrixXf Abundances()
{
  return hud::test::UniformAbundances(kEndmembers, kPixels, 2).cast<float>();
}

// Mixtures and a residual that is correlated over the bands and not of mean 0.
Eigen::MatrixXf Spectra()
{
  const Eigen::MatrixXd residual = UniformMatrix(kBands, kBands, 3, -1., 1.) * UniformMatrix(kBands, kPixels, 4);
  return (Endmembers() * Abundances().cast<double>() + residual).cast<float>();
}

ResidualModel FullRankModel()
{
  const Eigen::MatrixXd root = UniformMatrix(kBands, kBands, 5, -2., 2.);
  return {UniformMatrix(kBands, 1, 6, -3., 3.), root * root.transpose()};
}

// The residuals of a rectangle, [bands x width * height], pixels row by row.
Eigen::MatrixXf DrawRectangle(const ResidualNoise& noise, Eigen::Index x, Eigen::Index y, Eigen::Index width,
                              Eigen::Index height)
{
  Eigen::MatrixXf residuals(kBands, width * height);
  for (Eigen::Index row = 0; row < height; ++row)
  {
    noise.Draw(x, y + row, residuals.middleCols(row * width, width));
  }
  EXPECT_TRUE(residuals.allFinite());
  return residuals;
}

void ExpectNear(const ResidualModel& actual, const ResidualModel& expected, double tolerance)
{
  ASSERT_EQ(actual.m_Mean.size(), expected.m_Mean.size());
  ASSERT_EQ(actual.m_Covariance.rows(), expected.m_Covariance.rows());
  ASSERT_EQ(actual.m_Covariance.cols(), expected.m_Covariance.cols());
  ASSERT_TRUE(actual.m_Mean.allFinite() && actual.m_Covariance.allFinite());
  EXPECT_LT((actual.m_Mean - expected.m_Mean).cwiseAbs().maxCoeff(), tolerance);
  EXPECT_LT((actual.m_Covariance - expected.m_Covariance).cwiseAbs().maxCoeff(), tolerance);
}

} // namespace

TEST(ResidualEstimator, GivesTheMeanAndTheUnbiasedCovarianceOfTheResidual)
{
  const Eigen::MatrixXf spectra = Spectra();
  ResidualEstimator estimator(Endmembers());
  estimator.Add(spectra, Abundances());
  const Eigen::MatrixXd residual = spectra.cast<double>() - Endmembers() * Abundances().cast<double>();
  const Eigen::VectorXd mean = residual.rowwise().mean();
  const Eigen::MatrixXd centred = residual.colwise() - mean;
  ExpectNear(estimator.Model(), {mean, centred * centred.transpose() / static_cast<double>(kPixels - 1)}, 1e-12);
}

TEST(ResidualEstimator, DoesNotDependOnTheChunks)
{
  ResidualEstimator whole(Endmembers());
  whole.Add(Spectra(), Abundances());
  ResidualEstimator chunks(Endmembers());
  const Eigen::MatrixXf spectra = Spectra();
  const Eigen::MatrixXf abundances = Abundances();
  for (const auto& [first, last] : {std::pair(0, 1), std::pair(1, 1), std::pair(1, 64), std::pair(64, 211)})
  {
    chunks.Add(spectra.middleCols(first, last - first), abundances.middleCols(first, last - first));
  }
  ExpectNear(chunks.Model(), whole.Model(), 1e-12);
}

TEST(ResidualEstimator, GivesTheWhiteNoiseOfASyntheticScene)
{
  hud::SyntheticSceneOptions options;
  options.m_Pixels = 20000;
  options.m_Bands = 11;
  options.m_SnrDecibel = 20.;
  const hud::SyntheticScene scene = hud::MakeSyntheticScene(options);
  ResidualEstimator estimator(scene.m_Endmembers);
  estimator.Add(scene.m_Spectra, scene.m_Abundances);
  const ResidualModel model = estimator.Model();
  const double power = (scene.m_Endmembers * scene.m_Abundances.cast<double>()).squaredNorm() /
                       static_cast<double>(scene.m_Spectra.size());
  const double variance = power / 100.;
  EXPECT_LT(model.m_Mean.cwiseAbs().maxCoeff(), 0.03 * std::sqrt(variance));
  ASSERT_EQ(model.m_Covariance.rows(), 11);
  EXPECT_LT((model.m_Covariance - variance * Eigen::MatrixXd::Identity(11, 11)).cwiseAbs().maxCoeff(), 0.05 * variance);
}

TEST(ResidualEstimator, RefusesTooFewPixelsAndWhatDoesNotFit)
{
  ResidualEstimator estimator(Endmembers());
  EXPECT_TRUE(Says(MessageOf<InvalidData>([&] { estimator.Model(); }), "0 pixels"));
  estimator.Add(Spectra().leftCols(1), Abundances().leftCols(1));
  EXPECT_TRUE(Says(MessageOf<InvalidData>([&] { estimator.Model(); }), "1 pixels"));

  const auto message = [&](const Eigen::MatrixXf& spectra, const Eigen::MatrixXf& abundances) {
    return MessageOf<InvalidData>([&] { estimator.Add(spectra, abundances); });
  };
  EXPECT_TRUE(Says(message(Spectra().topRows(6), Abundances()), "6 bands"));
  EXPECT_TRUE(Says(message(Spectra(), Abundances().topRows(2)), "2 endmembers"));
  EXPECT_TRUE(Says(message(Spectra().leftCols(210), Abundances()), "210 pixels"));
  Eigen::MatrixXf bad = Spectra();
  bad(4, 9) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(Says(message(bad, Abundances()), "not finite"));
  EXPECT_TRUE(Says(MessageOf<InvalidData>([&] { estimator.Model(); }), "1 pixels"));

  Eigen::MatrixXd endmembers = Endmembers();
  endmembers(1, 2) = std::numeric_limits<double>::infinity();
  EXPECT_THROW(ResidualEstimator{endmembers}, InvalidData);
}

TEST(ResidualNoise, HasTheMeanAndTheCovarianceOfItsModel)
{
  const ResidualModel model = FullRankModel();
  const Eigen::MatrixXf residuals = DrawRectangle(ResidualNoise(model, 8), 5, 3, 400, 250);
  ResidualEstimator estimator(Eigen::MatrixXd::Zero(kBands, 1));
  estimator.Add(residuals, Eigen::MatrixXf::Zero(1, residuals.cols()));
  // Deviations of the estimates: sqrt(variance / pixels), and at most sqrt(2 / pixels) variance.
  ExpectNear(estimator.Model(), model, 0.02 * model.m_Covariance.diagonal().maxCoeff());
  EXPECT_LT((estimator.Model().m_Mean - model.m_Mean).cwiseAbs().maxCoeff(),
            4.5 * std::sqrt(model.m_Covariance.diagonal().maxCoeff() / static_cast<double>(residuals.cols())));
}

TEST(ResidualNoise, IsIndependentFromPixelToPixel)
{
  const ResidualModel model = FullRankModel();
  constexpr Eigen::Index kWidth = 300;
  const Eigen::MatrixXf residuals = DrawRectangle(ResidualNoise(model, 8), 0, 0, kWidth, 300);
  const Eigen::MatrixXd centred = residuals.cast<double>().colwise() - model.m_Mean;
  for (const Eigen::Index lag : {Eigen::Index(1), kWidth, kWidth + 1})
  {
    const Eigen::Index pixels = centred.cols() - lag;
    const Eigen::MatrixXd products =
        centred.leftCols(pixels) * centred.rightCols(pixels).transpose() / static_cast<double>(pixels);
    EXPECT_LT(products.cwiseAbs().maxCoeff(), 0.02 * model.m_Covariance.diagonal().maxCoeff()) << lag;
  }
}

TEST(ResidualNoise, DoesNotDependOnTheTiles)
{
  const ResidualNoise noise(FullRankModel(), 9);
  const Eigen::MatrixXf whole = DrawRectangle(noise, 10, 20, 23, 5);
  for (const Eigen::Index width : {1, 2, 5, 22})
  {
    for (Eigen::Index x = 0; x + width <= 23; x += width)
    {
      const Eigen::MatrixXf tile = DrawRectangle(noise, 10 + x, 22, width, 1);
      EXPECT_EQ(tile, whole.middleCols(2 * 23 + x, width)) << width << " from " << x;
    }
  }
}

TEST(ResidualNoise, DiffersFromSeedToSeedAndScalesWithTheAmount)
{
  const ResidualModel model = FullRankModel();
  const Eigen::MatrixXf residuals = DrawRectangle(ResidualNoise(model, 9), 0, 0, 23, 5);
  EXPECT_GT((DrawRectangle(ResidualNoise(model, 10), 0, 0, 23, 5) - residuals).cwiseAbs().minCoeff(), 0.f);
  EXPECT_TRUE(DrawRectangle(ResidualNoise(model, 9, 0.3), 0, 0, 23, 5).isApprox(0.3f * residuals, 1e-6f));
  EXPECT_EQ(DrawRectangle(ResidualNoise(model, 9, 0.), 0, 0, 23, 5), Eigen::MatrixXf::Zero(kBands, 115));
}

TEST(ResidualNoise, StaysInTheSpaceOfACovarianceOfLowRank)
{
  const Eigen::MatrixXd root = UniformMatrix(kBands, 2, 11, -100., 100.);
  const ResidualModel model{UniformMatrix(kBands, 1, 12), root * root.transpose()};
  const Eigen::MatrixXd centred =
      DrawRectangle(ResidualNoise(model, 13), 0, 0, 90, 40).cast<double>().colwise() - model.m_Mean;
  const Eigen::MatrixXd within = root * root.colPivHouseholderQr().solve(centred);
  EXPECT_GT(centred.cwiseAbs().maxCoeff(), 10.);
  EXPECT_LT((within - centred).cwiseAbs().maxCoeff(), 1e-4);
}

TEST(ResidualNoise, OfNoCovarianceIsTheMean)
{
  const Eigen::VectorXd mean = UniformMatrix(kBands, 1, 14);
  const ResidualNoise noise({mean, Eigen::MatrixXd::Zero(kBands, kBands)}, 15);
  EXPECT_EQ(DrawRectangle(noise, 1, 2, 4, 3), mean.cast<float>().replicate(1, 12));
}

TEST(EstimateResidualModel, FindsTheNoiseOfASyntheticScene)
{
  hud::SyntheticSceneOptions options;
  options.m_Bands = 30;
  options.m_Pixels = 20000;
  options.m_Endmembers = kEndmembers;
  options.m_SnrDecibel = 40.;
  const hud::SyntheticScene scene = hud::MakeSyntheticScene(options);
  const ResidualModel model = hud::EstimateResidualModel(hud::InMemorySpectra(scene.m_Spectra), scene.m_Endmembers);
  // Least squares fit d - 1 of the bands' worth of noise.
  const double power = (scene.m_Endmembers * scene.m_Abundances.cast<double>()).squaredNorm() /
                       static_cast<double>(scene.m_Spectra.size());
  const double expected = 1e-4 * power * static_cast<double>(options.m_Bands - kEndmembers + 1);
  EXPECT_NEAR(model.m_Covariance.trace(), expected, 0.05 * expected);
  EXPECT_LT(model.m_Mean.cwiseAbs().maxCoeff(), 0.1 * std::sqrt(1e-4 * power));
}

TEST(ResidualNoise, RefusesWhatIsNoModel)
{
  const ResidualModel good = FullRankModel();
  const auto message = [](const ResidualModel& model) {
    return MessageOf<InvalidData>([&] { ResidualNoise(model, 1); });
  };
  EXPECT_EQ(message(good), "no error");
  EXPECT_TRUE(Says(message({good.m_Mean.head(6), good.m_Covariance}), "6 bands"));
  EXPECT_TRUE(Says(message({good.m_Mean, good.m_Covariance.leftCols(5)}), "7 x 5"));
  EXPECT_TRUE(NamesANumber(message({Eigen::VectorXd(0), Eigen::MatrixXd(0, 0)})));
  ResidualModel bad = good;
  bad.m_Covariance(2, 1) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(Says(message(bad), "not finite"));
  EXPECT_TRUE(Says(message({good.m_Mean, -1e-7 * good.m_Covariance}), "from -"));

  const auto messageOfAmount = [&](double amount) {
    return MessageOf<InvalidOption>([&] { ResidualNoise(good, 1, amount); });
  };
  EXPECT_TRUE(Says(messageOfAmount(-0.5), "-0.5"));
  EXPECT_TRUE(Says(messageOfAmount(std::numeric_limits<double>::quiet_NaN()), "nan"));
  EXPECT_TRUE(Says(messageOfAmount(std::numeric_limits<double>::infinity()), "inf"));

  Eigen::MatrixXf residuals(6, 2);
  EXPECT_TRUE(Says(MessageOf<InvalidData>([&] { ResidualNoise(good, 1).Draw(0, 0, residuals); }), "6 bands"));
}
