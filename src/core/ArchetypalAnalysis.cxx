// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/ArchetypalAnalysis.h"

#include "Blas.h"

#include "hud/core/Error.h"
#include "hud/core/Random.h"

#include <Eigen/Eigenvalues>

#include <algorithm>
#include <array>
#include <cmath>
#include <future>
#include <limits>
#include <string>
#include <utility>

namespace hud
{

namespace
{

using Eigen::Index;

/// Factors of the first step sizes; the runs take them in turn, the usual ones first.
constexpr std::array<double, 7> kSteps = {1., 0.5, 2., 0.25, 4., 0.125, 8.};

/// Coordinates of a spectrum for each endmember.
constexpr Index kCoordinates = 5;

/// Range of the logarithms of the weights that a run starts with, uniform.
constexpr float kStartRange = 0.1f;

/// A run whose residual is larger than the smallest by more than this factor is not taken.
constexpr double kResidualTolerance = 1.05;

/// Multiplicative steps cannot leave zero: this is small enough to count as zero.
constexpr float kFloor = 1e-30f;

/// Spectra of unit norm, X, and their coordinates in the subspace of the largest singular values.
struct UnitSpectra
{
  std::vector<Index> m_Pixels;   ///< those that have a direction
  Eigen::VectorXd m_Norms;       ///< [kept]
  Eigen::MatrixXf m_Values;      ///< [bands x kept]
  Eigen::MatrixXf m_Coordinates; ///< [rank x kept]
  Eigen::MatrixXf m_Transposed;  ///< [kept x rank]
};

struct Factors
{
  Eigen::MatrixXf m_Abundances; ///< [kept x d]
  Eigen::MatrixXf m_Weights;    ///< [kept x d]
};

void CheckAtLeast(Index value, Index least, const std::string& name)
{
  if (value < least)
  {
    throw InvalidOption("the number of " + name + " is " + std::to_string(value) + ", expected at least " +
                        std::to_string(least));
  }
}

void CheckSpectra(const Eigen::Ref<const Eigen::MatrixXf>& spectra, Index endmembers)
{
  if (spectra.rows() < 1 || spectra.cols() < endmembers)
  {
    throw InvalidData("found " + std::to_string(spectra.cols()) + " spectra of " + std::to_string(spectra.rows()) +
                      " bands, expected at least " + std::to_string(endmembers) + " spectra, one for each endmember");
  }
  for (Index pixel = 0; pixel < spectra.cols(); ++pixel)
  {
    for (Index band = 0; band < spectra.rows(); ++band)
    {
      if (!std::isfinite(spectra(band, pixel)))
      {
        throw InvalidData("spectrum " + std::to_string(pixel + 1) + " of " + std::to_string(spectra.cols()) +
                          " is not finite in band " + std::to_string(band + 1) + " of " +
                          std::to_string(spectra.rows()));
      }
    }
  }
}

UnitSpectra MakeUnitSpectra(const Eigen::Ref<const Eigen::MatrixXf>& spectra, Index endmembers)
{
  const Eigen::VectorXd norms = spectra.cast<double>().colwise().norm().transpose();
  UnitSpectra unit;
  for (Index pixel = 0; pixel < norms.size(); ++pixel)
  {
    if (norms(pixel) > 0.)
    {
      unit.m_Pixels.push_back(pixel);
    }
  }
  const auto kept = static_cast<Index>(unit.m_Pixels.size());
  if (kept < endmembers)
  {
    throw InvalidData("found " + std::to_string(kept) + " spectra that are not zero, of " +
                      std::to_string(norms.size()) + ", expected at least " + std::to_string(endmembers) +
                      ", one for each endmember");
  }
  unit.m_Norms.resize(kept);
  Eigen::MatrixXd values(spectra.rows(), kept);
  for (Index i = 0; i < kept; ++i)
  {
    const Index pixel = unit.m_Pixels[static_cast<std::size_t>(i)];
    unit.m_Norms(i) = norms(pixel);
    values.col(i) = spectra.col(pixel).cast<double>() / norms(pixel);
  }
  unit.m_Values = values.cast<float>();

  // What is left out is noise, which the mean of many pixels hardly has; a low rank makes the steps cheap.
  Eigen::MatrixXd products = Eigen::MatrixXd::Zero(spectra.rows(), spectra.rows());
  AddSelfProducts(values, products);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(products);
  const Eigen::MatrixXd basis = solver.eigenvectors().rightCols(std::min(kCoordinates * endmembers, spectra.rows()));
  unit.m_Coordinates = (basis.transpose() * values).cast<float>();
  unit.m_Transposed = unit.m_Coordinates.transpose();
  return unit;
}

/// Divides each row by its sum.
void NormaliseRows(Eigen::MatrixXf& values)
{
  values = values.cwiseMax(kFloor);
  const Eigen::VectorXf factors = values.rowwise().sum().cwiseInverse();
  for (auto column : values.colwise())
  {
    column.array() *= factors.array();
  }
}

/// Divides each column by its sum, which is taken in double precision: there are many rows.
void NormaliseColumns(Eigen::MatrixXf& values)
{
  values = values.cwiseMax(kFloor);
  for (auto column : values.colwise())
  {
    column *= static_cast<float>(1. / column.cast<double>().sum());
  }
}

/// One run: alternating descent on the two factors.
class Descent
{
public:
  Descent(const UnitSpectra& spectra, const ArchetypalAnalysisOptions& options, std::uint32_t run, double step)
    : m_X(spectra), m_Options(options)
  {
    const Index d = options.m_Endmembers;
    const Index pixels = m_X.m_Coordinates.cols();
    m_Factors.m_Weights.resize(pixels, d);
    m_Endmembers.resize(m_X.m_Coordinates.rows(), d);
    m_Products.resize(pixels, d);
    m_Gradient.resize(pixels, d);
    m_Fit.resize(m_X.m_Coordinates.rows(), pixels);
    const Random random(options.m_Seed, RandomStream::ArchetypalAnalysis);
    for (Index k = 0; k < d; ++k)
    {
      random.FillUniform(run, static_cast<std::uint32_t>(k), m_Factors.m_Weights.col(k).data(),
                         static_cast<std::size_t>(pixels));
    }
    m_Factors.m_Weights = (kStartRange * m_Factors.m_Weights).array().exp();
    NormaliseColumns(m_Factors.m_Weights);
    m_Factors.m_Abundances.setConstant(pixels, d, 1.f / static_cast<float>(d));
    MultiplyTransposed(m_X.m_Transposed, m_Factors.m_Weights, m_Endmembers);

    const Eigen::MatrixXd gram = (m_Endmembers.transpose() * m_Endmembers).cast<double>();
    const double largest = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(gram).eigenvalues()(d - 1);
    m_AbundanceStep = static_cast<float>(step / largest);
    m_WeightStep = m_AbundanceStep * std::sqrt(static_cast<float>(d) / static_cast<float>(pixels));
  }

  /// Returns the objective before the first alternation and after each.
  std::vector<double> Descend()
  {
    std::vector<double> objective = {Objective()};
    for (int iteration = 0; iteration < m_Options.m_Iterations; ++iteration)
    {
      const double middle =
          Keep(m_Factors.m_Abundances, m_AbundanceStep, objective.back(), [this] { MoveAbundances(); });
      objective.push_back(Keep(m_Factors.m_Weights, m_WeightStep, middle, [this] { MoveWeights(); }));
    }
    return objective;
  }

  Factors TakeFactors()
  {
    return std::move(m_Factors);
  }

private:
  /// Returns half of the squared residual.
  double Objective()
  {
    MultiplyTransposed(m_Endmembers.transpose(), m_Factors.m_Abundances.transpose(), m_Fit);
    double sum = 0.;
    for (Index i = 0; i < m_Fit.cols(); ++i)
    {
      sum += static_cast<double>((m_X.m_Coordinates.col(i) - m_Fit.col(i)).squaredNorm());
    }
    return 0.5 * sum;
  }

  /// Moves a factor; when that increases the objective it is put back, and its step halved.
  template <typename Move>
  double Keep(Eigen::MatrixXf& factor, float& step, double before, const Move& move)
  {
    m_Before = factor;
    const Eigen::MatrixXf endmembers = m_Endmembers;
    move();
    const double after = Objective();
    if (after <= before) // false for a NaN
    {
      return after;
    }
    factor.swap(m_Before);
    m_Endmembers = endmembers;
    step *= 0.5f;
    return before;
  }

  void MoveAbundances()
  {
    Eigen::MatrixXf& a = m_Factors.m_Abundances;
    const Eigen::MatrixXf gram = m_AbundanceStep * (m_Endmembers.transpose() * m_Endmembers);
    const Eigen::MatrixXf scaled = m_AbundanceStep * m_Endmembers;
    MultiplyTransposed(m_X.m_Coordinates, scaled, m_Products);
    for (int i = 0; i < m_Options.m_AbundanceSteps; ++i)
    {
      m_Gradient = m_Products;
      m_Gradient.noalias() -= a * gram;
      m_Largest = m_Gradient.rowwise().maxCoeff();
      for (Index k = 0; k < a.cols(); ++k)
      {
        a.col(k).array() *= (m_Gradient.col(k) - m_Largest).array().exp();
      }
      NormaliseRows(a);
    }
  }

  void MoveWeights()
  {
    Eigen::MatrixXf& b = m_Factors.m_Weights;
    const Eigen::MatrixXf& a = m_Factors.m_Abundances;
    Eigen::MatrixXf products(m_Endmembers.rows(), a.cols());
    MultiplyTransposed(m_X.m_Transposed, a, products);
    Eigen::MatrixXf gram(a.cols(), a.cols());
    MultiplyTransposed(a, a, gram);
    for (int i = 0; i < m_Options.m_WeightSteps; ++i)
    {
      const Eigen::MatrixXf direction = m_WeightStep * (products - m_Endmembers * gram);
      MultiplyTransposed(m_X.m_Coordinates, direction, m_Gradient);
      for (Index k = 0; k < b.cols(); ++k)
      {
        b.col(k).array() *= (m_Gradient.col(k).array() - m_Gradient.col(k).maxCoeff()).exp();
      }
      NormaliseColumns(b);
      MultiplyTransposed(m_X.m_Transposed, b, m_Endmembers);
    }
  }

  const UnitSpectra& m_X;
  const ArchetypalAnalysisOptions& m_Options;
  Factors m_Factors;
  Eigen::MatrixXf m_Endmembers; ///< X B, [rank x d]
  float m_AbundanceStep = 0.f;
  float m_WeightStep = 0.f;
  Eigen::MatrixXf m_Before;   // The rest is memory that is used again.
  Eigen::MatrixXf m_Products; // [pixels x d]
  Eigen::MatrixXf m_Gradient; // [pixels x d]
  Eigen::MatrixXf m_Fit;      // [rank x pixels]
  Eigen::VectorXf m_Largest;
};

/// Returns the largest correlation between two columns, 0 for those that are constant.
double LargestCorrelation(const Eigen::MatrixXd& columns)
{
  const Eigen::MatrixXd unit = (columns.rowwise() - columns.colwise().mean()).colwise().normalized();
  double largest = -1.;
  for (Index k = 1; k < unit.cols(); ++k)
  {
    largest = std::max(largest, (unit.leftCols(k).transpose() * unit.col(k)).maxCoeff());
  }
  return largest;
}

struct FinishedRun
{
  ArchetypalRun m_Run;
  Factors m_Factors;
};

FinishedRun Run(const UnitSpectra& spectra, const ArchetypalAnalysisOptions& options, int number)
{
  FinishedRun finished;
  ArchetypalRun& run = finished.m_Run;
  run.m_Step = kSteps[static_cast<std::size_t>(number) % kSteps.size()];
  Descent descent(spectra, options, static_cast<std::uint32_t>(number), run.m_Step);
  run.m_Objective = descent.Descend();
  finished.m_Factors = descent.TakeFactors();

  const Eigen::MatrixXf& weights = finished.m_Factors.m_Weights;
  const Eigen::MatrixXf unit = spectra.m_Values * weights;
  run.m_Coherence = LargestCorrelation(unit.cast<double>());
  run.m_Residual =
      (spectra.m_Values - unit * finished.m_Factors.m_Abundances.transpose()).cwiseAbs().cast<double>().mean();
  // X b = Y b' with b' = b / norm: divided by its sum this is a convex combination of the spectra as they were.
  const Eigen::RowVectorXd sums = spectra.m_Norms.cwiseInverse().transpose() * weights.cast<double>();
  run.m_Endmembers = unit.cast<double>() * sums.cwiseInverse().asDiagonal();
  return finished;
}

/// Returns the least coherent of the runs that fit almost as well as the best; of equals the first.
std::size_t Select(const std::vector<FinishedRun>& runs)
{
  double smallest = std::numeric_limits<double>::infinity();
  for (const FinishedRun& run : runs)
  {
    smallest = std::min(smallest, run.m_Run.m_Residual);
  }
  std::size_t selected = 0;
  double coherence = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < runs.size(); ++i)
  {
    const ArchetypalRun& run = runs[i].m_Run;
    if (run.m_Residual <= kResidualTolerance * smallest && run.m_Coherence < coherence)
    {
      selected = i;
      coherence = run.m_Coherence;
    }
  }
  return selected;
}

} // namespace

void ArchetypalAnalysisOptions::Check() const
{
  CheckAtLeast(m_Endmembers, 2, "endmembers");
  CheckAtLeast(m_Restarts, 1, "restarts");
  CheckAtLeast(m_Iterations, 1, "iterations");
  CheckAtLeast(m_AbundanceSteps, 1, "steps on the abundances");
  CheckAtLeast(m_WeightSteps, 1, "steps on the weights");
  CheckAtLeast(m_Threads, 1, "threads");
}

ArchetypalResult AnalyseArchetypes(const Eigen::Ref<const Eigen::MatrixXf>& spectra,
                                   const ArchetypalAnalysisOptions& options, const std::function<void()>& checkIn)
{
  options.Check();
  CheckSpectra(spectra, options.m_Endmembers);
  const SerialBlas serial;
  const UnitSpectra unit = MakeUnitSpectra(spectra, options.m_Endmembers);
  std::vector<FinishedRun> finished;
  for (int first = 0; first < options.m_Restarts; first += options.m_Threads)
  {
    std::vector<std::future<FinishedRun>> running;
    for (int number = first; number < std::min(options.m_Restarts, first + options.m_Threads); ++number)
    {
      running.push_back(
          std::async(std::launch::async, [&unit, &options, number] { return Run(unit, options, number); }));
    }
    for (std::future<FinishedRun>& run : running)
    {
      finished.push_back(run.get());
      if (checkIn)
      {
        checkIn();
      }
    }
  }

  ArchetypalResult result;
  result.m_Selected = Select(finished);
  const Factors& factors = finished[result.m_Selected].m_Factors;
  const Index d = options.m_Endmembers;
  result.m_Abundances.setConstant(d, spectra.cols(), 1.f / static_cast<float>(d));
  result.m_Weights.setZero(spectra.cols(), d);
  for (std::size_t i = 0; i < unit.m_Pixels.size(); ++i)
  {
    result.m_Abundances.col(unit.m_Pixels[i]) = factors.m_Abundances.row(static_cast<Index>(i)).transpose();
    result.m_Weights.row(unit.m_Pixels[i]) = factors.m_Weights.row(static_cast<Index>(i));
  }
  for (FinishedRun& run : finished)
  {
    result.m_Runs.push_back(std::move(run.m_Run));
  }
  result.m_Endmembers = result.m_Runs[result.m_Selected].m_Endmembers;
  return result;
}

} // namespace hud
