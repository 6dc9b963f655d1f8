// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/Sisal.h"

#include "hud/core/Error.h"
#include "hud/core/SceneStatistics.h"
#include "hud/core/SpectraSource.h"
#include "hud/core/Vca.h"

#include <Eigen/LU>

#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <utility>

namespace hud
{

namespace
{

constexpr int kSplitIterations = 300;
/// How far the splitting moves a negative abundance towards zero at a time; changes the pace only.
constexpr double kThreshold = 1.;
/// Of the quadratic term, above which no step is left to try.
constexpr double kLargestCurvature = 1e12;
/// Change of the objective, or of Q within the splitting, that is none.
constexpr double kTolerance = 1e-6;

/// The problem in whitened coordinates, where Y Y^T is n times the identity.
class SimplexProblem
{
public:
  /// @param coordinates Y, [d x n], whose last row is one
  SimplexProblem(Eigen::MatrixXd coordinates, double outsideShare)
    : m_Coordinates(std::move(coordinates)), m_Pixels(static_cast<double>(m_Coordinates.cols())),
      m_Weight(static_cast<double>(m_Coordinates.rows() - 1) / (outsideShare * m_Pixels))
  {
  }

  /// Returns what is minimised; infinite for a simplex without an inside.
  double Objective(const Eigen::MatrixXd& inverse) const
  {
    const double determinant = std::abs(inverse.determinant());
    return determinant > 0. ? m_Weight * (inverse * m_Coordinates).cwiseMin(0.).cwiseAbs().sum() - std::log(determinant)
                            : std::numeric_limits<double>::infinity();
  }

  /// Returns the Q that minimises the objective with the volume's term replaced by its tangent at Q0 and
  /// (curvature / 2) |Q - Q0|^2, by the alternating direction method of multipliers with Z = Q Y.
  Eigen::MatrixXd Step(const Eigen::MatrixXd& from, double curvature)
  {
    const Eigen::Index d = from.rows();
    const double coupling = m_Weight / kThreshold;
    const Eigen::MatrixXd constant = curvature * from + from.inverse().transpose();
    Eigen::MatrixXd inverse = from;
    Eigen::MatrixXd split = (from * m_Coordinates).cwiseMax(0.);
    if (m_Multipliers.size() == 0)
    {
      m_Multipliers = Eigen::MatrixXd::Zero(d, m_Coordinates.cols());
    }
    for (int iteration = 0; iteration < kSplitIterations; ++iteration)
    {
      Eigen::MatrixXd next = (constant + coupling * (split - m_Multipliers) * m_Coordinates.transpose()) /
                             (curvature + coupling * m_Pixels);
      Eigen::RowVectorXd excess = next.colwise().sum();
      excess(d - 1) -= 1.;
      next.rowwise() -= excess / static_cast<double>(d);
      m_Multipliers.noalias() += next * m_Coordinates;
      // The proximal map of the hinge: what is less negative than the threshold becomes zero.
      split = m_Multipliers.cwiseMax(0.) + (m_Multipliers.array() + kThreshold).min(0.).matrix();
      m_Multipliers -= split;
      const double change = (next - inverse).norm();
      inverse = next;
      if (change <= kTolerance * inverse.norm())
      {
        break;
      }
    }
    return inverse;
  }

private:
  Eigen::MatrixXd m_Coordinates;
  double m_Pixels;
  double m_Weight;
  Eigen::MatrixXd m_Multipliers; ///< of the last step, where the next starts
};

} // namespace

void SisalOptions::Check() const
{
  if (!(m_OutsideShare > 0. && m_OutsideShare <= 0.5))
  {
    std::ostringstream message;
    message << "the share of the pixels outside of each facet is " << 100. * m_OutsideShare
            << " %, expected more than 0 and at most 50 %";
    throw InvalidOption(message.str());
  }
  if (m_Iterations < 1)
  {
    throw InvalidOption("the number of iterations of SISAL is " + std::to_string(m_Iterations) +
                        ", expected at least 1");
  }
}

Eigen::MatrixXd ExtractSisal(const Eigen::Ref<const Eigen::MatrixXf>& spectra, const Eigen::MatrixXd& start,
                             const SisalOptions& options, const std::function<void()>& checkIn)
{
  options.Check();
  const Eigen::Index d = start.cols();
  if (d < 2 || start.rows() != spectra.rows() || d > start.rows() || d > spectra.cols())
  {
    throw InvalidData("SISAL starts with " + std::to_string(d) + " endmembers of " + std::to_string(start.rows()) +
                      " bands, expected at least 2 and no more than bands or pixels, of " +
                      std::to_string(spectra.rows()) + " bands");
  }
  const VcaProjection projection(ComputeSceneStatistics(InMemorySpectra(spectra)), d, VcaBranch::Orthogonal);
  Eigen::MatrixXd reduced = projection.Reduce(spectra).cast<double>();
  const Eigen::VectorXd scale =
      reduced.rowwise().squaredNorm().array().sqrt() / std::sqrt(static_cast<double>(spectra.cols()));
  const auto whiten = [&](const Eigen::MatrixXd& coordinates) {
    Eigen::MatrixXd whitened = Eigen::MatrixXd::Ones(d, coordinates.cols());
    whitened.topRows(d - 1) = coordinates.array().colwise() / scale.array();
    return whitened;
  };
  const Eigen::FullPivLU<Eigen::MatrixXd> vertices(whiten(projection.Reduce(start.cast<float>()).cast<double>()));
  if (!vertices.isInvertible())
  {
    throw InvalidData("the " + std::to_string(d) + " endmembers that SISAL starts with enclose no volume");
  }
  Eigen::MatrixXd inverse = vertices.inverse();
  SimplexProblem problem(whiten(reduced), options.m_OutsideShare);
  double objective = problem.Objective(inverse);
  double curvature = 1.;
  for (int iteration = 0; iteration < options.m_Iterations; ++iteration)
  {
    const Eigen::MatrixXd next = problem.Step(inverse, curvature);
    const double reached = problem.Objective(next);
    if (checkIn)
    {
      checkIn();
    }
    if (!(reached < objective))
    {
      curvature *= 4.;
      if (curvature > kLargestCurvature)
      {
        break;
      }
      continue;
    }
    const bool settled = objective - reached <= kTolerance * std::abs(objective);
    inverse = next;
    objective = reached;
    curvature /= 2.;
    if (settled)
    {
      break;
    }
  }
  const Eigen::MatrixXd found = inverse.inverse().topRows(d - 1).array().colwise() * scale.array();
  Eigen::MatrixXd endmembers(start.rows(), d);
  for (Eigen::Index k = 0; k < d; ++k)
  {
    endmembers.col(k) = projection.Restore(found.col(k).cast<float>()).cwiseMax(0.);
  }
  return endmembers;
}

} // namespace hud
