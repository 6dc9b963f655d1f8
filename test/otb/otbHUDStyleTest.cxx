// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDStyle.h"

#include "hud/core/Error.h"

#include "TemporaryFolder.h"
#include "core/ErrorMessage.h"

#include <cpl_minixml.h>
#include <gdal_priv.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace
{

using hud::test::MessageOf;
using hud::test::Says;
using hud::test::TemporaryFolder;

constexpr int kWidth = 51;
constexpr int kHeight = 40;

// Band b holds 100 b + 0 ... 100 b + 50 along each row, and no-data in the last row.
void WriteScene(const std::string& path, int bands, double scale = 1.)
{
  GDALAllRegister();
  const GDALDatasetUniquePtr dataset(GetGDALDriverManager()->GetDriverByName("GTiff")->Create(
      path.c_str(), kWidth, kHeight, bands, GDT_Float32, nullptr));
  for (int index = 1; index <= bands; ++index)
  {
    GDALRasterBand& band = *dataset->GetRasterBand(index);
    band.SetNoDataValue(-9999.);
    band.SetScale(scale);
    for (int y = 0; y < kHeight; ++y)
    {
      std::vector<float> row;
      for (int x = 0; x < kWidth; ++x)
      {
        row.push_back(y + 1 == kHeight ? -9999.f : static_cast<float>(100 * index + x));
      }
      ASSERT_EQ(band.RasterIO(GF_Write, 0, y, kWidth, 1, row.data(), kWidth, 1, GDT_Float32, 0, 0, nullptr), CE_None);
    }
  }
}

class HUDStyle : public testing::Test
{
protected:
  // The value at a path in the style's renderer.
  std::string Renderer(const std::string& path) const
  {
    const std::unique_ptr<CPLXMLNode, void (*)(CPLXMLNode*)> style(
        CPLParseXMLFile((m_Folder / "a.qml").string().c_str()), CPLDestroyXMLNode);
    return CPLGetXMLValue(style.get(), ("=qgis.pipe.rasterrenderer." + path).c_str(), "missing");
  }

  void Write(const otb::HUDSceneMetadata& metadata) const
  {
    otb::HUDWriteStyle(m_Raster, metadata, m_Folder / "a.qml");
  }

  TemporaryFolder m_Folder;
  const std::string m_Raster = (m_Folder / "a.tif").string();
};

} // namespace

TEST_F(HUDStyle, ShowsRedGreenAndBlueBetweenTheirQuantiles)
{
  WriteScene(m_Raster, 5);
  otb::HUDSceneMetadata metadata;
  metadata.m_Wavelengths = {900., 652., 548., 455., 400.};
  Write(metadata);
  EXPECT_EQ(Renderer("type"), "multibandcolor");
  EXPECT_EQ(Renderer("redBand"), "2");
  EXPECT_EQ(Renderer("greenBand"), "3");
  EXPECT_EQ(Renderer("blueBand"), "4");
  // Of 51 values that are equally often, the 2 % quantile is the second or first, and the 98 % quantile the last but one.
  EXPECT_NEAR(std::atof(Renderer("redContrastEnhancement.minValue").c_str()), 201., 1.);
  EXPECT_NEAR(std::atof(Renderer("redContrastEnhancement.maxValue").c_str()), 249., 1.);
  EXPECT_NEAR(std::atof(Renderer("blueContrastEnhancement.maxValue").c_str()), 449., 1.);
  EXPECT_EQ(Renderer("greenContrastEnhancement.algorithm"), "StretchToMinimumMaximum");
  EXPECT_EQ(m_Folder.Names(), (std::set<std::string>{"a.qml", "a.tif"}));
}

TEST_F(HUDStyle, StretchesScaledValues)
{
  WriteScene(m_Raster, 3, 0.5);
  Write({});
  EXPECT_EQ(Renderer("redBand"), "3");
  EXPECT_NEAR(std::atof(Renderer("redContrastEnhancement.maxValue").c_str()), 174.5, 0.5);
}

TEST_F(HUDStyle, ShowsTheFirstThreeAbundancesFromZeroToOne)
{
  WriteScene(m_Raster, 4);
  Write(otb::HUDAbundanceMetadata({}, 4));
  EXPECT_EQ(Renderer("redBand"), "1");
  EXPECT_EQ(Renderer("blueBand"), "3");
  EXPECT_EQ(Renderer("blueContrastEnhancement.minValue"), "0");
  EXPECT_EQ(Renderer("blueContrastEnhancement.maxValue"), "1");
}

TEST_F(HUDStyle, ShowsFewBandsInGrey)
{
  WriteScene(m_Raster, 2);
  Write(otb::HUDAbundanceMetadata({}, 2));
  EXPECT_EQ(Renderer("type"), "singlebandgray");
  EXPECT_EQ(Renderer("grayBand"), "1");
  EXPECT_EQ(Renderer("contrastEnhancement.maxValue"), "1");
}

TEST_F(HUDStyle, OfNoDataOnlyIsFromZeroToOne)
{
  GDALAllRegister();
  {
    const GDALDatasetUniquePtr dataset(
        GetGDALDriverManager()->GetDriverByName("GTiff")->Create(m_Raster.c_str(), 9, 8, 3, GDT_Float32, nullptr));
    dataset->GetRasterBand(1)->SetNoDataValue(0.);
  }
  Write({});
  EXPECT_EQ(Renderer("redContrastEnhancement.minValue"), "0");
  EXPECT_EQ(Renderer("redContrastEnhancement.maxValue"), "1");
}

TEST_F(HUDStyle, CarriesAMark)
{
  WriteScene(m_Raster, 3);
  Write({});
  EXPECT_TRUE(otb::HUDIsOwnStyle(m_Folder / "a.qml"));
  std::ofstream(m_Folder / "a.qml") << "<qgis version=\"3.22.0\"/>";
  EXPECT_FALSE(otb::HUDIsOwnStyle(m_Folder / "a.qml"));
  EXPECT_FALSE(otb::HUDIsOwnStyle(m_Folder / "none.qml"));
}

TEST_F(HUDStyle, StandsBesideTheImageWithItsName)
{
  EXPECT_EQ(otb::HUDStylePath("/x/a.b.tif"), "/x/a.b.qml");
  EXPECT_EQ(otb::HUDStylePath("/x/envi"), "/x/envi.qml");
}

TEST_F(HUDStyle, OfAFileThatCannotBeReadOrWrittenIsAnError)
{
  EXPECT_TRUE(Says(MessageOf<hud::FileError>([&] { Write({}); }), "a.tif: cannot be opened"));
  WriteScene(m_Raster, 3);
  EXPECT_TRUE(Says(MessageOf<hud::FileError>([&] { otb::HUDWriteStyle(m_Raster, {}, m_Folder / "none" / "a.qml"); }),
                   "cannot write"));
}
