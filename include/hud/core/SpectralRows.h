// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <vector>

namespace hud
{

/// An image of spectra that is read by rows, as often as an algorithm asks for them, so that no more than a few rows are in
/// memory at a time.
class SpectralRows
{
public:
  virtual ~SpectralRows() = default;

  virtual Eigen::Index Bands() const = 0;
  virtual Eigen::Index Width() const = 0;
  virtual Eigen::Index Height() const = 0;

  /// Reads rows. Called by one thread at a time.
  /// @param first row, counted from 0
  /// @param spectra [bands x width * rows], pixels row by row; finite. No-data pixels become 0.
  /// @param valid [width * rows]; 0 for a no-data pixel, else 1. A pixel of all zeros is no-data.
  virtual void Read(Eigen::Index first, Eigen::Ref<Eigen::MatrixXf> spectra, std::uint8_t* valid) const = 0;
};

/// An image with its pixels row by row.
struct SpectralImage
{
  Eigen::Index m_Width = 0;
  Eigen::Index m_Height = 0;
  Eigen::MatrixXf m_Spectra; ///< [bands x width * height], finite; no-data pixels are 0
};

/// An image that is in memory already.
class InMemoryRows : public SpectralRows
{
public:
  /// @throws InvalidData when the image is empty, holds other than width * height pixels, or is not finite
  explicit InMemoryRows(SpectralImage image);

  Eigen::Index Bands() const override;
  Eigen::Index Width() const override;
  Eigen::Index Height() const override;
  void Read(Eigen::Index first, Eigen::Ref<Eigen::MatrixXf> spectra, std::uint8_t* valid) const override;

private:
  SpectralImage m_Image;
};

/// A rectangle of another image, which it reads in whole rows.
class CroppedRows : public SpectralRows
{
public:
  /// @param rows must outlive this object
  /// @throws InvalidData when the rectangle is empty or not within the image
  CroppedRows(const SpectralRows& rows, Eigen::Index column, Eigen::Index row, Eigen::Index width, Eigen::Index height);

  Eigen::Index Bands() const override;
  Eigen::Index Width() const override;
  Eigen::Index Height() const override;
  void Read(Eigen::Index first, Eigen::Ref<Eigen::MatrixXf> spectra, std::uint8_t* valid) const override;

private:
  const SpectralRows& m_Rows;
  Eigen::Index m_Column;
  Eigen::Index m_Row;
  Eigen::Index m_Width;
  Eigen::Index m_Height;
};

/// Returns the spectra of some pixels of an image, [bands x pixels], in the order asked for. Reads it once, row by row.
/// @param pixels row * width + column of each, in any order, also repeatedly
Eigen::MatrixXf GatherPixels(const SpectralRows& image, const std::vector<Eigen::Index>& pixels);

/// Where the blocks of an image are: cut from its upper left corner, without what is left at the right and the bottom.
struct BlockGrid
{
  Eigen::Index m_Columns = 0;
  Eigen::Index m_Rows = 0;

  Eigen::Index Count() const
  {
    return m_Columns * m_Rows;
  }
};

/// Returns the blocks of patch x patch pixels of an image.
BlockGrid BlocksOf(const SpectralRows& image, Eigen::Index patch);

/// Draws numbers of blocks, ascending: one from each of so many stretches of all of them; all when there are no more.
std::vector<Eigen::Index> DrawBlocks(Eigen::Index blocks, Eigen::Index maximum, std::uint64_t seed);

} // namespace hud
