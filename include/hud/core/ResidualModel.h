// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/SpectraSource.h"

#include <Eigen/Core>

#include <cstdint>
#include <memory>

namespace hud
{

class SpectraProduct;

/// What linear mixing leaves over in the pixels of a scene, Y - A X, as a normal distribution over the bands.
struct ResidualModel
{
  Eigen::VectorXd m_Mean;       ///< [bands], in the unit of the spectra
  Eigen::MatrixXd m_Covariance; ///< [bands x bands], in the square of that unit
};

/// Mean and covariance of a scene's residual, from any number of chunks of the scene, summed in double precision.
class ResidualEstimator
{
public:
  /// @param endmembers A, [bands x d], finite
  /// @throws InvalidData when they are not finite
  explicit ResidualEstimator(const Eigen::Ref<const Eigen::MatrixXd>& endmembers);

  /// Adds some pixels, each once. Holds their residual in double precision meanwhile.
  /// @param spectra Y, [bands x pixels], in the unit of the endmembers
  /// @param abundances X, [d x pixels]
  /// @throws InvalidData when the shapes do not fit or a value is not finite
  void Add(const Eigen::Ref<const Eigen::MatrixXf>& spectra, const Eigen::Ref<const Eigen::MatrixXf>& abundances);

  /// Returns the mean and the unbiased covariance of all pixels so far.
  /// @throws InvalidData when there are fewer than 2
  ResidualModel Model() const;

private:
  Eigen::MatrixXd m_Endmembers;
  Eigen::Index m_Pixels = 0;
  Eigen::VectorXd m_Sum;
  Eigen::MatrixXd m_Products; ///< its lower half
};

/// Returns the residual model of a scene, whose abundances are fully constrained least squares.
/// @throws InvalidData as ResidualEstimator and Encoder
ResidualModel EstimateResidualModel(const SpectraSource& source, const Eigen::MatrixXd& endmembers);

/// Residuals drawn from a model, independent from pixel to pixel; a pixel's residual depends on the model, the seed and its
/// place only, so tiles agree to the bit. Thread-safe, and without threads of its own.
class ResidualNoise
{
public:
  /// @param model its covariance without negative eigenvalues, up to rounding; its lower half is read
  /// @param amount factor of the residuals, mean included: 0 none, 1 as in the model
  /// @throws InvalidData when the model is none; InvalidOption when the amount is negative or not finite
  ResidualNoise(const ResidualModel& model, std::uint64_t seed, double amount = 1.);

  Eigen::Index Bands() const
  {
    return m_Mean.size();
  }

  /// Writes amount (m + F n) with F F^T the covariance and n normal noise, for pixels side by side.
  /// @param x column of the first pixel, 0 to 2^32 - 1
  /// @param y row of the pixels, 0 to 2^32 - 1
  /// @param residuals [bands x pixels]
  /// @throws InvalidData when it has another number of bands
  void Draw(Eigen::Index x, Eigen::Index y, Eigen::Ref<Eigen::MatrixXf> residuals) const;

private:
  std::uint64_t m_Seed;
  Eigen::VectorXd m_Mean;                         ///< with the amount
  Eigen::Index m_Rank;                            ///< columns of F
  std::shared_ptr<const SpectraProduct> m_Factor; ///< with F and the amount
};

} // namespace hud
