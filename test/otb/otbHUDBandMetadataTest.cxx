// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDBandMetadata.h"

#include "hud/core/Error.h"

#include "TemporaryFolder.h"
#include "core/ErrorMessage.h"

#include <gdal_priv.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace
{

using hud::test::MessageOf;
using hud::test::Says;
using hud::test::TemporaryFolder;

// Writes a raster of 5 x 4 pixels, whose bands `describe` may describe.
void WriteRaster(const std::filesystem::path& path, const std::string& driver, int bands,
                 const std::function<void(GDALRasterBand&, int)>& describe = {})
{
  GDALAllRegister();
  GDALDataset* const dataset = GetGDALDriverManager()
                                   ->GetDriverByName(driver.c_str())
                                   ->Create(path.string().c_str(), 5, 4, bands, GDT_Float32, nullptr);
  ASSERT_NE(dataset, nullptr);
  for (int band = 1; band <= bands && describe; ++band)
  {
    describe(*dataset->GetRasterBand(band), band);
  }
  GDALClose(dataset);
}

std::vector<double> ReadWith(const std::function<void(GDALRasterBand&, int)>& describe)
{
  const TemporaryFolder folder;
  WriteRaster(folder / "a.tif", "GTiff", 3, describe);
  return otb::HUDReadWavelengths((folder / "a.tif").string());
}

const std::vector<double> kWavelengths = {399.37, 550., 2499.0625};

} // namespace

TEST(HUDBandMetadata, WavelengthsReturnFromATiffFile)
{
  const TemporaryFolder folder;
  const std::string path = (folder / "a.tif").string();
  WriteRaster(path, "GTiff", 3);
  EXPECT_TRUE(otb::HUDReadWavelengths(path).empty());
  otb::HUDWriteWavelengths(path, kWavelengths);
  EXPECT_EQ(otb::HUDReadWavelengths(path), kWavelengths);
  EXPECT_EQ(folder.Names(), std::set<std::string>{"a.tif"});
}

TEST(HUDBandMetadata, WavelengthsReturnFromAnEnviFile)
{
  const TemporaryFolder folder;
  const std::string path = (folder / "a").string();
  WriteRaster(path, "ENVI", 3);
  otb::HUDWriteWavelengths(path, kWavelengths);
  EXPECT_EQ(otb::HUDReadWavelengths(path), kWavelengths);
  EXPECT_TRUE(Says(hud::test::ReadText(folder / "a.hdr"), "wavelength = {399.37, 550, 2499.0625}"));
}

TEST(HUDBandMetadata, DescribesEachBandOfATiffFile)
{
  const TemporaryFolder folder;
  const std::string path = (folder / "a.tif").string();
  WriteRaster(path, "GTiff", 3);
  otb::HUDWriteWavelengths(path, kWavelengths);
  const auto dataset = GDALDataset::Open(path.c_str());
  const auto& band = *dataset->GetRasterBand(3);
  EXPECT_STREQ(band.GetDescription(), "2499.0625 nm");
  EXPECT_STREQ(dataset->GetRasterBand(3)->GetMetadataItem("wavelength"), "2499.0625");
  EXPECT_STREQ(dataset->GetRasterBand(3)->GetMetadataItem("wavelength_units"), "Nanometers");
  GDALClose(dataset);
}

TEST(HUDBandMetadata, ReadsUnitsAndNoData)
{
  const TemporaryFolder folder;
  const std::string path = (folder / "a.tif").string();
  WriteRaster(path, "GTiff", 3);
  EXPECT_EQ(otb::HUDReadUnits(path), "");
  EXPECT_EQ(otb::HUDReadNoDataValue(path), std::nullopt);
  WriteRaster(path, "GTiff", 3, [](GDALRasterBand& band, int) {
    band.SetUnitType("W/m2/sr/um");
    band.SetNoDataValue(-32768.);
  });
  EXPECT_EQ(otb::HUDReadUnits(path), "W/m2/sr/um");
  EXPECT_EQ(otb::HUDReadNoDataValue(path), -32768.);
  EXPECT_EQ(otb::HUDReadUnits((folder / "nothing.tif").string()), "");
  EXPECT_EQ(otb::HUDReadNoDataValue((folder / "nothing.tif").string()), std::nullopt);
}

TEST(HUDBandMetadata, ReadsDescriptions)
{
  EXPECT_EQ(ReadWith([](GDALRasterBand& band, int i) {
              band.SetDescription(
                  ("band " + std::to_string(i) + " (" + std::to_string(400 + i) + ".5 Nanometers)").c_str());
            }),
            (std::vector<double>{401.5, 402.5, 403.5}));
  EXPECT_EQ(
      ReadWith([](GDALRasterBand& band, int i) { band.SetDescription((std::to_string(i) + ".25 \xc2\xb5m").c_str()); }),
      (std::vector<double>{1250., 2250., 3250.}));
}

TEST(HUDBandMetadata, ReadsItemsInTheirUnit)
{
  const auto withUnit = [](const char* value, const char* unit) {
    return ReadWith([=](GDALRasterBand& band, int) {
      band.SetMetadataItem("wavelength", value);
      band.SetMetadataItem("wavelength_units", unit);
    });
  };
  EXPECT_EQ(withUnit("0.5", "Micrometers"), std::vector<double>(3, 500.));
  EXPECT_EQ(withUnit("0.5", nullptr), std::vector<double>(3, 500.));
  EXPECT_EQ(withUnit("600", nullptr), std::vector<double>(3, 600.));
  EXPECT_EQ(withUnit("600", "nm"), std::vector<double>(3, 600.));
  EXPECT_TRUE(withUnit("600", "Wavenumber").empty());
  EXPECT_TRUE(withUnit("none", "nm").empty());
}

TEST(HUDBandMetadata, KnowsNothingWhenOneBandIsUnknown)
{
  EXPECT_TRUE(
      ReadWith([](GDALRasterBand& band, int i) { band.SetDescription(i == 2 ? "water vapour" : "700 nm"); }).empty());
}

TEST(HUDBandMetadata, FollowsTheBandsOfAnExtendedFilename)
{
  const TemporaryFolder folder;
  const std::string path = (folder / "a.tif").string();
  WriteRaster(path, "GTiff", 3);
  otb::HUDWriteWavelengths(path, kWavelengths);
  EXPECT_EQ(otb::HUDReadWavelengths(path + "?&bands=2:3"), (std::vector<double>{550., 2499.0625}));
}

TEST(HUDBandMetadata, KnowsNothingOfAFileThatCannotBeOpened)
{
  EXPECT_TRUE(otb::HUDReadWavelengths("/no/such/file.tif").empty());
}

TEST(HUDBandMetadata, RefusesAnotherNumberOfBands)
{
  const TemporaryFolder folder;
  const std::string path = (folder / "a.tif").string();
  WriteRaster(path, "GTiff", 4);
  const std::string message = MessageOf<hud::InvalidOption>([&] { otb::HUDWriteWavelengths(path, kWavelengths); });
  EXPECT_TRUE(Says(message, "4 bands")) << message;
  EXPECT_TRUE(Says(message, "3 wavelengths")) << message;
  EXPECT_THROW(otb::HUDWriteWavelengths("/no/such/file.tif", kWavelengths), hud::FileError);
}

TEST(HUDBandMetadata, ReadsTheWavelengthsOfARealScene)
{
  const std::vector<double> wavelengths = otb::HUDReadWavelengths(HUD_TEST_DATA_DIR "/jasper_ridge.tif");
  ASSERT_EQ(wavelengths.size(), 198u);
  EXPECT_DOUBLE_EQ(wavelengths[0], 399.37);
}
