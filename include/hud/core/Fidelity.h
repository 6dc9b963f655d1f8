// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/SpectralRows.h"

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace hud
{

/// Settings of ScoreFidelity.
struct FidelityOptions
{
  Eigen::Index m_Patch = 32; ///< edge of a block in pixels
  Eigen::Index m_MaximumBlocks =
      0; ///< 0: all pixels, exact; else so many blocks that are drawn evenly, and their pixels
  std::size_t m_MemoryBytes = std::size_t{256} << 20; ///< about what to take at most; results do not depend on it
  int m_Threads = 0;                                  ///< 0: one for each core; results do not depend on it
  std::uint64_t m_Seed = 0;                           ///< for drawing blocks

  /// @throws InvalidOption
  void Check() const;
};

/// How near generated spectra are to real ones. Cosines are in [-1, 1], not negative for spectra that are not.
struct FidelityScore
{
  double m_PointFidelity = 0.; ///< F_p, eq. (16): mean over generated pixels of the largest cosine to a real pixel
  double m_BlockDiversity =
      0.; ///< D_b, eq. (17): mean over blocks of the best mean cosine at a position in the real image
  double m_SpectralAngle = 0.; ///< mean over generated pixels of the smallest angle to a real pixel, radian
  double m_RelativeError =
      0.; ///< mean over generated pixels of the distance to the nearest real pixel, over its own norm
  Eigen::Index m_RealPixels = 0;      ///< valid ones
  Eigen::Index m_RealNoData = 0;      ///< left out
  Eigen::Index m_GeneratedPixels = 0; ///< valid ones that were scored
  Eigen::Index m_GeneratedNoData = 0; ///< left out
  Eigen::Index m_Blocks = 0;          ///< that were scored
  std::vector<double> m_BlockScores;  ///< of each such block, whose mean is m_BlockDiversity
};

/// Returns F_p and D_b of a generated image and, as both are blind to brightness, how near its pixels are with it. Every
/// generated pixel is compared with every real one, and every block with every position of the real image (stride 1).
///
/// Blocks are cut from the upper left corner; what is left over at the right and at the bottom counts in F_p only. No-data
/// pixels are left out, and of D_b also blocks in which more than half of the pixels are. A block's score at a position is the
/// mean over the pairs of pixels that are both valid, and counts where these are at least nine tenths of the block's valid
/// pixels. Angles and distances come from cosines in single precision: below 5e-4 they are rounding. Reads the real image once for each group of blocks
/// that fits the memory.
/// @param real at least as large as a block
/// @param generated at least as large as a block, with the bands of `real`
/// @param progress called with the fraction done, by the calling thread; what it throws ends the work; may be empty
/// @throws InvalidOption, InvalidData when bands differ, an image is smaller than a block, one has no valid pixel, or no
/// position of the real image has enough of them
FidelityScore ScoreFidelity(const SpectralRows& real, const SpectralRows& generated, const FidelityOptions& options,
                            const std::function<void(double)>& progress = {});

} // namespace hud
