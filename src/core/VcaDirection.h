// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <cstdint>

namespace hud
{

/// Returns what the vertices of a VCA run are orthogonal to before any is found: the last axis, as published, [d x d] with
/// the vertices to come still zero.
Eigen::MatrixXd FirstVcaVertices(Eigen::Index endmembers);

/// Returns a random direction of unit length, [d], orthogonal to the vertices found so far.
/// @param vertices [d x d], the first `found` columns are used, or the first where none is found
/// @param run of the seed
Eigen::VectorXd DrawVcaDirection(const Eigen::MatrixXd& vertices, Eigen::Index found, std::uint64_t seed,
                                 std::uint32_t run);

} // namespace hud
