// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/NearestPixels.h"

#include "hud/core/Error.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace hud
{

namespace
{

bool IsKnown(double easting, double northing)
{
  return std::isfinite(easting) && std::isfinite(northing);
}

// The mean length of the diagonal of what lies between four neighbours, for each pixel's right lower one.
double MeanDiagonal(const Eigen::MatrixXd& eastings, const Eigen::MatrixXd& northings)
{
  double sum = 0.;
  std::size_t count = 0;
  for (Eigen::Index y = 1; y < eastings.cols(); ++y)
  {
    for (Eigen::Index x = 1; x < eastings.rows(); ++x)
    {
      const double falling =
          std::hypot(eastings(x, y) - eastings(x - 1, y - 1), northings(x, y) - northings(x - 1, y - 1));
      const double rising =
          std::hypot(eastings(x, y - 1) - eastings(x - 1, y), northings(x, y - 1) - northings(x - 1, y));
      if (std::isfinite(falling) && std::isfinite(rising))
      {
        sum += std::max(falling, rising);
        ++count;
      }
    }
  }
  return count > 0 ? sum / static_cast<double>(count) : 0.;
}

} // namespace

MapGrid CoverWithGrid(const Eigen::MatrixXd& eastings, const Eigen::MatrixXd& northings, double spacing)
{
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  double left = kInfinite;
  double right = -kInfinite;
  double bottom = kInfinite;
  double top = -kInfinite;
  for (Eigen::Index i = 0; i < eastings.size(); ++i)
  {
    const double easting = eastings.data()[i];
    const double northing = northings.data()[i];
    if (IsKnown(easting, northing))
    {
      left = std::min(left, easting);
      right = std::max(right, easting);
      bottom = std::min(bottom, northing);
      top = std::max(top, northing);
    }
  }
  if (left > right)
  {
    throw InvalidData("no pixel has a known location");
  }
  MapGrid grid;
  grid.m_Spacing = spacing;
  grid.m_Left = (std::floor(left / spacing) + 0.5) * spacing;
  grid.m_Top = (std::floor(top / spacing) + 0.5) * spacing;
  grid.m_Width = static_cast<Eigen::Index>(std::floor(right / spacing) - std::floor(left / spacing)) + 1;
  grid.m_Height = static_cast<Eigen::Index>(std::floor(top / spacing) - std::floor(bottom / spacing)) + 1;
  return grid;
}

std::vector<std::int32_t> NearestPixels(const Eigen::MatrixXd& eastings, const Eigen::MatrixXd& northings,
                                        const MapGrid& grid)
{
  // A little more than half, as the pixels are not all of one size: no gaps between them.
  const double reach = 0.52 * std::max(MeanDiagonal(eastings, northings), grid.m_Spacing);
  const auto cells = static_cast<std::size_t>(grid.m_Width * grid.m_Height);
  std::vector<std::int32_t> nearest(cells, -1);
  std::vector<double> distances(cells, reach * reach);
  for (Eigen::Index i = 0; i < eastings.size(); ++i)
  {
    if (!IsKnown(eastings.data()[i], northings.data()[i]))
    {
      continue;
    }
    const double x = (eastings.data()[i] - grid.m_Left) / grid.m_Spacing;
    const double y = (grid.m_Top - northings.data()[i]) / grid.m_Spacing;
    const double radius = reach / grid.m_Spacing;
    const auto firstColumn = std::max<Eigen::Index>(0, static_cast<Eigen::Index>(std::ceil(x - radius)));
    const auto lastColumn = std::min(grid.m_Width - 1, static_cast<Eigen::Index>(std::floor(x + radius)));
    const auto firstRow = std::max<Eigen::Index>(0, static_cast<Eigen::Index>(std::ceil(y - radius)));
    const auto lastRow = std::min(grid.m_Height - 1, static_cast<Eigen::Index>(std::floor(y + radius)));
    for (Eigen::Index row = firstRow; row <= lastRow; ++row)
    {
      for (Eigen::Index column = firstColumn; column <= lastColumn; ++column)
      {
        const double right = (static_cast<double>(column) - x) * grid.m_Spacing;
        const double down = (static_cast<double>(row) - y) * grid.m_Spacing;
        const double distance = right * right + down * down;
        const auto cell = static_cast<std::size_t>(column + grid.m_Width * row);
        if (distance < distances[cell])
        {
          distances[cell] = distance;
          nearest[cell] = static_cast<std::int32_t>(i);
        }
      }
    }
  }
  return nearest;
}

} // namespace hud
