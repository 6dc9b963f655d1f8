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

/// How the averaged weights do on lines of the scenes that are not trained on.
struct Validation
{
  int m_Level = 0;            ///< of the cascade
  double m_Loss = 0.;         ///< weighted mean square error on crops of the held-out lines
  double m_TrainingLoss = 0.; ///< the same on crops that are trained on, with the same noise and timesteps
  bool m_Memorising =
      false; ///< m_Loss is far above m_TrainingLoss and rises: the model begins to copy what it trains on
};

/// The state of a training run, reported after every iteration.
struct TrainProgress
{
  std::int64_t m_Iteration = 0; ///< iterations done in all, those before a resume included
  double m_Loss = 0.;           ///< weighted mean square error of the prediction, over about the last 50 iterations
  /// Every kValidationInterval iterations and at the end: of each level of which the held-out lines have room for a patch.
  std::vector<Validation> m_Validations;
};

/// Returns the largest number of levels, TrainingOptions::m_Levels, for which the maps have room: a patch of each level fits
/// into one of them, without no-data and held-out lines. At least 1.
/// @throws InvalidOption as TrainingOptions::Check
int CountLevels(const std::vector<AbundanceMap>& maps, const TrainingOptions& options);

/// Trains the diffusion model on abundance maps (Algorithm 1). A run depends on its options and maps only: the same seed
/// gives the same weights on the same machine and number of threads, and a run that is saved and resumed gives the
/// weights of one that was not interrupted and had the same total.
class TrainSession
{
public:
  /// Iterations from one validation to the next.
  static constexpr std::int64_t kValidationInterval = 250;

  /// Starts a new model.
  /// @param maps at least one; patches without a no-data pixel are what is learned
  /// @param scene endmembers and what else goes into the model file, except labels; d is that of the maps
  /// @param labels one for each map; several maps may have one. Empty: the model learns no labels
  /// @throws InvalidOption (options, device), InvalidData (no patch free of no-data fits into one of the maps, or no patch
  /// of a level into any of them; labels are not as
  /// many as maps, or have no name)
  TrainSession(const std::vector<AbundanceMap>& maps, SceneInfo scene, const TrainingOptions& options,
               const ExecutionOptions& execution, const std::vector<LabelInfo>& labels = {});

  /// Goes on with a saved model. Options, endmembers and normalisation are the model's. Maps other than those that it was
  /// trained on last tune it to them: the learning rate takes its course from here, and the average of the weights forgets what
  /// was before. Levels for which they have no room stay as they are.
  /// @param labels as above if the model has labels, else empty. Of those that the model does not know the network learns anew
  /// @throws FileError as ReadModelInfo, InvalidOption (device), InvalidData when the maps have another number of endmembers, or
  /// as above
  TrainSession(const std::string& modelPath, const std::vector<AbundanceMap>& maps, const ExecutionOptions& execution,
               const std::vector<LabelInfo>& labels = {});

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

  /// Returns patches as the averaged weights draw them now, without any effect on training: those of HUDSample's layout
  /// `patches` with its default sampler and the model's seed.
  /// @param columns,rows patches side by side and below each other, at least 1
  AbundanceMap DrawPatches(Eigen::Index columns, Eigen::Index rows) const;

  /// Returns the number of the maps' lines that are held out for validation, see TrainingOptions::m_HoldOut; 0: there is no
  /// validation, as a strip must hold a patch.
  Eigen::Index HeldOutLines() const;

  /// Returns how many patches of a level would cover, side by side, what is trained on, of the label of which there is most; 0:
  /// no map has room for one, and the level is not trained.
  double IndependentPatches(int level) const;

  /// Returns the model's description at this iteration.
  const ModelInfo& Info() const;

  /// Returns the device in words, such as "CPU, 2 threads".
  std::string DeviceDescription() const;

private:
  struct Implementation;
  std::unique_ptr<Implementation> m_Implementation;
};

} // namespace hud
