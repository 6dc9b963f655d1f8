// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/SpectralRows.h"

#include "ErrorMessage.h"
#include "RandomMatrix.h"
#include "hud/core/Error.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace
{

using hud::CroppedRows;
using hud::InMemoryRows;
using hud::InvalidData;
using hud::test::MessageOf;
using hud::test::Says;

constexpr Eigen::Index kWidth = 11;
constexpr Eigen::Index kHeight = 7;
constexpr Eigen::Index kBands = 4;

/// Returns an image in which the pixel at column 5 and row 3 is no-data.
hud::SpectralImage MakeImage()
{
  hud::SpectralImage image{kWidth, kHeight,
                           hud::test::UniformMatrix(kBands, kWidth * kHeight, 1, 0.1, 1.).cast<float>()};
  image.m_Spectra.col(3 * kWidth + 5).setZero();
  return image;
}

} // namespace

TEST(SpectralRows, InMemoryAreThoseOfTheImage)
{
  const hud::SpectralImage image = MakeImage();
  const InMemoryRows rows(image);
  Eigen::MatrixXf spectra(kBands, 2 * kWidth);
  std::vector<std::uint8_t> valid(2 * kWidth);
  rows.Read(2, spectra, valid.data());
  EXPECT_EQ(spectra, image.m_Spectra.middleCols(2 * kWidth, 2 * kWidth));
  EXPECT_EQ(valid[kWidth + 5], 0);
  EXPECT_EQ(std::count(valid.begin(), valid.end(), 0), 1);
}

TEST(SpectralRows, OfACropAreThoseOfItsPlace)
{
  const hud::SpectralImage image = MakeImage();
  const InMemoryRows rows(image);
  const CroppedRows crop(rows, 4, 2, 5, 3);
  Eigen::MatrixXf spectra(kBands, 2 * 5);
  std::vector<std::uint8_t> valid(10);
  crop.Read(1, spectra, valid.data());
  EXPECT_EQ(spectra.leftCols(5), image.m_Spectra.middleCols(3 * kWidth + 4, 5));
  EXPECT_EQ(spectra.rightCols(5), image.m_Spectra.middleCols(4 * kWidth + 4, 5));
  EXPECT_EQ(valid[1], 0);
  EXPECT_TRUE(Says(MessageOf<InvalidData>([&] { CroppedRows(rows, 7, 2, 5, 3); }), "5 x 3"));
  EXPECT_THROW(CroppedRows(rows, 0, 0, 0, 3), InvalidData);
}

TEST(SpectralRows, AreGatheredInAnyOrder)
{
  const hud::SpectralImage image = MakeImage();
  const std::vector<Eigen::Index> pixels = {70, 3, 3, 41, 0, 69};
  const Eigen::MatrixXf spectra = GatherPixels(InMemoryRows(image), pixels);
  ASSERT_EQ(spectra.cols(), 6);
  for (std::size_t i = 0; i < pixels.size(); ++i)
  {
    EXPECT_EQ(spectra.col(static_cast<Eigen::Index>(i)), image.m_Spectra.col(pixels[i])) << i;
  }
}

TEST(SpectralRows, RefuseImagesThatAreNone)
{
  hud::SpectralImage image = MakeImage();
  image.m_Height = 8;
  EXPECT_TRUE(Says(MessageOf<InvalidData>([&] { InMemoryRows{image}; }), "11 x 8"));
  image = MakeImage();
  image.m_Spectra(2, 9) = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(Says(MessageOf<InvalidData>([&] { InMemoryRows{image}; }), "not finite"));
  EXPECT_THROW(InMemoryRows({0, 0, Eigen::MatrixXf(3, 0)}), InvalidData);
}

TEST(BlockGrid, CutsFromTheUpperLeftCorner)
{
  const InMemoryRows rows(MakeImage());
  const hud::BlockGrid grid = BlocksOf(rows, 3);
  EXPECT_EQ(grid.m_Columns, 3);
  EXPECT_EQ(grid.m_Rows, 2);
  EXPECT_EQ(grid.Count(), 6);
}

TEST(DrawBlocks, TakesOneOfEachStretch)
{
  const std::vector<Eigen::Index> drawn = hud::DrawBlocks(100, 7, 3);
  ASSERT_EQ(drawn.size(), 7u);
  for (Eigen::Index i = 0; i < 7; ++i)
  {
    EXPECT_GE(drawn[static_cast<std::size_t>(i)], i * 100 / 7);
    EXPECT_LT(drawn[static_cast<std::size_t>(i)], (i + 1) * 100 / 7);
  }
  EXPECT_NE(drawn, hud::DrawBlocks(100, 7, 4));
  EXPECT_EQ(hud::DrawBlocks(3, 7, 3), (std::vector<Eigen::Index>{0, 1, 2}));
}
