// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/Decoder.h"

#include "hud/core/Error.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace hud
{

Decoder::Decoder(const Eigen::MatrixXd& endmembers) : m_Endmembers(endmembers.cast<float>())
{
  if (!endmembers.allFinite())
  {
    throw InvalidData("the endmembers hold values that are not finite");
  }
}

Eigen::Index Decoder::Bands() const
{
  return m_Endmembers.rows();
}

Eigen::Index Decoder::Endmembers() const
{
  return m_Endmembers.cols();
}

void Decoder::Decode(const Eigen::Ref<const Eigen::MatrixXf>& abundances, Eigen::Ref<Eigen::MatrixXf> spectra) const
{
  if (abundances.rows() != Endmembers() || spectra.rows() != Bands() || spectra.cols() != abundances.cols())
  {
    throw InvalidData("abundances of " + std::to_string(abundances.rows()) + " endmembers for a decoder of " +
                      std::to_string(Endmembers()) + " endmembers, or spectra of another shape");
  }
  spectra.noalias() = m_Endmembers * abundances;
}

double DecodeRmse(const Eigen::Ref<const Eigen::MatrixXf>& spectra, const Eigen::MatrixXd& endmembers,
                  const Eigen::Ref<const Eigen::MatrixXf>& abundances)
{
  if (spectra.rows() != endmembers.rows() || abundances.rows() != endmembers.cols() ||
      spectra.cols() != abundances.cols())
  {
    throw InvalidData("spectra of " + std::to_string(spectra.rows()) + " bands and abundances of " +
                      std::to_string(abundances.rows()) + " endmembers do not fit endmembers of " +
                      std::to_string(endmembers.rows()) + " bands");
  }
  const Eigen::MatrixXd residual = spectra.cast<double>() - endmembers * abundances.cast<double>();
  return std::sqrt(residual.squaredNorm() / static_cast<double>(std::max<Eigen::Index>(residual.size(), 1)));
}

} // namespace hud
