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
  torch::Tensor m_Clean;     ///< Z_0, standardised, [batch, d, patch, patch]
  torch::Tensor m_Noise;     ///< [batch, d, patch, patch]
  torch::Tensor m_Timesteps; ///< [batch], 1..T, int64
};

/// Random crops of the projected, standardised abundance maps, with their noise and timesteps. A batch is a pure function
/// of the seed and the iteration.
class CropSource
{
public:
  /// @throws InvalidData when no patch free of no-data fits into any of the maps, or maps differ in d
  CropSource(const std::vector<AbundanceMap>& maps, const TrainingOptions& options);

  /// Returns the mean of each channel over all valid pixels, before standardisation, [d].
  const std::vector<double>& ChannelMean() const;

  /// Returns the standard deviation, likewise; 1 for a channel that does not vary.
  const std::vector<double>& ChannelSd() const;

  /// Standardises the maps: (Z - mean) / sd. Call once, before Batch.
  void Standardise(const std::vector<double>& mean, const std::vector<double>& sd);

  /// Returns the batch of an iteration, on the CPU.
  TrainingBatch Batch(std::int64_t iteration) const;

private:
  /// Upper left corner of a patch free of no-data.
  struct Corner
  {
    std::uint32_t m_Map;
    std::int32_t m_X;
    std::int32_t m_Y;
  };

  TrainingOptions m_Options;
  std::vector<torch::Tensor> m_Maps; ///< [d, height, width]
  std::vector<Corner> m_Corners;
  std::vector<double> m_Mean;
  std::vector<double> m_Sd;
};

} // namespace hud
