// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/LeastSquares.h"

#include "hud/core/Error.h"

#include <Eigen/Cholesky>
#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace hud
{

namespace
{

/// Optimality is reached when no gradient component exceeds this share of the problem's scale.
constexpr double kGradientTolerance = 1e-12;

/// The set of coefficients that are free (not held at zero), and the minimiser over them.
class FreeSet
{
public:
  FreeSet(const Eigen::MatrixXd& gram, const Eigen::VectorXd& correlation, Constraint constraint)
    : m_Gram(gram), m_Correlation(correlation), m_Constraint(constraint)
  {
  }

  void Add(Eigen::Index index)
  {
    m_Indices.push_back(index);
  }

  void Remove(Eigen::Index index)
  {
    m_Indices.erase(std::find(m_Indices.begin(), m_Indices.end(), index));
  }

  const std::vector<Eigen::Index>& Indices() const
  {
    return m_Indices;
  }

  bool Contains(Eigen::Index index) const
  {
    return std::find(m_Indices.begin(), m_Indices.end(), index) != m_Indices.end();
  }

  /// Returns the minimiser with all other coefficients at zero, sum-to-one kept where asked for, [d].
  Eigen::VectorXd Minimise() const
  {
    const Eigen::LLT<Eigen::MatrixXd> factor(m_Gram(m_Indices, m_Indices));
    if (factor.info() != Eigen::Success)
    {
      throw InvalidData("a Gram matrix of size " + std::to_string(m_Indices.size()) + " is not positive definite");
    }
    Eigen::VectorXd solution = factor.solve(m_Correlation(m_Indices));
    if (m_Constraint == Constraint::NonNegativeAndSumToOne)
    {
      // G x = b - lambda 1 with sum(x) = 1.
      const Eigen::VectorXd ones = factor.solve(Eigen::VectorXd::Ones(solution.size()));
      const double multiplier = (solution.sum() - 1.) / ones.sum();
      solution -= multiplier * ones;
    }
    Eigen::VectorXd full = Eigen::VectorXd::Zero(m_Correlation.size());
    full(m_Indices) = solution;
    return full;
  }

private:
  const Eigen::MatrixXd& m_Gram;
  const Eigen::VectorXd& m_Correlation;
  Constraint m_Constraint;
  std::vector<Eigen::Index> m_Indices;
};

/// Returns the endmembers after the checks of Encoder's constructor.
Eigen::MatrixXd CheckedEndmembers(const Eigen::MatrixXd& endmembers, EncoderKind kind)
{
  const std::string size =
      std::to_string(endmembers.cols()) + " endmembers of " + std::to_string(endmembers.rows()) + " bands";
  if (endmembers.cols() < 2 || endmembers.cols() > endmembers.rows())
  {
    throw InvalidData("found " + size + ", expected at least 2 endmembers and no more than bands");
  }
  if (!endmembers.allFinite())
  {
    throw InvalidData(std::to_string(endmembers.size() - endmembers.array().isFinite().count()) + " of the " +
                      std::to_string(endmembers.size()) + " values of the endmembers are not finite");
  }
  // With sum-to-one, affine independence is enough: a row of ones counts.
  Eigen::MatrixXd augmented = endmembers;
  if (kind == EncoderKind::Fcls)
  {
    augmented.conservativeResize(endmembers.rows() + 1, Eigen::NoChange);
    augmented.bottomRows(1).setConstant(endmembers.norm() / std::sqrt(static_cast<double>(endmembers.cols())));
  }
  Eigen::ColPivHouseholderQR<Eigen::MatrixXd> decomposition(augmented);
  // Endmember files hold single precision, and the normal equations square the condition.
  decomposition.setThreshold(3e-7);
  if (decomposition.rank() < endmembers.cols())
  {
    throw InvalidData("the endmembers are linearly dependent: found " + size + " of rank " +
                      std::to_string(decomposition.rank()));
  }
  return endmembers;
}

} // namespace

ConstrainedLeastSquares::ConstrainedLeastSquares(const Eigen::MatrixXd& gram, Constraint constraint)
  : m_Gram(gram), m_Constraint(constraint)
{
  if (constraint == Constraint::NonNegativeAndSumToOne)
  {
    // |A x - y|^2 + s (sum(x) - 1)^2 has the same minimiser on the simplex and a better conditioned, definite Gram
    // matrix, even when one endmember is zero (shade).
    m_Shift = gram.diagonal().mean();
    m_Gram.array() += m_Shift;
  }
}

Eigen::VectorXd ConstrainedLeastSquares::Solve(const Eigen::VectorXd& correlation) const
{
  const Eigen::Index d = m_Gram.rows();
  const Eigen::VectorXd shifted = correlation.array() + m_Shift;
  const double scale = std::max(m_Gram.diagonal().maxCoeff(), shifted.cwiseAbs().maxCoeff());
  const double tolerance = kGradientTolerance * scale;
  FreeSet free(m_Gram, shifted, m_Constraint);
  Eigen::VectorXd x = Eigen::VectorXd::Zero(d);
  if (m_Constraint == Constraint::NonNegativeAndSumToOne)
  {
    Eigen::Index nearest = 0; // the endmember nearest to y
    (0.5 * m_Gram.diagonal() - shifted).minCoeff(&nearest);
    x(nearest) = 1.;
    free.Add(nearest);
  }

  // A coefficient whose gradient says "grow" but which the minimiser holds at zero is a tie within rounding.
  std::vector<bool> tied(static_cast<std::size_t>(d), false);
  const Eigen::Index maximumSteps = 10 * d + 10; // a bound that rounding alone could reach
  for (Eigen::Index step = 0; step < maximumSteps; ++step)
  {
    const Eigen::VectorXd gradient = shifted - m_Gram * x;
    const double multiplier = m_Constraint == Constraint::NonNegativeAndSumToOne ? gradient(free.Indices()).mean() : 0.;
    Eigen::Index entering = -1;
    double largest = tolerance;
    for (Eigen::Index k = 0; k < d; ++k)
    {
      if (!tied[static_cast<std::size_t>(k)] && !free.Contains(k) && gradient(k) - multiplier > largest)
      {
        largest = gradient(k) - multiplier;
        entering = k;
      }
    }
    if (entering < 0)
    {
      break;
    }
    free.Add(entering);
    Eigen::VectorXd candidate = free.Minimise();
    if (candidate(entering) <= 0.)
    {
      free.Remove(entering);
      tied[static_cast<std::size_t>(entering)] = true;
      continue;
    }
    // Walk towards the minimiser; whatever reaches zero on the way leaves the free set.
    while (candidate.minCoeff() < 0.)
    {
      double share = std::numeric_limits<double>::infinity();
      Eigen::Index blocking = entering;
      for (const Eigen::Index k : free.Indices())
      {
        if (candidate(k) < 0. && x(k) / (x(k) - candidate(k)) < share)
        {
          share = x(k) / (x(k) - candidate(k));
          blocking = k;
        }
      }
      x += share * (candidate - x);
      x = x.cwiseMax(0.); // rounding
      x(blocking) = 0.;
      free.Remove(blocking);
      candidate = free.Minimise();
    }
    x = candidate;
    std::fill(tied.begin(), tied.end(), false);
  }
  if (m_Constraint == Constraint::NonNegativeAndSumToOne)
  {
    x /= x.sum();
  }
  return x;
}

EncoderKind ParseEncoderKind(const std::string& name)
{
  if (name == "fcls")
  {
    return EncoderKind::Fcls;
  }
  if (name == "linear")
  {
    return EncoderKind::Linear;
  }
  if (name == "ucls")
  {
    return EncoderKind::Unconstrained;
  }
  throw InvalidOption("the encoder is '" + name + "', expected fcls, linear or ucls");
}

void ClampAndRenormalise(Eigen::Ref<Eigen::MatrixXf> abundances)
{
  for (Eigen::Index pixel = 0; pixel < abundances.cols(); ++pixel)
  {
    const Eigen::VectorXd clamped = abundances.col(pixel).cast<double>().cwiseMax(0.);
    const double sum = clamped.sum();
    if (sum > 0.)
    {
      abundances.col(pixel) = (clamped / sum).cast<float>();
    }
    else
    {
      abundances.col(pixel).setConstant(1.f / static_cast<float>(abundances.rows()));
    }
  }
}

Encoder::Encoder(const Eigen::MatrixXd& endmembers, EncoderKind kind)
  : m_Kind(kind), m_Endmembers(CheckedEndmembers(endmembers, kind)),
    m_PseudoInverse(kind == EncoderKind::Fcls
                        ? Eigen::MatrixXd()
                        : Eigen::MatrixXd(m_Endmembers.completeOrthogonalDecomposition().pseudoInverse())),
    m_Fcls(m_Endmembers.transpose() * m_Endmembers, Constraint::NonNegativeAndSumToOne)
{
}

Eigen::Index Encoder::Bands() const
{
  return m_Endmembers.rows();
}

Eigen::Index Encoder::Endmembers() const
{
  return m_Endmembers.cols();
}

void Encoder::Encode(const Eigen::Ref<const Eigen::MatrixXf>& spectra, Eigen::Ref<Eigen::MatrixXf> abundances) const
{
  if (spectra.rows() != Bands() || abundances.rows() != Endmembers() || abundances.cols() != spectra.cols())
  {
    throw InvalidData("spectra of " + std::to_string(spectra.rows()) + " bands for an encoder of " +
                      std::to_string(Bands()) + " bands, or abundances of another shape");
  }
  if (m_Kind == EncoderKind::Fcls)
  {
    const Eigen::MatrixXd correlation = m_Endmembers.transpose() * spectra.cast<double>();
    for (Eigen::Index pixel = 0; pixel < spectra.cols(); ++pixel)
    {
      abundances.col(pixel) = m_Fcls.Solve(correlation.col(pixel)).cast<float>();
    }
    return;
  }
  abundances = (m_PseudoInverse * spectra.cast<double>()).cast<float>();
  if (m_Kind == EncoderKind::Linear)
  {
    ClampAndRenormalise(abundances);
  }
}

} // namespace hud
