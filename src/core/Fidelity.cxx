// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/Fidelity.h"

#include "Blas.h"
#include "Lanes.h"

#include "hud/core/Error.h"
#include "hud/core/Random.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <future>
#include <limits>
#include <string>
#include <thread>

namespace hud
{

namespace
{

using Eigen::Index;

/// Of a block's valid pixels, how many must meet valid real ones where it counts.
constexpr double kLeastShare = 0.9;

/// Real pixels and generated pixels of one product, whose result stays in a processor's cache.
constexpr Index kProductReal = 1024;
constexpr Index kProductGenerated = 256;

/// What is added to the cosine with a no-data pixel, and what its norm counts as, so that it is never the nearest.
constexpr float kNoCosine = -4.f;
constexpr float kNoNorm = 1e30f;

/// Rows of the real image.
struct Strip
{
  Index m_First = 0;         ///< row
  Eigen::MatrixXf m_Spectra; ///< of unit norm; no-data: 0
  Eigen::VectorXf m_Norms;
  Eigen::VectorXf m_Biases;          ///< 0 or kNoCosine
  std::vector<std::uint8_t> m_Valid; ///< [width * rows]
};

/// A part of the generated image.
struct Place
{
  Index m_Column = 0;
  Index m_Row = 0;
  Index m_Width = 0;
  Index m_Height = 0;
};

/// A part of the generated image, and how near the real one comes to it.
struct Tile : Place
{
  Eigen::MatrixXf m_Spectra; ///< of unit norm; no-data: 0
  Eigen::VectorXf m_Norms;   ///< 0: no-data
  Index m_ValidPixels = 0;
  Eigen::VectorXf m_Cosines;   ///< the largest so far
  Eigen::VectorXf m_Distances; ///< the smallest square so far, over the squared norm, less one
  Eigen::MatrixXd m_Sums;      ///< of the cosines, at each position of a whole block; else empty
  Eigen::MatrixXd m_Pairs;     ///< of valid pixels at each position, if some pixel of the block is no-data; else empty

  bool IsBlock() const
  {
    return m_Sums.size() > 0;
  }
};

/// Scales spectra to unit norm.
/// @returns their norms; 0 for no-data
Eigen::VectorXf Normalise(Eigen::MatrixXf& spectra, const std::vector<std::uint8_t>& valid)
{
  Eigen::VectorXf norms = Eigen::VectorXf::Zero(spectra.cols());
  for (Index pixel = 0; pixel < spectra.cols(); ++pixel)
  {
    if (valid[static_cast<std::size_t>(pixel)] != 0)
    {
      const double norm = spectra.col(pixel).cast<double>().norm();
      norms[pixel] = static_cast<float>(norm);
      spectra.col(pixel) = (spectra.col(pixel).cast<double>() / norm).cast<float>();
    }
  }
  return norms;
}

/// Raises a pixel's largest cosine and lowers its smallest distance, squared, over its squared norm, less one.
/// @param cosines, norms, biases of `pixels` real pixels
/// @param scale 1 / norm of the generated pixel
HUD_DISPATCHED void FindNearest(const float* cosines, const float* norms, const float* biases, Index pixels,
                                float scale, float& largest, float& smallest)
{
  constexpr Index kWidth = 16;
  float high[kWidth];
  float low[kWidth];
  std::fill_n(high, kWidth, largest);
  std::fill_n(low, kWidth, smallest);
  const auto look = [&](Index pixel, Index lane) {
    const float cosine = cosines[pixel] + biases[pixel];
    const float ratio = norms[pixel] * scale;
    const float distance = ratio * (ratio - 2.f * cosines[pixel]);
    high[lane] = cosine > high[lane] ? cosine : high[lane];
    low[lane] = distance < low[lane] ? distance : low[lane];
  };
  Index pixel = 0;
  for (; pixel + kWidth <= pixels; pixel += kWidth)
  {
    for (Index lane = 0; lane < kWidth; ++lane)
    {
      look(pixel + lane, lane);
    }
  }
  for (; pixel < pixels; ++pixel)
  {
    look(pixel, 0);
  }
  largest = *std::max_element(high, high + kWidth);
  smallest = *std::min_element(low, low + kWidth);
}

/// Writes the sums of `patch` rows of cosines, each read from one pixel further on.
/// @param cosines [patch][stride]
HUD_DISPATCHED void SumDiagonals(const float* cosines, Index stride, Index patch, Index positions, float* sums)
{
  std::fill_n(sums, positions, 0.f);
  for (Index x = 0; x < patch; ++x)
  {
    const float* const row = cosines + x * stride + x;
    for (Index position = 0; position < positions; ++position)
    {
      sums[position] += row[position];
    }
  }
}

std::string SizeText(const SpectralRows& image)
{
  return std::to_string(image.Width()) + " x " + std::to_string(image.Height()) + " pixels of " +
         std::to_string(image.Bands()) + " bands";
}

void CheckImages(const SpectralRows& real, const SpectralRows& generated, Index patch)
{
  if (real.Bands() != generated.Bands())
  {
    throw InvalidData("the real image has " + SizeText(real) + ", the generated one " + SizeText(generated) +
                      ", expected the same number of bands");
  }
  if (patch > std::min({real.Width(), real.Height(), generated.Width(), generated.Height()}))
  {
    throw InvalidData("the real image has " + SizeText(real) + ", the generated one " + SizeText(generated) +
                      ", expected both to hold a block of " + std::to_string(patch) + " x " + std::to_string(patch) +
                      " pixels");
  }
}

/// One comparison.
class Comparison
{
public:
  Comparison(const SpectralRows& real, const SpectralRows& generated, const FidelityOptions& options)
    : m_Real(real), m_Generated(generated), m_Options(options), m_PositionsX(real.Width() - options.m_Patch + 1),
      m_PositionsY(real.Height() - options.m_Patch + 1),
      m_Threads(options.m_Threads > 0 ? static_cast<std::size_t>(options.m_Threads)
                                      : std::max(1u, std::thread::hardware_concurrency()))
  {
    CutPlaces();
    const std::size_t strip = m_Options.m_MemoryBytes / 8;
    const auto lineBytes = static_cast<std::size_t>(real.Bands() * real.Width()) * sizeof(float);
    // A product takes about kProductReal pixels; a strip is several of them.
    m_ProductRows = std::max<Index>(1, kProductReal / real.Width());
    m_StripRows = std::clamp<Index>(static_cast<Index>(strip / lineBytes), 1, real.Height());
    m_StripRows = std::min<Index>(m_StripRows, std::max<Index>(16, m_ProductRows));
    const auto tileBytes = static_cast<std::size_t>(real.Bands() * options.m_Patch * options.m_Patch) * sizeof(float) +
                           static_cast<std::size_t>(m_PositionsX * m_PositionsY) * 2 * sizeof(double);
    const std::size_t room = m_Options.m_MemoryBytes -
                             std::min(m_Options.m_MemoryBytes / 2, lineBytes * static_cast<std::size_t>(m_StripRows));
    m_GroupTiles = std::max<std::size_t>({1, m_Threads, room / tileBytes});
  }

  FidelityScore Run(const std::function<void(double)>& progress)
  {
    const SerialBlas serial;
    for (std::size_t first = 0; first < m_Places.size(); first += m_GroupTiles)
    {
      const std::size_t last = std::min(first + m_GroupTiles, m_Places.size());
      std::vector<Tile> group(last - first);
      for (std::size_t i = first; i < last; ++i)
      {
        static_cast<Place&>(group[i - first]) = m_Places[i];
      }
      ReadTiles(group);
      Compare(group, [&](double fraction) {
        if (progress)
        {
          progress((static_cast<double>(first) + fraction * static_cast<double>(last - first)) /
                   static_cast<double>(m_Places.size()));
        }
      });
      if (m_RealPixels == 0)
      {
        throw InvalidData("the real image of " + SizeText(m_Real) + " has no valid pixel");
      }
      for (const Tile& tile : group)
      {
        Finish(tile);
      }
    }
    return Score();
  }

private:
  /// Lists the parts of the generated image that are scored.
  void CutPlaces()
  {
    const Index patch = m_Options.m_Patch;
    const BlockGrid grid = BlocksOf(m_Generated, patch);
    if (m_Options.m_MaximumBlocks > 0 && m_Options.m_MaximumBlocks < grid.Count())
    {
      for (const Index block : DrawBlocks(grid.Count(), m_Options.m_MaximumBlocks, m_Options.m_Seed))
      {
        m_Places.push_back({block % grid.m_Columns * patch, block / grid.m_Columns * patch, patch, patch});
      }
      return;
    }
    for (Index row = 0; row < m_Generated.Height(); row += patch)
    {
      for (Index column = 0; column < m_Generated.Width(); column += patch)
      {
        m_Places.push_back(
            {column, row, std::min(patch, m_Generated.Width() - column), std::min(patch, m_Generated.Height() - row)});
      }
    }
  }

  /// Reads the spectra of tiles, which are in the order of their rows.
  void ReadTiles(std::vector<Tile>& tiles)
  {
    Eigen::MatrixXf line(m_Generated.Bands(), m_Generated.Width());
    std::vector<std::uint8_t> lineValid(static_cast<std::size_t>(line.cols()));
    for (std::size_t first = 0; first < tiles.size();)
    {
      std::size_t last = first;
      while (last < tiles.size() && tiles[last].m_Row == tiles[first].m_Row)
      {
        tiles[last].m_Spectra.resize(line.rows(), tiles[last].m_Width * tiles[last].m_Height);
        ++last;
      }
      std::vector<std::vector<std::uint8_t>> valid(last - first);
      for (Index y = 0; y < tiles[first].m_Height; ++y)
      {
        m_Generated.Read(tiles[first].m_Row + y, line, lineValid.data());
        for (std::size_t i = first; i < last; ++i)
        {
          Tile& tile = tiles[i];
          tile.m_Spectra.middleCols(y * tile.m_Width, tile.m_Width) = line.middleCols(tile.m_Column, tile.m_Width);
          const auto start = lineValid.begin() + tile.m_Column;
          valid[i - first].insert(valid[i - first].end(), start, start + tile.m_Width);
        }
      }
      for (; first < last; ++first)
      {
        Prepare(tiles[first], valid[valid.size() - (last - first)]);
      }
    }
  }

  void Prepare(Tile& tile, const std::vector<std::uint8_t>& valid) const
  {
    tile.m_Norms = Normalise(tile.m_Spectra, valid);
    tile.m_ValidPixels = std::count(valid.begin(), valid.end(), std::uint8_t{1});
    tile.m_Cosines.setConstant(tile.m_Norms.size(), kNoCosine);
    tile.m_Distances.setConstant(tile.m_Norms.size(), std::numeric_limits<float>::infinity());
    const Index patch = m_Options.m_Patch;
    if (tile.m_Width == patch && tile.m_Height == patch && 2 * tile.m_ValidPixels >= patch * patch)
    {
      tile.m_Sums.setZero(m_PositionsX, m_PositionsY);
      if (tile.m_ValidPixels < tile.m_Norms.size())
      {
        tile.m_Pairs.setZero(m_PositionsX, m_PositionsY);
      }
    }
  }

  /// Compares tiles with the whole real image.
  void Compare(std::vector<Tile>& tiles, const std::function<void(double)>& progress)
  {
    const bool first = m_Pairs.size() == 0;
    if (first)
    {
      m_Pairs.setZero(m_PositionsX, m_PositionsY);
    }
    Strip strip;
    for (strip.m_First = 0; strip.m_First < m_Real.Height(); strip.m_First += m_StripRows)
    {
      Read(strip);
      if (first)
      {
        CountPairs(strip);
      }
      std::atomic<std::size_t> next = 0;
      std::vector<std::future<void>> workers;
      for (std::size_t worker = 0; worker < std::min(m_Threads, tiles.size()); ++worker)
      {
        workers.push_back(std::async(std::launch::async, [&] {
          Eigen::MatrixXf product;
          for (std::size_t i = next++; i < tiles.size(); i = next++)
          {
            Compare(tiles[i], strip, product);
          }
        }));
      }
      for (std::future<void>& worker : workers)
      {
        worker.get();
      }
      progress(static_cast<double>(std::min(strip.m_First + m_StripRows, m_Real.Height())) /
               static_cast<double>(m_Real.Height()));
    }
  }

  void Read(Strip& strip) const
  {
    const Index rows = std::min(m_StripRows, m_Real.Height() - strip.m_First);
    strip.m_Spectra.resize(m_Real.Bands(), m_Real.Width() * rows);
    strip.m_Valid.resize(static_cast<std::size_t>(strip.m_Spectra.cols()));
    m_Real.Read(strip.m_First, strip.m_Spectra, strip.m_Valid.data());
    strip.m_Norms = Normalise(strip.m_Spectra, strip.m_Valid);
    strip.m_Biases = (strip.m_Norms.array() > 0.f).select(Eigen::ArrayXf::Zero(strip.m_Norms.size()), kNoCosine);
    strip.m_Norms = (strip.m_Norms.array() > 0.f).select(strip.m_Norms, kNoNorm);
  }

  /// Adds, at each position, how many pixels of a block without no-data pixels meet a valid one, and counts these.
  void CountPairs(const Strip& strip)
  {
    const Index width = m_Real.Width();
    for (Index row = 0; row * width < strip.m_Spectra.cols(); ++row)
    {
      const Eigen::Map<const Eigen::Matrix<std::uint8_t, Eigen::Dynamic, 1>> valid(strip.m_Valid.data() + row * width,
                                                                                   width);
      const Eigen::VectorXd flags = valid.cast<double>();
      m_RealPixels += static_cast<Index>(flags.sum());
      Eigen::VectorXd sums = Eigen::VectorXd::Zero(m_PositionsX);
      for (Index x = 0; x < m_Options.m_Patch; ++x)
      {
        sums += flags.segment(x, m_PositionsX);
      }
      for (Index y = 0; y < m_Options.m_Patch; ++y)
      {
        const Index position = strip.m_First + row - y;
        if (position >= 0 && position < m_PositionsY)
        {
          m_Pairs.col(position) += sums;
        }
      }
    }
  }

  /// Compares a tile with a strip.
  /// @param product scratch
  void Compare(Tile& tile, const Strip& strip, Eigen::MatrixXf& product) const
  {
    const Index width = m_Real.Width();
    const Index rows = strip.m_Spectra.cols() / width;
    const Index tileRows = std::max<Index>(1, kProductGenerated / tile.m_Width);
    for (Index row = 0; row < rows; row += m_ProductRows)
    {
      const Index productRows = std::min(m_ProductRows, rows - row);
      const Index realPixels = productRows * width;
      for (Index tileRow = 0; tileRow < tile.m_Height; tileRow += tileRows)
      {
        const Index firstPixel = tileRow * tile.m_Width;
        const Index pixels = std::min(tileRows, tile.m_Height - tileRow) * tile.m_Width;
        product.resize(realPixels, pixels);
        MultiplyTransposed(strip.m_Spectra.middleCols(row * width, realPixels),
                           tile.m_Spectra.middleCols(firstPixel, pixels), product);
        for (Index pixel = 0; pixel < pixels; ++pixel)
        {
          if (tile.m_Norms[firstPixel + pixel] > 0.f)
          {
            FindNearest(product.col(pixel).data(), strip.m_Norms.data() + row * width,
                        strip.m_Biases.data() + row * width, realPixels, 1.f / tile.m_Norms[firstPixel + pixel],
                        tile.m_Cosines[firstPixel + pixel], tile.m_Distances[firstPixel + pixel]);
          }
        }
        if (tile.IsBlock())
        {
          AddSums(tile, tileRow, product, strip, row);
        }
      }
    }
  }

  /// Adds the cosines of some rows of a block with some rows of a strip to the sums of the positions that they are part of.
  void AddSums(Tile& tile, Index tileRow, const Eigen::MatrixXf& product, const Strip& strip, Index stripRow) const
  {
    const Index width = m_Real.Width();
    const Index patch = m_Options.m_Patch;
    Eigen::VectorXf sums(m_PositionsX);
    for (Index row = 0; row * width < product.rows(); ++row)
    {
      for (Index y = 0; y * patch < product.cols(); ++y)
      {
        const Index position = strip.m_First + stripRow + row - (tileRow + y);
        if (position < 0 || position >= m_PositionsY)
        {
          continue;
        }
        SumDiagonals(&product(row * width, y * patch), product.rows(), patch, m_PositionsX, sums.data());
        tile.m_Sums.col(position) += sums.cast<double>();
        if (tile.m_Pairs.size() > 0)
        {
          AddPairs(tile, tileRow + y, strip, stripRow + row, position);
        }
      }
    }
  }

  /// Adds the pairs of valid pixels of a row of a block and a row of a strip.
  void AddPairs(Tile& tile, Index tileRow, const Strip& strip, Index stripRow, Index position) const
  {
    const std::uint8_t* const valid = strip.m_Valid.data() + stripRow * m_Real.Width();
    for (Index x = 0; x < m_Options.m_Patch; ++x)
    {
      if (tile.m_Norms[tileRow * m_Options.m_Patch + x] > 0.f)
      {
        const Eigen::Map<const Eigen::Matrix<std::uint8_t, Eigen::Dynamic, 1>> flags(valid + x, m_PositionsX);
        tile.m_Pairs.col(position) += flags.cast<double>();
      }
    }
  }

  /// Adds a tile that was compared with the whole real image to the score.
  void Finish(const Tile& tile)
  {
    m_Score.m_GeneratedPixels += tile.m_ValidPixels;
    m_Score.m_GeneratedNoData += tile.m_Norms.size() - tile.m_ValidPixels;
    for (Index pixel = 0; pixel < tile.m_Norms.size(); ++pixel)
    {
      if (tile.m_Norms[pixel] > 0.f)
      {
        const double cosine = tile.m_Cosines[pixel];
        m_Score.m_PointFidelity += cosine;
        m_Score.m_SpectralAngle += std::acos(std::clamp(cosine, -1., 1.));
        m_Score.m_RelativeError += std::sqrt(std::max(0., 1. + static_cast<double>(tile.m_Distances[pixel])));
      }
    }
    if (tile.IsBlock())
    {
      const Eigen::MatrixXd& pairs = tile.m_Pairs.size() > 0 ? tile.m_Pairs : m_Pairs;
      const auto enough = (pairs.array() >= kLeastShare * static_cast<double>(tile.m_ValidPixels)).eval();
      if (!enough.any())
      {
        throw InvalidData("the real image of " + SizeText(m_Real) + " has no place where a block of " +
                          std::to_string(m_Options.m_Patch) + " x " + std::to_string(m_Options.m_Patch) +
                          " pixels meets at most a tenth of no-data pixels, expected one");
      }
      m_Score.m_BlockScores.push_back(
          enough.select(tile.m_Sums.array() / pairs.array(), Eigen::ArrayXXd::Constant(pairs.rows(), pairs.cols(), -2.))
              .maxCoeff());
    }
  }

  FidelityScore Score()
  {
    m_Score.m_RealPixels = m_RealPixels;
    m_Score.m_RealNoData = m_Real.Width() * m_Real.Height() - m_RealPixels;
    m_Score.m_Blocks = static_cast<Index>(m_Score.m_BlockScores.size());
    if (m_Score.m_Blocks == 0)
    {
      throw InvalidData("the generated image of " + SizeText(m_Generated) +
                        " has no valid pixels in half of any of the " + std::to_string(m_Places.size()) +
                        " blocks that were looked at, expected one");
    }
    const auto pixels = static_cast<double>(m_Score.m_GeneratedPixels);
    m_Score.m_PointFidelity /= pixels;
    m_Score.m_SpectralAngle /= pixels;
    m_Score.m_RelativeError /= pixels;
    for (const double score : m_Score.m_BlockScores)
    {
      m_Score.m_BlockDiversity += score / static_cast<double>(m_Score.m_Blocks);
    }
    return std::move(m_Score);
  }

  const SpectralRows& m_Real;
  const SpectralRows& m_Generated;
  const FidelityOptions& m_Options;
  Index m_PositionsX;
  Index m_PositionsY;
  std::size_t m_Threads;
  Index m_StripRows = 0;
  Index m_ProductRows = 0;
  std::size_t m_GroupTiles = 0;
  std::vector<Place> m_Places; ///< in the order of their rows
  Eigen::MatrixXd m_Pairs;     ///< as Tile::m_Pairs, for blocks without no-data pixels
  Index m_RealPixels = 0;
  FidelityScore m_Score;
};

} // namespace

void FidelityOptions::Check() const
{
  if (m_Patch < 1)
  {
    throw InvalidOption("the edge of a block is " + std::to_string(m_Patch) + " pixels, expected at least 1");
  }
  if (m_MaximumBlocks < 0)
  {
    throw InvalidOption("found " + std::to_string(m_MaximumBlocks) +
                        " blocks to score, expected at least 1, or 0 for all");
  }
}

FidelityScore ScoreFidelity(const SpectralRows& real, const SpectralRows& generated, const FidelityOptions& options,
                            const std::function<void(double)>& progress)
{
  options.Check();
  CheckImages(real, generated, options.m_Patch);
  return Comparison(real, generated, options).Run(progress);
}

} // namespace hud
