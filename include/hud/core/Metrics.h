// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <functional>

namespace hud
{

/// An image with its pixels row by row.
struct SpectralImage
{
  Eigen::Index m_Width = 0;
  Eigen::Index m_Height = 0;
  Eigen::MatrixXf m_Spectra; ///< [bands x width * height]
};

/// Point fidelity and block diversity, both in [0, 1] for non-negative spectra.
struct FidelityAndDiversity
{
  double m_PointFidelity = 0.;  ///< F_p, eq. (16)
  double m_BlockDiversity = 0.; ///< D_b, eq. (17)
};

/// Returns F_p and D_b of generated patches, exact: F_p is the mean over generated pixels of the largest cosine to any real
/// pixel; a patch's score at one position of the real image is the mean over its pixels of the cosines there, and D_b is
/// the mean over patches of the largest score at any position (stride 1). Both are blind to brightness.
/// @param generated cut into patches x patch blocks from its upper left corner; its size is a multiple of `patch`
/// @param patch edge of a block in pixels, at most the real image's edges
/// @param progress called with the fraction done; may be empty
/// @throws InvalidData when bands differ, sizes do not fit or a pixel has zero norm
FidelityAndDiversity ComputeFidelityAndDiversity(const SpectralImage& real, const SpectralImage& generated,
                                                 Eigen::Index patch, const std::function<void(double)>& progress = {});

} // namespace hud
