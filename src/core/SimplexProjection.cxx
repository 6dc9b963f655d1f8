// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/SimplexProjection.h"

#include "hud/core/Error.h"

#include <cmath>
#include <string>

namespace hud
{

SimplexProjection::SimplexProjection(Eigen::Index endmembers, double floor)
  : m_Endmembers(endmembers), m_Offset(std::exp(-floor) / static_cast<double>(endmembers))
{
  if (endmembers < 2)
  {
    throw InvalidOption("the number of endmembers is " + std::to_string(endmembers) + ", expected at least 2");
  }
  if (!(floor >= 1. && floor <= 20.))
  {
    throw InvalidOption("the projection's floor is " + std::to_string(floor) + ", expected 1 to 20");
  }
}

void SimplexProjection::Project(const Eigen::Ref<const Eigen::MatrixXf>& abundances,
                                Eigen::Ref<Eigen::MatrixXf> projected) const
{
  projected = (abundances.cast<double>().array() + m_Offset).log().cast<float>();
}

void SimplexProjection::Unproject(const Eigen::Ref<const Eigen::MatrixXf>& projected,
                                  Eigen::Ref<Eigen::MatrixXf> abundances) const
{
  for (Eigen::Index pixel = 0; pixel < projected.cols(); ++pixel)
  {
    const Eigen::ArrayXd z           = projected.col(pixel).cast<double>().array();
    const Eigen::ArrayXd exponential = (z - z.maxCoeff()).exp();
    abundances.col(pixel)            = (exponential / exponential.sum()).matrix().cast<float>();
  }
}

double SimplexProjection::LowerBound() const
{
  return std::log(m_Offset);
}

double SimplexProjection::UpperBound() const
{
  return std::log1p(m_Offset);
}

Eigen::Index SimplexProjection::Endmembers() const
{
  return m_Endmembers;
}

} // namespace hud
