// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDSceneMetadata.h"

#include "hud/core/Error.h"

#include "TemporaryFolder.h"
#include "core/ErrorMessage.h"

#include <gdal_priv.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <optional>
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
  return otb::HUDReadSceneMetadata((folder / "a.tif").string()).m_Wavelengths;
}

const std::vector<double> kWavelengths = {399.37, 550., 2499.0625};

otb::HUDSceneMetadata WithWavelengths()
{
  otb::HUDSceneMetadata metadata;
  metadata.m_Wavelengths = kWavelengths;
  return metadata;
}

} // namespace

TEST(HUDSceneMetadata, WavelengthsReturnFromATiffFile)
{
  const TemporaryFolder folder;
  const std::string path = (folder / "a.tif").string();
  WriteRaster(path, "GTiff", 3);
  EXPECT_TRUE(otb::HUDReadSceneMetadata(path).m_Wavelengths.empty());
  otb::HUDWriteSceneMetadata(path, WithWavelengths());
  EXPECT_EQ(otb::HUDReadSceneMetadata(path).m_Wavelengths, kWavelengths);
  EXPECT_EQ(folder.Names(), std::set<std::string>{"a.tif"});
}

TEST(HUDSceneMetadata, WavelengthsReturnFromAnEnviFile)
{
  const TemporaryFolder folder;
  const std::string path = (folder / "a").string();
  WriteRaster(path, "ENVI", 3);
  otb::HUDWriteSceneMetadata(path, WithWavelengths());
  EXPECT_EQ(otb::HUDReadSceneMetadata(path).m_Wavelengths, kWavelengths);
  EXPECT_TRUE(Says(hud::test::ReadText(folder / "a.hdr"), "wavelength = {399.37, 550, 2499.0625}"));
}

TEST(HUDSceneMetadata, DescribesEachBandOfATiffFile)
{
  const TemporaryFolder folder;
  const std::string path = (folder / "a.tif").string();
  WriteRaster(path, "GTiff", 3);
  otb::HUDWriteSceneMetadata(path, WithWavelengths());
  const auto dataset = GDALDataset::Open(path.c_str());
  const auto& band = *dataset->GetRasterBand(3);
  EXPECT_STREQ(band.GetDescription(), "2499.0625 nm");
  EXPECT_STREQ(dataset->GetRasterBand(3)->GetMetadataItem("wavelength"), "2499.0625");
  EXPECT_STREQ(dataset->GetRasterBand(3)->GetMetadataItem("wavelength_units"), "Nanometers");
  GDALClose(dataset);
}

TEST(HUDSceneMetadata, ReadsUnitsAndNoData)
{
  const TemporaryFolder folder;
  const std::string path = (folder / "a.tif").string();
  WriteRaster(path, "GTiff", 3);
  EXPECT_EQ(otb::HUDReadSceneMetadata(path).m_Units, "");
  EXPECT_EQ(otb::HUDReadNoDataValue(path), std::nullopt);
  WriteRaster(path, "GTiff", 3, [](GDALRasterBand& band, int) {
    band.SetUnitType("W/m2/sr/um");
    band.SetNoDataValue(-32768.);
  });
  EXPECT_EQ(otb::HUDReadSceneMetadata(path).m_Units, "W/m2/sr/um");
  EXPECT_EQ(otb::HUDReadNoDataValue(path), -32768.);
  EXPECT_EQ(otb::HUDReadSceneMetadata((folder / "nothing.tif").string()).m_Units, "");
  EXPECT_EQ(otb::HUDReadNoDataValue((folder / "nothing.tif").string()), std::nullopt);
}

TEST(HUDSceneMetadata, ReadsDescriptions)
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

TEST(HUDSceneMetadata, ReadsItemsInTheirUnit)
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

TEST(HUDSceneMetadata, KnowsNothingWhenOneBandIsUnknown)
{
  EXPECT_TRUE(
      ReadWith([](GDALRasterBand& band, int i) { band.SetDescription(i == 2 ? "water vapour" : "700 nm"); }).empty());
}

TEST(HUDSceneMetadata, FollowsTheBandsOfAnExtendedFilename)
{
  const TemporaryFolder folder;
  const std::string path = (folder / "a.tif").string();
  WriteRaster(path, "GTiff", 3);
  otb::HUDWriteSceneMetadata(path, WithWavelengths());
  EXPECT_EQ(otb::HUDReadSceneMetadata(path + "?&bands=2:3").m_Wavelengths, (std::vector<double>{550., 2499.0625}));
}

namespace
{

otb::HUDSceneMetadata Full()
{
  otb::HUDSceneMetadata metadata = WithWavelengths();
  metadata.m_Widths = {9.5, 10.25, 12.};
  metadata.m_BandNames = {"blue", "", "water, deep"};
  metadata.m_Units = "W/m2/sr/um";
  metadata.m_Scales = {0.0001, 0.0002, 1.};
  metadata.m_Offsets = {0., -0.1, 3.};
  metadata.m_Items = {{"acquisition_time", "2021-06-01T10:11:12"}, {"synthetic", "yes"}};
  return metadata;
}

void ExpectSame(const otb::HUDSceneMetadata& found, const otb::HUDSceneMetadata& expected)
{
  EXPECT_EQ(found.m_Wavelengths, expected.m_Wavelengths);
  EXPECT_EQ(found.m_Widths, expected.m_Widths);
  EXPECT_EQ(found.m_BandNames, expected.m_BandNames);
  EXPECT_EQ(found.m_Units, expected.m_Units);
  EXPECT_EQ(found.m_Scales, expected.m_Scales);
  EXPECT_EQ(found.m_Offsets, expected.m_Offsets);
  EXPECT_EQ(found.m_Items, expected.m_Items);
}

} // namespace

TEST(HUDSceneMetadata, AllOfItReturnsFromATiffFileAlone)
{
  const TemporaryFolder folder;
  const std::string path = (folder / "a.tif").string();
  WriteRaster(path, "GTiff", 3);
  otb::HUDWriteSceneMetadata(path, Full());
  ExpectSame(otb::HUDReadSceneMetadata(path), Full());
  // What was read is written as it was.
  otb::HUDWriteSceneMetadata(path, otb::HUDReadSceneMetadata(path));
  ExpectSame(otb::HUDReadSceneMetadata(path), Full());
  EXPECT_EQ(folder.Names(), std::set<std::string>{"a.tif"});
  const GDALDatasetUniquePtr dataset(GDALDataset::Open(path.c_str()));
  EXPECT_STREQ(dataset->GetRasterBand(2)->GetMetadataItem("fwhm"), "10.25");
  EXPECT_STREQ(dataset->GetRasterBand(2)->GetDescription(), "550 nm");
  EXPECT_STREQ(dataset->GetRasterBand(3)->GetDescription(), "water, deep (2499.0625 nm)");
  EXPECT_STREQ(dataset->GetRasterBand(2)->GetUnitType(), "W/m2/sr/um");
  EXPECT_EQ(dataset->GetRasterBand(2)->GetScale(), 0.0002);
  EXPECT_EQ(dataset->GetRasterBand(2)->GetOffset(), -0.1);
}

TEST(HUDSceneMetadata, AllOfItReturnsFromAnEnviFile)
{
  const TemporaryFolder folder;
  const std::string path = (folder / "a.dat").string();
  WriteRaster(path, "ENVI", 3);
  otb::HUDSceneMetadata metadata = Full();
  metadata.m_BandNames[2] = "deep water";
  otb::HUDWriteSceneMetadata(path, metadata);
  ExpectSame(otb::HUDReadSceneMetadata(path), metadata);
  otb::HUDWriteSceneMetadata(path, otb::HUDReadSceneMetadata(path));
  ExpectSame(otb::HUDReadSceneMetadata(path), metadata);
  const std::string header = hud::test::ReadText(folder / "a.hdr");
  for (const char* line :
       {"fwhm = {9.5, 10.25, 12}", "wavelength units = Nanometers", "data units = W/m2/sr/um", "synthetic = yes"})
  {
    EXPECT_TRUE(Says(header, line)) << line << " is not in " << header;
  }
}

TEST(HUDSceneMetadata, NamesAreWhatADescriptionSaysBeforeTheWavelength)
{
  const TemporaryFolder folder;
  const std::vector<std::string> descriptions = {"soil (0.5 Micrometers)", "500 nm (500 Nanometers)", "Band 3",
                                                 "nir 2 (850 nm) (850 Nanometers)", "2 m above ground"};
  WriteRaster(folder / "a.tif", "GTiff", 5, [&](GDALRasterBand& band, int i) {
    band.SetDescription(descriptions[static_cast<std::size_t>(i - 1)].c_str());
  });
  EXPECT_EQ(otb::HUDReadSceneMetadata((folder / "a.tif").string()).m_BandNames,
            (std::vector<std::string>{"soil", "", "", "nir 2", "2 m above ground"}));
}

TEST(HUDSceneMetadata, AnEnviFileWithoutItsSidecarStillHasThem)
{
  const TemporaryFolder folder;
  const std::string path = (folder / "a.dat").string();
  WriteRaster(path, "ENVI", 3);
  otb::HUDSceneMetadata metadata = Full();
  metadata.m_BandNames[2] = "deep water";
  metadata.m_Items.clear();
  otb::HUDWriteSceneMetadata(path, metadata);
  std::filesystem::remove(folder / "a.dat.aux.xml");
  std::filesystem::remove(folder / "a.aux.xml");
  ASSERT_EQ(folder.Names(), (std::set<std::string>{"a.dat", "a.hdr"}));
  ExpectSame(otb::HUDReadSceneMetadata(path), metadata);
}

TEST(HUDSceneMetadata, WidthsHaveTheUnitOfTheWavelengths)
{
  const TemporaryFolder folder;
  const auto read = [&](const std::function<void(GDALRasterBand&, int)>& describe) {
    WriteRaster(folder / "a.tif", "GTiff", 2, describe);
    return otb::HUDReadSceneMetadata((folder / "a.tif").string());
  };
  const auto inItems = read([](GDALRasterBand& band, int) {
    band.SetMetadataItem("wavelength", "0.5");
    band.SetMetadataItem("fwhm", "0.0625");
  });
  EXPECT_EQ(inItems.m_Widths, (std::vector<double>{62.5, 62.5}));
  const auto inImagery = read([](GDALRasterBand& band, int i) {
    band.SetMetadataItem("CENTRAL_WAVELENGTH_UM", std::to_string(0.5 * i).c_str(), "IMAGERY");
    band.SetMetadataItem("FWHM_UM", "0.0625", "IMAGERY");
  });
  EXPECT_EQ(inImagery.m_Wavelengths, (std::vector<double>{500., 1000.}));
  EXPECT_EQ(inImagery.m_Widths, (std::vector<double>{62.5, 62.5}));
  const auto ofOneBand = read([](GDALRasterBand& band, int i) {
    band.SetMetadataItem("wavelength", "500");
    band.SetMetadataItem("fwhm", i == 1 ? "10" : nullptr);
  });
  EXPECT_EQ(ofOneBand.m_Wavelengths, (std::vector<double>{500., 500.}));
  EXPECT_TRUE(ofOneBand.m_Widths.empty());
}

TEST(HUDSceneMetadata, OfAbundancesNamesTheEndmembers)
{
  const otb::HUDSceneMetadata metadata = otb::HUDAbundanceMetadata(Full(), 3, {"tree"});
  EXPECT_EQ(metadata.m_BandNames, (std::vector<std::string>{"tree", "endmember 2", "endmember 3"}));
  EXPECT_TRUE(metadata.m_Wavelengths.empty());
  EXPECT_EQ(metadata.m_Units, "");
  EXPECT_TRUE(metadata.m_Scales.empty());
  EXPECT_EQ(metadata.m_Items, Full().m_Items);
}

TEST(HUDSceneMetadata, OfEndmembersHasTheirOwnNumbers)
{
  otb::HUDSceneMetadata own;
  own.m_Scales = {0.5, 0.5, 0.5};
  const otb::HUDSceneMetadata given = otb::HUDEndmemberMetadata(own, Full());
  EXPECT_EQ(given.m_Scales, own.m_Scales);
  EXPECT_EQ(given.m_Units, "");
  EXPECT_TRUE(given.m_Offsets.empty());
  EXPECT_EQ(given.m_Wavelengths, kWavelengths);
  EXPECT_EQ(otb::HUDEndmemberMetadata({}, Full()).m_Scales, Full().m_Scales);
  // A file without a scale has scale 1.
  otb::HUDSceneMetadata plain;
  plain.m_IsKnown = true;
  EXPECT_TRUE(otb::HUDEndmemberMetadata(plain, Full()).m_Scales.empty());
}

TEST(HUDSceneMetadata, TextOfAnotherEncodingIsRecoded)
{
  EXPECT_EQ(otb::HUDToUtf8("\xb5W cm-\xb2"), "\xc2\xb5W cm-\xc2\xb2");
  EXPECT_EQ(otb::HUDToUtf8("\xc2\xb5W"), "\xc2\xb5W");
  const TemporaryFolder folder;
  WriteRaster(folder / "a", "ENVI", 3);
  std::ofstream(folder / "a.hdr", std::ios::app) << "data units = \xb5W\nband names = {for\xeat, b, c}\n"
                                                 << "place = M\xfcnster\n";
  const otb::HUDSceneMetadata metadata = otb::HUDReadSceneMetadata((folder / "a").string());
  EXPECT_EQ(metadata.m_Units, "\xc2\xb5W");
  EXPECT_EQ(metadata.m_BandNames, (std::vector<std::string>{"for\xc3\xaat", "b", "c"}));
}

TEST(HUDSceneMetadata, AScaleThatCannotBeAppliedIsUnknown)
{
  const TemporaryFolder folder;
  const std::string path = (folder / "a.tif").string();
  const double kNone = std::numeric_limits<double>::quiet_NaN();
  WriteRaster(path, "GTiff", 3, [&](GDALRasterBand& band, int i) {
    band.SetScale(i == 1 ? 0. : i == 2 ? kNone : 0.5);
    band.SetOffset(7.);
  });
  EXPECT_EQ(otb::HUDReadSceneMetadata(path).m_Scales, (std::vector<double>{1., 1., 0.5}));
  EXPECT_EQ(otb::HUDReadSceneMetadata(path).m_Offsets, (std::vector<double>{0., 0., 7.}));
  WriteRaster(path, "GTiff", 2, [&](GDALRasterBand& band, int) { band.SetOffset(kNone); });
  EXPECT_TRUE(otb::HUDReadSceneMetadata(path).m_Offsets.empty());
}

TEST(HUDSceneMetadata, ItemsDoNotReplaceFieldsOfAnEnviHeader)
{
  const TemporaryFolder folder;
  WriteRaster(folder / "a.tif", "GTiff", 3);
  {
    const GDALDatasetUniquePtr dataset(GDALDataset::Open((folder / "a.tif").c_str(), GDAL_OF_UPDATE));
    for (const char* name : {"wavelength", "Wavelength Units", "BAND_NAMES", "samples", "sensor_type"})
    {
      dataset->SetMetadataItem(name, "7");
    }
  }
  EXPECT_EQ(otb::HUDReadSceneMetadata((folder / "a.tif").string()).m_Items,
            (std::map<std::string, std::string>{{"sensor_type", "7"}}));
  WriteRaster(folder / "b", "ENVI", 3);
  otb::HUDSceneMetadata metadata = WithWavelengths();
  metadata.m_Items = {{"wavelength", "7"}, {"Data_Ignore_Value", "7"}};
  otb::HUDWriteSceneMetadata((folder / "b").string(), metadata);
  EXPECT_EQ(otb::HUDReadSceneMetadata((folder / "b").string()).m_Wavelengths, kWavelengths);
  EXPECT_EQ(otb::HUDReadNoDataValue((folder / "b").string()), std::nullopt);
}

TEST(HUDSceneMetadata, MicrometresAreNanometresWithoutRoundingErrors)
{
  EXPECT_EQ(otb::HUDToNanometres(0.57681, "um"), 576.81);
  EXPECT_EQ(otb::HUDToNanometres(1e308, "um"), std::nullopt);
  EXPECT_EQ(ReadWith([](GDALRasterBand& band, int) { band.SetMetadataItem("wavelength", "0.57681"); }),
            std::vector<double>(3, 576.81));
}

TEST(HUDSceneMetadata, NamesOfAnEnviFileDoNotGrow)
{
  const TemporaryFolder folder;
  const std::string path = (folder / "a").string();
  WriteRaster(path, "ENVI", 3);
  std::ofstream(folder / "a.hdr", std::ios::app) << "band names = {blue, 520, sand (wet)}\n"
                                                 << "wavelength = {419, 520, 660}\n";
  const std::vector<std::string> names = {"blue", "", "sand (wet)"};
  EXPECT_EQ(otb::HUDReadSceneMetadata(path).m_BandNames, names);
  EXPECT_EQ(otb::HUDReadSceneMetadata(path).m_Wavelengths, (std::vector<double>{419., 520., 660.}));
  otb::HUDSceneMetadata metadata = otb::HUDReadSceneMetadata(path);
  metadata.m_BandNames[0] = "blue, {dark}";
  otb::HUDWriteSceneMetadata(path, metadata);
  EXPECT_EQ(otb::HUDReadSceneMetadata(path).m_BandNames, (std::vector<std::string>{"blue_ _dark_", "", "sand (wet)"}));
}

TEST(HUDSceneMetadata, IsCompletedByOthers)
{
  otb::HUDSceneMetadata metadata;
  metadata.m_Widths = {1., 2., 3.};
  metadata.m_Items = {{"synthetic", "no"}};
  const otb::HUDSceneMetadata complete = otb::HUDCompleteSceneMetadata(metadata, Full());
  EXPECT_EQ(complete.m_Widths, metadata.m_Widths);
  EXPECT_EQ(complete.m_Wavelengths, kWavelengths);
  EXPECT_EQ(complete.m_Units, Full().m_Units);
  EXPECT_EQ(complete.m_Items.at("synthetic"), "no");
  EXPECT_EQ(complete.m_Items.count("acquisition_time"), 1u);
}

TEST(HUDSceneMetadata, SelectsBands)
{
  const otb::HUDSceneMetadata selected = Full().Select({2, 0}, 3);
  EXPECT_EQ(selected.m_Wavelengths, (std::vector<double>{2499.0625, 399.37}));
  EXPECT_EQ(selected.m_BandNames, (std::vector<std::string>{"water, deep", "blue"}));
  EXPECT_EQ(selected.m_Offsets, (std::vector<double>{3., 0.}));
  EXPECT_EQ(selected.m_Items, Full().m_Items);
  EXPECT_EQ(MessageOf<hud::InvalidOption>([] { Full().Select({0}, 5); }), "there are 3 wavelengths for 5 bands");
}

TEST(HUDSceneMetadata, AFormatWithoutMetadataKeepsItBeside)
{
  const TemporaryFolder folder;
  const std::string path = (folder / "a.png").string();
  GDALAllRegister();
  GDALDriverManager& drivers = *GetGDALDriverManager();
  const GDALDatasetUniquePtr source(drivers.GetDriverByName("MEM")->Create("", 5, 4, 3, GDT_Byte, nullptr));
  GDALClose(drivers.GetDriverByName("PNG")->CreateCopy(path.c_str(), source.get(), FALSE, nullptr, nullptr, nullptr));
  otb::HUDWriteSceneMetadata(path, Full());
  ExpectSame(otb::HUDReadSceneMetadata(path), Full());
  EXPECT_EQ(folder.Names(), (std::set<std::string>{"a.png", "a.png.aux.xml"}));
}

TEST(HUDSceneMetadata, KnowsNothingOfAFileThatCannotBeOpened)
{
  EXPECT_TRUE(otb::HUDReadSceneMetadata("/no/such/file.tif").m_Wavelengths.empty());
}

TEST(HUDSceneMetadata, RefusesAnotherNumberOfBands)
{
  const TemporaryFolder folder;
  const std::string path = (folder / "a.tif").string();
  WriteRaster(path, "GTiff", 4);
  const std::string message =
      MessageOf<hud::InvalidOption>([&] { otb::HUDWriteSceneMetadata(path, WithWavelengths()); });
  EXPECT_TRUE(Says(message, "4 bands")) << message;
  EXPECT_TRUE(Says(message, "3 wavelengths")) << message;
  EXPECT_THROW(otb::HUDWriteSceneMetadata("/no/such/file.tif", WithWavelengths()), hud::FileError);
}

TEST(HUDSceneMetadata, ReadsTheWavelengthsOfARealScene)
{
  const std::vector<double> wavelengths =
      otb::HUDReadSceneMetadata(HUD_TEST_DATA_DIR "/jasper_ridge.tif").m_Wavelengths;
  ASSERT_EQ(wavelengths.size(), 198u);
  EXPECT_DOUBLE_EQ(wavelengths[0], 399.37);
}
