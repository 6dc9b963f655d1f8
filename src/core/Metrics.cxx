// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/Metrics.h"

#include "hud/core/Error.h"

#include <algorithm>
#include <limits>
#include <string>

namespace hud
{

namespace
{

std::string SizeText(const SpectralImage& image)
{
  return std::to_string(image.m_Width) + " x " + std::to_string(image.m_Height) + " pixels of " +
         std::to_string(image.m_Spectra.rows()) + " bands";
}

/// Returns the spectra scaled to unit norm.
Eigen::MatrixXf UnitSpectra(const SpectralImage& image, const char* name)
{
  if (image.m_Spectra.cols() != image.m_Width * image.m_Height || image.m_Spectra.size() == 0)
  {
    throw InvalidData(std::string("the ") + name + " image claims " + SizeText(image) + " but holds " +
                      std::to_string(image.m_Spectra.cols()) + " pixels");
  }
  const Eigen::VectorXf norms = image.m_Spectra.colwise().norm();
  if (!(norms.minCoeff() > 0.f) || !norms.allFinite())
  {
    throw InvalidData(std::string("the ") + name + " image holds pixels of zero norm or that are not finite");
  }
  return image.m_Spectra * norms.cwiseInverse().asDiagonal();
}

} // namespace

FidelityAndDiversity ComputeFidelityAndDiversity(const SpectralImage& real, const SpectralImage& generated,
                                                 Eigen::Index patch, const std::function<void(double)>& progress)
{
  if (real.m_Spectra.rows() != generated.m_Spectra.rows())
  {
    throw InvalidData("the real image has " + SizeText(real) + ", the generated one " + SizeText(generated) +
                      ": expected the same number of bands");
  }
  if (patch < 1 || patch > std::min(real.m_Width, real.m_Height) || generated.m_Width % patch != 0 ||
      generated.m_Height % patch != 0)
  {
    throw InvalidData("blocks of " + std::to_string(patch) + " x " + std::to_string(patch) +
                      " pixels do not fit: the real image has " + SizeText(real) + " and must not be smaller, the " +
                      "generated one " + SizeText(generated) + " and must be a multiple");
  }
  const Eigen::MatrixXf realUnit = UnitSpectra(real, "real");
  const Eigen::MatrixXf generatedUnit = UnitSpectra(generated, "generated");
  const Eigen::Index positionsX = real.m_Width - patch + 1;
  const Eigen::Index positionsY = real.m_Height - patch + 1;
  const Eigen::Index blocksX = generated.m_Width / patch;
  const Eigen::Index blocks = blocksX * (generated.m_Height / patch);

  double fidelity = 0.;
  double diversity = 0.;
  Eigen::MatrixXf row(realUnit.rows(), patch);
  for (Eigen::Index block = 0; block < blocks; ++block)
  {
    const Eigen::Index left = block % blocksX * patch;
    const Eigen::Index top = block / blocksX * patch;
    // scores(x, y): sum of cosines with the block's corner at (x, y) of the real image.
    Eigen::MatrixXd scores = Eigen::MatrixXd::Zero(positionsX, positionsY);
    for (Eigen::Index y = 0; y < patch; ++y)
    {
      row = generatedUnit.middleCols((top + y) * generated.m_Width + left, patch);
      const Eigen::MatrixXf cosines = realUnit.transpose() * row; // [real pixels x patch]
      fidelity += cosines.colwise().maxCoeff().cast<double>().sum();
      for (Eigen::Index x = 0; x < patch; ++x)
      {
        const Eigen::Map<const Eigen::MatrixXf> map(cosines.col(x).data(), real.m_Width, real.m_Height);
        scores += map.block(x, y, positionsX, positionsY).cast<double>();
      }
    }
    diversity += scores.maxCoeff() / static_cast<double>(patch * patch);
    if (progress)
    {
      progress(static_cast<double>(block + 1) / static_cast<double>(blocks));
    }
  }
  return {fidelity / static_cast<double>(generatedUnit.cols()), diversity / static_cast<double>(blocks)};
}

} // namespace hud
