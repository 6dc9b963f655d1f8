// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "SpectralRaster.h"

#include "hud/core/Decoder.h"
#include "hud/core/EndmemberExtraction.h"
#include "hud/core/Error.h"
#include "hud/core/LeastSquares.h"
#include "hud/core/SyntheticScene.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <limits>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

namespace
{

constexpr const char* kUsage =
    "usage: hud_score_unmixing SCENE ENDMEMBERS [REFERENCE.csv]\n"
    "Prints, for 5 seeds, the FCLS decode error over all pixels against that of the best plane, with default settings; and\n"
    "with a reference, a row for each band and a column for each material after the first, the mean spectral angle to it of\n"
    "the endmembers without refinement.\n";

constexpr std::uint64_t kSeeds = 5;

/// Returns the columns after the first of a table with a header, [bands x materials].
Eigen::MatrixXd ReadReference(const std::string& path)
{
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  Eigen::MatrixXd spectra;
  while (std::getline(file, line))
  {
    std::istringstream cells(line);
    std::vector<double> values;
    for (std::string cell; std::getline(cells, cell, ',');)
    {
      values.push_back(std::stod(cell));
    }
    spectra.conservativeResize(spectra.rows() + 1, static_cast<Eigen::Index>(values.size()) - 1);
    spectra.bottomRows(1) = Eigen::Map<Eigen::RowVectorXd>(values.data() + 1, spectra.cols());
  }
  return spectra;
}

/// Returns the mean angle between materials and endmembers under the best assignment, in radian.
double MeanSpectralAngle(const Eigen::MatrixXd& reference, const Eigen::MatrixXd& endmembers)
{
  if (reference.rows() != endmembers.rows() || reference.cols() != endmembers.cols() || reference.cols() > 8)
  {
    throw hud::InvalidData("the reference has " + std::to_string(reference.cols()) + " materials of " +
                           std::to_string(reference.rows()) + " bands, expected " + std::to_string(endmembers.cols()) +
                           ", at most 8, of " + std::to_string(endmembers.rows()));
  }
  std::vector<Eigen::Index> order(static_cast<std::size_t>(reference.cols()));
  std::iota(order.begin(), order.end(), 0);
  double best = std::numeric_limits<double>::infinity();
  do
  {
    double sum = 0.;
    for (Eigen::Index k = 0; k < reference.cols(); ++k)
    {
      sum += hud::SpectralAngle(reference.col(k), endmembers.col(order[static_cast<std::size_t>(k)]));
    }
    best = std::min(best, sum / static_cast<double>(reference.cols()));
  }
  while (std::next_permutation(order.begin(), order.end()));
  return best;
}

void Score(const std::string& scene, Eigen::Index count, const std::string& referencePath)
{
  const Eigen::MatrixXf spectra = hud::bench::ReadSpectralRaster(scene).m_Spectra;
  const hud::InMemorySpectra source(spectra);
  Eigen::MatrixXf abundances(count, spectra.cols());
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed)
  {
    hud::ExtractionOptions options;
    options.m_Endmembers = count;
    options.m_Seed = seed;
    const hud::Extraction extraction = hud::ExtractEndmembers(source, options);
    hud::Encoder(extraction.m_Endmembers, hud::EncoderKind::Fcls).Encode(spectra, abundances);
    const double rmse = hud::DecodeRmse(spectra, extraction.m_Endmembers, abundances);
    std::printf("seed %d, decode error over the plane's: %.3f\n", static_cast<int>(seed),
                rmse / extraction.m_RankLimit);
    if (!referencePath.empty())
    {
      options.m_Refinement.m_Iterations = 0;
      const Eigen::MatrixXd endmembers = hud::ExtractEndmembers(source, options).m_Endmembers;
      std::printf("seed %d, mean spectral angle: %.4f rad\n", static_cast<int>(seed),
                  MeanSpectralAngle(ReadReference(referencePath), endmembers));
    }
  }
}

} // namespace

int main(int argc, char** argv)
{
  if (argc != 3 && argc != 4)
  {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try
  {
    Score(argv[1], std::stoi(argv[2]), argc == 4 ? argv[3] : "");
  }
  catch (const std::exception& error)
  {
    std::fprintf(stderr, "hud_score_unmixing: %s\n", error.what());
    return 1;
  }
  return 0;
}
