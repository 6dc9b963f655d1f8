// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/UnmixingSummary.h"

#include "hud/core/Error.h"

#include <Eigen/QR>

#include <cmath>
#include <string>

namespace hud
{

UnmixingSummary& UnmixingSummary::operator+=(const UnmixingSummary& other)
{
  if (m_Pixels == 0)
  {
    return *this = other;
  }
  if (other.m_Pixels > 0)
  {
    m_Pixels += other.m_Pixels;
    m_Power += other.m_Power;
    m_SquaredError += other.m_SquaredError;
    m_Negative += other.m_Negative;
    m_Largest += other.m_Largest;
    m_Pure += other.m_Pure;
    m_Abundance += other.m_Abundance;
  }
  return *this;
}

double UnmixingSummary::DecodeRmse(Eigen::Index bands) const
{
  return std::sqrt(m_SquaredError / static_cast<double>(m_Pixels * bands));
}

double UnmixingSummary::RelativeDecodeError() const
{
  return std::sqrt(m_SquaredError / m_Power);
}

double UnmixingSummary::NegativeShare() const
{
  return static_cast<double>(m_Negative) / static_cast<double>(m_Pixels * m_Largest.size());
}

UnmixingSummariser::UnmixingSummariser(const Eigen::MatrixXd& endmembers)
  : m_Endmembers(endmembers.cast<float>()),
    m_PseudoInverse(endmembers.completeOrthogonalDecomposition().pseudoInverse().cast<float>())
{
}

UnmixingSummary UnmixingSummariser::Summarise(const Eigen::Ref<const Eigen::MatrixXf>& spectra,
                                              const Eigen::Ref<const Eigen::MatrixXf>& abundances) const
{
  const Eigen::Index d = m_Endmembers.cols();
  if (spectra.rows() != m_Endmembers.rows() || abundances.rows() != d || abundances.cols() != spectra.cols())
  {
    throw InvalidData("found spectra of " + std::to_string(spectra.rows()) + " bands and abundances of " +
                      std::to_string(abundances.rows()) + " endmembers, expected " +
                      std::to_string(m_Endmembers.rows()) + " and " + std::to_string(d) + ", for as many pixels");
  }
  UnmixingSummary summary;
  summary.m_Pixels = spectra.cols();
  summary.m_Power = spectra.cast<double>().squaredNorm();
  summary.m_SquaredError = (spectra - m_Endmembers * abundances).cast<double>().squaredNorm();
  summary.m_Negative = ((m_PseudoInverse * spectra).array() < 0.f).count();
  summary.m_Largest.setZero(d);
  for (Eigen::Index pixel = 0; pixel < abundances.cols(); ++pixel)
  {
    Eigen::Index largest = 0;
    abundances.col(pixel).maxCoeff(&largest);
    ++summary.m_Largest(largest);
  }
  summary.m_Pure = (abundances.array() >= UnmixingSummary::kPureAbundance).rowwise().count();
  summary.m_Abundance = abundances.cast<double>().rowwise().sum();
  return summary;
}

} // namespace hud
