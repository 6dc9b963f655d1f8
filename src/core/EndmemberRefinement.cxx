// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/EndmemberRefinement.h"

#include "FclsFit.h"

#include "hud/core/Error.h"
#include "hud/core/LeastSquares.h"

#include <Eigen/Cholesky>

#include <cmath>
#include <string>

namespace hud
{

namespace
{

/// Of the mean power of the start's endmembers, in the determinant: the least power that a direction counts with.
constexpr double kDelta = 1e-6;

Eigen::MatrixXd GramOf(const Eigen::MatrixXd& endmembers, double delta)
{
  Eigen::MatrixXd gram = endmembers.transpose() * endmembers;
  gram.diagonal().array() += delta;
  return gram;
}

/// Returns what the best iterate has least of.
double Objective(const FclsFit& fit, const Eigen::MatrixXd& endmembers, const RefinementOptions& options, double delta)
{
  if (options.m_Penalty == VolumePenalty::Spread)
  {
    return fit.m_Rmse;
  }
  const double logDeterminant =
      2. * GramOf(endmembers, delta).llt().matrixL().toDenseMatrix().diagonal().array().log().sum();
  return 2. * static_cast<double>(endmembers.rows()) * std::log(fit.m_Rmse) + options.m_Volume * logDeterminant;
}

/// Returns P of the penalty tr(A P A^T).
Eigen::MatrixXd Penalty(const FclsFit& fit, const Eigen::MatrixXd& endmembers, const RefinementOptions& options,
                        double delta, Eigen::Index pixels)
{
  const Eigen::Index d = endmembers.cols();
  const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(d, d);
  if (options.m_Penalty == VolumePenalty::Spread)
  {
    const double count = static_cast<double>(d);
    return options.m_Volume * fit.m_Gram.trace() / count * (identity - Eigen::MatrixXd::Constant(d, d, 1. / count));
  }
  // Both logarithms lie below their tangents: log|E|^2 + ... at the last iterate, times |E|^2 / bands.
  const double weight = options.m_Volume * fit.m_Rmse * fit.m_Rmse * static_cast<double>(pixels);
  return weight * GramOf(endmembers, delta).llt().solve(identity);
}

} // namespace

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
  // Noise and the denoising of VCA leave small negative values.
  Eigen::MatrixXd current = endmembers.cwiseMax(0.);
  const double delta = kDelta * current.squaredNorm() / static_cast<double>(d);
  FclsFit fit = FitFcls(spectra, current);
  Eigen::MatrixXd best = current;
  double least = Objective(fit, current, options, delta);
  for (int iteration = 0; iteration < options.m_Iterations; ++iteration)
  {
    // A minimises |Y - A X|^2 + tr(A P A^T): one non-negative problem per band.
    Eigen::MatrixXd gram = fit.m_Gram + Penalty(fit, current, options, delta, spectra.cols());
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
    const double objective = Objective(fit, current, options, delta);
    if (objective < least)
    {
      least = objective;
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
