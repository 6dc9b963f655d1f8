// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/InceptionScore.h"

#include "hud/core/Error.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>

namespace hud
{

namespace
{

/// How far a sum of probabilities may be from one: what single precision leaves.
constexpr double kTolerance = 1e-5;

/// @throws InvalidData as InceptionScore
void CheckProbabilities(const Eigen::Ref<const Eigen::MatrixXd>& probabilities)
{
  if (probabilities.size() == 0)
  {
    throw InvalidData("probabilities of " + std::to_string(probabilities.rows()) + " classes for " +
                      std::to_string(probabilities.cols()) + " images, expected at least one of each");
  }
  for (Eigen::Index i = 0; i < probabilities.cols(); ++i)
  {
    const auto column = probabilities.col(i);
    if (!column.allFinite() || column.minCoeff() < 0. || std::abs(column.sum() - 1.) > kTolerance)
    {
      std::ostringstream message;
      message << "the probabilities of image " << i + 1 << " of " << probabilities.cols() << " are from "
              << column.minCoeff() << " to " << column.maxCoeff() << " with sum " << column.sum()
              << ", expected numbers from 0 to 1 with sum 1";
      throw InvalidData(message.str());
    }
  }
}

} // namespace

double InceptionScore(const Eigen::Ref<const Eigen::MatrixXd>& probabilities)
{
  CheckProbabilities(probabilities);
  const Eigen::VectorXd mean = probabilities.rowwise().mean();
  double divergence = 0.;
  for (Eigen::Index i = 0; i < probabilities.cols(); ++i)
  {
    for (Eigen::Index k = 0; k < probabilities.rows(); ++k)
    {
      const double p = probabilities(k, i);
      // p ln p goes to 0 with p.
      divergence += p > 0. ? p * std::log(p / mean[k]) : 0.;
    }
  }
  divergence /= static_cast<double>(probabilities.cols());
  return std::clamp(std::exp(divergence), 1., static_cast<double>(probabilities.rows()));
}

} // namespace hud
