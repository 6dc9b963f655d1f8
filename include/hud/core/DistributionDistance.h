// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <functional>

namespace hud
{

/// Returns the squared Frechet distance between two sets of points as between normal distributions of their means and
/// covariances: |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) (Dowson & Landau 1982; of a network's features it is the FID,
/// Heusel et al. 2017). Few points are far apart even if they are drawn from one distribution: compare sets of one size.
/// @param first [features x n], finite, n at least 2
/// @param second [features x m], finite, m at least 2
/// @throws InvalidData
double FrechetDistance(const Eigen::Ref<const Eigen::MatrixXd>& first, const Eigen::Ref<const Eigen::MatrixXd>& second);

/// Returns the unbiased estimate of the squared maximum mean discrepancy between two sets of points under the kernel
/// (x . y / features + 1)^3: the kernel distance (KID) of Binkowski et al. 2018. 0 on average where both are drawn from one
/// distribution, whatever their sizes; so it may be negative.
/// @param first, second as FrechetDistance
/// @throws InvalidData
double KernelDistance(const Eigen::Ref<const Eigen::MatrixXd>& first, const Eigen::Ref<const Eigen::MatrixXd>& second);

/// How two sets of points cover each other.
struct NeighbourScores
{
  double m_Precision = 0.; ///< share of generated points within the reach of a real one (Kynkaanniemi et al. 2019)
  double m_Recall = 0.;    ///< share of real points within the reach of a generated one
  double m_Density = 0.;   ///< real points within whose reach a generated one is, over k; about 1 (Naeem et al. 2020)
  double m_Coverage = 0.;  ///< share of real points that have a generated one within their reach
};

/// Returns how two sets of points cover each other. A point's reach is the distance to its k-th nearest neighbour in its
/// own set.
/// @param real [features x n], finite, n above k
/// @param generated [features x m], finite, m above k
/// @param neighbours k, at least 1
/// @throws InvalidData
NeighbourScores ScoreNeighbours(const Eigen::Ref<const Eigen::MatrixXd>& real,
                                const Eigen::Ref<const Eigen::MatrixXd>& generated, Eigen::Index neighbours);

/// A range of values.
struct Interval
{
  double m_Low = 0.;
  double m_High = 0.;
};

/// Returns the 95 % interval of a figure of two sets of points from bootstrap samples: both sets drawn anew, each from itself
/// with repetition (Efron 1979). It has the width of their percentiles and is centred on the figure of the sets themselves,
/// because repeated points move distances between sets upwards.
/// @param figure called with `resamples` pairs of sets of the sizes of `first` and `second`
/// @param resamples at least 1
/// @throws InvalidData when a set is empty, and what `figure` throws
Interval
BootstrapInterval(const Eigen::Ref<const Eigen::MatrixXd>& first, const Eigen::Ref<const Eigen::MatrixXd>& second,
                  int resamples, std::uint64_t seed,
                  const std::function<double(const Eigen::MatrixXd& first, const Eigen::MatrixXd& second)>& figure);

} // namespace hud
