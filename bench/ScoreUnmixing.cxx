// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "SpectralRaster.h"

#include "hud/core/Decoder.h"
#include "hud/core/EndmemberMatching.h"
#include "hud/core/Error.h"
#include "hud/core/LeastSquares.h"
#include "hud/core/SceneStatistics.h"
#include "hud/core/SyntheticScene.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace
{

constexpr const char* kUsage =
    "usage: hud_score_unmixing SCENE ENDMEMBERS [REFERENCE.csv [ABUNDANCES]]\n"
    "Prints, for an image of endmembers as HUDUnmix or OTB writes it, the FCLS decode error over all pixels against that of\n"
    "the best plane, and in percent of the scene's root mean square; with a reference, a header, then a row for each band\n"
    "and a column for each material after the first, the mean spectral angle between its materials and the endmembers; with\n"
    "an image of the reference's abundances, the root mean square difference of abundances from them: of FCLS, and of\n"
    "non-negative least squares scaled to sum one. Bands without data count as 0.\n";

/// Returns the columns after the first of a table with a header, [bands x materials].
Eigen::MatrixXd ReadReference(const std::string& path)
{
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line))
  {
    throw hud::FileError(path + " cannot be read");
  }
  const std::ptrdiff_t materials = std::count(line.begin(), line.end(), ',');
  std::vector<double> values;
  Eigen::Index bands = 0;
  for (; std::getline(file, line); ++bands)
  {
    std::istringstream cells(line);
    std::ptrdiff_t column = 0;
    for (std::string cell; std::getline(cells, cell, ','); ++column)
    {
      char* end = nullptr;
      const double value = std::strtod(cell.c_str(), &end);
      if (end == cell.c_str() || (*end != '\0' && *end != '\r'))
      {
        throw hud::InvalidData(path + ": '" + cell + "' in row " + std::to_string(bands + 2) + " is not a number");
      }
      if (column > 0)
      {
        values.push_back(value);
      }
    }
    if (column != materials + 1)
    {
      throw hud::InvalidData(path + ": row " + std::to_string(bands + 2) + " has " + std::to_string(column) +
                             " columns, expected " + std::to_string(materials + 1) + " as in the header");
    }
  }
  return Eigen::Map<Eigen::MatrixXd>(values.data(), materials, bands).transpose();
}

/// Returns the root mean square difference of abundances from a reference, [d x pixels] both.
double AbundanceError(const Eigen::MatrixXf& reference, const Eigen::MatrixXf& abundances,
                      const std::vector<Eigen::Index>& order)
{
  double sum = 0.;
  for (Eigen::Index k = 0; k < reference.rows(); ++k)
  {
    sum += (reference.row(k) - abundances.row(order[static_cast<std::size_t>(k)])).cast<double>().squaredNorm();
  }
  return std::sqrt(sum / static_cast<double>(reference.size()));
}

/// Writes the figures that need a reference.
void ScoreAgainst(const std::string& referencePath, const std::string& abundancesPath, const Eigen::MatrixXf& spectra,
                  const Eigen::MatrixXd& endmembers, Eigen::MatrixXf abundances)
{
  const Eigen::MatrixXd reference = ReadReference(referencePath);
  const std::vector<Eigen::Index> order = hud::MatchEndmembers(reference, endmembers);
  double sum = 0.;
  for (Eigen::Index k = 0; k < reference.cols(); ++k)
  {
    sum += hud::SpectralAngle(reference.col(k), endmembers.col(order[static_cast<std::size_t>(k)]));
  }
  std::printf("mean spectral angle in radian: %.4f\n", sum / static_cast<double>(reference.cols()));
  if (abundancesPath.empty())
  {
    return;
  }
  const Eigen::MatrixXf truth = hud::bench::ReadSpectralRaster(abundancesPath).m_Spectra;
  if (truth.rows() != abundances.rows() || truth.cols() != abundances.cols())
  {
    throw hud::InvalidData(abundancesPath + " has " + std::to_string(truth.rows()) + " bands of " +
                           std::to_string(truth.cols()) + " pixels, expected " + std::to_string(abundances.rows()) +
                           " of " + std::to_string(abundances.cols()));
  }
  std::printf("abundance error: %.4f\n", AbundanceError(truth, abundances, order));
  hud::Encoder(endmembers, hud::EncoderKind::Nnls).Encode(spectra, abundances);
  hud::ClampAndRenormalise(abundances);
  std::printf("abundance error without brightness: %.4f\n", AbundanceError(truth, abundances, order));
}

/// Writes one line for each figure.
void Score(const std::string& scenePath, const std::string& endmembersPath, const std::string& referencePath,
           const std::string& abundancesPath)
{
  const Eigen::MatrixXf spectra = hud::bench::ReadSpectralRaster(scenePath).m_Spectra;
  Eigen::MatrixXd endmembers = hud::bench::ReadSpectralRaster(endmembersPath).m_Spectra.cast<double>();
  if (spectra.rows() != endmembers.rows())
  {
    throw hud::InvalidData(endmembersPath + " has " + std::to_string(endmembers.rows()) + " bands, expected " +
                           std::to_string(spectra.rows()) + " as " + scenePath);
  }
  for (Eigen::Index band = 0; band < spectra.rows(); ++band)
  {
    if ((spectra.row(band).array() == 0.f).all())
    {
      endmembers.row(band).setZero();
    }
  }
  Eigen::MatrixXf abundances(endmembers.cols(), spectra.cols());
  hud::Encoder(endmembers, hud::EncoderKind::Fcls).Encode(spectra, abundances);
  const double rmse = hud::DecodeRmse(spectra, endmembers, abundances);
  const hud::SceneStatistics statistics = hud::ComputeSceneStatistics(hud::InMemorySpectra(spectra));
  const double limit = hud::AffineRankLimit(statistics, endmembers.cols() - 1);
  std::printf("decode error over the plane's: %.3f\n", rmse / limit);
  const double scale = std::sqrt(statistics.Power() / static_cast<double>(spectra.rows()));
  std::printf("decode error in percent: %.5f\n", 100. * rmse / scale);
  if (!referencePath.empty())
  {
    ScoreAgainst(referencePath, abundancesPath, spectra, endmembers, std::move(abundances));
  }
}

} // namespace

int main(int count, char** values)
{
  if (count < 3 || count > 5)
  {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try
  {
    Score(values[1], values[2], count > 3 ? values[3] : "", count > 4 ? values[4] : "");
  }
  catch (const std::exception& error)
  {
    std::fprintf(stderr, "hud_score_unmixing: %s\n", error.what());
    return 1;
  }
  return 0;
}
