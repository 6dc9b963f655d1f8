// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDGrid.h"

#include "hud/core/Error.h"

#include "TemporaryFolder.h"
#include "core/ErrorMessage.h"

#include <gdal_priv.h>
#include <gtest/gtest.h>
#include <ogr_spatialref.h>

#include <array>
#include <string>

namespace
{

using hud::test::MessageOf;
using hud::test::Says;
using hud::test::TemporaryFolder;
using Transform = std::array<double, 6>;

// No number of these is the sum of another and half a pixel.
constexpr Transform kTransform = {500000.123456789, 29.7, 0.3, 4600000.987654321, 0.4, -30.1};

GDALDatasetUniquePtr Create(const std::string& path, const char* driver = "GTiff")
{
  GDALAllRegister();
  return GDALDatasetUniquePtr(
      GetGDALDriverManager()->GetDriverByName(driver)->Create(path.c_str(), 7, 5, 2, GDT_Float32, nullptr));
}

GDALDatasetUniquePtr Open(const std::string& path)
{
  return GDALDatasetUniquePtr(GDALDataset::Open(path.c_str()));
}

Transform TransformOf(const std::string& path)
{
  Transform transform = {};
  Open(path)->GetGeoTransform(transform.data());
  return transform;
}

class HUDGrid : public testing::Test
{
protected:
  HUDGrid()
  {
    Transform transform = kTransform;
    OGRSpatialReference utm;
    utm.importFromEPSG(32632);
    const auto dataset = Create(m_Scene);
    dataset->SetGeoTransform(transform.data());
    dataset->SetSpatialRef(&utm);
  }

  TemporaryFolder m_Folder;
  const std::string m_Scene = (m_Folder / "scene.tif").string();
  const std::string m_Target = (m_Folder / "target.tif").string();
};

} // namespace

TEST_F(HUDGrid, IsTheSameToTheLastDigitWithItsRotation)
{
  Create(m_Target);
  otb::HUDCopyGrid(m_Scene, m_Target);
  EXPECT_EQ(TransformOf(m_Target), kTransform);
  ASSERT_NE(Open(m_Target)->GetSpatialRef(), nullptr);
  EXPECT_STREQ(Open(m_Target)->GetSpatialRef()->GetAuthorityCode(nullptr), "32632");
}

TEST_F(HUDGrid, OfAnEnviFileReturns)
{
  const std::string target = (m_Folder / "target.dat").string();
  Create(target, "ENVI");
  Transform transform = {500000.125, 29.75, 0., 4600000.5, 0., -30.25};
  Open(m_Scene); // its grid is replaced below by one without rotation, which the header holds exactly
  GDALDatasetUniquePtr(GDALDataset::Open(m_Scene.c_str(), GDAL_OF_UPDATE))->SetGeoTransform(transform.data());
  otb::HUDCopyGrid(m_Scene, target);
  EXPECT_EQ(TransformOf(target), transform);
}

TEST_F(HUDGrid, OfAPartBeginsAtItsFirstPixel)
{
  Create(m_Target);
  otb::HUDCopyGrid(m_Scene, m_Target, 3., 2.);
  const Transform moved = TransformOf(m_Target);
  EXPECT_DOUBLE_EQ(moved[0], kTransform[0] + 3. * 29.7 + 2. * 0.3);
  EXPECT_DOUBLE_EQ(moved[3], kTransform[3] + 3. * 0.4 - 2. * 30.1);
  EXPECT_EQ(moved[1], kTransform[1]);
}

TEST_F(HUDGrid, OfSmallerPixelsBeginsAtTheSameCorner)
{
  Create(m_Target);
  otb::HUDCopyGrid(m_Scene, m_Target, 1.5, 0., 4.);
  const Transform finer = TransformOf(m_Target);
  EXPECT_DOUBLE_EQ(finer[0], kTransform[0] + 1.5 * 29.7);
  EXPECT_DOUBLE_EQ(finer[3], kTransform[3] + 1.5 * 0.4);
  for (const std::size_t step : {1, 2, 4, 5})
  {
    EXPECT_DOUBLE_EQ(finer[step], kTransform[step] / 4.) << step;
  }
}

TEST_F(HUDGrid, TakesGroundControlPointsAlong)
{
  const std::string scene = (m_Folder / "points.tif").string();
  {
    std::array<GDAL_GCP, 4> points = {};
    GDALInitGCPs(4, points.data());
    for (std::size_t i = 0; i < 4; ++i)
    {
      points[i].dfGCPPixel = i % 2 == 0 ? 0.5 : 6.5;
      points[i].dfGCPLine = i < 2 ? 0.5 : 4.5;
      points[i].dfGCPX = 9.1 + 0.01 * points[i].dfGCPPixel;
      points[i].dfGCPY = 45.3 - 0.02 * points[i].dfGCPLine;
    }
    OGRSpatialReference wgs84;
    wgs84.importFromEPSG(4326);
    Create(scene)->SetGCPs(4, points.data(), &wgs84);
    GDALDeinitGCPs(4, points.data());
  }
  Transform transform = kTransform;
  Create(m_Target)->SetGeoTransform(transform.data());
  otb::HUDCopyGrid(scene, m_Target, 1., 2.);
  const auto target = Open(m_Target);
  ASSERT_EQ(target->GetGCPCount(), 4);
  EXPECT_EQ(target->GetGCPs()[3].dfGCPPixel, 5.5);
  EXPECT_EQ(target->GetGCPs()[3].dfGCPLine, 2.5);
  EXPECT_EQ(target->GetGCPs()[3].dfGCPX, 9.1 + 0.01 * 6.5);
  ASSERT_NE(target->GetGCPSpatialRef(), nullptr);
  EXPECT_TRUE(target->GetGCPSpatialRef()->IsGeographic());
}

TEST_F(HUDGrid, LeavesTheTargetAloneWhereThereIsNone)
{
  const std::string bare = (m_Folder / "bare.tif").string();
  Create(bare);
  Transform transform = kTransform;
  transform[0] = 7.;
  Create(m_Target)->SetGeoTransform(transform.data());
  for (const std::string& source :
       {bare, std::string("/no/such.tif"), m_Scene + "?&skipcarto=true", m_Scene + "?&resol=1"})
  {
    otb::HUDCopyGrid(source, m_Target);
    EXPECT_EQ(TransformOf(m_Target), transform) << source;
  }
}

TEST_F(HUDGrid, OfATargetThatCannotBeOpenedIsAnError)
{
  EXPECT_TRUE(Says(MessageOf<hud::FileError>([&] { otb::HUDCopyGrid(m_Scene, "/no/such.tif"); }), "/no/such.tif"));
}
