// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/LeastSquares.h"

#include "Lanes.h"
#include "SpectraProduct.h"
#include "hud/core/Error.h"
#include "hud/core/NamedValue.h"

#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace hud
{

namespace
{

using Eigen::Index;

constexpr std::array<NamedValue<EncoderKind>, 4> kEncoders = {{{"fcls", EncoderKind::Fcls},
                                                               {"nnls", EncoderKind::Nnls},
                                                               {"linear", EncoderKind::Linear},
                                                               {"ucls", EncoderKind::Unconstrained}}};

/// Optimality is reached when no gradient component exceeds this share of the problem's scale.
constexpr double kGradientTolerance = 1e-12;

/// Subtracts a multiple of a row from another one, from a column on; the columns before it in the same lanes change too.
inline void SubtractRow(double* row, const double* subtracted, double factor, Index firstColumn, Index lanes)
{
  auto* const target = reinterpret_cast<Lanes*>(row);
  const auto* const source = reinterpret_cast<const Lanes*>(subtracted);
  for (Index j = firstColumn / kLanes; j < lanes; ++j)
  {
    target[j] -= factor * source[j];
  }
}

/// Columns after the matrix itself that elimination takes along: the right-hand side, and one of ones.
constexpr Index kRightHandSides = 2;

/// Gaussian elimination without pivoting on a positive definite matrix and two right-hand sides: afterwards the upper
/// triangle holds U, the diagonal the inverses of the pivots, and the lower triangle anything.
/// @param rows [size][stride]; the columns are size, two right-hand sides, and finite numbers
/// @return false when a pivot is not positive
HUD_DISPATCHED bool Eliminate(double* rows, Index size, Index stride)
{
  const Index lanes = LanesFor(size + kRightHandSides);
  for (Index k = 0; k < size; ++k)
  {
    double* const pivotRow = rows + k * stride;
    if (!(pivotRow[k] > 0.))
    {
      return false;
    }
    pivotRow[k] = 1. / pivotRow[k];
    for (Index i = k + 1; i < size; ++i)
    {
      SubtractRow(rows + i * stride, pivotRow, pivotRow[i] * pivotRow[k], i, lanes);
    }
  }
  return true;
}

/// Applies an elimination to another right-hand side; what `right` holds beyond the size changes too.
HUD_DISPATCHED void SubstituteForward(const double* rows, Index size, Index stride, double* right)
{
  const Index lanes = LanesFor(size);
  for (Index k = 0; k < size; ++k)
  {
    const double* const row = rows + k * stride;
    const double factor = right[k] * row[k];
    const Index aligned = LanesFor(k + 1) * kLanes;
    for (Index j = k + 1; j < aligned; ++j)
    {
      right[j] -= factor * row[j];
    }
    SubtractRow(right, row, factor, aligned, lanes);
  }
}

/// Solves U x = right in place; `right` is zero beyond the size.
HUD_DISPATCHED void SubstituteBackward(const double* rows, Index size, Index stride, double* right)
{
  const auto* const solved = reinterpret_cast<const Lanes*>(right);
  const Index lanes = LanesFor(size);
  for (Index k = size - 1; k >= 0; --k)
  {
    const double* const row = rows + k * stride;
    const auto* const coefficients = reinterpret_cast<const Lanes*>(row);
    const Index aligned = LanesFor(k + 1);
    Lanes sums = {};
    for (Index j = aligned; j < lanes; ++j)
    {
      sums += coefficients[j] * solved[j];
    }
    double sum = (sums[0] + sums[2]) + (sums[1] + sums[3]);
    for (Index j = k + 1; j < aligned * kLanes; ++j)
    {
      sum += row[j] * right[j];
    }
    right[k] = (right[k] - sum) * row[k];
  }
}

/// Subtracts G x from the gradient.
/// @param gram G, [size][stride], symmetric
/// @param gradient [stride]
HUD_DISPATCHED void SubtractProduct(const double* gram, const double* x, Index size, Index stride, double* gradient)
{
  for (Index k = 0; k < size; ++k)
  {
    if (x[k] != 0.)
    {
      SubtractRow(gradient, gram + k * stride, x[k], 0, stride / kLanes);
    }
  }
}

void EliminateOrThrow(double* rows, Index size, Index stride)
{
  if (!Eliminate(rows, size, stride))
  {
    throw InvalidData("a Gram matrix of size " + std::to_string(size) + " is not positive definite");
  }
}

void CheckEndmembers(const Eigen::MatrixXd& endmembers, EncoderKind kind)
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
}

} // namespace

/// The active-set method for one right-hand side after the other, in memory that they share.
class ConstrainedLeastSquares::Workspace
{
public:
  explicit Workspace(const ConstrainedLeastSquares& problem)
    : m_Problem(problem), m_Size(problem.m_Gram.cols()), m_Stride(problem.m_Gram.rows()),
      m_SumToOne(problem.m_Constraint == Constraint::NonNegativeAndSumToOne),
      m_Rows(Eigen::MatrixXd::Zero(m_Stride, m_Size)), m_Minimiser(m_Stride),
      m_Correlation(Eigen::VectorXd::Zero(m_Stride)), m_Gradient(m_Stride), m_X(m_Size), m_FormerX(m_Size)
  {
    for (std::vector<Index>* const indices : {&m_Free, &m_FormerFree, &m_Tied})
    {
      indices->reserve(static_cast<std::size_t>(m_Size));
    }
  }

  void Solve(const Eigen::Ref<const Eigen::VectorXd>& correlation, Eigen::Ref<Eigen::VectorXd> solution)
  {
    SetCorrelation(correlation);
    MinimiseOverAll();
    Shrink();
    MoveToMinimiser();
    m_Tied.clear();
    const Index maximumSteps = 10 * m_Size + 10; // a bound that rounding alone could reach
    for (Index step = 0; step < maximumSteps; ++step)
    {
      const Index entering = FindEntering();
      if (entering < 0)
      {
        break;
      }
      if (!EnterAll())
      {
        Enter(entering);
      }
    }
    solution = m_X;
    if (m_SumToOne)
    {
      solution /= m_X.sum();
    }
  }

private:
  void SetCorrelation(const Eigen::Ref<const Eigen::VectorXd>& correlation)
  {
    const auto diagonal = m_Problem.m_Gram.topRows(m_Size).diagonal();
    m_LargestGram = diagonal.maxCoeff();
    m_LargestCorrelation = correlation.cwiseAbs().maxCoeff();
    m_Correlation.head(m_Size) = correlation;
    if (m_SumToOne)
    {
      // A constant changes nothing but the multiplier. This one makes it zero at the endmember nearest to y, which keeps
      // the numbers of what is nearly optimal small, however far y is.
      (0.5 * diagonal - correlation).minCoeff(&m_Nearest);
      m_Correlation.head(m_Size).array() -= correlation(m_Nearest) - diagonal(m_Nearest);
    }
  }

  void MinimiseOverAll()
  {
    m_Free.resize(static_cast<std::size_t>(m_Size));
    std::iota(m_Free.begin(), m_Free.end(), Index(0));
    const double* const rows = m_Problem.m_Eliminated.data();
    m_Minimiser = m_Correlation;
    SubstituteForward(rows, m_Size, m_Stride, m_Minimiser.data());
    FinishMinimising(rows);
  }

  /// Minimises over the free coefficients with all others at zero, sum-to-one kept where asked for.
  void Minimise()
  {
    const auto size = static_cast<Index>(m_Free.size());
    const Index* const free = m_Free.data();
    for (Index i = 0; i < size; ++i)
    {
      const double* const gram = m_Problem.m_Gram.data() + free[i] * m_Stride;
      double* const row = m_Rows.data() + i * m_Stride;
      for (Index j = i / kLanes * kLanes; j < size; ++j)
      {
        row[j] = gram[free[j]];
      }
      row[size] = m_Correlation(free[i]);
      row[size + 1] = 1.;
      std::fill(row + size + kRightHandSides, row + LanesFor(size + kRightHandSides) * kLanes, 0.);
    }
    EliminateOrThrow(m_Rows.data(), size, m_Stride);
    for (Index k = 0; k < size; ++k)
    {
      m_Minimiser(k) = m_Rows(size, k);
    }
    FinishMinimising(m_Rows.data());
  }

  /// Turns the eliminated right-hand side in m_Minimiser into the minimiser.
  void FinishMinimising(const double* rows)
  {
    const auto size = static_cast<Index>(m_Free.size());
    double* const minimiser = m_Minimiser.data();
    if (m_SumToOne)
    {
      // G x = b - lambda 1 with sum(x) = 1.
      const double* const ones = rows + size + 1;
      double excess = -1.;
      double curvature = 0.;
      for (Index k = 0; k < size; ++k)
      {
        const double scaled = ones[k * m_Stride] * rows[k * m_Stride + k];
        excess += scaled * minimiser[k];
        curvature += scaled * ones[k * m_Stride];
      }
      const double multiplier = excess / curvature;
      for (Index k = 0; k < size; ++k)
      {
        minimiser[k] -= multiplier * ones[k * m_Stride];
      }
    }
    std::fill(minimiser + size, minimiser + LanesFor(size) * kLanes, 0.);
    SubstituteBackward(rows, size, m_Stride, minimiser);
  }

  /// Takes negative coefficients out of the free set until the minimiser has none.
  void Shrink()
  {
    while (true)
    {
      std::size_t kept = 0;
      for (std::size_t i = 0; i < m_Free.size(); ++i)
      {
        if (!(m_Minimiser(static_cast<Index>(i)) < 0.))
        {
          m_Free[kept++] = m_Free[i];
        }
      }
      if (kept == m_Free.size())
      {
        return;
      }
      m_Free.resize(kept);
      if (kept == 0 && m_SumToOne) // rounding, far from all endmembers
      {
        m_Free.push_back(m_Nearest);
      }
      Minimise();
    }
  }

  void MoveToMinimiser()
  {
    m_X.setZero();
    for (std::size_t i = 0; i < m_Free.size(); ++i)
    {
      m_X(m_Free[i]) = m_Minimiser(static_cast<Index>(i));
    }
    Evaluate();
  }

  void Evaluate()
  {
    m_Gradient = m_Correlation;
    SubtractProduct(m_Problem.m_Gram.data(), m_X.data(), m_Size, m_Stride, m_Gradient.data());
    m_Multiplier = 0.;
    if (m_SumToOne)
    {
      for (const Index k : m_Free)
      {
        m_Multiplier += m_Gradient(k) / static_cast<double>(m_Free.size());
      }
    }
    // x^T G x - 2 b^T x
    m_Objective = -m_X.dot(m_Correlation.head(m_Size) + m_Gradient.head(m_Size));
    m_Tolerance = kGradientTolerance * std::max(m_LargestCorrelation, m_LargestGram * std::max(1., m_X.sum()));
  }

  static bool Contains(const std::vector<Index>& indices, Index index)
  {
    return std::find(indices.begin(), indices.end(), index) != indices.end();
  }

  /// Whether a coefficient at zero should grow.
  bool MayEnter(Index k) const
  {
    return m_Gradient(k) - m_Multiplier > m_Tolerance && !Contains(m_Free, k) && !Contains(m_Tied, k);
  }

  /// Returns the coefficient that should grow most, -1 at the optimum.
  Index FindEntering() const
  {
    Index entering = -1;
    for (Index k = 0; k < m_Size; ++k)
    {
      if ((entering < 0 || m_Gradient(k) > m_Gradient(entering)) && MayEnter(k))
      {
        entering = k;
      }
    }
    return entering;
  }

  /// Frees all coefficients that should grow.
  /// @return false, and everything as it was, when that does not lower the error
  bool EnterAll()
  {
    m_FormerFree = m_Free;
    m_FormerX = m_X;
    const double formerObjective = m_Objective;
    for (Index k = 0; k < m_Size; ++k)
    {
      if (MayEnter(k))
      {
        m_Free.push_back(k);
      }
    }
    std::sort(m_Free.begin(), m_Free.end());
    Minimise();
    Shrink();
    MoveToMinimiser();
    if (m_Objective < formerObjective)
    {
      m_Tied.clear();
      return true;
    }
    m_Free = m_FormerFree;
    m_X = m_FormerX;
    Evaluate();
    return false;
  }

  /// Frees one coefficient: the step of Lawson & Hanson, which never raises the error.
  void Enter(Index entering)
  {
    const auto position = m_Free.insert(std::lower_bound(m_Free.begin(), m_Free.end(), entering), entering);
    const Index place = position - m_Free.begin();
    Minimise();
    if (m_Minimiser(place) <= 0.)
    {
      // The gradient says "grow", the minimiser does not: a tie within rounding.
      m_Free.erase(position);
      m_Tied.push_back(entering);
      return;
    }
    // Walk towards the minimiser; whatever reaches zero on the way leaves the free set.
    while (true)
    {
      double share = std::numeric_limits<double>::infinity();
      Index blocking = -1;
      for (Index i = 0; i < static_cast<Index>(m_Free.size()); ++i)
      {
        const double x = m_X(m_Free[static_cast<std::size_t>(i)]);
        if (m_Minimiser(i) < 0. && x / (x - m_Minimiser(i)) < share)
        {
          share = x / (x - m_Minimiser(i));
          blocking = i;
        }
      }
      if (blocking < 0)
      {
        break;
      }
      for (Index i = 0; i < static_cast<Index>(m_Free.size()); ++i)
      {
        double& x = m_X(m_Free[static_cast<std::size_t>(i)]);
        x = i == blocking ? 0. : std::max(0., x + share * (m_Minimiser(i) - x));
      }
      m_Free.erase(m_Free.begin() + blocking);
      Minimise();
    }
    MoveToMinimiser();
    m_Tied.clear();
  }

  const ConstrainedLeastSquares& m_Problem;
  Index m_Size;
  Index m_Stride;
  bool m_SumToOne;

  std::vector<Index> m_Free;   ///< the coefficients that are not held at zero, ascending
  std::vector<Index> m_Tied;   ///< those that should grow, but whose minimiser is zero within rounding
  Eigen::MatrixXd m_Rows;      ///< the free rows of the Gram matrix and of its right-hand sides, as columns
  Eigen::VectorXd m_Minimiser; ///< of the free coefficients, in their order

  Eigen::VectorXd m_Correlation;
  double m_LargestCorrelation = 0.;
  double m_LargestGram = 0.;
  Index m_Nearest = 0;

  Eigen::VectorXd m_Gradient; ///< b - G x
  Eigen::VectorXd m_X;
  double m_Multiplier = 0.;
  double m_Objective = 0.;
  double m_Tolerance = 0.;

  std::vector<Index> m_FormerFree;
  Eigen::VectorXd m_FormerX;
};

ConstrainedLeastSquares::ConstrainedLeastSquares(const Eigen::MatrixXd& gram, Constraint constraint)
  : m_Constraint(constraint),
    m_Gram(Eigen::MatrixXd::Zero(LanesFor(gram.rows() + kRightHandSides) * kLanes, gram.cols()))
{
  const Index d = gram.rows();
  m_Gram.topRows(d) = gram;
  if (constraint == Constraint::NonNegativeAndSumToOne)
  {
    // |A x - y|^2 + s (sum(x) - 1)^2 has the same minimiser on the simplex and a better conditioned, definite Gram
    // matrix, even when one endmember is zero (shade).
    m_Gram.topRows(d).array() += gram.diagonal().mean();
  }
  m_Eliminated = m_Gram;
  m_Eliminated.row(d + 1).setOnes();
  EliminateOrThrow(m_Eliminated.data(), d, m_Eliminated.rows());
}

void ConstrainedLeastSquares::Solve(const Eigen::Ref<const Eigen::MatrixXd>& correlations,
                                    Eigen::Ref<Eigen::MatrixXd> solutions) const
{
  if (correlations.rows() != m_Gram.cols() || solutions.rows() != m_Gram.cols() ||
      solutions.cols() != correlations.cols())
  {
    throw InvalidData("found " + std::to_string(correlations.rows()) + " correlations for a problem of " +
                      std::to_string(m_Gram.cols()) + " coefficients, or solutions of another shape");
  }
  Workspace workspace(*this);
  for (Index i = 0; i < correlations.cols(); ++i)
  {
    workspace.Solve(correlations.col(i), solutions.col(i));
  }
}

EncoderKind ParseEncoderKind(const std::string& name)
{
  return ParseNamedValue(kEncoders, name, "encoder");
}

void ClampAndRenormalise(Eigen::Ref<Eigen::MatrixXf> abundances)
{
  for (Eigen::Index pixel = 0; pixel < abundances.cols(); ++pixel)
  {
    auto column = abundances.col(pixel);
    const double sum = column.cast<double>().cwiseMax(0.).sum();
    if (sum > 0.)
    {
      column = (column.cast<double>().cwiseMax(0.) / sum).cast<float>();
    }
    else
    {
      column.setConstant(1.f / static_cast<float>(abundances.rows()));
    }
  }
}

Encoder::Encoder(const Eigen::MatrixXd& endmembers, EncoderKind kind)
  : m_Kind(kind), m_Bands(endmembers.rows()), m_Endmembers(endmembers.cols())
{
  CheckEndmembers(endmembers, kind);
  if (kind == EncoderKind::Fcls || kind == EncoderKind::Nnls)
  {
    m_Product = std::make_shared<SpectraProduct>(endmembers.transpose());
    m_Solver.emplace(endmembers.transpose() * endmembers,
                     kind == EncoderKind::Fcls ? Constraint::NonNegativeAndSumToOne : Constraint::NonNegative);
  }
  else
  {
    m_Product = std::make_shared<SpectraProduct>(endmembers.completeOrthogonalDecomposition().pseudoInverse());
  }
}

Eigen::Index Encoder::Bands() const
{
  return m_Bands;
}

Eigen::Index Encoder::Endmembers() const
{
  return m_Endmembers;
}

void Encoder::Encode(const Eigen::Ref<const Eigen::MatrixXf>& spectra, Eigen::Ref<Eigen::MatrixXf> abundances) const
{
  if (spectra.rows() != Bands() || abundances.rows() != Endmembers() || abundances.cols() != spectra.cols())
  {
    throw InvalidData("spectra of " + std::to_string(spectra.rows()) + " bands for an encoder of " +
                      std::to_string(Bands()) + " bands, or abundances of another shape");
  }
  Eigen::MatrixXd x(Endmembers(), spectra.cols());
  m_Product->Multiply(spectra, x);
  if (m_Solver)
  {
    m_Solver->Solve(x, x);
  }
  abundances = x.cast<float>();
  if (m_Kind == EncoderKind::Linear)
  {
    ClampAndRenormalise(abundances);
  }
}

} // namespace hud
