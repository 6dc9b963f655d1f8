// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/AbundanceMap.h"
#include "hud/diffusion/DiffusionOptions.h"

#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace hud
{

/// A batch to train on.
struct TrainingBatch
{
  torch::Tensor m_Clean;     ///< Z_0, standardised, [batch, channels, patch, patch]
  torch::Tensor m_Noise;     ///< [batch, channels, patch, patch]
  torch::Tensor m_Timesteps; ///< [batch], 1..T, int64
  torch::Tensor m_Labels;    ///< [batch], int64: 0 is none, 1 the first label
};

/// Random crops of the projected, standardised abundance maps, with their noise and timesteps. A batch is a pure function
/// of the seed and the iteration. The lines at the bottom of each map that TrainingOptions::m_HoldOut asks for are held out:
/// crops that touch them are not trained on. A map whose strip or rest would hold no patch free of no-data is trained on whole.
class CropSource
{
public:
  /// Crops of a validation batch.
  static constexpr int kValidationCrops = 64;

  /// @param labels number of each map's label, from 1 on; empty: no labels
  /// @throws InvalidData when no patch free of no-data fits into one of the maps, or maps differ in d
  CropSource(const std::vector<AbundanceMap>& maps, const TrainingOptions& options,
             std::vector<std::int64_t> labels = {});

  /// Returns the number of lines that are held out, of all maps together; 0: there is no validation.
  Eigen::Index HeldOutLines() const;

  /// Returns the mean of each channel over all valid pixels, before standardisation, [channels].
  const std::vector<double>& ChannelMean() const;

  /// Returns the standard deviation, likewise; 1 for a channel that does not vary.
  const std::vector<double>& ChannelSd() const;

  /// Standardises the maps: (Z - mean) / sd. Call once, before Batch.
  void Standardise(const std::vector<double>& mean, const std::vector<double>& sd);

  /// Returns the batch of an iteration, on the CPU. TrainingOptions::m_LabelDropout of the crops have no label.
  TrainingBatch Batch(std::int64_t iteration) const;

  /// Returns kValidationCrops crops, neither flipped nor rotated, on the CPU: a pure function of the seed. Their timesteps are
  /// spread evenly.
  /// @param heldOut whether the crops are of held-out lines, which there must be, or of what is trained on; both batches
  /// have the same noise and timesteps
  TrainingBatch ValidationBatch(bool heldOut) const;

private:
  /// Upper left corner of a patch free of no-data.
  struct Corner
  {
    std::uint32_t m_Map;
    std::int32_t m_X;
    std::int32_t m_Y;
  };

  /// Returns an empty batch of that many crops, without labels.
  TrainingBatch MakeBatch(int crops) const;

  /// Returns the number of the label of a crop, 0 without labels.
  std::int64_t Label(const Corner& corner) const;

  /// Returns the patch at a corner, [channels, patch, patch].
  torch::Tensor Crop(const Corner& corner) const;

  TrainingOptions m_Options;
  std::vector<std::int64_t> m_Labels; ///< of the maps; empty: none
  std::vector<torch::Tensor> m_Maps;  ///< [channels, height, width]
  std::vector<Corner> m_Corners;
  std::vector<Corner> m_HeldOut; ///< corners of patches within the held-out lines
  Eigen::Index m_HeldOutLines = 0;
  std::vector<double> m_Mean;
  std::vector<double> m_Sd;
};

} // namespace hud
