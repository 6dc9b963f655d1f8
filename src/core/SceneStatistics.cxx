// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/SceneStatistics.h"

#include "hud/core/Error.h"

#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>

namespace hud
{

Eigen::MatrixXd SceneStatistics::Covariance() const
{
  return m_Correlation - m_Mean * m_Mean.transpose();
}

double SceneStatistics::Power() const
{
  return m_Correlation.trace();
}

SceneStatistics ComputeSceneStatistics(const SpectraSource& source)
{
  SceneStatistics statistics;
  statistics.m_Mean = Eigen::VectorXd::Zero(source.Bands());
  statistics.m_Correlation = Eigen::MatrixXd::Zero(source.Bands(), source.Bands());
  source.Visit([&](const Eigen::Ref<const Eigen::MatrixXf>& spectra) {
    const Eigen::MatrixXd block = spectra.cast<double>();
    statistics.m_Pixels += block.cols();
    statistics.m_Mean += block.rowwise().sum();
    statistics.m_Correlation.selfadjointView<Eigen::Lower>().rankUpdate(block);
  });
  if (statistics.m_Pixels == 0)
  {
    throw InvalidData("the scene has no valid pixel");
  }
  const double pixels = static_cast<double>(statistics.m_Pixels);
  statistics.m_Mean /= pixels;
  statistics.m_Correlation = Eigen::MatrixXd(statistics.m_Correlation.selfadjointView<Eigen::Lower>()) / pixels;
  return statistics;
}

double AffineRankLimit(const SceneStatistics& statistics, Eigen::Index dimension)
{
  const Eigen::MatrixXd covariance = statistics.Covariance();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance, Eigen::EigenvaluesOnly);
  // Ascending: all but the last `dimension` eigenvalues are lost.
  const Eigen::Index lost = std::max<Eigen::Index>(covariance.rows() - dimension, 0);
  const double sum = solver.eigenvalues().head(lost).cwiseMax(0.).sum();
  return std::sqrt(sum / static_cast<double>(covariance.rows()));
}

} // namespace hud
