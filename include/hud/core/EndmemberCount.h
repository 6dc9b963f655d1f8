// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/EndmemberExtraction.h"
#include "hud/core/SpectraSource.h"

#include <Eigen/Core>

#include <functional>

namespace hud
{

/// Settings of the search for the number of endmembers.
struct EndmemberCountOptions
{
  ExtractionOptions m_Extraction; ///< whose number of endmembers does not matter
  double m_LargestError = 0.05;   ///< FCLS decode error over the root mean square of the scene, in (0, 1)
  Eigen::Index m_MostEndmembers = 64;

  /// @throws InvalidOption
  void Check() const;
};

/// Returns the smallest number of endmembers, at least 2, whose FCLS decode error on a sample of the scene is no larger than
/// asked for. Reads the source twice, and starts where the best plane's error allows it.
/// @param report is called with each number that was tried and its error; may be empty
/// @param progress is called with the fraction done, at least, of what follows the passes over the scene; what it throws
/// stops the work; may be empty
/// @throws InvalidData when there is no such number up to the largest, or none that the scene's rank allows
Eigen::Index CountEndmembers(const SpectraSource& source, const EndmemberCountOptions& options,
                             const std::function<void(Eigen::Index endmembers, double error)>& report = {},
                             const std::function<void(double)>& progress = {});

} // namespace hud
