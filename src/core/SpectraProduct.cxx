// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "SpectraProduct.h"

#include "Lanes.h"

#include "hud/core/Error.h"

#include <algorithm>
#include <string>

namespace hud
{

namespace
{

using Eigen::Index;

// One tile of sums fits the vector registers.
constexpr Index kTileRows = 8;
constexpr Index kTilePixels = 4;

/// Bands of a tile's pixels that are converted at once, on the stack.
constexpr Index kConvertedBands = 256;

/// Adds the product of a group of rows, [bands][kTileRows], and a tile of pixels, [kTilePixels][kConvertedBands].
/// @param sums [kTilePixels][kTileRows]
HUD_DISPATCHED void AddTile(const double* rows, const double* pixels, Index bands, double* sums)
{
  static_assert(kTileRows == 2 * kLanes, "a tile is two lanes high");
  auto* const target = reinterpret_cast<Lanes*>(sums);
  const auto* const source = reinterpret_cast<const Lanes*>(rows);
  Lanes upper[kTilePixels];
  Lanes lower[kTilePixels];
  for (Index p = 0; p < kTilePixels; ++p)
  {
    upper[p] = target[2 * p];
    lower[p] = target[2 * p + 1];
  }
  for (Index band = 0; band < bands; ++band)
  {
    for (Index p = 0; p < kTilePixels; ++p)
    {
      const double value = pixels[p * kConvertedBands + band];
      upper[p] += source[2 * band] * value;
      lower[p] += source[2 * band + 1] * value;
    }
  }
  for (Index p = 0; p < kTilePixels; ++p)
  {
    target[2 * p] = upper[p];
    target[2 * p + 1] = lower[p];
  }
}

} // namespace

SpectraProduct::SpectraProduct(const Eigen::Ref<const Eigen::MatrixXd>& matrix)
  : m_Rows(matrix.rows()), m_Bands(matrix.cols())
{
  const Index groups = (m_Rows + kTileRows - 1) / kTileRows;
  m_Packed.resize(static_cast<std::size_t>(groups * m_Bands * kTileRows));
  for (Index row = 0; row < m_Rows; ++row)
  {
    for (Index band = 0; band < m_Bands; ++band)
    {
      m_Packed[static_cast<std::size_t>((row / kTileRows * m_Bands + band) * kTileRows + row % kTileRows)] =
          matrix(row, band);
    }
  }
}

void SpectraProduct::Multiply(const Eigen::Ref<const Eigen::MatrixXf>& spectra,
                              Eigen::Ref<Eigen::MatrixXd> result) const
{
  if (spectra.rows() != m_Bands || result.rows() != m_Rows || result.cols() != spectra.cols())
  {
    throw InvalidData("found spectra of " + std::to_string(spectra.rows()) + " bands, expected " +
                      std::to_string(m_Bands) + ", or a result of another shape");
  }
  result.setZero();
  double converted[kTilePixels * kConvertedBands] = {};
  for (Index firstPixel = 0; firstPixel < spectra.cols(); firstPixel += kTilePixels)
  {
    const Index pixels = std::min(kTilePixels, spectra.cols() - firstPixel);
    for (Index firstBand = 0; firstBand < m_Bands; firstBand += kConvertedBands)
    {
      const Index bands = std::min(kConvertedBands, m_Bands - firstBand);
      for (Index p = 0; p < pixels; ++p)
      {
        Eigen::Map<Eigen::VectorXd>(converted + p * kConvertedBands, bands) =
            spectra.col(firstPixel + p).segment(firstBand, bands).cast<double>();
      }
      for (Index firstRow = 0; firstRow < m_Rows; firstRow += kTileRows)
      {
        auto target = result.block(firstRow, firstPixel, std::min(kTileRows, m_Rows - firstRow), pixels);
        Eigen::Matrix<double, kTileRows, kTilePixels> sums = Eigen::Matrix<double, kTileRows, kTilePixels>::Zero();
        sums.topLeftCorner(target.rows(), target.cols()) = target;
        AddTile(m_Packed.data() + firstRow * m_Bands + firstBand * kTileRows, converted, bands, sums.data());
        target = sums.topLeftCorner(target.rows(), target.cols());
      }
    }
  }
}

} // namespace hud
