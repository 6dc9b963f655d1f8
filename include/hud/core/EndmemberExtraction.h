// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/EndmemberRefinement.h"
#include "hud/core/SceneStatistics.h"
#include "hud/core/SpectraSource.h"
#include "hud/core/Vca.h"

#include <Eigen/Core>

#include <cstdint>

namespace hud
{

/// Settings of the endmember extraction.
struct ExtractionOptions
{
  Eigen::Index m_Endmembers = 4; ///< d
  int m_Restarts = 20;           ///< VCA runs; 1 is plain VCA in the branch that the SNR asks for
  RefinementOptions m_Refinement;
  std::uint64_t m_Seed = 0;
  Eigen::Index m_SamplePixels = 10000; ///< pixels on which runs are compared and refined

  /// @throws InvalidOption
  void Check(Eigen::Index bands, Eigen::Index pixels) const;
};

/// The endmembers of a scene, and how well they describe it.
struct Extraction
{
  Eigen::MatrixXd m_Endmembers; ///< A, [bands x d]
  SceneStatistics m_Statistics;
  double m_Snr = 0.;       ///< decibel, as VCA estimates it
  double m_Rmse = 0.;      ///< FCLS decode error on the sample, in the scene's units
  double m_RankLimit = 0.; ///< what the best (d-1)-plane leaves over the whole scene, in the scene's units
};

/// Returns the best of several VCA runs, refined. With one restart and no refinement this is VCA as published. With more,
/// runs alternate between both branches of VCA, and the one whose FCLS decode error on a sample of pixels is smallest wins.
/// @throws InvalidOption, InvalidData as ExtractVca
Extraction ExtractEndmembers(const SpectraSource& source, const ExtractionOptions& options);

} // namespace hud
