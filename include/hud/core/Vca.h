// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/SceneStatistics.h"
#include "hud/core/SpectraSource.h"

#include <Eigen/Core>

#include <cstdint>
#include <optional>
#include <vector>

namespace hud
{

/// The two projections of VCA.
enum class VcaBranch
{
  Projective, ///< onto the signal subspace through the origin, scaled so that every pixel lies in one plane
  Orthogonal  ///< onto the principal components about the mean, with a constant last coordinate
};

/// Returns the SNR of a scene in decibel as VCA estimates it: power inside the signal subspace of d dimensions about the
/// mean against power outside (Nascimento & Bioucas-Dias 2005). Infinite when nothing lies outside.
double EstimateSnr(const SceneStatistics& statistics, Eigen::Index endmembers);

/// Returns the SNR in decibel above which VCA projects projectively: 15 + 10 log10(d).
double VcaSnrThreshold(Eigen::Index endmembers);

/// The projection of spectra to the d coordinates in which VCA looks for vertices.
class VcaProjection
{
public:
  /// @param endmembers d, 2 to the number of bands
  /// @param source read once in the orthogonal branch, for the scale of the constant coordinate
  /// @throws InvalidData when the scene spans fewer dimensions than the branch needs
  VcaProjection(const SpectraSource& source, const SceneStatistics& statistics, Eigen::Index endmembers,
                VcaBranch branch);

  /// Returns the coordinates of the spectra, [d x pixels].
  Eigen::MatrixXd Project(const Eigen::Ref<const Eigen::MatrixXf>& spectra) const;

  /// Returns the spectrum with all that lies outside the signal subspace removed, [bands].
  Eigen::VectorXd Denoise(const Eigen::VectorXd& spectrum) const;

private:
  VcaBranch m_Branch;
  Eigen::MatrixXd m_Basis;  ///< [bands x d or d - 1], orthonormal
  Eigen::VectorXd m_Origin; ///< [bands], the mean in the orthogonal branch, else zero
  Eigen::VectorXd m_Mean;   ///< coordinates of the mean: u of the projective branch
  double m_Constant = 0.;
};

/// Settings of one VCA run or of several that share their passes over the scene.
struct VcaOptions
{
  Eigen::Index m_Endmembers = 4; ///< d
  std::uint64_t m_Seed = 0;
  std::optional<VcaBranch> m_Branch; ///< chosen by the SNR when empty

  /// @throws InvalidOption when d is below 2, above the bands, or above the pixels
  void Check(Eigen::Index bands, Eigen::Index pixels) const;
};

/// What VCA found.
struct VcaResult
{
  Eigen::MatrixXd m_Endmembers;       ///< A, [bands x d]
  std::vector<Eigen::Index> m_Pixels; ///< index of each endmember among the valid pixels
  VcaBranch m_Branch = VcaBranch::Projective;
  double m_Snr = 0.; ///< decibel
};

/// Returns the endmembers that Vertex Component Analysis finds, as published: J. Nascimento and J. Bioucas-Dias, "Vertex
/// component analysis: a fast algorithm to unmix hyperspectral data", IEEE TGRS 43(4), 2005. Reads the source d + 1 to
/// d + 2 times. The same seed gives the same endmembers.
/// @throws InvalidOption see VcaOptions::Check; InvalidData when the scene has no pixel or spans fewer than d dimensions
VcaResult ExtractVca(const SpectraSource& source, const VcaOptions& options);

/// Returns one result for each run number in `runs`, all from the same passes over the scene. Run r of a seed is the same
/// whatever other runs are asked for; ExtractVca is run 0.
std::vector<VcaResult> ExtractVcaRuns(const SpectraSource& source, const SceneStatistics& statistics,
                                      const VcaOptions& options, const std::vector<std::uint32_t>& runs);

} // namespace hud
