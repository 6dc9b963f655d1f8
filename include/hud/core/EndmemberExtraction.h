// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/EndmemberRefinement.h"
#include "hud/core/SceneStatistics.h"
#include "hud/core/SpectraSource.h"
#include "hud/core/UnmixingMethod.h"
#include "hud/core/Vca.h"

#include <Eigen/Core>

#include <cstdint>
#include <functional>
#include <string>

namespace hud
{

/// What makes one set of endmembers better than another.
enum class EndmemberCriterion
{
  DecodeError, ///< smallest FCLS decode error
  Volume       ///< largest volume of the simplex between the endmembers
};

/// Returns the criterion of that name: error or volume.
/// @throws InvalidOption that lists the known names
EndmemberCriterion ParseEndmemberCriterion(const std::string& name);

/// Settings of the endmember extraction.
struct ExtractionOptions
{
  UnmixingMethod m_Method = UnmixingMethod::Vca; ///< others take no refinement, shade, or medians
  Eigen::Index m_Endmembers = 4;                 ///< d
  int m_Restarts = 20; ///< runs of VCA or Edaa; 1 is plain VCA in the branch that the SNR asks for; Sivm has none
  EndmemberCriterion m_Criterion = EndmemberCriterion::DecodeError;
  RefinementOptions m_Refinement; ///< with its shade, one of the d endmembers is the zero spectrum
  double m_SmoothedShare =
      0.02; ///< of the sample's pixels, whose median makes an endmember of Smoothed VCA; 0: without
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

/// Returns the endmembers that the method finds, in two passes over the scene: Sivm's are of the whole scene; Sisal and Nmf
/// start with the best of the runs of VCA, not refined, and look at the sample, as Edaa does.
///
/// Of Vca they are the best of several runs in both branches. One run without refinement is VCA as published. With
/// refinement the aim is the lowest decode error: the best run of VCA and the best of Smoothed VCA, which dark and outlying
/// pixels cannot lead astray, are both refined, and the one with the smaller FCLS decode error is returned. Without
/// refinement the aim is endmembers that are materials: the best run of Smoothed VCA.
/// @param progress is called with the fraction done of what follows the passes over the scene, several times with 0;
/// what it throws stops the work; may be empty
/// @throws InvalidOption, InvalidData as ExtractVca, ExtractSivm, ExtractSisal and AnalyseArchetypes
Extraction ExtractEndmembers(const SpectraSource& source, const ExtractionOptions& options,
                             const std::function<void(double)>& progress = {});

} // namespace hud
