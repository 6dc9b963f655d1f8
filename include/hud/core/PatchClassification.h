// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

namespace hud
{

/// What a classifier says of n patches.
struct PatchClassification
{
  Eigen::MatrixXd m_Probabilities; ///< [classes x n], 0 to 1, each column with sum one
  Eigen::MatrixXd m_Features;      ///< [features x n], what the classifier's last layer sees
};

} // namespace hud
