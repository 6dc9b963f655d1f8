// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/SmoothedVca.h"

#include "VcaDirection.h"

#include "hud/core/Error.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>

namespace hud
{

namespace
{

/// Returns the columns with the largest values, in no order.
std::vector<Eigen::Index> Largest(const Eigen::RowVectorXd& values, Eigen::Index count)
{
  std::vector<Eigen::Index> order(static_cast<std::size_t>(values.size()));
  std::iota(order.begin(), order.end(), 0);
  // Of equal values the first pixel counts, as in VCA.
  std::nth_element(order.begin(), order.begin() + (count - 1), order.end(), [&](Eigen::Index a, Eigen::Index b) {
    return values(a) > values(b) || (values(a) == values(b) && a < b);
  });
  order.resize(static_cast<std::size_t>(count));
  return order;
}

/// Returns the median of each row over some columns.
template <typename Matrix>
Eigen::Matrix<typename Matrix::Scalar, Eigen::Dynamic, 1> Median(const Matrix& values,
                                                                 const std::vector<Eigen::Index>& columns)
{
  using Scalar = typename Matrix::Scalar;
  Eigen::Matrix<Scalar, Eigen::Dynamic, 1> median(values.rows());
  std::vector<Scalar> row(columns.size());
  const auto middle = row.begin() + static_cast<std::ptrdiff_t>(row.size() / 2);
  for (Eigen::Index i = 0; i < values.rows(); ++i)
  {
    std::transform(columns.begin(), columns.end(), row.begin(), [&](Eigen::Index column) { return values(i, column); });
    std::nth_element(row.begin(), middle, row.end());
    median(i) = row.size() % 2 == 1 ? *middle : (*middle + *std::max_element(row.begin(), middle)) / Scalar(2);
  }
  return median;
}

/// Returns the pixels farthest along the direction, on the side where their median is farther: an outlier has no say.
std::vector<Eigen::Index> Farthest(const Eigen::RowVectorXd& distances, Eigen::Index count)
{
  const std::vector<Eigen::Index> ahead = Largest(distances, count);
  const std::vector<Eigen::Index> behind = Largest(-distances, count);
  return Median(distances, ahead)(0) >= -Median(distances, behind)(0) ? ahead : behind;
}

} // namespace

std::vector<Eigen::MatrixXd> ExtractSmoothedVcaRuns(const Eigen::Ref<const Eigen::MatrixXf>& spectra,
                                                    const VcaOptions& options, const VcaRuns& runs, Eigen::Index pixels,
                                                    const std::function<void()>& checkIn)
{
  if (pixels < 1 || pixels > spectra.cols())
  {
    throw InvalidOption("the median is of " + std::to_string(pixels) + " pixels, expected 1 to " +
                        std::to_string(spectra.cols()));
  }
  const Eigen::Index d = options.m_Endmembers;
  const Eigen::MatrixXf reduced = runs.m_Projection.Reduce(spectra);
  const Eigen::MatrixXd coordinates =
      runs.m_Projection.Project(reduced, reduced.cast<double>().colwise().norm().maxCoeff());
  std::vector<Eigen::MatrixXd> results;
  for (const std::uint32_t run : runs.m_Numbers)
  {
    if (checkIn)
    {
      checkIn();
    }
    Eigen::MatrixXd vertices = FirstVcaVertices(d);
    Eigen::MatrixXd endmembers(runs.m_Projection.Bands(), d);
    for (Eigen::Index found = 0; found < d; ++found)
    {
      const Eigen::VectorXd direction = DrawVcaDirection(vertices, found, options.m_Seed, run);
      const std::vector<Eigen::Index> farthest = Farthest(direction.transpose() * coordinates, pixels);
      vertices.col(found) = Median(coordinates, farthest);
      endmembers.col(found) = runs.m_Projection.Restore(Median(reduced, farthest));
    }
    results.push_back(std::move(endmembers));
  }
  return results;
}

} // namespace hud
