// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/AbundanceMap.h"

#include <Eigen/Core>

#include <functional>
#include <vector>

namespace hud
{

/// The crop of a real abundance map that a generated block resembles most.
struct NearestCrop
{
  double m_Distance = 0.; ///< root mean square over the pixels of the Euclidean distance of their abundances; 0: a copy
  Eigen::Index m_Column = 0; ///< of the crop's upper left pixel in the map
  Eigen::Index m_Row = 0;    ///< likewise
  int m_Turn = 0;            ///< 0..7; TurnPatch of the crop by it is what resembles the block
};

/// Returns for each block the nearest crop of the map, over all positions (stride 1) and the 8 flips and rotations; exact.
/// Of crops that are equally near it is the one of the smallest row, then column, then turn. Crops that hold a no-data pixel
/// are left out. Does not depend on the number of processors.
///
/// Most crops are ruled out by a lower bound: k values a and b of an endmember with the means m and the norms s of what they
/// are without them have ||a - b||^2 >= k (m_a - m_b)^2 + (s_a - s_b)^2. Where few are left they are compared one by one, and
/// where many are, their distances come from a correlation by Fourier transform. So a block takes about as long as the
/// correlation of its 8 turns with the map at most, except where very many crops are equally near.
/// Memory: four to five times that of the map, and 24 bytes for each of its pixels.
/// @param real X [d x width * height]; values in valid pixels up to 1e9
/// @param blocks [d x patch * patch * n], values up to 1e9; block after block, the pixels of one row by row
/// @param patch edge of a block in pixels, at least 1 and at most the map's edges
/// @param progress called with the fraction done, in the calling thread; may be empty. What it throws ends the work.
/// @throws InvalidData when the map is not what it claims or smaller than a block, no crop is free of no-data, there is no
/// block or a part of one, the endmembers differ in number, or a value is not finite or beyond 1e9
std::vector<NearestCrop> FindNearestCrops(const AbundanceMap& real, const Eigen::Ref<const Eigen::MatrixXf>& blocks,
                                          Eigen::Index patch, const std::function<void(double)>& progress = {});

/// Returns a square patch, [d x patch * patch], turned: first by turn / 2 quarters counterclockwise, so that the upper right
/// corner becomes the upper left one, then mirrored left to right when `turn` is odd. 0 leaves it as it is.
/// @param pixels [d x patch * patch], row by row
/// @param turn 0..7
/// @throws InvalidData when the pixels are not of such a patch or there is no such turn
Eigen::MatrixXf TurnPatch(const Eigen::Ref<const Eigen::MatrixXf>& pixels, Eigen::Index patch, int turn);

} // namespace hud
