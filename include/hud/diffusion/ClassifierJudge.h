// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/Evaluation.h"
#include "hud/core/LabelMap.h"
#include "hud/core/SpectralRows.h"
#include "hud/diffusion/DiffusionOptions.h"
#include "hud/diffusion/PatchClassifier.h"

#include <Eigen/Core>

#include <cstdint>
#include <functional>
#include <optional>

namespace hud
{

/// A PatchClassifier of the real scene's classes, for Inception Score and Frechet Inception Distance as Shen et al. compute
/// them. Blocks are cut into patches of at most 8 x 8 pixels. A patch's class is its most frequent label, if half of its pixels
/// have one. The scene is cut into cells of two patches by two; a fifth of them is not trained on, but tells the accuracy.
class ClassifierJudge : public BlockJudge
{
public:
  /// Trains the classifier, on at most 1024 patches.
  /// @param labels of the scene's pixels, at least two classes
  /// @param block edge of the blocks that are judged, in pixels, at least 2
  /// @param proceed as PatchClassifier's
  /// @throws InvalidData when labels are not the scene's, or patches of fewer than two classes have no no-data pixel; and as
  /// PatchClassifier
  ClassifierJudge(const SpectralRows& real, const LabelMap& labels, Eigen::Index block, std::uint64_t seed,
                  const ExecutionOptions& execution, const std::function<bool(double)>& proceed = {});

  PatchClassification Classify(const Eigen::MatrixXf& blocks) const override;

  /// Returns the share of held-out patches that are classified rightly; none when there are no such patches.
  std::optional<double> Accuracy() const;

private:
  Eigen::Index m_Block;
  Eigen::Index m_Patch;
  std::optional<PatchClassifier> m_Classifier;
  std::optional<double> m_Accuracy;
};

} // namespace hud
