// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDImageType.h"

#include <Eigen/Core>

namespace otb
{

/// Throws hud::InvalidData that names endmember and band when a value is not finite.
/// @param endmembers A, [bands x d]
void HUDCheckFinite(const Eigen::MatrixXd& endmembers);

/// Returns the endmembers that an image holds, [bands x d]: each pixel is one, row by row.
/// @param image on which Update need not have been called
/// @throws hud::InvalidData when a value is not finite
Eigen::MatrixXd HUDReadEndmembers(HUDImageType& image);

/// Returns an image of d x 1 pixels in memory, one for each endmember, without georeference.
/// @param endmembers A, [bands x d]
HUDImageType::Pointer HUDEndmembersToImage(const Eigen::MatrixXd& endmembers);

/// Makes `image` the frame of an endmember image, without pixels: d x 1 pixels from index 0, GDAL's grid of a file without
/// georeference.
void HUDSetEndmemberGrid(HUDImageType& image, Eigen::Index endmembers, Eigen::Index bands);

/// Writes the endmembers into an image with that frame, which must be allocated.
void HUDFillEndmembers(HUDImageType& image, const Eigen::MatrixXd& endmembers);

} // namespace otb
