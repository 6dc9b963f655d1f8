// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "VcaDirection.h"

#include "hud/core/Random.h"

#include <Eigen/QR>

#include <algorithm>
#include <cstddef>

namespace hud
{

Eigen::MatrixXd FirstVcaVertices(Eigen::Index endmembers)
{
  Eigen::MatrixXd vertices = Eigen::MatrixXd::Zero(endmembers, endmembers);
  vertices(endmembers - 1, 0) = 1.;
  return vertices;
}

Eigen::VectorXd DrawVcaDirection(const Eigen::MatrixXd& vertices, Eigen::Index found, std::uint64_t seed,
                                 std::uint32_t run)
{
  Eigen::VectorXf normal(vertices.rows());
  Random(seed, RandomStream::VcaDirection)
      .FillNormal(run, static_cast<std::uint32_t>(found), normal.data(), static_cast<std::size_t>(normal.size()));
  const Eigen::MatrixXd basis = vertices.leftCols(std::max<Eigen::Index>(found, 1));
  Eigen::VectorXd direction = normal.cast<double>();
  direction -= basis * basis.completeOrthogonalDecomposition().solve(direction);
  return direction.normalized();
}

} // namespace hud
