// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace hud
{

/// Settings of archetypal analysis.
struct ArchetypalAnalysisOptions
{
  Eigen::Index m_Endmembers = 4; ///< d, at least 2
  int m_Restarts = 20;           ///< runs from other starts and with other steps, of which one is taken
  int m_Iterations = 100;        ///< alternations of a run
  int m_AbundanceSteps = 5;      ///< on A, in each alternation
  int m_WeightSteps = 5;         ///< on B, in each alternation
  std::uint64_t m_Seed = 0;
  int m_Threads = 2; ///< runs at the same time; changes no result

  /// @throws InvalidOption
  void Check() const;
};

/// What one run reached.
struct ArchetypalRun
{
  double m_Step = 0.;              ///< factor of its first step sizes
  double m_Residual = 0.;          ///< mean absolute residual of the spectra, each divided by its norm
  double m_Coherence = 0.;         ///< largest correlation, over the bands, between two endmembers
  std::vector<double> m_Objective; ///< before the first alternation and after each; never increases
  Eigen::MatrixXd m_Endmembers;    ///< [bands x d], in the units of the spectra
};

/// What archetypal analysis found.
struct ArchetypalResult
{
  std::vector<ArchetypalRun> m_Runs;
  std::size_t m_Selected = 0;   ///< the run that the rest is of
  Eigen::MatrixXd m_Endmembers; ///< [bands x d], convex combinations of the spectra
  Eigen::MatrixXf m_Abundances; ///< A, [d x pixels], of the spectra divided by their norms; sums are 1
  Eigen::MatrixXf m_Weights;    ///< B, [pixels x d], of the same spectra in each endmember; sums are 1
};

/// Returns endmembers and abundances by entropic descent archetypal analysis (Zouaoui, Muhawenayo, Rasti, Chanussot
/// and Mairal, "Entropic descent archetypal analysis for blind hyperspectral unmixing", IEEE Transactions on Image
/// Processing 32, 2023): spectra of unit norm are X ~ X B A with the columns of A and B on the simplex, found by
/// alternating steps A <- A exp(-eta dF/dA) and B <- B exp(-eta sqrt(d / pixels) dF/dB), divided by the sums of the
/// columns. F = |X - X B A|^2 / 2, and eta = s / sigma^2, where sigma is the largest singular value of X B at the start
/// and s, 1/8 to 8, differs between runs. Of the runs whose mean absolute residual is within 5 % of the smallest, that
/// with the least coherent endmembers is taken. Unlike there, X is reduced to its 5 d leading singular vectors in the
/// steps, and steps that would increase F are taken back and halved.
/// No pixel must be pure, but endmembers stay inside the convex hull of X: when only a few pixels are nearly pure and d
/// is 4 or more, they are far from the truth. A spectrum without direction, zero in all bands, has no weight, and equal
/// abundances.
/// @param spectra [bands x pixels], a sample of the scene
/// @param checkIn is called after each run, in the caller's thread; what it throws stops the work; may be empty
/// @throws InvalidOption, InvalidData when there are fewer spectra than endmembers or a value is not finite
ArchetypalResult AnalyseArchetypes(const Eigen::Ref<const Eigen::MatrixXf>& spectra,
                                   const ArchetypalAnalysisOptions& options, const std::function<void()>& checkIn = {});

} // namespace hud
