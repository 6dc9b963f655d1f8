// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <functional>

namespace hud
{

/// What keeps the simplex between the endmembers small.
enum class VolumePenalty
{
  Spread,        ///< of the endmembers about their mean
  LogDeterminant ///< log det(A^T A + delta I)
};

/// Settings of the refinement.
struct RefinementOptions
{
  int m_Iterations = 30; ///< alternations; 0 returns the input
  VolumePenalty m_Penalty = VolumePenalty::Spread;
  double m_Volume = 1e-4; ///< weight of the penalty; of Spread relative to the mean power of the abundances
  bool m_Shade = false;   ///< the last endmember is shade, the zero spectrum, and stays so

  /// @throws InvalidOption
  void Check() const;
};

/// Returns endmembers that decode the spectra better than the given ones: alternates FCLS abundances with a non-negative
/// least-squares update of A, with a penalty on the endmembers' spread about their mean that keeps the simplex small.
/// Among all iterates the one with the smallest FCLS error is returned, so the result is never worse than the start, whose
/// negative values are set to zero first.
///
/// With VolumePenalty::LogDeterminant this is minimum-volume non-negative matrix factorisation (Leplat, Ang and Gillis,
/// "Minimum-volume rank-deficient nonnegative matrix factorizations", ICASSP 2019), with abundances on the simplex and
/// the majorisation of Fu, Huang, Yang, Ma and Sidiropoulos ("Robust volume minimization-based matrix factorization for
/// remote sensing and document clustering", IEEE Transactions on Signal Processing 64, 2016). It minimises
/// bands log |Y - A X|^2 + w log det(A^T A + delta I), whose weight needs no knowledge of the noise: each update of A does so
/// for the error before it. The result is the iterate with the smallest value of that.
/// @param spectra Y, [bands x pixels], a sample of the scene
/// @param endmembers A, [bands x d]
/// @param afterIteration is called after each; what it throws stops the work; may be empty
/// @throws InvalidData when the endmembers are dependent
Eigen::MatrixXd RefineEndmembers(const Eigen::Ref<const Eigen::MatrixXf>& spectra, const Eigen::MatrixXd& endmembers,
                                 const RefinementOptions& options, const std::function<void()>& afterIteration = {});

} // namespace hud
