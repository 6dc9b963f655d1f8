// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "SpectralRaster.h"

#include "hud/core/Error.h"

#include <cstdio>
#include <exception>

namespace
{

constexpr const char* kUsage =
    "usage: hud_check_mixture SPECTRA ABUNDANCES ENDMEMBERS\n"
    "Prints how far the abundances are from the simplex, and the spectra from the mixtures of the endmembers.\n";

std::string SizeText(const hud::SpectralImage& image)
{
  return std::to_string(image.m_Width) + " x " + std::to_string(image.m_Height) + " pixels of " +
         std::to_string(image.m_Spectra.rows()) + " bands";
}

/// Writes one line for each figure.
void Check(const std::string& spectraPath, const std::string& abundancesPath, const std::string& endmembersPath)
{
  const hud::SpectralImage spectra = hud::bench::ReadSpectralRaster(spectraPath);
  const hud::SpectralImage abundances = hud::bench::ReadSpectralRaster(abundancesPath);
  const hud::SpectralImage endmembers = hud::bench::ReadSpectralRaster(endmembersPath);
  if (spectra.m_Width != abundances.m_Width || spectra.m_Height != abundances.m_Height ||
      abundances.m_Spectra.rows() != endmembers.m_Spectra.cols() ||
      spectra.m_Spectra.rows() != endmembers.m_Spectra.rows())
  {
    throw hud::InvalidData("the images do not fit: spectra " + SizeText(spectra) + ", abundances " +
                           SizeText(abundances) + ", endmembers " + SizeText(endmembers) +
                           "; expected spectra and abundances of one size, one endmember for each band of the "
                           "abundances, and endmembers with the bands of the spectra");
  }
  const Eigen::MatrixXd x = abundances.m_Spectra.cast<double>();
  const Eigen::MatrixXd mixtures = endmembers.m_Spectra.cast<double>() * x;
  const double difference = (spectra.m_Spectra.cast<double>() - mixtures).cwiseAbs().maxCoeff();
  std::printf("smallest abundance: %.3g\n", x.minCoeff());
  std::printf("largest deviation of a sum of abundances from 1: %.3g\n",
              (x.colwise().sum().array() - 1.).abs().maxCoeff());
  std::printf("largest difference between spectra and mixtures over the largest value: %.3g\n",
              difference / spectra.m_Spectra.cwiseAbs().cast<double>().maxCoeff());
}

} // namespace

int main(int count, char** values)
{
  if (count != 4)
  {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try
  {
    Check(values[1], values[2], values[3]);
  }
  catch (const std::exception& error)
  {
    std::fprintf(stderr, "hud_check_mixture: %s\n", error.what());
    return 1;
  }
  return 0;
}
