// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/SpectraSource.h"

#include <Eigen/Core>

namespace hud
{

/// First and second moments of a scene's spectra.
struct SceneStatistics
{
  Eigen::Index m_Pixels = 0;
  Eigen::VectorXd m_Mean;        ///< [bands]
  Eigen::MatrixXd m_Correlation; ///< [bands x bands], mean of y y^T, not centred

  /// Returns the covariance, [bands x bands]: the mean of (y - mean)(y - mean)^T.
  Eigen::MatrixXd Covariance() const;

  /// Returns the mean squared norm of the spectra.
  double Power() const;
};

/// Returns the statistics of all valid pixels, in one pass.
/// @throws InvalidData when the source has no pixel, or values above 1e18
SceneStatistics ComputeSceneStatistics(const SpectraSource& source);

/// Returns the root mean square error, per sample, that the best plane of `dimension` dimensions through the mean leaves
/// over the whole scene: the limit that no sum-to-one mixture of dimension + 1 endmembers can beat.
double AffineRankLimit(const SceneStatistics& statistics, Eigen::Index dimension);

/// Returns the same for the best subspace of `dimension` dimensions through the origin: the limit that no mixture of as many
/// endmembers can beat, whatever its abundances sum to.
double LinearRankLimit(const SceneStatistics& statistics, Eigen::Index dimension);

} // namespace hud
