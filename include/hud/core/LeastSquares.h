// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <string>

namespace hud
{

/// Constraints on the coefficients of a least-squares problem.
enum class Constraint
{
  NonNegative,           ///< x >= 0
  NonNegativeAndSumToOne ///< x >= 0 and sum(x) = 1
};

/// Solves min ||A x - y||^2 under constraints, exactly, for many right-hand sides: a primal active-set method on the normal
/// equations (Lawson & Hanson 1974, chapter 23; with the equality constraint eliminated by its multiplier). At the
/// returned x the constraints hold exactly and the gradient conditions hold within 1e-12 of the largest
/// of the entries of A^T A and |A^T y|. Thread-safe.
class ConstrainedLeastSquares
{
public:
  /// @param gram A^T A, [d x d], positive definite (with sum-to-one: positive definite on the plane sum(x) = 0)
  ConstrainedLeastSquares(const Eigen::MatrixXd& gram, Constraint constraint);

  /// Returns x, [d].
  /// @param correlation A^T y, [d]
  /// @throws InvalidData when the Gram matrix is not positive definite
  Eigen::VectorXd Solve(const Eigen::VectorXd& correlation) const;

private:
  Eigen::MatrixXd m_Gram;
  Constraint m_Constraint;
  double m_Shift = 0.; ///< what was added to every entry of the Gram matrix; changes nothing where sum(x) = 1
};

/// How spectra become abundances.
enum class EncoderKind
{
  Fcls,         ///< eq. (2): fully constrained least squares
  Linear,       ///< eq. (3), then clamped at zero and scaled to sum to one
  Unconstrained ///< eq. (3) as it is: values may be negative and sums differ from one
};

/// Returns the encoder of that name: fcls, linear or ucls.
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

  /// Writes the abundances of the spectra.
  /// @param spectra Y, [bands x pixels], finite
  /// @param abundances X, [d x pixels]
  /// @throws InvalidData when the shapes do not fit
  void Encode(const Eigen::Ref<const Eigen::MatrixXf>& spectra, Eigen::Ref<Eigen::MatrixXf> abundances) const;

private:
  EncoderKind m_Kind;
  Eigen::MatrixXd m_Endmembers;
  Eigen::MatrixXd m_PseudoInverse; ///< (A^T A)^-1 A^T, [d x bands]
  ConstrainedLeastSquares m_Fcls;
};

} // namespace hud
