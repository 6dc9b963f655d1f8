// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

namespace hud
{

/// How far two sets of patches of abundances stand apart: in what they hold, and in its spatial structure.
struct PatchDistance
{
  Eigen::VectorXd m_Wasserstein; ///< [d], as WassersteinDistances
  double m_LogSpectrum = 0.;     ///< root mean square difference of LogPowerSpectrum over rings and endmembers
  double m_LogVariogram = 0.; ///< root mean square difference of the logarithms of Variogram over lags and endmembers
};

/// Returns the distance between two sets of square patches; 0 for the same set, however it is ordered.
/// @param first [d x patch * patch * n], any numbers; patch after patch, the pixels of one row by row
/// @param second [d x patch * patch * m], m may be another number than n
/// @param patch edge of a patch in pixels, at least 2
/// @throws InvalidData when a set is empty, not of whole patches or not finite, or the endmembers differ in number
PatchDistance ComputePatchDistance(const Eigen::Ref<const Eigen::MatrixXf>& first,
                                   const Eigen::Ref<const Eigen::MatrixXf>& second, Eigen::Index patch);

/// Returns for each endmember the Wasserstein-1 distance between its values in two sets of pixels, [d], in the unit of the
/// values: the area between the two distribution functions, exact (Vallender 1974).
/// @param first [d x pixels], finite
/// @param second [d x other pixels], finite
/// @throws InvalidData when a set is empty or not finite, or the endmembers differ in number
Eigen::VectorXd WassersteinDistances(const Eigen::Ref<const Eigen::MatrixXf>& first,
                                     const Eigen::Ref<const Eigen::MatrixXf>& second);

/// Returns the natural logarithm of each endmember's power over spatial frequency, [patch / 2 x d]; row r - 1 is the mean over
/// the patches and over all frequencies (u, v), in cycles per patch, whose length rounds to r. The transform is the unitary
/// one of a patch less its own mean, so white noise of variance s^2 has ln s^2 everywhere. Blind to where in the (cyclic)
/// patch a thing is. 1e-12 is added to a power, so that an endmember that is nowhere has a logarithm; abundances in single
/// precision vary by more than that, wherever they vary.
/// @param patches [d x patch * patch * n], finite, as for ComputePatchDistance
/// @param patch at least 2
/// @throws InvalidData when the set is empty, not of whole patches or not finite
Eigen::MatrixXd LogPowerSpectrum(const Eigen::Ref<const Eigen::MatrixXf>& patches, Eigen::Index patch);

/// Returns each endmember's semivariogram (Matheron 1963), [patch / 2 x d]; row h - 1 is half the mean squared difference of
/// pixels that are h apart in a row or a column of a patch. Unlike the power spectrum it does not take a patch to go on
/// around its edges.
/// @param patches, patch as LogPowerSpectrum
/// @throws InvalidData as LogPowerSpectrum
Eigen::MatrixXd Variogram(const Eigen::Ref<const Eigen::MatrixXf>& patches, Eigen::Index patch);

/// Returns what patches hold and how it is arranged, [4 d x n]: of each endmember the mean, the standard deviation, and the
/// root mean square differences of neighbours in rows and in columns.
/// @param patches, patch as LogPowerSpectrum
/// @throws InvalidData as LogPowerSpectrum
Eigen::MatrixXd PatchFeatures(const Eigen::Ref<const Eigen::MatrixXf>& patches, Eigen::Index patch);

} // namespace hud
