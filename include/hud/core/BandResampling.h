// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <vector>

namespace hud
{

/// How the bands of one sensor, the target, follow from those of another, the source.
struct BandResampling
{
  /// The most of a band's response that may lie where the source has no bands: about that of one side when half of its maximum
  /// is reached just at the end of the source's range.
  static constexpr double kLargestUncovered = 0.125;

  Eigen::MatrixXd m_Weights; ///< [target bands x source bands], at least 0; rows sum to 1
  Eigen::VectorXd m_Outside; ///< [target bands], share of the response beyond the source's range
  Eigen::VectorXd m_InGaps;  ///< [target bands], share of the response in the source's gaps
  double m_First = 0.;       ///< of the source's range, nanometre
  double m_Last = 0.;

  /// Returns whether at most kLargestUncovered of the response lies outside the range and in gaps.
  /// @param band of the target, counted from 0
  bool IsCovered(Eigen::Index band) const;
};

/// Returns the resampling to bands with Gaussian responses: the mean of a spectrum, weighted by the response
/// g(x) ~ exp(-4 ln 2 (x - centre)^2 / width^2). The spectrum is taken to be linear between the source's wavelengths, and the
/// integral of its product with g is exact, by the error function. So wavelengths may be spaced in any way, and a band much
/// narrower than their distance is interpolated linearly.
///
/// The source is sorted first, as wavelengths of joined spectrometers may fall or repeat; bands of one wavelength count as
/// their mean. As in other programs the source's own widths are not taken out: what results is a response of
/// sqrt(target width^2 + source width^2), and a target band narrower than the source's has the source's resolution.
///
/// What lies beyond the first and last wavelength is left out of the integral. The range ends half a band beyond them; half a
/// band is half of the width or of the distance of bands, whichever is larger. Where neighbouring wavelengths are more than
/// three times the median of the five distances about theirs apart, bands were cut out: what is further than half a band from both of them is a gap.
/// @param wavelengths, widths of the source's centres, and full widths at half maximum (empty: unknown), nanometre
/// @param targetWavelengths, targetWidths of the target, in any order
/// @throws InvalidData when numbers of bands do not fit, a number is not finite and above 0, or the source is one wavelength
/// of unknown width
BandResampling ComputeBandResampling(const std::vector<double>& wavelengths, const std::vector<double>& widths,
                                     const std::vector<double>& targetWavelengths,
                                     const std::vector<double>& targetWidths);

} // namespace hud
