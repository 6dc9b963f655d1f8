// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/SceneStatistics.h"
#include "hud/core/SpectraSource.h"

#include <Eigen/Core>

#include <functional>
#include <vector>

namespace hud
{

/// What simplex volume maximisation found.
struct SivmResult
{
  Eigen::MatrixXd m_Endmembers;       ///< A, [bands x d]
  std::vector<Eigen::Index> m_Pixels; ///< index of each endmember among the valid pixels
};

/// Returns the pixels that make the volume of their simplex large, one after the other (Thurau, Kersting and Bauckhage,
/// "Yes we can: simplex volume maximization for descriptive web-scale matrix factorization", CIKM 2010): first the pixel
/// farthest from the mean, then, until there are d, the one farthest from the plane through those found. Unlike there, where
/// the first is found from any pixel and volumes are estimated from distances, heights are exact. There is no chance in it.
/// It looks at the d - 1 principal components; all else about a pixel is noise, which the endmembers are
/// without. Reads the source once and keeps d - 1 numbers of each pixel in a temporary file.
/// @param statistics of the source
/// @param endmembers d, 2 to the number of bands
/// @param also is shown each block of that pass, if given
/// @param checkIn is called between parts of the search that follows; what it throws stops it; may be empty
/// @throws InvalidData when the scene spans fewer than d - 1 dimensions about its mean; FileError when there is no room for
/// the temporary file
SivmResult ExtractSivm(const SpectraSource& source, const SceneStatistics& statistics, Eigen::Index endmembers,
                       const SpectraSource::Visitor& also = {}, const std::function<void()>& checkIn = {});

} // namespace hud
