// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDPreview.h"

#include "FullDisk.h"
#include "TemporaryFolder.h"
#include "app/TestImage.h"

#include "hud/core/Error.h"

#include <gtest/gtest.h>

#include <cmath>

namespace
{

using Bands = std::array<Eigen::Index, 3>;

TEST(HUDPreview, ShowsTheBandsNearestToRedGreenAndBlue)
{
  EXPECT_EQ(otb::HUDDisplayBands({900., 655., 540., 552., 451., 400.}, 6), (Bands{1, 3, 4}));
  // Wavelengths that are unknown, or do not reach blue.
  EXPECT_EQ(otb::HUDDisplayBands({}, 198), (Bands{165, 99, 33}));
  EXPECT_EQ(otb::HUDDisplayBands({900., 655., 540., 552., 500., 480.}, 6), (Bands{5, 3, 1}));
  EXPECT_EQ(otb::HUDDisplayBands({}, 1), (Bands{0, 0, 0}));
}

/// Returns a row of two pure endmembers and their mean.
hud::AbundanceMap MakeMap()
{
  hud::AbundanceMap map;
  map.m_Width = 3;
  map.m_Height = 1;
  map.m_Abundances.resize(2, 3);
  map.m_Abundances << 1.f, 0.f, 0.5f, 0.f, 1.f, 0.5f;
  return map;
}

otb::HUDPreview MakePreview()
{
  // Bands 2, 1 and 0 are red, green and blue. Nearly all of the scene is the second endmember, which is white therefore.
  Eigen::MatrixXd endmembers(3, 2);
  endmembers << 0., 20., 5., 10., 9000., 3000.;
  hud::AbundanceMap scene;
  scene.m_Width = 25;
  scene.m_Height = 40;
  scene.m_Abundances.resize(2, 1000);
  scene.m_Abundances.row(0).setZero();
  scene.m_Abundances.row(1).setOnes();
  scene.m_Abundances.col(7) << 1.f, 0.f;
  scene.m_Valid.assign(1000, 1);
  scene.m_Valid[8] = 0;
  scene.m_Abundances.col(8).setConstant(1e6f);
  return otb::HUDPreview(endmembers, {450., 550., 660.}, {scene});
}

TEST(HUDPreview, WritesAStretchedPictureAndNothingElse)
{
  const hud::test::TemporaryFolder folder;
  otb::HUDWritePicture(MakePreview().Draw(MakeMap()), (folder / "p.png").string());
  EXPECT_EQ(folder.Names(), std::set<std::string>{"p.png"});
  const hud::test::TestImage picture = hud::test::ReadImage(folder / "p.png");
  ASSERT_EQ(picture.m_Width, 3);
  ASSERT_EQ(picture.m_Height, 1);
  ASSERT_EQ(picture.m_Pixels.rows(), 3);
  Eigen::MatrixXf expected(3, 3);
  const float half = std::round(255.f * std::pow(0.5f, 0.7f));
  const float threeQuarters = std::round(255.f * std::pow(0.75f, 0.7f));
  expected << 255.f, 255.f, 255.f, half, 255.f, threeQuarters, 0.f, 255.f, half;
  EXPECT_EQ(picture.m_Pixels, expected);
}

TEST(HUDPreview, AFullDiskKeepsTheEarlierPicture)
{
  const hud::test::TemporaryFolder folder;
  hud::test::WriteText(folder / "p.png", "earlier");
  {
    const hud::test::FullDisk full(16);
    EXPECT_THROW(otb::HUDWritePicture(MakePreview().Draw(MakeMap()), (folder / "p.png").string()), hud::FileError);
  }
  EXPECT_EQ(hud::test::ReadText(folder / "p.png"), "earlier");
  EXPECT_EQ(folder.Names(), std::set<std::string>{"p.png"});
}

} // namespace
