// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/SimplexProjection.h"
#include "hud/diffusion/NoiseSchedule.h"

#include <cstdint>
#include <string>
#include <vector>

namespace hud
{

/// What the network estimates.
enum class Prediction
{
  Velocity, ///< v = sqrt(alphaBar) eps - sqrt(1 - alphaBar) Z_0 (Salimans & Ho 2022)
  Epsilon   ///< the noise eps, eq. (15), as published
};

/// Returns the prediction of that name: v or eps.
/// @throws InvalidOption that lists the known names
Prediction ParsePrediction(const std::string& name);

/// Returns the name that ParsePrediction reads.
std::string ToString(Prediction prediction);

/// What the error of a prediction costs.
enum class Loss
{
  Square,  ///< its mean square, eq. (15)
  Absolute ///< its mean magnitude, as Pastorino et al. 2025
};

/// Returns the loss of that name: l2 or l1.
/// @throws InvalidOption that lists the known names
Loss ParseLoss(const std::string& name);

/// Returns the name that ParseLoss reads.
std::string ToString(Loss loss);

/// How much each sample of a batch counts, by its signal-to-noise ratio SNR = alphaBar_t / (1 - alphaBar_t).
enum class LossWeighting
{
  None,  ///< all alike, eq. (15)
  MinSnr ///< min(SNR, 5) / SNR with eps, min(SNR, 5) / (SNR + 1) with v (Hang et al. 2023, arXiv 2303.09556)
};

/// Returns the weighting of that name: none or minsnr.
/// @throws InvalidOption that lists the known names
LossWeighting ParseLossWeighting(const std::string& name);

/// Returns the name that ParseLossWeighting reads.
std::string ToString(LossWeighting weighting);

/// How the learning rate falls with the iteration.
enum class LearningRateDecay
{
  Constant, ///< not at all
  Root,     ///< constant up to iteration 500, then times sqrt(500 / iteration)
  Linear    ///< constant over 60 % of the planned iterations, then linearly to zero
};

/// Returns the decay of that name: constant, root or linear.
/// @throws InvalidOption that lists the known names
LearningRateDecay ParseLearningRateDecay(const std::string& name);

/// Returns the name that ParseLearningRateDecay reads.
std::string ToString(LearningRateDecay decay);

/// The U-Net's architecture.
struct NetworkOptions
{
  int m_Width = 32;                           ///< channels at full resolution, a multiple of 8
  std::vector<int> m_Multipliers = {1, 2, 2}; ///< channels of each level as multiples of the width
  int m_Blocks = 1;                           ///< residual blocks of each level
  bool m_Attention = true;                    ///< self-attention at the lowest resolution
  double m_Dropout = 0.;                      ///< share of the features that a residual block forgets in training

  /// Returns the factor between the highest and the lowest resolution: patches must be multiples of it.
  int Reduction() const;

  /// @throws InvalidOption
  void Check() const;
};

/// Returns the multipliers in a text such as "1,2,2".
/// @throws InvalidOption when it is no list of whole numbers
std::vector<int> ParseMultipliers(const std::string& text);

/// Returns the text that ParseMultipliers reads.
std::string FormatMultipliers(const std::vector<int>& multipliers);

/// Everything that decides what a training run learns. All of it is in the model file.
struct TrainingOptions
{
  NetworkOptions m_Network;
  int m_Patch = 32;             ///< edge of a training crop, pixels
  int m_Batch = 16;             ///< crops of one iteration
  double m_LearningRate = 2e-3; ///< of Adam at its highest, see LearningRateAt
  int m_WarmUp = 0;             ///< iterations over which the learning rate rises linearly
  LearningRateDecay m_Decay = LearningRateDecay::Linear;
  std::int64_t m_Iterations = 2000;  ///< the planned total, which TrainSession::Run sets
  std::int64_t m_FirstIteration = 0; ///< at which training on the present maps began, which TrainSession sets
  double m_GradientClip = 1.;        ///< largest norm of the gradient, longer ones are shortened to it; 0: no limit
  Loss m_Loss = Loss::Square;
  LossWeighting m_Weighting = LossWeighting::None;
  double m_EmaDecay = 0.998; ///< of the moving average of the weights, which is what samples
  int m_Timesteps = 1000;    ///< T
  ScheduleKind m_Schedule = ScheduleKind::Linear;
  Prediction m_Prediction = Prediction::Velocity;
  double m_PreconditioningSd = 0.2; ///< s of GaussianDiffusion::Predict; 1: the output is the prediction
  ProjectionKind m_Projection = ProjectionKind::Ilr;
  double m_Floor = 3.;    ///< k of the projection's floor e^-k / d; 8 is the paper's
  bool m_Augment = true;  ///< the 8 flips and rotations of every crop
  double m_HoldOut = 0.1; ///< share of a scene's lines, at its bottom, that is not trained on but validates, 0 to 0.5
  /// Smallest share of a crop that is scene and not no-data, 0.01 to 1. The rest is not seen; half of the crops that have such
  /// a rest are replaced by the nearest whole one.
  double m_ValidShare = 1.;
  double m_LabelDropout = 0.1; ///< share of the crops whose label the network does not see (Ho & Salimans 2022)
  int m_Levels = 1; ///< of the cascade, 1 to 8: a pixel of level l is the mean of 2^l x 2^l pixels of the scene
  double m_CoarseNoise = 0.5;   ///< largest deviation of the noise on the coarser level that a crop is seen with
  double m_CoarseDropout = 0.2; ///< share of the crops whose coarser level the network does not see
  std::uint64_t m_Seed = 0;

  /// Returns Adam's learning rate at an iteration, from m_FirstIteration on, where its course begins. Only with
  /// LearningRateDecay::Linear does it depend on how many are planned: otherwise a run that goes on beyond its plan equals
  /// one that was longer from the start.
  double LearningRateAt(std::int64_t iteration) const;

  /// @throws InvalidOption
  void Check() const;
};

/// Returns the training options of that name: hud, the default, or pastorino, the network and training of Pastorino et al.
/// 2025 (arXiv 2506.13484, and the configuration that they published) with HUD's projection: patches of 256, width 64,
/// multipliers 1, 2, 4, 8, 8 and so attention at 16 x 16, dropout 0.2, mean absolute error of the noise, 2000 timesteps.
/// @throws InvalidOption that lists the known names
TrainingOptions PresetOptions(const std::string& name);

/// Where and how to compute. Not part of the model.
struct ExecutionOptions
{
  std::string m_Device = "auto"; ///< auto (a CUDA GPU where there is one), cpu or cuda
  int m_Threads = 0;             ///< CPU threads of LibTorch; 0: all cores
  int m_WindowsAtOnce = 0;       ///< that pass through the network together when sampling; 0: what suits the device
};

} // namespace hud
