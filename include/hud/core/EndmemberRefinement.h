// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <functional>

namespace hud
{

/// Settings of the refinement.
struct RefinementOptions
{
  int m_Iterations = 30;  ///< alternations; 0 returns the input
  double m_Volume = 1e-4; ///< weight of the volume penalty, relative to the mean power of the abundances
  bool m_Shade = false;   ///< the last endmember is shade, the zero spectrum, and stays so

  /// @throws InvalidOption
  void Check() const;
};

/// Returns endmembers that decode the spectra better than the given ones: alternates FCLS abundances with a non-negative
/// least-squares update of A, with a penalty on the endmembers' spread about their mean that keeps the simplex small.
/// Among all iterates the one with the smallest FCLS error is returned, so the result is never worse than the start, whose
/// negative values are set to zero first.
/// @param spectra Y, [bands x pixels], a sample of the scene
/// @param endmembers A, [bands x d]
/// @param afterIteration is called after each; what it throws stops the work; may be empty
/// @throws InvalidData when the endmembers are dependent
Eigen::MatrixXd RefineEndmembers(const Eigen::Ref<const Eigen::MatrixXf>& spectra, const Eigen::MatrixXd& endmembers,
                                 const RefinementOptions& options, const std::function<void()>& afterIteration = {});

} // namespace hud
