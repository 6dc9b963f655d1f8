// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/SceneStatistics.h"

#include "hud/core/Error.h"

#include <Eigen/Eigenvalues>

#ifdef HUD_USE_BLAS
#include <cblas.h>
#endif

#include <algorithm>
#include <cmath>
#include <sstream>

namespace hud
{

namespace
{

/// What spectra may hold: above it, squares would overflow in single precision.
constexpr double kLargestMagnitude = 1e18;

/// Pixels in double precision that stay in a processor's cache.
constexpr Eigen::Index kCachedPixels = 512;

/// Adds Y Y^T to the lower triangle of a matrix, [bands x bands]: nearly all the work of the statistics.
void AddProducts(const Eigen::MatrixXd& spectra, Eigen::MatrixXd& sum)
{
#ifdef HUD_USE_BLAS
  const auto bands = static_cast<int>(spectra.rows());
  cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, bands, static_cast<int>(spectra.cols()), 1., spectra.data(),
              bands, 1., sum.data(), bands);
#else
  sum.selfadjointView<Eigen::Lower>().rankUpdate(spectra);
#endif
}

/// Returns the root of what all but the largest `dimension` eigenvalues of a moment matrix hold, per band.
double RankLimit(const Eigen::MatrixXd& moments, Eigen::Index dimension)
{
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(moments, Eigen::EigenvaluesOnly);
  const Eigen::Index lost = std::max<Eigen::Index>(moments.rows() - dimension, 0);
  const double sum = solver.eigenvalues().head(lost).cwiseMax(0.).sum();
  return std::sqrt(sum / static_cast<double>(moments.rows()));
}

} // namespace

Eigen::MatrixXd SceneStatistics::Covariance() const
{
  return m_Correlation - m_Mean * m_Mean.transpose();
}

double SceneStatistics::Power() const
{
  return m_Correlation.trace();
}

SceneStatistics ComputeSceneStatistics(const SpectraSource& source)
{
  SceneStatistics statistics;
  statistics.m_Mean = Eigen::VectorXd::Zero(source.Bands());
  statistics.m_Correlation = Eigen::MatrixXd::Zero(source.Bands(), source.Bands());
  source.Visit([&](const Eigen::Ref<const Eigen::MatrixXf>& spectra) {
    statistics.m_Pixels += spectra.cols();
    for (Eigen::Index first = 0; first < spectra.cols(); first += kCachedPixels)
    {
      const Eigen::MatrixXd part =
          spectra.middleCols(first, std::min(kCachedPixels, spectra.cols() - first)).cast<double>();
      statistics.m_Mean += part.rowwise().sum();
      AddProducts(part, statistics.m_Correlation);
    }
  });
  if (statistics.m_Pixels == 0)
  {
    throw InvalidData("the scene has no valid pixel");
  }
  // No value's magnitude is above this, and the largest one's is near it if it stands out.
  const double largest = std::sqrt(statistics.m_Correlation.diagonal().maxCoeff());
  if (largest > kLargestMagnitude)
  {
    std::ostringstream message;
    message << "spectra hold values of about " << largest << ", expected at most " << kLargestMagnitude
            << "; is it a no-data value that the file does not declare?";
    throw InvalidData(message.str());
  }
  const double pixels = static_cast<double>(statistics.m_Pixels);
  statistics.m_Mean /= pixels;
  statistics.m_Correlation = Eigen::MatrixXd(statistics.m_Correlation.selfadjointView<Eigen::Lower>()) / pixels;
  return statistics;
}

double AffineRankLimit(const SceneStatistics& statistics, Eigen::Index dimension)
{
  return RankLimit(statistics.Covariance(), dimension);
}

double LinearRankLimit(const SceneStatistics& statistics, Eigen::Index dimension)
{
  return RankLimit(statistics.m_Correlation, dimension);
}

} // namespace hud
