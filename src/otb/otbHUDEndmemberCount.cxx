// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDEndmemberCount.h"

#include "hud/core/Error.h"

#include "otbEigenvalueLikelihoodMaximisation.h"
#include "otbVirtualDimensionality.h"

#include <cmath>
#include <vector>

namespace otb
{

namespace
{

vnl_matrix<double> ToVnl(const Eigen::MatrixXd& symmetric)
{
  const auto bands = static_cast<unsigned int>(symmetric.rows());
  return vnl_matrix<double>(symmetric.data(), bands, bands);
}

/// Returns the statistics in the unit in which the root mean square is 1, without bands of zeros. Eigenvalue likelihood
/// maximisation takes logarithms of squared eigenvalues: it needs them to be neither 0 nor large.
hud::SceneStatistics Normalised(const hud::SceneStatistics& statistics)
{
  std::vector<Eigen::Index> bands;
  for (Eigen::Index band = 0; band < statistics.m_Mean.size(); ++band)
  {
    if (statistics.m_Correlation(band, band) > 0.)
    {
      bands.push_back(band);
    }
  }
  const double meanSquare = statistics.Power() / static_cast<double>(bands.size());
  hud::SceneStatistics result;
  result.m_Pixels = statistics.m_Pixels;
  result.m_Mean = statistics.m_Mean(bands) / std::sqrt(meanSquare);
  result.m_Correlation = statistics.m_Correlation(bands, bands) / meanSquare;
  return result;
}

template <typename TEstimator>
Eigen::Index Count(const hud::SceneStatistics& statistics)
{
  if (statistics.m_Mean.size() == 0)
  {
    return 0;
  }
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
  const hud::SceneStatistics normalised = Normalised(statistics);
  const Eigen::Index count = likelihood ? Count<EigenvalueLikelihoodMaximisation<double>>(normalised)
                                        : Count<VirtualDimensionality<double>>(normalised);
  if (count < 2)
  {
    throw hud::InvalidData(std::string(likelihood ? "eigenvalue likelihood maximisation" : "virtual dimensionality") +
                           " finds " + std::to_string(count) + " endmembers, expected at least 2; give their number");
  }
  return count;
}

} // namespace otb
