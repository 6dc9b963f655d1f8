// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/EndmemberMatching.h"

#include "hud/core/Error.h"
#include "hud/core/SyntheticScene.h"

#include <limits>
#include <string>

namespace hud
{

namespace
{

std::string ShapeOf(const Eigen::MatrixXd& spectra)
{
  return std::to_string(spectra.cols()) + " endmembers of " + std::to_string(spectra.rows()) + " bands";
}

/// Returns the column of each row in the assignment of least total cost.
/// @param cost square, finite
std::vector<Eigen::Index> SolveAssignment(const Eigen::MatrixXd& cost)
{
  const Eigen::Index count = cost.rows();
  constexpr Eigen::Index kNone = -1;
  // The last column stands for the row that is not assigned yet.
  std::vector<Eigen::Index> rowOf(static_cast<std::size_t>(count) + 1, kNone);
  Eigen::VectorXd rowPrice = Eigen::VectorXd::Zero(count);
  Eigen::VectorXd columnPrice = Eigen::VectorXd::Zero(count + 1);
  for (Eigen::Index first = 0; first < count; ++first)
  {
    // Dijkstra from the new row to a free column, with costs that the prices keep from being negative.
    Eigen::VectorXd distance = Eigen::VectorXd::Constant(count, std::numeric_limits<double>::infinity());
    std::vector<Eigen::Index> previous(static_cast<std::size_t>(count), count);
    std::vector<bool> reached(static_cast<std::size_t>(count) + 1, false);
    Eigen::Index column = count;
    rowOf[static_cast<std::size_t>(count)] = first;
    while (rowOf[static_cast<std::size_t>(column)] != kNone)
    {
      reached[static_cast<std::size_t>(column)] = true;
      const Eigen::Index row = rowOf[static_cast<std::size_t>(column)];
      Eigen::Index nearest = kNone;
      for (Eigen::Index next = 0; next < count; ++next)
      {
        if (reached[static_cast<std::size_t>(next)])
        {
          continue;
        }
        const double reduced = cost(row, next) - rowPrice[row] - columnPrice[next];
        if (reduced < distance[next])
        {
          distance[next] = reduced;
          previous[static_cast<std::size_t>(next)] = column;
        }
        if (nearest == kNone || distance[next] < distance[nearest])
        {
          nearest = next;
        }
      }
      const double step = distance[nearest];
      for (Eigen::Index other = 0; other <= count; ++other)
      {
        if (reached[static_cast<std::size_t>(other)])
        {
          rowPrice[rowOf[static_cast<std::size_t>(other)]] += step;
          columnPrice[other] -= step;
        }
        else
        {
          distance[other] -= step;
        }
      }
      column = nearest;
    }
    while (column != count)
    {
      const Eigen::Index from = previous[static_cast<std::size_t>(column)];
      rowOf[static_cast<std::size_t>(column)] = rowOf[static_cast<std::size_t>(from)];
      column = from;
    }
  }
  std::vector<Eigen::Index> columnOf(static_cast<std::size_t>(count));
  for (Eigen::Index column = 0; column < count; ++column)
  {
    columnOf[static_cast<std::size_t>(rowOf[static_cast<std::size_t>(column)])] = column;
  }
  return columnOf;
}

} // namespace

std::vector<Eigen::Index> MatchEndmembers(const Eigen::MatrixXd& reference, const Eigen::MatrixXd& endmembers)
{
  if (reference.rows() != endmembers.rows() || reference.cols() != endmembers.cols())
  {
    throw InvalidData("found " + ShapeOf(endmembers) + ", expected as many as the reference has, " +
                      ShapeOf(reference));
  }
  if (!reference.allFinite() || !endmembers.allFinite())
  {
    throw InvalidData(std::string("the ") + (endmembers.allFinite() ? "reference has" : "endmembers have") +
                      " values that are not finite, so that spectral angles cannot be computed");
  }
  Eigen::MatrixXd angles(reference.cols(), endmembers.cols());
  for (Eigen::Index row = 0; row < angles.rows(); ++row)
  {
    for (Eigen::Index column = 0; column < angles.cols(); ++column)
    {
      angles(row, column) = SpectralAngle(reference.col(row), endmembers.col(column));
    }
  }
  return SolveAssignment(angles);
}

} // namespace hud
