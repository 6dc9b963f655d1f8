// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

namespace hud
{

/// How well endmembers and abundances describe spectra, in sums, so that summaries of parts of a scene add up.
struct UnmixingSummary
{
  Eigen::Index m_Pixels = 0;
  double m_Power = 0.;                                     ///< sum of squares of the spectra
  double m_SquaredError = 0.;                              ///< sum of squares of Y - A X
  Eigen::Index m_Negative = 0;                             ///< of the pixels x d values that eq. (3) gives
  Eigen::Array<Eigen::Index, Eigen::Dynamic, 1> m_Largest; ///< [d], pixels in which an endmember has the most
  Eigen::Array<Eigen::Index, Eigen::Dynamic, 1> m_Pure;    ///< [d], pixels in which it has at least kPureAbundance
  Eigen::ArrayXd m_Abundance;                              ///< [d], sums of the abundances

  static constexpr float kPureAbundance = 0.95f;

  UnmixingSummary& operator+=(const UnmixingSummary& other);

  /// Returns the root mean square of Y - A X over all samples, in the unit of the spectra.
  /// @param bands of the spectra
  double DecodeRmse(Eigen::Index bands) const;

  /// Returns the decode error as a share of the root mean square of the spectra.
  double RelativeDecodeError() const;

  /// Returns the share of negative values among those that eq. (3), unconstrained least squares, gives.
  double NegativeShare() const;
};

/// Makes summaries for fixed endmembers. Thread-safe.
class UnmixingSummariser
{
public:
  /// @param endmembers A, [bands x d], finite
  explicit UnmixingSummariser(const Eigen::MatrixXd& endmembers);

  /// Returns the summary of a block of pixels.
  /// @param spectra Y, [bands x pixels]
  /// @param abundances X, [d x pixels]
  /// @throws InvalidData when the shapes do not fit
  UnmixingSummary Summarise(const Eigen::Ref<const Eigen::MatrixXf>& spectra,
                            const Eigen::Ref<const Eigen::MatrixXf>& abundances) const;

private:
  Eigen::MatrixXf m_Endmembers;
  Eigen::MatrixXf m_PseudoInverse; ///< (A^T A)^-1 A^T, [d x bands]
};

} // namespace hud
