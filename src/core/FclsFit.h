// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

namespace hud
{

/// How endmembers fit spectra with FCLS abundances X, and the sums that an update of the endmembers needs.
struct FclsFit
{
  double m_Rmse = 0.;            ///< decode error
  Eigen::MatrixXd m_Gram;        ///< X X^T, [d x d]
  Eigen::MatrixXd m_Correlation; ///< X Y^T, [d x bands]
};

/// Returns the fit of a sample, computed in several threads.
/// @param spectra Y, [bands x pixels], at least one
/// @param endmembers A, [bands x d]
/// @throws InvalidData when no encoder can be built on the endmembers
FclsFit FitFcls(const Eigen::Ref<const Eigen::MatrixXf>& spectra, const Eigen::MatrixXd& endmembers);

} // namespace hud
