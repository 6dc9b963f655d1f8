// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/NearestPixels.h"

#include "hud/core/Error.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace
{

using hud::MapGrid;

// An image of 14 x 9 pixels of about 30 m, turned by 13 degrees, with uneven distances.
struct TurnedImage
{
  Eigen::MatrixXd m_Eastings = Eigen::MatrixXd(14, 9);
  Eigen::MatrixXd m_Northings = Eigen::MatrixXd(14, 9);

  TurnedImage()
  {
    for (Eigen::Index y = 0; y < 9; ++y)
    {
      for (Eigen::Index x = 0; x < 14; ++x)
      {
        const auto column = static_cast<double>(x);
        const auto row = static_cast<double>(y);
        m_Eastings(x, y) = 500012.3 + 29.5 * column - 7.5 * row + 0.05 * column * row;
        m_Northings(x, y) = 4000077.7 - 7.7 * column - 28.9 * row + 0.03 * column * column;
      }
    }
  }
};

TEST(NearestPixels, AreTheNearestOfAll)
{
  TurnedImage image;
  image.m_Eastings(5, 4) = std::numeric_limits<double>::quiet_NaN();
  const MapGrid grid = hud::CoverWithGrid(image.m_Eastings, image.m_Northings, 30.);
  const auto nearest = hud::NearestPixels(image.m_Eastings, image.m_Northings, grid);
  ASSERT_EQ(nearest.size(), static_cast<std::size_t>(grid.m_Width * grid.m_Height));
  int covered = 0;
  for (Eigen::Index row = 0; row < grid.m_Height; ++row)
  {
    for (Eigen::Index column = 0; column < grid.m_Width; ++column)
    {
      const double easting = grid.m_Left + 30. * static_cast<double>(column);
      const double northing = grid.m_Top - 30. * static_cast<double>(row);
      Eigen::Index best = -1;
      double least = 1e9;
      for (Eigen::Index i = 0; i < image.m_Eastings.size(); ++i)
      {
        const double distance =
            std::hypot(image.m_Eastings.data()[i] - easting, image.m_Northings.data()[i] - northing);
        if (distance < least)
        {
          least = distance;
          best = i;
        }
      }
      const auto found = nearest[static_cast<std::size_t>(column + grid.m_Width * row)];
      if (found >= 0 || least < 20.)
      {
        EXPECT_EQ(found, best) << column << ", " << row << " at " << least << " m";
        EXPECT_LT(least, 23.);
        ++covered;
      }
    }
  }
  // The area of the image over that of the grid's pixels.
  EXPECT_NEAR(covered, 14. * 9., 25.);
}

TEST(CoverWithGrid, HasItsEdgesAtMultiplesOfTheSpacing)
{
  const TurnedImage image;
  const MapGrid grid = hud::CoverWithGrid(image.m_Eastings, image.m_Northings, 30.);
  EXPECT_EQ(std::fmod(grid.m_Left - 15., 30.), 0.);
  EXPECT_EQ(std::fmod(grid.m_Top + 15., 30.), 0.);
  EXPECT_LE(std::abs(grid.m_Left - image.m_Eastings.minCoeff()), 15.);
  EXPECT_LE(std::abs(grid.m_Top - image.m_Northings.maxCoeff()), 15.);
  const double right = grid.m_Left + 30. * static_cast<double>(grid.m_Width - 1);
  EXPECT_LE(std::abs(right - image.m_Eastings.maxCoeff()), 15.);
  const double bottom = grid.m_Top - 30. * static_cast<double>(grid.m_Height - 1);
  EXPECT_LE(std::abs(bottom - image.m_Northings.minCoeff()), 15.);
}

TEST(CoverWithGrid, RefusesUnknownLocations)
{
  const Eigen::MatrixXd unknown = Eigen::MatrixXd::Constant(3, 2, std::numeric_limits<double>::quiet_NaN());
  EXPECT_THROW(hud::CoverWithGrid(unknown, unknown, 30.), hud::InvalidData);
}

} // namespace
