// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <string>

namespace hud
{

/// The coordinates of a projection. With l = ln(X + e^-k / d) for a pixel's abundances X:
enum class ProjectionKind
{
  Log, ///< l itself, eq. (4): d channels
  Clr, ///< l less its mean over the endmembers: d channels that sum to 0 (centred log-ratio, Aitchison 1986)
  Ilr  ///< d - 1 channels, an isometry of Clr (isometric log-ratio, Egozcue et al. 2003): channel j, from 1, is
       ///< sqrt(j / (j + 1)) (mean(l_1 .. l_j) - l_(j+1)), on Helmert's basis
};

/// Returns the projection of that name: log, clr or ilr.
/// @throws InvalidOption that lists the known names
ProjectionKind ParseProjectionKind(const std::string& name);

/// Returns the name that ParseProjectionKind reads.
std::string ToString(ProjectionKind kind);

/// The pair of projections between abundances on the simplex and unconstrained, bounded coordinates. Thread-safe.
class SimplexProjection
{
public:
  /// @param endmembers d, at least 2
  /// @param floor k of the floor e^-k / d that is added to an abundance; 8 is the paper's. 1 to 20.
  /// @throws InvalidOption
  SimplexProjection(ProjectionKind kind, Eigen::Index endmembers, double floor = 8.);

  /// Returns d.
  Eigen::Index Endmembers() const;

  /// Returns the number of rows of Z: d, or d - 1 for Ilr.
  Eigen::Index Channels() const;

  /// Writes Z as ProjectionKind says; for Log it is ln(X + e^(-ln d - k)), eq. (4).
  /// @param abundances X, [d x pixels], on the simplex
  /// @param projected Z, [channels x pixels], within the bounds below
  /// @throws InvalidData when the shapes differ from that
  void Project(const Eigen::Ref<const Eigen::MatrixXf>& abundances, Eigen::Ref<Eigen::MatrixXf> projected) const;

  /// Writes X = softmax(Z) over the d endmembers, eq. (5): non-negative, sum one. After Project of any kind this is eq. (6),
  /// (X + e^(-ln d - k)) / (1 + e^-k). Ilr is multiplied with its basis first.
  /// @param projected Z, [channels x pixels], any finite values
  /// @param abundances X, [d x pixels]
  /// @throws InvalidData when the shapes differ from that
  void Unproject(const Eigen::Ref<const Eigen::MatrixXf>& projected, Eigen::Ref<Eigen::MatrixXf> abundances) const;

  /// Writes the exact inverse of Project: eq. (5), then X = max(X (1 + e^-k) - e^-k / d, 0), scaled to sum one, which takes back
  /// the bias of eq. (6). A floor far above the paper's needs it. Arguments and errors are those of Unproject.
  void UnprojectExactly(const Eigen::Ref<const Eigen::MatrixXf>& projected,
                        Eigen::Ref<Eigen::MatrixXf> abundances) const;

  /// Moves the coordinates of pixels so that their mean abundances are those given, but for what lies below the floor: each
  /// endmember is scaled alike in all pixels, which changes each pixel as little as it can (iterative proportional fitting,
  /// Deming & Stephan 1940; Csiszar 1975).
  /// @param projected [channels x pixels], any finite values
  /// @param mean X, [d], on the simplex
  /// @throws InvalidData when the sizes are others
  void MatchMean(Eigen::Ref<Eigen::MatrixXf> projected, const Eigen::Ref<const Eigen::VectorXf>& mean) const;

  /// Returns the smallest value that each channel of Z can take, [channels]: for Log -ln d - k, at an abundance of 0. Those of
  /// Clr and Ilr leave a millionth of room for single precision.
  Eigen::VectorXd LowerBounds() const;

  /// Returns the largest value that each channel of Z can take, [channels]: for Log ln(1 + e^(-ln d - k)), at an abundance
  /// of 1. Those of Clr and Ilr leave a millionth of room for single precision.
  Eigen::VectorXd UpperBounds() const;

private:
  /// @throws InvalidData unless the shapes are [d x pixels] and [channels x pixels]
  void CheckShapes(const Eigen::Ref<const Eigen::MatrixXf>& abundances,
                   const Eigen::Ref<const Eigen::MatrixXf>& projected) const;

  /// Returns the coordinates of one pixel, [channels].
  /// @param logarithms ln(X + floor), [d]
  Eigen::VectorXf FromLogarithms(const Eigen::VectorXd& logarithms) const;

  /// Returns eq. (5) for one pixel, [d].
  Eigen::ArrayXd Softmax(const Eigen::Ref<const Eigen::VectorXf>& projected) const;

  ProjectionKind m_Kind;
  Eigen::Index m_Endmembers;
  double m_Offset;         ///< e^(-ln d - k) = e^-k / d
  Eigen::MatrixXd m_Basis; ///< Ilr's, [d x d-1], columns orthonormal and of sum 0
};

} // namespace hud
