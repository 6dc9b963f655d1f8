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
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace
{

constexpr const char* kUsage =
    "usage: hud_score_unmixing SCENE ENDMEMBERS [REFERENCE.csv]\n"
    "Prints, for an image of endmembers as HUDUnmix or OTB writes it, the FCLS decode error over all pixels against that of\n"
    "the best plane; and with a reference, a header, then a row for each band and a column for each material after the\n"
    "first, the mean spectral angle between its materials and the endmembers. Bands without data count as 0.\n";

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

/// Returns the mean angle between materials and endmembers under the best assignment, in radian.
double MeanSpectralAngle(const Eigen::MatrixXd& reference, const Eigen::MatrixXd& endmembers)
{
  const std::vector<Eigen::Index> order = hud::MatchEndmembers(reference, endmembers);
  double sum = 0.;
  for (Eigen::Index k = 0; k < reference.cols(); ++k)
  {
    sum += hud::SpectralAngle(reference.col(k), endmembers.col(order[static_cast<std::size_t>(k)]));
  }
  return sum / static_cast<double>(reference.cols());
}

/// Writes one line for each figure.
void Score(const std::string& scenePath, const std::string& endmembersPath, const std::string& referencePath)
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
  const double angle = referencePath.empty() ? 0. : MeanSpectralAngle(ReadReference(referencePath), endmembers);
  std::printf("decode error over the plane's: %.3f\n", rmse / limit);
  if (!referencePath.empty())
  {
    std::printf("mean spectral angle in radian: %.4f\n", angle);
  }
}

} // namespace

int main(int count, char** values)
{
  if (count != 3 && count != 4)
  {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try
  {
    Score(values[1], values[2], count == 4 ? values[3] : "");
  }
  catch (const std::exception& error)
  {
    std::fprintf(stderr, "hud_score_unmixing: %s\n", error.what());
    return 1;
  }
  return 0;
}
