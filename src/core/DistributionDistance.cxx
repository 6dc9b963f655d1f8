// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/DistributionDistance.h"

#include "hud/core/Error.h"
#include "hud/core/Random.h"

#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

namespace hud
{

namespace
{

using Eigen::Index;
using Points = Eigen::Ref<const Eigen::MatrixXd>;

/// @param least points of each set
void CheckSets(const Points& first, const Points& second, Index least)
{
  if (first.rows() != second.rows() || first.rows() < 1)
  {
    throw InvalidData("one set has points of " + std::to_string(first.rows()) + " features, the other of " +
                      std::to_string(second.rows()) + ", expected the same number, at least 1");
  }
  if (std::min(first.cols(), second.cols()) < least)
  {
    throw InvalidData("found sets of " + std::to_string(first.cols()) + " and " + std::to_string(second.cols()) +
                      " points, expected at least " + std::to_string(least));
  }
  if (!first.allFinite() || !second.allFinite())
  {
    throw InvalidData("found features that are not finite in sets of " + std::to_string(first.cols()) + " and " +
                      std::to_string(second.cols()) + " points");
  }
}

Eigen::MatrixXd Covariance(const Points& points)
{
  const Eigen::MatrixXd centred = points.colwise() - points.rowwise().mean();
  return centred * centred.transpose() / static_cast<double>(points.cols() - 1);
}

/// Returns the mean of the kernel over all pairs, or, of a set with itself, over all pairs of different points.
double MeanKernel(const Points& first, const Points& second, bool same)
{
  const Eigen::ArrayXXd products = (first.transpose() * second).array() / static_cast<double>(first.rows());
  const Eigen::ArrayXXd kernel = (products + 1.).cube();
  if (!same)
  {
    return kernel.mean();
  }
  const auto points = static_cast<double>(first.cols());
  return (kernel.sum() - kernel.matrix().diagonal().sum()) / (points * (points - 1.));
}

/// Returns the squared distances, [points of first x points of second].
Eigen::MatrixXd SquaredDistances(const Points& first, const Points& second)
{
  Eigen::MatrixXd distances(first.cols(), second.cols());
  for (Index j = 0; j < second.cols(); ++j)
  {
    distances.col(j) = (first.colwise() - second.col(j)).colwise().squaredNorm().transpose();
  }
  return distances;
}

/// Returns of each point the squared distance to its k-th nearest neighbour in its own set.
Eigen::VectorXd Reaches(const Points& points, Index neighbours)
{
  const Eigen::MatrixXd distances = SquaredDistances(points, points);
  Eigen::VectorXd reaches(points.cols());
  for (Index j = 0; j < points.cols(); ++j)
  {
    std::vector<double> column(distances.col(j).begin(), distances.col(j).end());
    column.erase(column.begin() + j);
    std::nth_element(column.begin(), column.begin() + (neighbours - 1), column.end());
    reaches[j] = column[static_cast<std::size_t>(neighbours - 1)];
  }
  return reaches;
}

/// Returns as many points as there are, drawn with repetition.
Eigen::MatrixXd Redraw(const Points& points, const Random& random, int resample, std::uint32_t set)
{
  Eigen::MatrixXd drawn(points.rows(), points.cols());
  for (Index i = 0; i < points.cols(); ++i)
  {
    const auto word = random.Words(static_cast<std::uint32_t>(resample), set, static_cast<std::uint32_t>(i))[0];
    drawn.col(i) = points.col(static_cast<Index>(word) % points.cols());
  }
  return drawn;
}

} // namespace

double FrechetDistance(const Points& first, const Points& second)
{
  CheckSets(first, second, 2);
  const Eigen::MatrixXd firstCovariance = Covariance(first);
  const Eigen::MatrixXd secondCovariance = Covariance(second);
  // tr (S1 S2)^(1/2) = tr (S1^(1/2) S2 S1^(1/2))^(1/2), whose argument is symmetric.
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(firstCovariance);
  const Eigen::MatrixXd root = solver.eigenvectors() * solver.eigenvalues().cwiseMax(0.).cwiseSqrt().asDiagonal() *
                               solver.eigenvectors().transpose();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> product(root * secondCovariance * root, Eigen::EigenvaluesOnly);
  const double cross = product.eigenvalues().cwiseMax(0.).cwiseSqrt().sum();
  const double means = (first.rowwise().mean() - second.rowwise().mean()).squaredNorm();
  return std::max(0., means + firstCovariance.trace() + secondCovariance.trace() - 2. * cross);
}

double KernelDistance(const Points& first, const Points& second)
{
  CheckSets(first, second, 2);
  return MeanKernel(first, first, true) + MeanKernel(second, second, true) - 2. * MeanKernel(first, second, false);
}

NeighbourScores ScoreNeighbours(const Points& real, const Points& generated, Index neighbours)
{
  if (neighbours < 1)
  {
    throw InvalidData("found " + std::to_string(neighbours) + " neighbours, expected at least 1");
  }
  CheckSets(real, generated, neighbours + 1);
  const Eigen::MatrixXd distances = SquaredDistances(real, generated);
  const Eigen::VectorXd realReaches = Reaches(real, neighbours);
  const Eigen::VectorXd generatedReaches = Reaches(generated, neighbours);
  const auto withinReal =
      (distances.array() <= realReaches.replicate(1, generated.cols()).array()).cast<double>().eval();
  const auto withinGenerated =
      (distances.array() <= generatedReaches.transpose().replicate(real.cols(), 1).array()).cast<double>().eval();
  NeighbourScores scores;
  scores.m_Precision = withinReal.colwise().maxCoeff().mean();
  scores.m_Recall = withinGenerated.rowwise().maxCoeff().mean();
  scores.m_Density = withinReal.colwise().sum().mean() / static_cast<double>(neighbours);
  scores.m_Coverage = withinReal.rowwise().maxCoeff().mean();
  return scores;
}

Interval
BootstrapInterval(const Points& first, const Points& second, int resamples, std::uint64_t seed,
                  const std::function<double(const Eigen::MatrixXd& first, const Eigen::MatrixXd& second)>& figure)
{
  CheckSets(first, second, 1);
  const Random random(seed, RandomStream::Bootstrap);
  std::vector<double> values;
  for (int resample = 0; resample < std::max(1, resamples); ++resample)
  {
    values.push_back(figure(Redraw(first, random, resample, 0), Redraw(second, random, resample, 1)));
  }
  std::sort(values.begin(), values.end());
  const auto percentile = [&](double share) {
    return values[static_cast<std::size_t>(std::lround(share * static_cast<double>(values.size() - 1)))];
  };
  const double centre = std::accumulate(values.begin(), values.end(), 0.) / static_cast<double>(values.size());
  const double value = figure(first, second);
  return {value + percentile(0.025) - centre, value + percentile(0.975) - centre};
}

} // namespace hud
