// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <functional>

namespace hud
{

/// Settings of SISAL.
struct SisalOptions
{
  double m_OutsideShare = 0.02; ///< of the pixels, that lie outside of each facet of the simplex
  int m_Iterations = 200;       ///< approximations of the volume at most

  /// @throws InvalidOption
  void Check() const;
};

/// Returns the endmembers of a simplex of least volume about nearly all spectra, "simplex identification via split
/// augmented Lagrangian" (Bioucas-Dias, "A variable splitting augmented Lagrangian approach to linear spectral unmixing",
/// WHISPERS 2009). It minimises -log|det Q| + w sum_ij max(0, -(Q Y)_ij) with the columns of Q summing as those of
/// abundances do, where Q is the inverse of the endmembers and Y the spectra, both in the d - 1 principal components of the
/// spectra, whitened, and a constant. The weight is w = (d - 1) / (s n): at the minimum a share s of the n pixels lies
/// outside of each facet, whatever their number is. No pixel must be pure. Endmembers may lie outside of the data;
/// negative values are set to zero. There is no chance in it.
/// @param spectra [bands x n], at least d, finite
/// @param start [bands x d], such as VCA's endmembers
/// @param checkIn is called after each approximation; what it throws stops the work; may be empty
/// @throws InvalidOption, InvalidData when the spectra span fewer than d - 1 dimensions about their mean, or the start has
/// no volume
Eigen::MatrixXd ExtractSisal(const Eigen::Ref<const Eigen::MatrixXf>& spectra, const Eigen::MatrixXd& start,
                             const SisalOptions& options = {}, const std::function<void()>& checkIn = {});

} // namespace hud
