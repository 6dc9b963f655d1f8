// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/SceneStatistics.h"

#include "Parts.h"

#include "hud/core/Error.h"

#include <Eigen/Eigenvalues>

#ifdef HUD_USE_BLAS
#include <cblas.h>
#endif

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

#ifdef HUD_USE_BLAS
extern "C" {
// OpenBLAS's own; absent in another BLAS.
__attribute__((weak)) int openblas_get_num_threads();
__attribute__((weak)) void openblas_set_num_threads(int);
}

/// Keeps OpenBLAS from starting threads of its own.
class SerialBlas
{
public:
  SerialBlas()
  {
    if (openblas_get_num_threads != nullptr && openblas_set_num_threads != nullptr)
    {
      m_Threads = openblas_get_num_threads();
      openblas_set_num_threads(1);
    }
  }
  ~SerialBlas()
  {
    if (m_Threads > 0)
    {
      openblas_set_num_threads(m_Threads);
    }
  }
  SerialBlas(const SerialBlas&) = delete;
  SerialBlas& operator=(const SerialBlas&) = delete;

private:
  int m_Threads = 0;
};
#else
class SerialBlas
{
};
#endif

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
      AddProducts(m_Part);
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
  /// Nearly all the work of the statistics.
  void AddProducts(const Eigen::MatrixXd& spectra)
  {
#ifdef HUD_USE_BLAS
    const auto bands = static_cast<int>(spectra.rows());
    cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, bands, static_cast<int>(spectra.cols()), 1., spectra.data(),
                bands, 1., m_Products.data(), bands);
#else
    m_Products.selfadjointView<Eigen::Lower>().rankUpdate(spectra);
#endif
  }

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
  [[maybe_unused]] const SerialBlas serial;
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
