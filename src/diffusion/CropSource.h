// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "UNet.h"
#include "hud/core/AbundanceMap.h"

#include "hud/core/SimplexProjection.h"
#include "hud/diffusion/DiffusionOptions.h"

#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace hud
{

/// A batch to train on.
struct TrainingBatch
{
  torch::Tensor m_Clean;     ///< Z_0, standardised, [batch, channels, patch, patch]; 0 where it is not valid
  torch::Tensor m_Valid;     ///< 1 where a pixel may be trained on, else 0, [batch, 1, patch, patch]
  torch::Tensor m_Noise;     ///< [batch, channels, patch, patch]; likewise
  torch::Tensor m_Timesteps; ///< [batch], 1..T, int64
  Conditions m_Conditions;   ///< without a coarser level where there is one level only

  /// Returns some of the samples, on a device.
  TrainingBatch Select(std::int64_t first, std::int64_t count, const torch::Device& device) const;
};

/// Random crops of the projected, standardised abundance maps, with their noise and timesteps. A batch is a pure function
/// of the seed and the iteration. A crop of level l of the cascade is the mean abundances of 2^l x 2^l pixels each, wherever
/// in the map these begin; half of the crops are of level 0. Crops that hang over the edge of a map or over no-data are among
/// them if at least TrainingOptions::m_ValidShare of what they cover is valid; the rest is hidden. Half of these partial crops
/// are replaced by the nearest whole one of their map, so that whole crops, too, often show edges. The lines at the bottom of
/// each map that TrainingOptions::m_HoldOut asks for are held out: they are not trained on. A map whose strip or rest would
/// hold no patch free of no-data is trained on whole.
class CropSource
{
public:
  /// Crops of a validation batch.
  static constexpr int kValidationCrops = 64;

  /// Returns the largest number of levels, 1 to 8, for which the maps' lines that are not held out have room: a patch of
  /// each level fits into one of them.
  static int CountLevels(const std::vector<AbundanceMap>& maps, const TrainingOptions& options);

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

  /// Returns whether the held-out lines have room for a patch of a level.
  bool CanValidate(int level) const;

  /// Returns kValidationCrops crops, valid as a whole and neither flipped nor rotated, on the CPU: a pure function of the
  /// seed. Their timesteps are spread evenly. Their coarser level is known, without noise.
  /// @param heldOut whether the crops are of held-out lines, which must have room for them, or of what is trained on; both
  /// batches have the same noise and timesteps
  TrainingBatch ValidationBatch(bool heldOut, int level = 0) const;

  /// Returns whether one of the maps has room for a patch of a level. Levels without are not in a batch.
  bool HasLevel(int level) const;

  /// Returns how many patches of a level would cover, side by side, what is trained on: the valid pixels of the maps that have
  /// room for one, of the label that has most of them.
  double IndependentPatches(int level) const;

private:
  /// Upper left corner of a patch, in pixels of the map; negative where the patch hangs over the edge.
  struct Corner
  {
    std::uint32_t m_Map;
    std::int32_t m_X;
    std::int32_t m_Y;
  };

  /// What there is of a level.
  struct Level
  {
    /// Of each map, [channels, rows, columns]: the means of the squares that begin at multiples of Stride(level); level 0 are
    /// the pixels themselves.
    std::vector<torch::Tensor> m_Maps;
    /// Likewise, [1, rows, columns]: 1 where the mean is of valid pixels that are trained on only, else 0.
    std::vector<torch::Tensor> m_Trained;
    std::vector<Corner> m_Whole;   ///< corners of the patches that are trained on and valid as a whole
    std::vector<Corner> m_Partial; ///< corners of the others that are trained on
    std::vector<Corner> m_Nearest; ///< of the whole one nearest to each of these, or its own where its map has none
    std::vector<Corner> m_HeldOut; ///< corners of patches within the held-out lines that are valid as a whole
  };

  /// Returns the distance between the squares of a level that are stored, in pixels of the map: half their edge.
  static std::int64_t Stride(int level);

  /// Returns the corner of a patch from 64 random bits.
  /// @param isReplaced whether a partial patch is replaced by the nearest whole one
  static const Corner& Draw(const Level& from, std::uint32_t low, std::uint32_t high, bool isReplaced);

  /// Returns a level from 32 random bits: 0 in half of the cases, else any other of which there are patches.
  int DrawLevel(std::uint32_t word) const;

  /// Adds the levels of a map.
  void AddMap(const AbundanceMap& map, const SimplexProjection& projection, Eigen::Index heldOutLines);

  /// Returns an empty batch of that many crops, without conditions.
  TrainingBatch MakeBatch(int crops) const;

  /// Returns the number of the label of a crop, 0 without labels.
  std::int64_t Label(const Corner& corner) const;

  /// Returns the patch at a corner, [channels, size, size]; 0 beyond the edge of the map.
  /// @param maps m_Maps or m_Trained of the level
  static torch::Tensor Crop(const std::vector<torch::Tensor>& maps, const Corner& corner, int level, std::int64_t size);

  TrainingOptions m_Options;
  std::vector<std::int64_t> m_Labels; ///< of the maps; empty: none
  std::vector<Level> m_Levels;
  std::vector<int> m_CoarseLevels;     ///< those beyond 0 of which there are patches
  std::vector<double> m_TrainedPixels; ///< valid ones, of each map
  Eigen::Index m_HeldOutLines = 0;
  std::vector<double> m_Mean;
  std::vector<double> m_Sd;
};

} // namespace hud
