// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDEndmemberCount.h"

#include "hud/core/Error.h"

#include "otbEigenvalueLikelihoodMaximisation.h"
#include "otbVirtualDimensionality.h"

namespace otb
{

namespace
{

vnl_matrix<double> ToVnl(const Eigen::MatrixXd& symmetric)
{
  const auto bands = static_cast<unsigned int>(symmetric.rows());
  return vnl_matrix<double>(symmetric.data(), bands, bands);
}

template <typename TEstimator>
Eigen::Index Count(const hud::SceneStatistics& statistics)
{
  const auto estimator = TEstimator::New();
  estimator->SetCovariance(ToVnl(statistics.Covariance()));
  estimator->SetCorrelation(ToVnl(statistics.m_Correlation));
  estimator->SetNumberOfPixels(static_cast<unsigned int>(statistics.m_Pixels));
  estimator->Compute();
  return static_cast<Eigen::Index>(estimator->GetNumberOfEndmembers());
}

} // namespace

HUDCountMethod HUDParseCountMethod(const std::string& name)
{
  if (name == "error")
  {
    return HUDCountMethod::DecodeError;
  }
  if (name == "elm")
  {
    return HUDCountMethod::EigenvalueLikelihood;
  }
  if (name == "vd")
  {
    return HUDCountMethod::VirtualDimensionality;
  }
  throw hud::InvalidOption("the method to count endmembers is '" + name + "', expected error, elm or vd");
}

Eigen::Index HUDCountEndmembers(const hud::SceneStatistics& statistics, HUDCountMethod method)
{
  const bool likelihood = method == HUDCountMethod::EigenvalueLikelihood;
  const Eigen::Index count = likelihood ? Count<EigenvalueLikelihoodMaximisation<double>>(statistics)
                                        : Count<VirtualDimensionality<double>>(statistics);
  if (count < 2)
  {
    throw hud::InvalidData(std::string(likelihood ? "eigenvalue likelihood maximisation" : "virtual dimensionality") +
                           " finds " + std::to_string(count) + " endmembers, expected at least 2; give their number");
  }
  return count;
}

} // namespace otb
