// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <random>

namespace hud::test
{

/// Returns values uniform in (low, high), the same on every platform, from another generator than HUD's own.
inline Eigen::MatrixXd UniformMatrix(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed, double low = 0.,
                                     double high = 1.)
{
  std::mt19937_64 engine(seed);
  return Eigen::MatrixXd::NullaryExpr(
      rows, columns, [&] { return low + (high - low) * (static_cast<double>(engine() >> 11) + 0.5) * 0x1p-53; });
}

/// Returns abundances uniform on the simplex, [d x pixels].
inline Eigen::MatrixXd UniformAbundances(Eigen::Index endmembers, Eigen::Index pixels, std::uint64_t seed)
{
  Eigen::MatrixXd abundances = UniformMatrix(endmembers, pixels, seed);
  abundances = -abundances.array().log();
  for (Eigen::Index p = 0; p < pixels; ++p)
  {
    abundances.col(p) /= abundances.col(p).sum();
  }
  return abundances;
}

} // namespace hud::test
