// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDNoData.h"
#include "otbHUDPicture.h"

#include "hud/core/AbundanceMap.h"
#include "hud/core/Evaluation.h"
#include "hud/core/SpectralRows.h"

#include <Eigen/Core>

#include <optional>
#include <string>
#include <vector>

namespace otb
{

/// What an evaluation says, as text, as JSON (doc/evaluation-report.md), as a web page and as a picture.
/// The test is test/otb/otbHUDEvaluationReportTest.cxx.
struct HUDEvaluationReport
{
  /// One of both scenes. What it points to must outlive the report.
  struct Scene
  {
    std::string m_File;
    const hud::SpectralRows* m_Spectra = nullptr;
    const hud::AbundanceMap* m_Abundances = nullptr;
    HUDNoDataCounts m_NoDataPixels;
  };

  /// What Inception Score and Frechet Inception Distance come from.
  struct Classifier
  {
    std::string m_Labels; ///< "largest abundance", or a file
    int m_Classes = 0;
    std::optional<double> m_Accuracy; ///< share of held-out patches
  };

  Scene m_Real;
  Scene m_Generated;
  Eigen::MatrixXd m_Endmembers;      ///< A, [bands x d]
  std::vector<double> m_Wavelengths; ///< nanometre, one for each band; empty: unknown
  std::string m_Units;               ///< of the spectra; empty: unknown
  std::vector<Eigen::Index> m_EmptyBands;
  hud::EvaluationOptions m_Options;
  hud::Evaluation m_Evaluation;
  std::optional<Classifier> m_Classifier;

  /// Returns the figures as lines for a log.
  std::vector<std::string> Lines() const;

  /// Returns what a reader should know before the figures.
  std::vector<std::string> Warnings() const;

  /// Returns what is to be said of copies.
  std::string DescribeCopies() const;

  /// Writes the JSON file.
  /// @throws hud::FileError
  void WriteJson(const std::string& path) const;

  /// Writes the page, with figures that are read from the scenes.
  /// @throws hud::FileError, and what reading throws
  void WritePage(const std::string& path) const;

  /// Returns the real scene beside the generated one, in one stretch.
  HUDPicture Quicklook() const;
};

} // namespace otb
