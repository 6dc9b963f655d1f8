// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/SceneStatistics.h"

#include "Blas.h"
#include "Parts.h"

#include "hud/core/Error.h"

#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <sstream>
#include <vector>

namespace hud
{

namespace
{

/// What spectra may hold: above it, squares would overflow in single precision.
constexpr double kLargestMagnitude = 1e18;

/// Pixels in double precision that stay in a processor's cache.
constexpr Eigen::Index kCachedPixels = 1024;

/// Sums over pixels.
class Moments
{
public:
  explicit Moments(Eigen::Index bands)
    : m_Sum(Eigen::VectorXd::Zero(bands)), m_Products(Eigen::MatrixXd::Zero(bands, bands))
  {
  }

  void Add(const Eigen::Ref<const Eigen::MatrixXf>& spectra)
  {
    for (Eigen::Index first = 0; first < spectra.cols(); first += kCachedPixels)
    {
      m_Part = spectra.middleCols(first, std::min(kCachedPixels, spectra.cols() - first)).cast<double>();
      m_Sum += m_Part.rowwise().sum();
      AddSelfProducts(m_Part, m_Products); // nearly all the work of the statistics
    }
  }

  const Eigen::VectorXd& Sum() const
  {
    return m_Sum;
  }

  /// Returns the sum of y y^T, of which the lower triangle is filled.
  const Eigen::MatrixXd& Products() const
  {
    return m_Products;
  }

private:
  Eigen::MatrixXd m_Part; ///< kept, as a new one each time would be new pages
  Eigen::VectorXd m_Sum;
  Eigen::MatrixXd m_Products;
};

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
  std::vector<Moments> parts(kParts, Moments(source.Bands()));
  const SerialBlas serial;
  source.Visit([&](const Eigen::Ref<const Eigen::MatrixXf>& spectra) {
    statistics.m_Pixels += spectra.cols();
    ForEachPart(spectra.cols(), [&](std::size_t part, Eigen::Index begin, Eigen::Index end) {
      parts[part].Add(spectra.middleCols(begin, end - begin));
    });
  });
  for (const Moments& part : parts)
  {
    statistics.m_Mean += part.Sum();
    statistics.m_Correlation += part.Products();
  }
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
