// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "FclsFit.h"

#include "Parts.h"

#include "hud/core/LeastSquares.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace hud
{

namespace
{

/// Pixels in double precision that stay in a processor's cache.
constexpr Eigen::Index kCachedPixels = 256;

} // namespace

FclsFit FitFcls(const Eigen::Ref<const Eigen::MatrixXf>& spectra, const Eigen::MatrixXd& endmembers)
{
  const Eigen::Index d = endmembers.cols();
  const Encoder encoder(endmembers, EncoderKind::Fcls);
  FclsFit zero;
  zero.m_Gram = Eigen::MatrixXd::Zero(d, d);
  zero.m_Correlation = Eigen::MatrixXd::Zero(d, spectra.rows());
  std::vector<FclsFit> parts(kParts, zero);
  std::vector<double> squaredErrors(kParts, 0.);
  ForEachPart(spectra.cols(), [&](std::size_t part, Eigen::Index begin, Eigen::Index end) {
    FclsFit& sums = parts[part];
    Eigen::MatrixXf abundances(d, kCachedPixels);
    Eigen::MatrixXd x;
    Eigen::MatrixXd y;
    for (Eigen::Index first = begin; first < end; first += kCachedPixels)
    {
      const Eigen::Index count = std::min(kCachedPixels, end - first);
      encoder.Encode(spectra.middleCols(first, count), abundances.leftCols(count));
      x = abundances.leftCols(count).cast<double>();
      y = spectra.middleCols(first, count).cast<double>();
      sums.m_Gram.noalias() += x * x.transpose();
      sums.m_Correlation.noalias() += x * y.transpose();
      y.noalias() -= endmembers * x;
      squaredErrors[part] += y.squaredNorm();
    }
  });
  FclsFit fit = zero;
  for (const FclsFit& part : parts)
  {
    fit.m_Gram += part.m_Gram;
    fit.m_Correlation += part.m_Correlation;
  }
  fit.m_Rmse =
      std::sqrt(std::accumulate(squaredErrors.begin(), squaredErrors.end(), 0.) / static_cast<double>(spectra.size()));
  return fit;
}

} // namespace hud
