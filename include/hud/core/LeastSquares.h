// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <memory>
#include <optional>
#include <string>

namespace hud
{

class SpectraProduct;

/// Constraints on the coefficients of a least-squares problem.
enum class Constraint
{
  NonNegative,           ///< x >= 0
  NonNegativeAndSumToOne ///< x >= 0 and sum(x) = 1
};

/// Solves min ||A x - y||^2 under constraints, exactly, for many right-hand sides: an active-set method on the normal
/// equations (Lawson & Hanson 1974, chapter 23, with the equality constraint eliminated by its multiplier), which starts
/// from the minimiser without x >= 0 and exchanges several coefficients at once while that lowers the error (after
/// Portugal, Judice & Vicente 1994). At the returned x the constraints hold exactly and the gradient conditions hold within
/// 1e-12 of |A^T y| or max(1, sum(x)) |A^T A|, whichever is larger, by their largest entries, or within what rounding
/// leaves of an ill-conditioned A^T A. Thread-safe.
class ConstrainedLeastSquares
{
public:
  /// @param gram A^T A, [d x d], positive definite (with sum-to-one: positive definite on the plane sum(x) = 0)
  /// @throws InvalidData when it is not
  ConstrainedLeastSquares(const Eigen::MatrixXd& gram, Constraint constraint);

  /// Writes x of each right-hand side, which does not depend on those beside it. Allocates once, whatever their number.
  /// @param correlations A^T y, [d x n], finite
  /// @param solutions x, [d x n]; may be the same matrix
  void Solve(const Eigen::Ref<const Eigen::MatrixXd>& correlations, Eigen::Ref<Eigen::MatrixXd> solutions) const;

private:
  class Workspace;

  Constraint m_Constraint;
  Eigen::MatrixXd m_Gram;       ///< with sum-to-one, the same number added to every entry; padded with zeros
  Eigen::MatrixXd m_Eliminated; ///< its rows and a right-hand side of ones, as columns, after Gaussian elimination
};

/// How spectra become abundances.
enum class EncoderKind
{
  Fcls,         ///< eq. (2): fully constrained least squares
  Nnls,         ///< eq. (2) without sum-to-one: values are not negative, their sum is free
  Linear,       ///< eq. (3), then clamped at zero and scaled to sum to one
  Unconstrained ///< eq. (3) as it is: values may be negative and sums differ from one
};

/// Returns the encoder of that name: fcls, nnls, linear or ucls.
/// @throws InvalidOption that lists the known names
EncoderKind ParseEncoderKind(const std::string& name);

/// Sets negative abundances to zero and scales each pixel to sum to one; a pixel without a positive value becomes 1/d.
/// @param abundances [d x pixels], finite
void ClampAndRenormalise(Eigen::Ref<Eigen::MatrixXf> abundances);

/// The encoder of the unmixing autoencoder: spectra to abundances for fixed endmembers. Thread-safe.
class Encoder
{
public:
  /// @param endmembers A, [bands x d]
  /// @throws InvalidData when A is not finite, has fewer than two columns, more columns than rows, or dependent columns
  Encoder(const Eigen::MatrixXd& endmembers, EncoderKind kind);

  Eigen::Index Bands() const;
  Eigen::Index Endmembers() const;

  /// Writes the abundances of the spectra. A pixel's do not depend on those beside it.
  /// @param spectra Y, [bands x pixels], finite
  /// @param abundances X, [d x pixels]
  /// @throws InvalidData when the shapes do not fit
  void Encode(const Eigen::Ref<const Eigen::MatrixXf>& spectra, Eigen::Ref<Eigen::MatrixXf> abundances) const;

private:
  EncoderKind m_Kind;
  Eigen::Index m_Bands;
  Eigen::Index m_Endmembers;
  std::shared_ptr<const SpectraProduct> m_Product; ///< with A^T, or with (A^T A)^-1 A^T
  std::optional<ConstrainedLeastSquares> m_Solver; ///< for fcls and nnls
};

} // namespace hud
