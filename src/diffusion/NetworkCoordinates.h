// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/SimplexProjection.h"
#include "hud/diffusion/ModelInfo.h"

#include <Eigen/Core>

namespace hud
{

/// The coordinates in which a model's network sees abundances: projected, less the training scenes' mean of each channel,
/// over their standard deviation. Thread-safe.
class NetworkCoordinates
{
public:
  explicit NetworkCoordinates(const ModelInfo& info);

  Eigen::Index Endmembers() const
  {
    return m_Projection.Endmembers();
  }
  Eigen::Index Channels() const
  {
    return m_Projection.Channels();
  }

  /// Returns the coordinates, [channels x pixels].
  /// @param abundances X, [d x pixels], on the simplex
  Eigen::MatrixXf FromAbundances(const Eigen::Ref<const Eigen::MatrixXf>& abundances) const;

  /// Writes the abundances, [d x pixels], without the bias of the projection's floor.
  /// @param coordinates [channels x pixels], any finite values
  void ToAbundances(const Eigen::Ref<const Eigen::MatrixXf>& coordinates, Eigen::Ref<Eigen::MatrixXf> abundances) const;

  /// Moves the coordinates of pixels so that their mean abundances are those given, as SimplexProjection::MatchMean.
  /// @param coordinates [channels x pixels]
  /// @param mean [d]
  void MatchMean(Eigen::Ref<Eigen::MatrixXf> coordinates, const Eigen::Ref<const Eigen::VectorXf>& mean) const;

  /// Returns the smallest values that FromAbundances can return, [channels].
  Eigen::ArrayXf LowerBounds() const;

  /// Returns the largest ones.
  Eigen::ArrayXf UpperBounds() const;

private:
  SimplexProjection m_Projection;
  Eigen::ArrayXf m_Mean; ///< [channels]
  Eigen::ArrayXf m_Sd;   ///< [channels]
};

} // namespace hud
