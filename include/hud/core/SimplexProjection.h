// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

namespace hud
{

/// The pair of projections between abundances on the simplex and unconstrained, bounded coordinates. Thread-safe.
class SimplexProjection
{
public:
  /// @param endmembers d, at least 2
  /// @param floor k of the floor e^-k / d that is added to an abundance; 8 is the paper's. 1 to 20.
  /// @throws InvalidOption
  explicit SimplexProjection(Eigen::Index endmembers, double floor = 8.);

  /// Writes Z = ln(X + e^(-ln d - k)), eq. (4).
  /// @param abundances X, [d x pixels], on the simplex
  /// @param projected Z, [d x pixels], within the bounds below
  void Project(const Eigen::Ref<const Eigen::MatrixXf>& abundances, Eigen::Ref<Eigen::MatrixXf> projected) const;

  /// Writes X = softmax(Z) over the d channels, eq. (5): non-negative, sum one. After Project this is eq. (6),
  /// (X + e^(-ln d - k)) / (1 + e^-k).
  /// @param projected Z, [d x pixels], any finite values
  void Unproject(const Eigen::Ref<const Eigen::MatrixXf>& projected, Eigen::Ref<Eigen::MatrixXf> abundances) const;

  /// Writes the exact inverse of Project: eq. (5), then X = max(X (1 + e^-k) - e^-k / d, 0), scaled to sum one, which takes back
  /// the bias of eq. (6). A floor far above the paper's needs it.
  /// @param projected Z, [d x pixels], any finite values
  void UnprojectExactly(const Eigen::Ref<const Eigen::MatrixXf>& projected,
                        Eigen::Ref<Eigen::MatrixXf> abundances) const;

  /// Smallest value that Z can take: -ln d - k, at an abundance of 0.
  double LowerBound() const;

  /// Largest value that Z can take: ln(1 + e^(-ln d - k)), at an abundance of 1.
  double UpperBound() const;

  Eigen::Index Endmembers() const;

private:
  Eigen::Index m_Endmembers;
  double m_Offset; ///< e^(-ln d - k) = e^-k / d
};

} // namespace hud
