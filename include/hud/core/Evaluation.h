// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/AbundanceMap.h"
#include "hud/core/DistributionDistance.h"
#include "hud/core/Fidelity.h"
#include "hud/core/NearestCrop.h"
#include "hud/core/PatchClassification.h"
#include "hud/core/PatchSet.h"
#include "hud/core/SpectralRows.h"

#include <Eigen/Core>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace hud
{

/// Settings of Evaluate.
struct EvaluationOptions
{
  Eigen::Index m_Patch = 32;                          ///< edge of a block in pixels, at least 2
  Eigen::Index m_MaximumBlocks = 0;                   ///< as in FidelityOptions
  std::size_t m_MemoryBytes = std::size_t{256} << 20; ///< as in FidelityOptions
  int m_Threads = 0;                                  ///< as in FidelityOptions
  std::uint64_t m_Seed = 0;                           ///< of everything that is drawn

  /// @throws InvalidOption
  void Check() const;
};

/// A scene that is evaluated.
struct EvaluatedScene
{
  const SpectralRows& m_Spectra;
  const AbundanceMap& m_Abundances; ///< of the same size; FCLS, of the endmembers of the real scene
};

/// Judges spectra of blocks by what a classifier has learned of the real scene.
class BlockJudge
{
public:
  virtual ~BlockJudge() = default;

  /// Returns what the classifier says of the patches that blocks are cut into.
  /// @param blocks [bands x patch * patch * n]
  virtual PatchClassification Classify(const Eigen::MatrixXf& blocks) const = 0;
};

/// What values of a metric are good.
enum class Better
{
  Higher,
  Lower,
  NearOracle
};

/// Images that no network made; a metric that cannot tell them from real ones says little.
enum class Baseline : std::size_t
{
  Shuffled, ///< real pixels in any order
  Mixes,    ///< mixtures of the endmembers in proportions that are uniform on the simplex, each pixel for itself
  Repeated, ///< one real pixel everywhere
  Darkened  ///< real crops at a fifth of their brightness
};

constexpr std::size_t kBaselines = 4;

/// How far a value is from the best one.
enum class Yardstick
{
  Value,     ///< the value itself, of a distance
  FromOne,   ///< how far it is from one
  Share,     ///< how far it is from one, of a share of blocks: a twentieth more or less is chance
  Ratio,     ///< how many times the oracle it is, or the oracle is it
  Logarithms ///< the same of their logarithms
};

/// What is said of a baseline.
struct BaselineText
{
  const char* m_Name;    ///< for machines
  const char* m_Title;   ///< for people
  const char* m_Meaning; ///< in one line
};

/// Returns the texts of the baselines, in the order of Baseline.
const std::array<BaselineText, kBaselines>& BaselineTexts();

/// A figure with what it is to be compared with.
struct Metric
{
  std::string m_Name;    ///< for machines: "point_fidelity"
  std::string m_Title;   ///< for people
  std::string m_Group;   ///< heading that it stands under
  std::string m_Meaning; ///< in one line
  Better m_Better = Better::Higher;
  Yardstick m_Yardstick = Yardstick::Value;
  std::optional<double> m_Value;      ///< of the generated scene; none where it cannot be computed
  std::optional<Interval> m_Interval; ///< 95 %, by bootstrap over blocks
  std::optional<double> m_Oracle;     ///< where real data that is no copy stands
  std::array<std::optional<double>, kBaselines> m_Baselines;

  /// Returns "as real", "near", "far" or "closer than real", or "" where there is no oracle to compare with: by its yardstick
  /// the value is up to 1.5 times the oracle, up to 4 times, or more, or, of a metric that is best near its oracle, below 0.4
  /// times.
  std::string Verdict() const;
};

/// Whether generated blocks are copies. Distances are over a block's own contrast, so that even and varied blocks compare.
struct Memorisation
{
  std::size_t m_Copies = 0; ///< blocks nearer than m_Limit to a real crop, or equal to one
  double m_Limit = 0.;      ///< half of what one in twenty real blocks comes near to the other half of its scene
  std::vector<PatchCorner> m_Blocks;  ///< of the generated scene that were looked at
  std::vector<NearestCrop> m_Nearest; ///< to each of them
  std::vector<double> m_Distances;    ///< of these over the block's contrast; infinite for a block that has none
};

/// Of the endmembers' arrangement in real and generated blocks.
struct ArrangementCurves
{
  Eigen::MatrixXd m_RealSpectrum;       ///< LogPowerSpectrum, [patch / 2 x d]
  Eigen::MatrixXd m_GeneratedSpectrum;  ///< likewise
  Eigen::MatrixXd m_RealVariogram;      ///< Variogram, [patch / 2 x d]
  Eigen::MatrixXd m_GeneratedVariogram; ///< likewise
};

/// How a generated scene compares with a real one.
struct Evaluation
{
  std::vector<Metric> m_Metrics;
  FidelityScore m_Fidelity;
  Memorisation m_Memorisation;
  ArrangementCurves m_Curves;
  Eigen::Index m_SetBlocks = 0; ///< blocks of each set that distributions were compared on
};

/// Returns how a generated scene compares with a real one, beside an oracle and four baselines.
///
/// F_p, D_b and the distances of pixels are those of ScoreFidelity over the whole scenes, their oracle is the mean of four
/// halves of the real scene against the other half, and they are computed on at most 16 blocks for each half and baseline.
/// All else is compared on sets of at most 64 blocks without no-data pixels, the real ones being crops drawn anywhere; their
/// oracle is one such set against another. Where abundances are compared, value and oracle are means over 20 draws; of
/// bands and of the judge's scores they are of one.
/// @param real with room for at least two blocks
/// @param endmembers A, [bands x d]
/// @param judge adds Inception Score and Frechet Inception Distance; may be null
/// @param progress called with the fraction done and what is being done; what it throws ends the work; may be empty
/// @throws InvalidOption, InvalidData as ScoreFidelity, and when there is no block without no-data pixels
Evaluation Evaluate(const EvaluatedScene& real, const EvaluatedScene& generated, const Eigen::MatrixXd& endmembers,
                    const EvaluationOptions& options, const BlockJudge* judge = nullptr,
                    const std::function<void(double, const std::string&)>& progress = {});

} // namespace hud
