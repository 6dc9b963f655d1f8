// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/EndmemberRefinement.h"

#include "FclsFit.h"

#include "hud/core/Error.h"
#include "hud/core/LeastSquares.h"

#include <cmath>
#include <string>

namespace hud
{

void RefinementOptions::Check() const
{
  if (m_Iterations < 0)
  {
    throw InvalidOption("the number of refinements is " + std::to_string(m_Iterations) + ", expected at least 0");
  }
  if (!(m_Volume >= 0. && std::isfinite(m_Volume)))
  {
    throw InvalidOption("the weight of the volume penalty is " + std::to_string(m_Volume) +
                        ", expected at least 0 and finite");
  }
}

Eigen::MatrixXd RefineEndmembers(const Eigen::Ref<const Eigen::MatrixXf>& spectra, const Eigen::MatrixXd& endmembers,
                                 const RefinementOptions& options, const std::function<void()>& afterIteration)
{
  options.Check();
  if (options.m_Iterations == 0)
  {
    return endmembers;
  }
  const Eigen::Index d = endmembers.cols();
  const Eigen::Index refined = options.m_Shade ? d - 1 : d;
  const Eigen::MatrixXd centring =
      Eigen::MatrixXd::Identity(d, d) - Eigen::MatrixXd::Constant(d, d, 1. / static_cast<double>(d));

  // Noise and the denoising of VCA leave small negative values.
  Eigen::MatrixXd current = endmembers.cwiseMax(0.);
  FclsFit fit = FitFcls(spectra, current);
  Eigen::MatrixXd best = current;
  double bestError = fit.m_Rmse;
  for (int iteration = 0; iteration < options.m_Iterations; ++iteration)
  {
    // A minimises |Y - A X|^2 + mu |A C|^2 with C the centring matrix: one non-negative problem per band.
    Eigen::MatrixXd gram = fit.m_Gram;
    const double weight = options.m_Volume * gram.trace() / static_cast<double>(d);
    gram += weight * centring;
    gram.diagonal().array() += 1e-12 * gram.trace(); // an endmember that no pixel uses keeps the problem definite
    Eigen::MatrixXd rows = fit.m_Correlation.topRows(refined); // of A, as columns; first the right-hand sides
    ConstrainedLeastSquares(gram.topLeftCorner(refined, refined), Constraint::NonNegative).Solve(rows, rows);
    current.leftCols(refined) = rows.transpose();
    try
    {
      fit = FitFcls(spectra, current);
    }
    catch (const InvalidData&)
    {
      break; // two endmembers became one: nothing better can follow
    }
    if (fit.m_Rmse < bestError)
    {
      bestError = fit.m_Rmse;
      best = current;
    }
    if (afterIteration)
    {
      afterIteration();
    }
  }
  return best;
}

} // namespace hud
