// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDSensor.h"

#include "TemporaryFolder.h"

#include "hud/core/Error.h"

#include "core/ErrorMessage.h"

#include <gtest/gtest.h>

#include <fstream>

namespace
{

using hud::test::MessageOf;
using hud::test::Says;
using List = std::vector<double>;

void ExpectSays(const std::string& message, const std::vector<std::string>& texts)
{
  for (const std::string& text : texts)
  {
    EXPECT_TRUE(Says(message, text)) << text << " is not in: " << message;
  }
}

class HUDSensorFile : public testing::Test
{
protected:
  std::string Write(const std::string& text) const
  {
    const std::string path = (m_Folder / "bands.csv").string();
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  std::string Refusal(const std::string& text) const
  {
    const std::string path = Write(text);
    const std::string message = MessageOf<hud::InvalidData>([&] { otb::HUDReadSensorFile(path); });
    EXPECT_TRUE(Says(message, path)) << message;
    return message;
  }

  hud::test::TemporaryFolder m_Folder;
};

TEST_F(HUDSensorFile, IsReadByTheNamesOfItsColumns)
{
  const otb::HUDSensor sensor =
      otb::HUDReadSensorFile(Write("\xef\xbb\xbf# comment\r\n\r\nquality;snr;fwhm_um;Name;Wavelength (um)\r\n"
                                   "1;80;0.02;\"blue; wide\";0.49\r\n0;1e2;0.0305;;0.665\r\n"));
  EXPECT_EQ(sensor.m_Name, "bands.csv");
  EXPECT_EQ(sensor.m_Wavelengths, (List{490., 665.}));
  EXPECT_EQ(sensor.m_Widths, (List{20., 30.5}));
  EXPECT_EQ(sensor.m_BandNames, (std::vector<std::string>{"blue; wide", ""}));
  EXPECT_EQ(sensor.m_Ratios, (List{80., 100.}));
}

TEST_F(HUDSensorFile, NeedsNoNamesOfTwoColumnsNorAUnit)
{
  for (const char* text : {"490,20\n665,30\n", "wavelength fwhm\n490 20\n665   30",
                           "wavelength,fwhm_nm\n0.49,20\n0.665,30\n", "wavelength,fwhm\n0.49,0.02\n0.665,0.03\n"})
  {
    const otb::HUDSensor sensor = otb::HUDReadSensorFile(Write(text));
    EXPECT_EQ(sensor.m_Wavelengths, (List{490., 665.})) << text;
    EXPECT_EQ(sensor.m_Widths, (List{20., 30.})) << text;
    EXPECT_TRUE(sensor.m_BandNames.empty());
    EXPECT_TRUE(sensor.m_Ratios.empty());
  }
}

TEST_F(HUDSensorFile, SaysWhatIsWrong)
{
  ExpectSays(Refusal(""), {"no band"});
  ExpectSays(Refusal("wavelength,fwhm\n"), {"no band"});
  ExpectSays(Refusal("wavelength,width\n490,20\n"), {"columns \"wavelength, width\"", "wavelength and fwhm"});
  ExpectSays(Refusal("490,20,100\n"), {"columns \"490, 20, 100\""});
  ExpectSays(Refusal("wavelength,fwhm\n490,20\n665\n"), {"1 columns in row 3", "expected 2"});
  ExpectSays(Refusal("# x\nwavelength,fwhm\n490,-3\n"), {"\"-3\" as fwhm in row 3, column 2", "above 0"});
  ExpectSays(Refusal("wavelength,fwhm\nnan,3\n"), {"\"nan\" as wavelength in row 2, column 1"});
  ExpectSays(Refusal("wavelength,fwhm,snr\n490,20,0\n"), {"\"0\" as snr in row 2, column 3"});
  ExpectSays(Refusal("wavelength_THz,fwhm\n490,20\n"), {"\"wavelength_THz, fwhm\"", "nm or um"});
  EXPECT_TRUE(Says(MessageOf<hud::FileError>([] { otb::HUDReadSensorFile("/nothing.csv"); }), "/nothing.csv"));
}

TEST(HUDKnownSensor, HasTheBandsOfItsTable)
{
  const otb::HUDSensor sentinel = otb::HUDKnownSensor("sentinel2");
  ASSERT_EQ(sentinel.m_Wavelengths.size(), 13u);
  EXPECT_EQ(sentinel.m_BandNames[8], "B8A");
  EXPECT_EQ(sentinel.m_Wavelengths[8], 864.7);
  EXPECT_EQ(sentinel.m_Widths[7], 106.);
  const otb::HUDSensor prisma = otb::HUDKnownSensor("prisma");
  ASSERT_EQ(prisma.m_Wavelengths.size(), 231u);
  EXPECT_TRUE(std::is_sorted(prisma.m_Wavelengths.begin(), prisma.m_Wavelengths.end()));
  EXPECT_EQ(prisma.m_Wavelengths.front(), 403.62);
  EXPECT_EQ(prisma.m_Wavelengths.back(), 2497.12);
  const otb::HUDSensor enmap = otb::HUDKnownSensor("enmap");
  ASSERT_EQ(enmap.m_Wavelengths.size(), 224u);
  EXPECT_EQ(enmap.m_Widths.back(), 7.16);
  for (const otb::HUDSensor& sensor : {sentinel, prisma, enmap})
  {
    EXPECT_EQ(sensor.m_Widths.size(), sensor.m_Wavelengths.size());
    EXPECT_GT(*std::min_element(sensor.m_Widths.begin(), sensor.m_Widths.end()), 5.);
  }
  ExpectSays(MessageOf<hud::InvalidOption>([] { otb::HUDKnownSensor("hyperion"); }),
             {"'hyperion'", "prisma, enmap, sentinel2"});
}

TEST(HUDParseRatios, ReadsOneOrSeveral)
{
  EXPECT_EQ(otb::HUDParseRatios("100"), (List{100.}));
  EXPECT_EQ(otb::HUDParseRatios(" 100 80.5,1e3 "), (List{100., 80.5, 1000.}));
  EXPECT_TRUE(otb::HUDParseRatios("").empty());
  for (const char* text : {"0", "-4", "nan", "inf", "x", "3x"})
  {
    ExpectSays(MessageOf<hud::InvalidOption>([&] { otb::HUDParseRatios(std::string("7 ") + text); }),
               {"\"" + std::string(text) + "\"", "above 0"});
  }
}

/// Two endmembers in bands from 500 to 620 nm.
otb::HUDEndmemberTable MakeTable()
{
  otb::HUDEndmemberTable table;
  table.m_Endmembers.resize(13, 2);
  for (int band = 0; band < 13; ++band)
  {
    table.m_Endmembers.row(band) << 10. + band, 40. - 2. * band;
    table.m_Metadata.m_Wavelengths.push_back(500. + 10. * band);
    table.m_Metadata.m_Widths.push_back(12.);
  }
  table.m_Metadata.m_BandNames.assign(13, "x");
  table.m_Metadata.m_Units = "1";
  table.m_Names = {"soil", "tree"};
  return table;
}

TEST(HUDResampleEndmembers, GivesTheSensorsBandsInTheirValues)
{
  otb::HUDEndmemberTable table = MakeTable();
  table.m_Metadata.m_Scales.assign(13, 0.5);
  table.m_Metadata.m_Offsets.assign(13, 3.);
  const auto result = otb::HUDResampleEndmembers(
      table, {"s", {545., 560., 575.}, {20., 13., 11.}, {"a", "b", "c"}, {7., 8., 9.}}, otb::HUDUncoveredBands::Refuse);
  Eigen::MatrixXd expected(3, 2);
  expected << 14.5, 31., 16., 28., 17.5, 25.;
  ASSERT_EQ(result.m_Table.m_Endmembers.rows(), 3);
  EXPECT_LT((result.m_Table.m_Endmembers - expected).cwiseAbs().maxCoeff(), 1e-6);
  const otb::HUDSceneMetadata& metadata = result.m_Table.m_Metadata;
  EXPECT_EQ(metadata.m_Wavelengths, (List{545., 560., 575.}));
  EXPECT_EQ(metadata.m_Widths, (List{20., 13., 11.}));
  EXPECT_EQ(metadata.m_BandNames, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(metadata.m_Scales, List(3, 0.5));
  EXPECT_EQ(metadata.m_Offsets, List(3, 3.));
  EXPECT_EQ(metadata.m_Units, "1");
  EXPECT_EQ(result.m_Ratios, (List{7., 8., 9.}));
  EXPECT_EQ(result.m_Table.m_Names, table.m_Names);
  ASSERT_EQ(result.m_Messages.size(), 1u);
  ExpectSays(result.m_Messages[0], {"1 of 3 bands of s are narrower"});
}

TEST(HUDResampleEndmembers, MixesBandsOfOtherScalesInTheirUnit)
{
  otb::HUDEndmemberTable table = MakeTable();
  for (int band = 0; band < 13; ++band)
  {
    // The signal is 100 in all bands.
    table.m_Metadata.m_Scales.push_back(1. + band);
    table.m_Metadata.m_Offsets.push_back(100. - (1. + band) * table.m_Endmembers(band, 0));
  }
  const auto result = otb::HUDResampleEndmembers(table, {"s", {553.}, {20.}, {}, {}}, otb::HUDUncoveredBands::Refuse);
  EXPECT_NEAR(result.m_Table.m_Endmembers(0, 0), 100., 1e-9);
  EXPECT_TRUE(result.m_Table.m_Metadata.m_Scales.empty());
  EXPECT_TRUE(result.m_Table.m_Metadata.m_Offsets.empty());
  ExpectSays(result.m_Messages.at(0), {"differ in scale"});
}

TEST(HUDResampleEndmembers, RefusesOrDropsWhatIsNotCovered)
{
  otb::HUDEndmemberTable table = MakeTable();
  const otb::HUDSensor sensor = {"s", {450., 550., 600.}, {20., 20., 20.}, {"B1", "", "B3"}, {7., 8., 9.}};
  ExpectSays(
      MessageOf<hud::InvalidData>([&] { otb::HUDResampleEndmembers(table, sensor, otb::HUDUncoveredBands::Refuse); }),
      {"B1 at 450 nm (440 to 460 nm) of s", "100 %", "range of 494 to 626 nm", "at most 12.5 %", "outside drop"});
  const auto result = otb::HUDResampleEndmembers(table, sensor, otb::HUDUncoveredBands::Drop);
  EXPECT_EQ(result.m_Table.m_Metadata.m_Wavelengths, (List{550., 600.}));
  EXPECT_EQ(result.m_Table.m_Metadata.m_BandNames, (std::vector<std::string>{"", "B3"}));
  EXPECT_EQ(result.m_Ratios, (List{8., 9.}));
  ExpectSays(result.m_Messages.at(0),
             {"left out 1 of 3 bands of s, outside the endmembers' range (494 to 626 nm): B1 (450 nm)"});
  ExpectSays(MessageOf<hud::InvalidData>([&] {
               otb::HUDResampleEndmembers(table, {"s", {450., 900.}, {20., 20.}, {}, {}}, otb::HUDUncoveredBands::Drop);
             }),
             {"none of the 2 bands of s", "494 to 626 nm"});
  for (int band = 8; band < 13; ++band)
  {
    table.m_Metadata.m_Wavelengths[static_cast<std::size_t>(band)] += 50.;
  }
  ExpectSays(MessageOf<hud::InvalidData>([&] {
               otb::HUDResampleEndmembers(table, {"s", {600.}, {20.}, {}, {}}, otb::HUDUncoveredBands::Refuse);
             }),
             {"band 1 at 600 nm", "% of its response is in a gap"});
  table.m_Metadata.m_Wavelengths.clear();
  ExpectSays(
      MessageOf<hud::InvalidData>([&] { otb::HUDResampleEndmembers(table, sensor, otb::HUDUncoveredBands::Drop); }),
      {"wavelengths of the endmembers are not known", "sensor s"});
}

TEST(HUDScaleSignal, ScalesWhatTheValuesMean)
{
  otb::HUDEndmemberTable table = MakeTable();
  otb::HUDScaleSignal(table, 0.5);
  EXPECT_EQ(table.m_Endmembers, 0.5 * MakeTable().m_Endmembers);
  table = MakeTable();
  table.m_Metadata.m_Scales.assign(13, 2.);
  table.m_Metadata.m_Offsets.assign(13, 6.);
  otb::HUDScaleSignal(table, 3.);
  // 2 * 10 + 6 is 26, thrice that 78, stored as 36.
  EXPECT_NEAR(table.m_Endmembers(0, 0), 36., 1e-12);
  ExpectSays(MessageOf<hud::InvalidOption>([&] { otb::HUDScaleSignal(table, 0.); }), {"found 0", "above 0"});
}

TEST(HUDNoiseDeviations, AreOfTheMeanOfTheScene)
{
  otb::HUDEndmemberTable table = MakeTable();
  const Eigen::Vector2d mean(0.25, 0.75);
  EXPECT_NEAR(otb::HUDNoiseDeviations(table, mean, {50.})[2], (0.25 * 12. + 0.75 * 36.) / 50., 1e-12);
  table.m_Metadata.m_Offsets.assign(13, 20.);
  EXPECT_NEAR(otb::HUDNoiseDeviations(table, mean, {50.})[2], (0.25 * 12. + 0.75 * 36. + 20.) / 50., 1e-12);
  ExpectSays(MessageOf<hud::InvalidOption>([&] {
               otb::HUDNoiseDeviations(table, mean, {1., 2.});
             }),
             {"2 ratios", "13 bands"});
}

TEST(HUDCompareEndmemberNames, RefusesAnotherOrderAndReportsOtherNames)
{
  using otb::HUDCompareEndmemberNames;
  EXPECT_EQ(HUDCompareEndmemberNames({"Tree", "soil "}, {"tree", "soil"}), "");
  EXPECT_EQ(HUDCompareEndmemberNames({}, {"tree", "soil"}), "");
  EXPECT_EQ(HUDCompareEndmemberNames({"endmember_2", "endmember_1"}, {"endmember 1", "endmember 2"}), "");
  EXPECT_EQ(HUDCompareEndmemberNames({"tree", "soil"}, {"endmember 1", "endmember 2"}), "");
  EXPECT_EQ(HUDCompareEndmemberNames({"tree", "soil"}, {"tree", "sand"}),
            "band 2 of the abundances is 'sand', endmember 2 is 'soil'");
  ExpectSays(MessageOf<hud::InvalidData>([] {
               HUDCompareEndmemberNames({"water", "tree", "Soil"}, {"soil", "tree", "road"});
             }),
             {"band 1 of the abundances is 'soil'", "endmember 3", "in the order"});
}

} // namespace
