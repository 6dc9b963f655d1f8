// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/SceneStatistics.h"
#include "hud/core/SpectraSource.h"

#include <Eigen/Core>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace hud
{

class SpectraProduct;

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

/// Returns the branch that VCA as published takes at an SNR in decibel.
VcaBranch ChooseVcaBranch(double snr, Eigen::Index endmembers);

/// The projection of spectra to the d coordinates in which VCA looks for vertices.
class VcaProjection
{
public:
  /// @param endmembers d, 2 to the number of bands
  /// @throws InvalidData when the scene spans fewer dimensions than the branch needs
  VcaProjection(const SceneStatistics& statistics, Eigen::Index endmembers, VcaBranch branch);

  VcaBranch Branch() const;
  Eigen::Index Bands() const;

  /// Returns the dimension of the signal subspace: d in the projective branch, d - 1 in the orthogonal one.
  Eigen::Index Dimension() const;

  /// Returns the coordinates of the spectra in the signal subspace, [dimension x pixels]. All else about a pixel is noise
  /// to VCA.
  Eigen::MatrixXf Reduce(const Eigen::Ref<const Eigen::MatrixXf>& spectra) const;

  /// Returns the coordinates in which vertices are looked for, [d x pixels].
  /// @param reduced what Reduce returns
  /// @param largestNorm of all reduced pixels, the last coordinate of the orthogonal branch
  Eigen::MatrixXd Project(const Eigen::Ref<const Eigen::MatrixXf>& reduced, double largestNorm) const;

  /// Returns the spectrum of a reduced pixel, [bands]: the pixel's own without what lies outside the signal subspace.
  Eigen::VectorXd Restore(const Eigen::VectorXf& reduced) const;

private:
  VcaBranch m_Branch;
  Eigen::MatrixXd m_Basis;                         ///< [bands x dimension], orthonormal
  std::shared_ptr<const SpectraProduct> m_Product; ///< with the basis
  Eigen::VectorXd m_Origin;                        ///< [bands], the mean in the orthogonal branch, else zero
  Eigen::VectorXd m_ReducedOrigin;
  Eigen::VectorXd m_Mean; ///< reduced mean: u of the projective branch
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
};

/// Returns the endmembers that Vertex Component Analysis finds, as published: J. Nascimento and J. Bioucas-Dias, "Vertex
/// component analysis: a fast algorithm to unmix hyperspectral data", IEEE TGRS 43(4), 2005. Reads the source twice and
/// keeps up to d numbers of each pixel in a temporary file. The same seed gives the same endmembers.
/// @throws InvalidOption see VcaOptions::Check; InvalidData when the scene has no pixel or spans fewer than d dimensions;
/// FileError when there is no room for the temporary file
VcaResult ExtractVca(const SpectraSource& source, const VcaOptions& options);

/// Runs in one branch.
struct VcaRuns
{
  VcaProjection m_Projection;
  std::vector<std::uint32_t> m_Numbers; ///< run r of a seed is the same whatever other runs are asked for
};

/// Returns one result for each run, branch by branch, all from one pass over the scene.
/// @param options whose branch does not matter
/// @param also is shown each block of that pass, if given
/// @param checkIn is called between parts of the search that follows; what it throws stops it; may be empty
/// @throws FileError when there is no room for the temporary file
std::vector<VcaResult> ExtractVcaRuns(const SpectraSource& source, const VcaOptions& options,
                                      const std::vector<VcaRuns>& branches, const SpectraSource::Visitor& also = {},
                                      const std::function<void()>& checkIn = {});

} // namespace hud
