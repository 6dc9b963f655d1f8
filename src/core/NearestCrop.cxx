// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/NearestCrop.h"

#include "Lanes.h"
#include "Parts.h"

#include "hud/core/Error.h"

#include <unsupported/Eigen/FFT>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <future>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

namespace hud
{

namespace
{

using Eigen::Index;

constexpr int kTurns = 8;

/// Sums and products of such values are finite in single precision.
constexpr float kLargestValue = 1e9f;

/// What rounding does to the features of a patch, relative to its norm: they are in single precision, and some are roots of
/// differences in double precision.
constexpr double kFeatureError = 1e-6;

/// What rounding does to a sum of squares in single precision, relative to the sum; sums below the second are not told apart.
constexpr double kSumError = 1e-3;
constexpr double kLeastSum = 1e-30;

/// What rounding does to a product of spectra in single precision, relative to that of their norms: so much for each
/// endmember, and for a few roundings more.
constexpr double kProductError = 1e-7;
constexpr double kMoreRoundings = 8.;

/// When more than this share of a tile's crops is left, correlating the tile takes less time than comparing them.
constexpr double kDenseShare = 1. / 16.;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// As Lanes, of eight floats.
using FloatLanes = float __attribute__((vector_size(32), aligned(4), may_alias));

constexpr Index kFloatLanes = 8;

/// Writes the squared distances of the features of `count` crops from those of a block, [lanes][8] each.
HUD_DISPATCHED void BoundDistances(const float* crops, const float* block, Index lanes, Index count, float* bounds)
{
  const auto* first = reinterpret_cast<const FloatLanes*>(crops);
  const auto* const second = reinterpret_cast<const FloatLanes*>(block);
  for (Index i = 0; i < count; ++i, first += lanes)
  {
    FloatLanes sum = {};
    for (Index lane = 0; lane < lanes; ++lane)
    {
      const FloatLanes difference = first[lane] - second[lane];
      sum += difference * difference;
    }
    bounds[i] = ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
  }
}

/// Returns the squared distance of a crop and a block, or something beyond the limit if it is beyond that.
/// @param crop [rows] of `values` floats, `stride` floats apart
/// @param block [rows][values]
HUD_DISPATCHED float SquaredDistance(const float* crop, Index stride, const float* block, Index values, Index rows,
                                     float limit)
{
  float total = 0.f;
  for (Index row = 0; row < rows && total <= limit; ++row, crop += stride, block += values)
  {
    FloatLanes even = {};
    FloatLanes odd = {};
    Index i = 0;
    for (; i + 2 * kFloatLanes <= values; i += 2 * kFloatLanes)
    {
      const auto* const first = reinterpret_cast<const FloatLanes*>(crop + i);
      const auto* const second = reinterpret_cast<const FloatLanes*>(block + i);
      const FloatLanes evenDifference = first[0] - second[0];
      const FloatLanes oddDifference = first[1] - second[1];
      even += evenDifference * evenDifference;
      odd += oddDifference * oddDifference;
    }
    for (; i < values; ++i)
    {
      const float difference = crop[i] - block[i];
      total += difference * difference;
    }
    even += odd;
    total += ((even[0] + even[4]) + (even[1] + even[5])) + ((even[2] + even[6]) + (even[3] + even[7]));
  }
  return total;
}

/// Writes the products of complex numbers, summed over the endmembers: two sets [d][count] to [count], a multiple of 8.
HUD_DISPATCHED void SumProducts(const float* firstReal, const float* firstImaginary, const float* secondReal,
                                const float* secondImaginary, Index d, Index count, float* real, float* imaginary)
{
  for (Index i = 0; i < count; i += kFloatLanes)
  {
    FloatLanes sumReal = {};
    FloatLanes sumImaginary = {};
    for (Index at = i; at < d * count; at += count)
    {
      const FloatLanes a = *reinterpret_cast<const FloatLanes*>(firstReal + at);
      const FloatLanes b = *reinterpret_cast<const FloatLanes*>(firstImaginary + at);
      const FloatLanes x = *reinterpret_cast<const FloatLanes*>(secondReal + at);
      const FloatLanes y = *reinterpret_cast<const FloatLanes*>(secondImaginary + at);
      sumReal += a * x - b * y;
      sumImaginary += a * y + b * x;
    }
    *reinterpret_cast<FloatLanes*>(real + i) = sumReal;
    *reinterpret_cast<FloatLanes*>(imaginary + i) = sumImaginary;
  }
}

std::string SizeText(Index width, Index height)
{
  return std::to_string(width) + " x " + std::to_string(height);
}

/// Returns where pixel (column, row) of a turned patch comes from, {column, row}.
std::pair<Index, Index> Origin(Index column, Index row, Index patch, int turn)
{
  Index x = turn % 2 != 0 ? patch - 1 - column : column;
  Index y = row;
  for (int quarter = 0; quarter < turn / 2; ++quarter)
  {
    std::tie(x, y) = std::make_pair(patch - 1 - y, x);
  }
  return {x, y};
}

/// Returns the turn that undoes a turn; what mirrors undoes itself.
int InverseTurn(int turn)
{
  return turn % 2 != 0 ? turn : (kTurns - turn) % kTurns;
}

/// Returns how many lanes hold the features of d endmembers.
Index FeatureLanes(Index d)
{
  return (2 * d + kFloatLanes - 1) / kFloatLanes;
}

/// Computes the features of the patches of an image whose first line is one from `begin` to before `end`. They depend on the
/// patch alone, even where pixels beside it are not finite.
/// @param image [d x width * height]
/// @param features [lanes * 8 x positions]; the patch's edge times the endmembers' means, the norms of what is left without
/// them, and what there was before. Their squared distance is at most that of the patches; their norm is that of the patch.
void FillFeatures(const Eigen::Ref<const Eigen::MatrixXf>& image, Index width, Index patch, Index begin, Index end,
                  Eigen::MatrixXf& features)
{
  const Index d = image.rows();
  const Index positions = width - patch + 1;
  Eigen::ArrayXXd lines(width * d, 2); // sums of the values and of their squares over the patches' lines
  Eigen::ArrayXXd sums(positions * d, 2);
  for (Index row = begin; row < end; ++row)
  {
    lines.setZero();
    for (Index line = row; line < row + patch; ++line)
    {
      const Eigen::ArrayXd values = image.middleCols(line * width, width).reshaped().cast<double>();
      lines.col(0) += values;
      lines.col(1) += values.square();
    }
    sums.setZero();
    for (Index column = 0; column < patch; ++column)
    {
      sums += lines.middleRows(column * d, positions * d);
    }
    sums.col(0) /= static_cast<double>(patch);
    sums.col(1) = (sums.col(1) - sums.col(0).square()).max(0.).sqrt();
    features.block(0, row * positions, d, positions) = sums.col(0).reshaped(d, positions).cast<float>();
    features.block(d, row * positions, d, positions) = sums.col(1).reshaped(d, positions).cast<float>();
  }
}

/// The spectra of the endmembers in a piece of a map or in a patch, [frequencies x d].
struct Spectra
{
  Eigen::MatrixXf m_Real;
  Eigen::MatrixXf m_Imaginary;
};

/// The Fourier transform of square images of real numbers. Not for several threads at once.
class ImageTransform
{
public:
  /// @param size edge of an image, a multiple of 8
  explicit ImageTransform(Index size)
    : m_Size(size), m_Half(size / 2 + 1), m_Lines(m_Half, size), m_Columns(size, m_Half), m_Column(size)
  {
    m_Transform.SetFlag(Eigen::FFT<double>::HalfSpectrum);
  }

  /// Returns by how many frequencies an image is described.
  Index Frequencies() const
  {
    return m_Size * m_Half;
  }

  /// Computes the spectra of images.
  /// @param images [size x size * d], a column for each line
  /// @param lines how many lines of an image are not all 0
  Spectra Forward(const Eigen::MatrixXd& images, Index lines)
  {
    const Index d = images.cols() / m_Size;
    Spectra spectra{Eigen::MatrixXf(Frequencies(), d), Eigen::MatrixXf(Frequencies(), d)};
    for (Index k = 0; k < d; ++k)
    {
      m_Lines.setZero();
      for (Index line = 0; line < lines; ++line)
      {
        m_Transform.fwd(m_Lines.col(line).data(), images.col(k * m_Size + line).data(), m_Size);
      }
      m_Columns = m_Lines.transpose();
      for (Index column = 0; column < m_Half; ++column)
      {
        m_Column = m_Columns.col(column);
        m_Transform.fwd(m_Columns.col(column).data(), m_Column.data(), m_Size);
      }
      spectra.m_Real.col(k) = m_Columns.reshaped().real().cast<float>();
      spectra.m_Imaginary.col(k) = m_Columns.reshaped().imag().cast<float>();
    }
    return spectra;
  }

  /// Writes the first lines of the image that has a spectrum, [Frequencies()].
  /// @param image [size x at least lines]
  void Inverse(const Eigen::VectorXf& real, const Eigen::VectorXf& imaginary, Index lines, Eigen::MatrixXd& image)
  {
    m_Columns.real() = real.reshaped(m_Size, m_Half).cast<double>();
    m_Columns.imag() = imaginary.reshaped(m_Size, m_Half).cast<double>();
    for (Index column = 0; column < m_Half; ++column)
    {
      m_Column = m_Columns.col(column);
      m_Transform.inv(m_Columns.col(column).data(), m_Column.data(), m_Size);
    }
    m_Lines = m_Columns.transpose();
    for (Index line = 0; line < lines; ++line)
    {
      m_Transform.inv(image.col(line).data(), m_Lines.col(line).data(), m_Size);
    }
  }

private:
  Index m_Size;
  Index m_Half;
  Eigen::FFT<double> m_Transform;
  Eigen::MatrixXcd m_Lines;   ///< [half x size]
  Eigen::MatrixXcd m_Columns; ///< [size x half]
  Eigen::VectorXcd m_Column;
};

/// A square piece of the map, whose crops are correlated with a block together.
struct Tile
{
  Index m_Column; ///< of the upper left crop
  Index m_Row;
  Index m_Columns; ///< how many crops there are in a line
  Index m_Rows;
  Spectra m_Spectra; ///< of its pixels
};

/// Calls visit(position, column in the tile, row in the tile) for each crop of a tile.
/// @param positions of crops in a line of the map
template <typename Visit>
void ForEachCrop(const Tile& tile, Index positions, const Visit& visit)
{
  for (Index row = 0; row < tile.m_Rows; ++row)
  {
    for (Index column = 0; column < tile.m_Columns; ++column)
    {
      visit((tile.m_Row + row) * positions + tile.m_Column + column, column, row);
    }
  }
}

bool IsValid(const AbundanceMap& map, Index pixel)
{
  return map.m_Valid.empty() || map.m_Valid[static_cast<std::size_t>(pixel)] != 0;
}

/// Returns for each position whether the crop there is to be compared with blocks: it is free of no-data, and not the same
/// as its left neighbour because their lines are constant. That one is as near and comes first, and large constant areas hold
/// very many such crops.
std::vector<bool> ComparableCrops(const AbundanceMap& map, Index patch)
{
  const Index positions = map.m_Width - patch + 1;
  std::vector<bool> comparable(static_cast<std::size_t>(positions * (map.m_Height - patch + 1)), false);
  const auto width = static_cast<std::size_t>(map.m_Width);
  std::vector<Index> validLines(width, 0); // up to this one, that are valid in a column
  std::vector<Index> equalLines(width, 0); // likewise, in which patch + 1 pixels are equal
  for (Index row = 0; row < map.m_Height; ++row)
  {
    Index validColumns = 0; // up to this one, that are valid over the height of a patch
    Index equalPixels = 0;  // up to this one, in this line
    for (Index column = 0; column < map.m_Width; ++column)
    {
      const Index pixel = row * map.m_Width + column;
      Index& valid = validLines[static_cast<std::size_t>(column)];
      valid = IsValid(map, pixel) ? valid + 1 : 0;
      validColumns = valid >= patch ? validColumns + 1 : 0;
      const bool isEqual = column > 0 && map.m_Abundances.col(pixel) == map.m_Abundances.col(pixel - 1);
      equalPixels = isEqual ? equalPixels + 1 : 1;
      Index& equal = equalLines[static_cast<std::size_t>(column)];
      equal = equalPixels > patch ? equal + 1 : 0;
      const bool likeLeft = validColumns > patch && equal >= patch;
      if (validColumns >= patch && !likeLeft)
      {
        comparable[static_cast<std::size_t>((row - patch + 1) * positions + column - patch + 1)] = true;
      }
    }
  }
  return comparable;
}

/// The crops of a map, prepared for comparison with blocks. A position is row * positions in a line + column of a crop.
struct CropIndex
{
  /// @throws InvalidData when no crop is free of no-data
  CropIndex(const AbundanceMap& map, Index patch);

  /// Returns the pixel of the map in the upper left corner of a crop.
  Index FirstPixel(Index position) const
  {
    return position / m_Positions * m_Map.m_Width + position % m_Positions;
  }

  /// Returns the tile that holds a crop.
  const Tile& TileOf(Index position) const
  {
    const Index line = position / m_Positions / m_TileCrops * ((m_Positions + m_TileCrops - 1) / m_TileCrops);
    return m_Tiles[static_cast<std::size_t>(line + position % m_Positions / m_TileCrops)];
  }

  const AbundanceMap& m_Map;
  Index m_Patch;
  Index m_Positions;              ///< in a line
  Eigen::MatrixXf m_Features;     ///< as FillFeatures; infinite for crops that are not to be compared
  Eigen::VectorXf m_SquaredNorms; ///< of each crop; infinite likewise
  double m_LargestNorm = 0.;      ///< of a crop that is to be compared
  Index m_TileEdge = 16;          ///< in pixels, a power of 2
  Index m_TileCrops = 0;          ///< in a line of a tile, at most
  std::vector<Tile> m_Tiles;      ///< line after line
  double m_LargestTileNorm = 0.;

  /// For each turn and pixel of a turned crop, how many pixels of the map behind the crop's first it comes from.
  std::array<std::vector<Index>, kTurns> m_Origins;

private:
  /// Computes the spectra of a tile, with 0 for no-data and beyond the map. Returns its norm.
  double Transform(ImageTransform& transform, Tile& tile) const;
};

CropIndex::CropIndex(const AbundanceMap& map, Index patch)
  : m_Map(map), m_Patch(patch), m_Positions(map.m_Width - patch + 1)
{
  const std::vector<bool> comparable = ComparableCrops(map, patch);
  if (std::find(comparable.begin(), comparable.end(), true) == comparable.end())
  {
    throw InvalidData("the real map of " + SizeText(map.m_Width, map.m_Height) + " pixels holds no crop of " +
                      SizeText(patch, patch) + " without a no-data pixel, expected at least one");
  }
  const Index rows = map.m_Height - patch + 1;
  m_Features.setZero(FeatureLanes(map.m_Abundances.rows()) * kFloatLanes, m_Positions * rows);
  ForEachPart(rows, [&](std::size_t, Index begin, Index end) {
    FillFeatures(map.m_Abundances, map.m_Width, patch, begin, end, m_Features);
  });
  m_SquaredNorms.resize(m_Features.cols());
  for (Index i = 0; i < m_Features.cols(); ++i)
  {
    if (comparable[static_cast<std::size_t>(i)])
    {
      const double squaredNorm = m_Features.col(i).cast<double>().squaredNorm();
      m_SquaredNorms[i] = static_cast<float>(squaredNorm);
      m_LargestNorm = std::max(m_LargestNorm, std::sqrt(squaredNorm));
    }
    else
    {
      m_SquaredNorms[i] = kInfinity;
      m_Features.col(i).setConstant(kInfinity);
    }
  }

  while (m_TileEdge < 4 * patch)
  {
    m_TileEdge *= 2;
  }
  m_TileCrops = m_TileEdge - patch + 1;
  for (Index row = 0; row < rows; row += m_TileCrops)
  {
    for (Index column = 0; column < m_Positions; column += m_TileCrops)
    {
      m_Tiles.push_back(
          {column, row, std::min(m_TileCrops, m_Positions - column), std::min(m_TileCrops, rows - row), {}});
    }
  }
  std::vector<double> norms(m_Tiles.size());
  ForEachPart(static_cast<Index>(m_Tiles.size()), [&](std::size_t, Index begin, Index end) {
    ImageTransform transform(m_TileEdge);
    for (auto tile = static_cast<std::size_t>(begin); tile < static_cast<std::size_t>(end); ++tile)
    {
      norms[tile] = Transform(transform, m_Tiles[tile]);
    }
  });
  m_LargestTileNorm = *std::max_element(norms.begin(), norms.end());

  for (int turn = 0; turn < kTurns; ++turn)
  {
    for (Index i = 0; i < patch * patch; ++i)
    {
      const auto [column, row] = Origin(i % patch, i / patch, patch, turn);
      m_Origins[static_cast<std::size_t>(turn)].push_back(row * map.m_Width + column);
    }
  }
}

double CropIndex::Transform(ImageTransform& transform, Tile& tile) const
{
  const Index d = m_Map.m_Abundances.rows();
  const Index lines = tile.m_Rows + m_Patch - 1;
  Eigen::MatrixXd images = Eigen::MatrixXd::Zero(m_TileEdge, m_TileEdge * d);
  for (Index y = 0; y < lines; ++y)
  {
    for (Index x = 0; x < tile.m_Columns + m_Patch - 1; ++x)
    {
      const Index pixel = (tile.m_Row + y) * m_Map.m_Width + tile.m_Column + x;
      for (Index k = 0; IsValid(m_Map, pixel) && k < d; ++k)
      {
        images(x, k * m_TileEdge + y) = static_cast<double>(m_Map.m_Abundances(k, pixel));
      }
    }
  }
  tile.m_Spectra = transform.Forward(images, lines);
  return images.norm();
}

/// A turned crop that may be the nearest.
struct Candidate
{
  float m_Squared; ///< its squared distance or a lower bound of it
  Index m_Position;
  int m_Turn;
};

bool operator<(const Candidate& first, const Candidate& second)
{
  return std::tie(first.m_Squared, first.m_Position, first.m_Turn) <
         std::tie(second.m_Squared, second.m_Position, second.m_Turn);
}

/// The search for the crop that is nearest to one block.
class BlockSearch
{
public:
  BlockSearch(const CropIndex& crops, const Eigen::Ref<const Eigen::MatrixXf>& block);

  /// Returns the nearest crop, or a less near one once it is to stop.
  NearestCrop Run(const std::atomic<bool>& stop);

private:
  /// Returns the crop of each tile that has the lowest bound, the lowest of them first; tiles without a crop to
  /// compare have none.
  std::vector<Candidate> BestOfTiles() const;

  /// Compares the crops of a tile that are left with the block.
  void Search(const Tile& tile);

  /// Returns the distances of a tile's crops in all turns, as far as they may be within the limit.
  std::vector<Candidate> Correlate(const Tile& tile);

  /// Compares a crop with the block.
  void Try(Index position, int turn);
  void TryAllTurns(Index position);

  /// Returns the squared distance in double precision. It adds in the order of the block's pixels, so that crops that are the
  /// same once they are turned are equally far to the last bit.
  double ExactSquared(Index position, int turn) const;

  void SetLimit();

  const CropIndex& m_Crops;
  Eigen::Ref<const Eigen::MatrixXf> m_Block;
  double m_Norm;                                ///< of the block
  std::array<Eigen::MatrixXf, kTurns> m_Turned; ///< the block, turned by the inverse of each turn
  Eigen::VectorXf m_Bounds;                     ///< of the squared distance of each crop, whatever its turn

  double m_Best = std::numeric_limits<double>::infinity(); ///< squared distance of the nearest so far
  Index m_Position = 0;                                    ///< of that
  int m_Turn = 0;                                          ///< likewise
  float m_Limit = kInfinity; ///< a nearer crop's squared distance and its bound are below this, in spite of rounding

  std::optional<ImageTransform> m_Transform; ///< with the spectra, when first needed
  std::array<Spectra, kTurns> m_Spectra;     ///< of m_Turned
};

BlockSearch::BlockSearch(const CropIndex& crops, const Eigen::Ref<const Eigen::MatrixXf>& block)
  : m_Crops(crops), m_Block(block), m_Norm(block.cast<double>().norm()), m_Bounds(crops.m_Features.cols())
{
  for (int turn = 0; turn < kTurns; ++turn)
  {
    m_Turned[static_cast<std::size_t>(turn)] = TurnPatch(block, crops.m_Patch, InverseTurn(turn));
  }
  Eigen::MatrixXf features = Eigen::MatrixXf::Zero(crops.m_Features.rows(), 1);
  FillFeatures(block, crops.m_Patch, crops.m_Patch, 0, 1, features);
  BoundDistances(crops.m_Features.data(), features.data(), FeatureLanes(block.rows()), m_Bounds.size(),
                 m_Bounds.data());
}

NearestCrop BlockSearch::Run(const std::atomic<bool>& stop)
{
  const std::vector<Candidate> bestOfTiles = BestOfTiles();
  for (const Candidate& crop : bestOfTiles)
  {
    TryAllTurns(crop.m_Position);
  }
  for (const Candidate& crop : bestOfTiles)
  {
    if (crop.m_Squared > m_Limit || stop)
    {
      break;
    }
    Search(m_Crops.TileOf(crop.m_Position));
  }
  NearestCrop nearest;
  nearest.m_Distance = std::sqrt(m_Best / static_cast<double>(m_Block.cols()));
  nearest.m_Column = m_Position % m_Crops.m_Positions;
  nearest.m_Row = m_Position / m_Crops.m_Positions;
  nearest.m_Turn = m_Turn;
  return nearest;
}

std::vector<Candidate> BlockSearch::BestOfTiles() const
{
  std::vector<Candidate> best;
  for (const Tile& tile : m_Crops.m_Tiles)
  {
    Candidate bestOfTile{kInfinity, 0, 0};
    ForEachCrop(tile, m_Crops.m_Positions, [&](Index position, Index, Index) {
      if (m_Bounds[position] < bestOfTile.m_Squared)
      {
        bestOfTile = {m_Bounds[position], position, 0};
      }
    });
    if (bestOfTile.m_Squared < kInfinity)
    {
      best.push_back(bestOfTile);
    }
  }
  std::sort(best.begin(), best.end());
  return best;
}

void BlockSearch::Search(const Tile& tile)
{
  std::vector<Candidate> left;
  ForEachCrop(tile, m_Crops.m_Positions, [&](Index position, Index, Index) {
    if (m_Bounds[position] <= m_Limit)
    {
      left.push_back({m_Bounds[position], position, 0});
    }
  });
  const bool dense = static_cast<double>(left.size()) > kDenseShare * static_cast<double>(tile.m_Columns * tile.m_Rows);
  if (dense)
  {
    left = Correlate(tile);
  }
  std::sort(left.begin(), left.end());
  for (const Candidate& crop : left)
  {
    if (crop.m_Squared > m_Limit)
    {
      break;
    }
    if (dense)
    {
      Try(crop.m_Position, crop.m_Turn);
    }
    else
    {
      TryAllTurns(crop.m_Position);
    }
  }
}

std::vector<Candidate> BlockSearch::Correlate(const Tile& tile)
{
  const Index d = m_Block.rows();
  const Index patch = m_Crops.m_Patch;
  if (!m_Transform)
  {
    m_Transform.emplace(m_Crops.m_TileEdge);
    Eigen::MatrixXd images = Eigen::MatrixXd::Zero(m_Crops.m_TileEdge, m_Crops.m_TileEdge * d);
    for (std::size_t turn = 0; turn < kTurns; ++turn)
    {
      for (Index k = 0; k < d; ++k)
      {
        images.block(0, k * m_Crops.m_TileEdge, patch, patch) =
            m_Turned[turn].row(k).cast<double>().reshaped(patch, patch);
      }
      m_Spectra[turn] = m_Transform->Forward(images, patch);
      m_Spectra[turn].m_Imaginary *= -1.f; // a correlation, not a convolution
    }
  }
  // By the Cauchy-Schwarz inequality and Parseval's theorem, errors in proportion to each product of the spectra add up to
  // no more than the same share of the product of norms.
  const double error =
      kFeatureError * (m_Crops.m_LargestNorm * m_Crops.m_LargestNorm + m_Norm * m_Norm) +
      2. * kProductError * (static_cast<double>(d) + kMoreRoundings) * m_Crops.m_LargestTileNorm * m_Norm;
  std::vector<Candidate> left;
  Eigen::VectorXf real(m_Transform->Frequencies());
  Eigen::VectorXf imaginary(m_Transform->Frequencies());
  Eigen::MatrixXd correlation(m_Crops.m_TileEdge, tile.m_Rows);
  for (int turn = 0; turn < kTurns; ++turn)
  {
    const Spectra& spectra = m_Spectra[static_cast<std::size_t>(turn)];
    SumProducts(tile.m_Spectra.m_Real.data(), tile.m_Spectra.m_Imaginary.data(), spectra.m_Real.data(),
                spectra.m_Imaginary.data(), d, m_Transform->Frequencies(), real.data(), imaginary.data());
    m_Transform->Inverse(real, imaginary, tile.m_Rows, correlation);
    ForEachCrop(tile, m_Crops.m_Positions, [&](Index position, Index column, Index row) {
      const double squared = static_cast<double>(m_Crops.m_SquaredNorms[position]) + m_Norm * m_Norm -
                             2. * correlation(column, row) - error;
      if (m_Bounds[position] <= m_Limit && squared <= static_cast<double>(m_Limit))
      {
        left.push_back({static_cast<float>(squared), position, turn});
      }
    });
  }
  return left;
}

void BlockSearch::TryAllTurns(Index position)
{
  for (int turn = 0; turn < kTurns; ++turn)
  {
    Try(position, turn);
  }
}

void BlockSearch::Try(Index position, int turn)
{
  const Index d = m_Block.rows();
  const float squared =
      SquaredDistance(m_Crops.m_Map.m_Abundances.col(m_Crops.FirstPixel(position)).data(), m_Crops.m_Map.m_Width * d,
                      m_Turned[static_cast<std::size_t>(turn)].data(), m_Crops.m_Patch * d, m_Crops.m_Patch, m_Limit);
  if (squared > m_Limit)
  {
    return;
  }
  const double exact = ExactSquared(position, turn);
  if (std::tie(exact, position, turn) < std::tie(m_Best, m_Position, m_Turn))
  {
    m_Best = exact;
    m_Position = position;
    m_Turn = turn;
    SetLimit();
  }
}

double BlockSearch::ExactSquared(Index position, int turn) const
{
  const Index first = m_Crops.FirstPixel(position);
  const std::vector<Index>& origins = m_Crops.m_Origins[static_cast<std::size_t>(turn)];
  Eigen::ArrayXd sums = Eigen::ArrayXd::Zero(m_Block.rows());
  for (Index i = 0; i < m_Block.cols(); ++i)
  {
    const auto pixel = m_Crops.m_Map.m_Abundances.col(first + origins[static_cast<std::size_t>(i)]).cast<double>();
    sums += (pixel - m_Block.col(i).cast<double>()).array().square();
  }
  return sums.sum();
}

void BlockSearch::SetLimit()
{
  const double root = std::sqrt(m_Best) + kFeatureError * (m_Crops.m_LargestNorm + m_Norm);
  m_Limit = static_cast<float>(root * root * (1. + kSumError) + kLeastSum);
}

/// @throws InvalidData when a pixel of the map or of the blocks cannot be compared
void CheckPixel(const Eigen::Ref<const Eigen::VectorXf>& pixel, const std::string& what, Index width, Index index)
{
  if (!(pixel.array().abs() <= kLargestValue).all())
  {
    throw InvalidData(what + " holds values that are not finite or beyond 1e9 in column " +
                      std::to_string(index % width) + " of row " + std::to_string(index / width) +
                      ", expected abundances");
  }
}

/// @throws InvalidData as FindNearestCrops
void Check(const AbundanceMap& real, const Eigen::Ref<const Eigen::MatrixXf>& blocks, Index patch)
{
  const Index d = real.m_Abundances.rows();
  const Index pixels = real.m_Abundances.cols();
  if (d < 1 || pixels < 1 || pixels != real.m_Width * real.m_Height ||
      (!real.m_Valid.empty() && real.m_Valid.size() != static_cast<std::size_t>(pixels)))
  {
    throw InvalidData("the real map claims " + SizeText(real.m_Width, real.m_Height) + " pixels, but holds " +
                      std::to_string(pixels) + " of " + std::to_string(d) + " endmembers, " +
                      std::to_string(real.m_Valid.size()) + " of them marked as valid or not");
  }
  if (blocks.rows() != d)
  {
    throw InvalidData("the blocks have abundances of " + std::to_string(blocks.rows()) +
                      " endmembers, the real map of " + std::to_string(d) + ", expected the same number");
  }
  if (patch < 1 || blocks.cols() == 0 || blocks.cols() % (patch * patch) != 0)
  {
    throw InvalidData("found " + std::to_string(blocks.cols()) + " pixels for blocks of " + SizeText(patch, patch) +
                      ", expected whole blocks, at least one");
  }
  if (patch > std::min(real.m_Width, real.m_Height))
  {
    throw InvalidData("the real map has " + SizeText(real.m_Width, real.m_Height) + " pixels, expected at least " +
                      SizeText(patch, patch) + " for blocks of that size");
  }
  for (Index pixel = 0; pixel < pixels; ++pixel)
  {
    if (IsValid(real, pixel))
    {
      CheckPixel(real.m_Abundances.col(pixel), "the real map", real.m_Width, pixel);
    }
  }
  for (Index pixel = 0; pixel < blocks.cols(); ++pixel)
  {
    const Index block = pixel / (patch * patch);
    CheckPixel(blocks.col(pixel), "block " + std::to_string(block), patch, pixel - block * patch * patch);
  }
}

} // namespace

std::vector<NearestCrop> FindNearestCrops(const AbundanceMap& real, const Eigen::Ref<const Eigen::MatrixXf>& blocks,
                                          Index patch, const std::function<void(double)>& progress)
{
  Check(real, blocks, patch);
  const CropIndex crops(real, patch);
  const Index pixels = patch * patch;
  const Index count = blocks.cols() / pixels;
  std::vector<NearestCrop> nearest(static_cast<std::size_t>(count));
  std::atomic<Index> next{0};
  std::atomic<Index> done{0};
  std::atomic<bool> stop{false};
  const auto work = [&](const std::function<void(double)>& report) {
    try
    {
      for (Index block = next++; block < count && !stop; block = next++)
      {
        nearest[static_cast<std::size_t>(block)] =
            BlockSearch(crops, blocks.middleCols(block * pixels, pixels)).Run(stop);
        ++done;
        if (report)
        {
          report(static_cast<double>(done) / static_cast<double>(count));
        }
      }
    }
    catch (...)
    {
      stop = true;
      throw;
    }
  };
  // The calling thread works too. Leaving waits for the others, also when it throws.
  std::vector<std::future<void>> others;
  for (std::size_t i = 1; i < kParts; ++i)
  {
    others.push_back(std::async(std::launch::async, work, nullptr));
  }
  work(progress);
  for (std::future<void>& other : others)
  {
    other.get();
  }
  if (progress)
  {
    progress(1.);
  }
  return nearest;
}

Eigen::MatrixXf TurnPatch(const Eigen::Ref<const Eigen::MatrixXf>& pixels, Index patch, int turn)
{
  if (patch < 1 || pixels.cols() != patch * patch || turn < 0 || turn >= kTurns)
  {
    throw InvalidData("found " + std::to_string(pixels.cols()) + " pixels and the turn " + std::to_string(turn) +
                      ", expected " + SizeText(patch, patch) + " pixels and a turn from 0 to 7");
  }
  Eigen::MatrixXf turned(pixels.rows(), pixels.cols());
  for (Index row = 0; row < patch; ++row)
  {
    for (Index column = 0; column < patch; ++column)
    {
      const auto [x, y] = Origin(column, row, patch, turn);
      turned.col(row * patch + column) = pixels.col(y * patch + x);
    }
  }
  return turned;
}

} // namespace hud
