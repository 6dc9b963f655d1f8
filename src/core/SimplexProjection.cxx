// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/SimplexProjection.h"

#include "hud/core/Error.h"

#include <cmath>
#include <string>

namespace hud
{

namespace
{

/// Returns e^z over its sum, [d], without overflow.
Eigen::ArrayXd Softmax(const Eigen::Ref<const Eigen::VectorXf>& projected)
{
  const Eigen::ArrayXd z = projected.cast<double>().array();
  const Eigen::ArrayXd exponential = (z - z.maxCoeff()).exp();
  return exponential / exponential.sum();
}

/// @throws InvalidData unless both are [d x pixels]
void CheckShapes(const Eigen::Ref<const Eigen::MatrixXf>& input, const Eigen::Ref<const Eigen::MatrixXf>& output,
                 Eigen::Index endmembers)
{
  if (input.rows() != endmembers || output.rows() != endmembers || input.cols() != output.cols())
  {
    throw InvalidData("input of " + std::to_string(input.rows()) + " channels for a projection of " +
                      std::to_string(endmembers) + " endmembers, or output of another shape");
  }
}

} // namespace

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
  CheckShapes(abundances, projected, m_Endmembers);
  projected = (abundances.cast<double>().array() + m_Offset).log().cast<float>();
}

void SimplexProjection::Unproject(const Eigen::Ref<const Eigen::MatrixXf>& projected,
                                  Eigen::Ref<Eigen::MatrixXf> abundances) const
{
  CheckShapes(projected, abundances, m_Endmembers);
  for (Eigen::Index pixel = 0; pixel < projected.cols(); ++pixel)
  {
    abundances.col(pixel) = Softmax(projected.col(pixel)).matrix().cast<float>();
  }
}

void SimplexProjection::UnprojectExactly(const Eigen::Ref<const Eigen::MatrixXf>& projected,
                                         Eigen::Ref<Eigen::MatrixXf> abundances) const
{
  CheckShapes(projected, abundances, m_Endmembers);
  const double total = 1. + m_Offset * static_cast<double>(m_Endmembers);
  for (Eigen::Index pixel = 0; pixel < projected.cols(); ++pixel)
  {
    // At least one value is above 1/d, so the sum is positive.
    const Eigen::ArrayXd unbiased = (Softmax(projected.col(pixel)) * total - m_Offset).max(0.);
    abundances.col(pixel) = (unbiased / unbiased.sum()).matrix().cast<float>();
  }
}

double SimplexProjection::LowerBound() const
{
  return std::log(m_Offset);
}

double SimplexProjection::UpperBound() const
{
  return std::log(1. + m_Offset); // as Project rounds it
}

Eigen::Index SimplexProjection::Endmembers() const
{
  return m_Endmembers;
}

} // namespace hud
