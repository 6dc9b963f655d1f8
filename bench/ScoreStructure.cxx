// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "SpectralRaster.h"

#include "hud/core/Error.h"
#include "hud/core/PatchDistance.h"
#include "hud/core/PatchSet.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace
{

constexpr const char* kUsage =
    "usage: hud_score_structure REAL GENERATED...\n"
    "Prints how far the large structure of the abundances GENERATED, one or several scenes, is from that of the scene REAL:\n"
    "the root mean square difference, over endmembers and wavelengths of 8 to 64 pixels, of the logarithmic power spectra of\n"
    "blocks of 64 x 64 pixels, as few as cover a scene, for the power of all scenes together and for each scene by itself;\n"
    "and the mean difference at each wavelength. From two scenes on, also the distance of each of their pieces, as large as\n"
    "REAL, from the other scenes, and how many are at least as far from these as REAL is. Half of them: REAL lies as far out as\n"
    "a typical piece; few or none: it can be told from them. Pieces of a model whose scenes vary much are far themselves, a\n"
    "piece without an endmember is far by that alone, and those of one scene are not independent. Not printed where no scene\n"
    "is as large as REAL.\n"
    "       hud_score_structure --mean FIRST SECOND\n"
    "Prints the mean absolute difference of two maps of abundances of the same size.\n";

constexpr Eigen::Index kBlock = 64;
constexpr Eigen::Index kRings = 8; ///< 64 / 1 to 64 / 8 pixels

/// Returns where as few blocks as cover an edge begin, spread evenly. With more of them what lies in the middle of a small
/// scene would count many times as much as what lies at its edge.
std::vector<Eigen::Index> SpreadBlocks(Eigen::Index edge)
{
  const Eigen::Index count = (edge + kBlock - 1) / kBlock;
  std::vector<Eigen::Index> begins = {0};
  for (Eigen::Index block = 1; block < count; ++block)
  {
    begins.push_back(block * (edge - kBlock) / (count - 1));
  }
  return begins;
}

/// Returns the power at the wavelengths of interest, [kRings x d], the mean over directions and blocks.
Eigen::MatrixXd Power(const hud::AbundanceMap& map)
{
  std::vector<hud::PatchCorner> corners;
  for (const Eigen::Index row : SpreadBlocks(map.m_Height))
  {
    for (const Eigen::Index column : SpreadBlocks(map.m_Width))
    {
      corners.push_back({column, row});
    }
  }
  return hud::LogPowerSpectrum(hud::CutPatches(map, kBlock, corners), kBlock).topRows(kRings).array().exp();
}

struct Scene
{
  hud::AbundanceMap m_Map;
  Eigen::MatrixXd m_Power;
};

/// @throws InvalidData when no block fits, or a pixel is no-data
Scene ReadScene(const std::string& path)
{
  hud::AbundanceMap map = hud::bench::ReadAbundanceRaster(path);
  if (map.m_Width < kBlock || map.m_Height < kBlock ||
      std::find(map.m_Valid.begin(), map.m_Valid.end(), 0) != map.m_Valid.end())
  {
    throw hud::InvalidData(path + " has " + std::to_string(map.m_Width) + " x " + std::to_string(map.m_Height) +
                           " pixels, expected at least 64 x 64 and none without data");
  }
  Eigen::MatrixXd power = Power(map);
  return {std::move(map), std::move(power)};
}

/// Returns the root mean square difference of the logarithms.
double Distance(const Eigen::MatrixXd& power, const Eigen::MatrixXd& other)
{
  const Eigen::ArrayXXd difference = (power.array() / other.array()).log();
  return std::sqrt(difference.square().mean());
}

/// Writes one line: how far the pieces of each scene that are as large as the real one, side by side, are from the other scenes.
/// @param sum of the scenes' powers
void ScorePieces(const Scene& real, const std::vector<Scene>& scenes, const Eigen::MatrixXd& sum)
{
  if (scenes.size() < 2)
  {
    return;
  }
  std::vector<double> distances;
  std::size_t far = 0;
  const Eigen::Index width = real.m_Map.m_Width;
  const Eigen::Index height = real.m_Map.m_Height;
  for (const auto& [map, power] : scenes)
  {
    const Eigen::MatrixXd others = (sum - power) / static_cast<double>(scenes.size() - 1);
    const double realDistance = Distance(real.m_Power, others);
    for (Eigen::Index row = 0; row + height <= map.m_Height; row += height)
    {
      for (Eigen::Index column = 0; column + width <= map.m_Width; column += width)
      {
        const hud::AbundanceMap piece = hud::CropMap(map, column, row, width, height);
        distances.push_back(Distance(Power(piece), others));
        far += distances.back() >= realDistance ? 1 : 0;
      }
    }
  }
  if (!distances.empty())
  {
    std::sort(distances.begin(), distances.end());
    const double median = 0.5 * (distances[(distances.size() - 1) / 2] + distances[distances.size() / 2]);
    std::printf(
        "log spectrum of 8 to 64 pixels, pieces as large as the real scene from other scenes: median %.4f, %zu of "
        "%zu at least as far as the real scene\n",
        median, far, distances.size());
  }
}

/// Writes one line for each figure.
void Score(const std::vector<std::string>& paths)
{
  const Scene realScene = ReadScene(paths.front());
  const Eigen::MatrixXd& real = realScene.m_Power;
  std::vector<Scene> scenes;
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(real.rows(), real.cols());
  double single = 0.;
  const auto count = static_cast<double>(paths.size() - 1);
  for (std::size_t i = 1; i < paths.size(); ++i)
  {
    scenes.push_back(ReadScene(paths[i]));
    const Eigen::MatrixXd& generated = scenes.back().m_Power;
    if (generated.cols() != real.cols())
    {
      throw hud::InvalidData(paths[i] + " has " + std::to_string(generated.cols()) + " endmembers, expected the " +
                             std::to_string(real.cols()) + " of " + paths.front());
    }
    sum += generated;
    single += Distance(generated, real) / count;
  }
  const Eigen::MatrixXd mean = sum / count;
  std::printf("log spectrum of 8 to 64 pixels, all scenes: %.4f\n", Distance(mean, real));
  std::printf("log spectrum of 8 to 64 pixels, mean of single scenes: %.4f\n", single);
  ScorePieces(realScene, scenes, sum);
  const Eigen::MatrixXd difference = (mean.array() / real.array()).log();
  for (Eigen::Index ring = 0; ring < kRings; ++ring)
  {
    std::printf("log power at %.1f pixels less that of the real scene: %.3f, of each endmember",
                static_cast<double>(kBlock) / static_cast<double>(ring + 1), difference.row(ring).mean());
    for (const double value : difference.row(ring))
    {
      std::printf(" %.3f", value);
    }
    std::printf("\n");
  }
}

/// Writes one line.
void ScoreMean(const std::string& first, const std::string& second)
{
  const hud::AbundanceMap one = hud::bench::ReadAbundanceRaster(first);
  const hud::AbundanceMap other = hud::bench::ReadAbundanceRaster(second);
  if (one.m_Abundances.rows() != other.m_Abundances.rows() || one.m_Width != other.m_Width ||
      one.m_Height != other.m_Height)
  {
    throw hud::InvalidData(first + " and " + second + " have different sizes, expected the same");
  }
  std::printf("mean absolute difference: %.5f\n",
              static_cast<double>((one.m_Abundances - other.m_Abundances).cwiseAbs().mean()));
}

} // namespace

int main(int count, char** values)
{
  const std::vector<std::string> arguments(values + 1, values + count);
  if (arguments.size() < 2)
  {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try
  {
    arguments.front() == "--mean" && arguments.size() == 3 ? ScoreMean(arguments[1], arguments[2]) : Score(arguments);
  }
  catch (const std::exception& error)
  {
    std::fprintf(stderr, "hud_score_structure: %s\n", error.what());
    return 1;
  }
  return 0;
}
