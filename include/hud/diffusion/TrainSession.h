// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/AbundanceMap.h"
#include "hud/diffusion/DiffusionOptions.h"
#include "hud/diffusion/ModelInfo.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace hud
{

/// The state of a training run, reported after every iteration.
struct TrainProgress
{
  std::int64_t m_Iteration = 0; ///< iterations done in all, those before a resume included
  double m_Loss = 0.;           ///< weighted mean square error of the prediction, over about the last 50 iterations
};

/// Trains the diffusion model on abundance maps (Algorithm 1). A run depends on its options and maps only: the same seed
/// gives the same weights on the same machine and number of threads, and a run that is saved and resumed gives the
/// weights of one that was not interrupted and had the same total.
class TrainSession
{
public:
  /// Starts a new model.
  /// @param maps at least one; patches without a no-data pixel are what is learned
  /// @param scene endmembers and labels that go into the model file; d is that of the maps
  /// @throws InvalidOption (options, device), InvalidData (no patch free of no-data fits into the maps)
  TrainSession(const std::vector<AbundanceMap>& maps, SceneInfo scene, const TrainingOptions& options,
               const ExecutionOptions& execution);

  /// Goes on with a saved model. Options, endmembers and normalisation are the model's.
  /// @throws FileError as ReadModelInfo, InvalidOption (device), InvalidData when the maps have another number of endmembers
  TrainSession(const std::string& modelPath, const std::vector<AbundanceMap>& maps, const ExecutionOptions& execution);

  ~TrainSession();
  TrainSession(TrainSession&&) noexcept;
  TrainSession& operator=(TrainSession&&) noexcept;

  /// Trains until the model has seen `iterations` iterations in all, or until `proceed` returns false.
  /// @param iterations becomes the plan, TrainingOptions::m_Iterations
  /// @param proceed called after every iteration; may be empty
  /// @throws InvalidData when training diverges
  void Run(std::int64_t iterations, const std::function<bool(const TrainProgress&)>& proceed = {});

  /// Writes the model file, whole or not at all: it replaces an earlier file only once it is complete.
  /// @throws FileError, InvalidData when training has diverged
  void Save(const std::string& path) const;

  /// Returns the model's description at this iteration.
  const ModelInfo& Info() const;

  /// Returns the device in words, such as "CPU, 2 threads".
  std::string DeviceDescription() const;

private:
  struct Implementation;
  std::unique_ptr<Implementation> m_Implementation;
};

} // namespace hud
