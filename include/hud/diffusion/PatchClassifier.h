// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/PatchClassification.h"
#include "hud/diffusion/DiffusionOptions.h"

#include <Eigen/Core>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace hud
{

/// Everything that decides what a PatchClassifier learns from its patches.
struct PatchClassifierOptions
{
  Eigen::Index m_Patch = 8;         ///< edge of a patch, 2 to 256 pixels
  std::int64_t m_Iterations = 1000; ///< 1 to 1000000
  double m_LearningRate = 2e-3;     ///< of Adam at the start, 1e-8 to 1; it falls linearly to zero
  int m_Batch = 64;                 ///< patches of one iteration, 1 to 4096
  std::uint64_t m_Seed = 0;         ///< of the initial weights and the batches

  /// @throws InvalidOption
  void Check() const;
};

/// A small convolutional network that tells classes of hyperspectral patches apart. It stands for the Inception network of
/// the Inception Score (Salimans et al. 2016, arXiv 1606.03498) and the Frechet Inception Distance (Heusel et al. 2017, arXiv
/// 1706.08500), which knows photographs only: train it on labelled patches of the scene that is to be imitated.
///
/// It sees at most 16 principal components of the training pixels, whose variances are the roots of their shares of the
/// first. There is one layer on each pixel's spectrum and two on its surroundings, then the mean over all positions, which are the features, and a linear layer. No layer
/// looks at more than one patch. Each class counts the same, however frequent it is, and so does each of the eight flips and
/// rotations of a patch: it learns to take no notice of them. The same patches, labels, options, machine and number of threads
/// give the same bytes.
class PatchClassifier
{
public:
  /// Number of features.
  static constexpr Eigen::Index kFeatures = 64;

  /// Trains the network.
  /// @param patches [bands x patch * patch * n], finite and in any unit; patch after patch, the pixels of one row by row
  /// @param labels [n], 0 to classes - 1, of at least two classes
  /// @param classes 2 to 10000; those without a patch are learned not to be there
  /// @param proceed called after every iteration with the fraction done; returning false ends the work with an Error; may be
  /// empty
  /// @throws InvalidOption (options, classes, device), InvalidData (no patches, not whole ones, not finite, all pixels alike;
  /// not a label for each patch, labels out of range or of one class only; training diverges)
  PatchClassifier(const Eigen::Ref<const Eigen::MatrixXf>& patches, const std::vector<int>& labels, int classes,
                  const PatchClassifierOptions& options, const ExecutionOptions& execution,
                  const std::function<bool(double)>& proceed = {});

  ~PatchClassifier();
  PatchClassifier(PatchClassifier&&) noexcept;
  PatchClassifier& operator=(PatchClassifier&&) noexcept;

  /// Returns class probabilities, and 64 features of at least 0. Those of a patch do not depend, but for rounding, on what it is classified with.
  /// @param patches [bands x patch * patch * n], as in training
  /// @throws InvalidData (no patches, not whole ones, not finite, other bands than in training, too large to compute with)
  PatchClassification Classify(const Eigen::Ref<const Eigen::MatrixXf>& patches) const;

  /// Returns the share of patches, 0 to 1, whose most probable class is their label.
  /// @param labels [n], 0 to classes - 1
  /// @throws InvalidData as Classify, and when there is not a label for each patch or one is out of range
  double Accuracy(const Eigen::Ref<const Eigen::MatrixXf>& patches, const std::vector<int>& labels) const;

  /// Returns the number of principal components that the network sees, 1 to 16: no more than there are bands, and none whose
  /// variance is below 1e-8 of the first one's.
  Eigen::Index Components() const;

private:
  struct Implementation;
  std::unique_ptr<Implementation> m_Implementation;
};

} // namespace hud
