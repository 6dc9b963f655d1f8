// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <vector>

namespace hud
{

/// Returns which column is the counterpart of each column of the reference, so that the sum of the spectral angles is the
/// least of all one-to-one assignments: shortest augmenting paths (Jonker and Volgenant, "A shortest augmenting path
/// algorithm for dense and sparse linear assignment problems", Computing 38, 1987), in O(d^3). The angle between a spectrum
/// and a zero one, such as shade, is pi/2, between two of them 0.
/// @param reference [bands x d]
/// @param endmembers [bands x d]
/// @throws InvalidData when the shapes differ or a value is not finite
std::vector<Eigen::Index> MatchEndmembers(const Eigen::MatrixXd& reference, const Eigen::MatrixXd& endmembers);

} // namespace hud
