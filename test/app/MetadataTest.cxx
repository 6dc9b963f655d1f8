// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "ApplicationTest.h"

#include "otbHUDSceneMetadata.h"

#include "hud/core/Version.h"

#include <gdal_priv.h>
#include <ogr_spatialref.h>

#include <array>

namespace
{

using hud::test::ExpectSays;
using hud::test::OpenImage;
using hud::test::ReadText;
using Transform = std::array<double, 6>;

// No number of these is the sum of another and half a pixel.
constexpr Transform kTransform = {500000.123456789, 29.7, 0.3, 4600000.987654321, 0.4, -30.1};

/// The whole chain on a scene that says all that a scene can.
class Metadata : public hud::test::ApplicationTest
{
protected:
  Metadata()
  {
    m_Expected.m_Wavelengths = Wavelengths();
    for (int band = 0; band < kBands; ++band)
    {
      m_Expected.m_Widths.push_back(9. + 0.25 * band);
      m_Expected.m_BandNames.push_back(band == 2 ? "blue" : "");
      m_Expected.m_Scales.push_back((1 + band) / 1e4);
      m_Expected.m_Offsets.push_back(0.5 * band);
    }
    m_Expected.m_Units = "W/m2/sr/um";
    m_Expected.m_Items = {{"acquisition_time", "2021-06-01T10:11:12"}};
    otb::HUDWriteSceneMetadata(Path("scene.tif"), m_Expected);

    const auto dataset = OpenForUpdate("scene.tif");
    Transform transform = kTransform;
    dataset->SetGeoTransform(transform.data());
    OGRSpatialReference utm;
    utm.importFromEPSG(32632);
    dataset->SetSpatialRef(&utm);
  }

  GDALDatasetUniquePtr OpenForUpdate(const std::string& name) const
  {
    return GDALDatasetUniquePtr(GDALDataset::Open(Path(name).c_str(), GDAL_OF_UPDATE));
  }

  otb::HUDSceneMetadata Read(const std::string& name) const
  {
    return otb::HUDReadSceneMetadata(Path(name));
  }

  void Unmix(const std::string& scene = "scene.tif", const Parameters& more = {})
  {
    Parameters parameters = {
        {"in", Path(scene)}, {"out", Path("a.tif")}, {"outendm", Path("e.tif")}, {"ne", "3"}, {"refine", "0"}};
    parameters.insert(parameters.end(), more.begin(), more.end());
    Run("HUDUnmix", parameters);
  }

  void Train(const Parameters& more = {})
  {
    Parameters parameters = {{"out", Path("m.safetensors")},
                             {"ne", "3"},
                             {"iterations", "2"},
                             {"patch", "8"},
                             {"batch", "2"},
                             {"device", "cpu"},
                             {"net.width", "8"},
                             {"net.mult", "1,2"},
                             {"net.blocks", "1"},
                             {"il", Path("scene.tif")}};
    parameters.insert(parameters.end(), more.begin(), more.end());
    Run("HUDTrain", parameters);
  }

  void Sample(const Parameters& more)
  {
    Parameters parameters = {{"model", Path("m.safetensors")},
                             {"out", Path("s.tif")},
                             {"outabund", Path("sa.tif")},
                             {"steps", "3"},
                             {"rand", "7"},
                             {"device", "cpu"}};
    parameters.insert(parameters.end(), more.begin(), more.end());
    Run("HUDSample", parameters);
  }

  /// Expects the bands of an image to be those of the scene.
  void ExpectBands(const std::string& name, bool hasNames = true) const
  {
    const otb::HUDSceneMetadata found = Read(name);
    EXPECT_EQ(found.m_Wavelengths, m_Expected.m_Wavelengths) << name;
    EXPECT_EQ(found.m_Widths, m_Expected.m_Widths) << name;
    EXPECT_EQ(found.m_Units, m_Expected.m_Units) << name;
    EXPECT_EQ(found.m_Scales, m_Expected.m_Scales) << name;
    EXPECT_EQ(found.m_Offsets, m_Expected.m_Offsets) << name;
    EXPECT_EQ(found.m_BandNames, hasNames ? m_Expected.m_BandNames : std::vector<std::string>()) << name;
  }

  void ExpectNoData(const std::string& name) const
  {
    EXPECT_EQ(otb::HUDReadNoDataValue(Path(name)), -9999.) << name;
  }

  void ExpectAbundanceBands(const std::string& name) const
  {
    const otb::HUDSceneMetadata found = Read(name);
    EXPECT_EQ(found.m_BandNames, (std::vector<std::string>{"endmember 1", "endmember 2", "endmember 3"})) << name;
    EXPECT_TRUE(found.m_Wavelengths.empty()) << name;
    EXPECT_EQ(found.m_Units, "") << name;
    EXPECT_TRUE(found.m_Scales.empty()) << name;
    ExpectNoData(name);
  }

  /// Expects the grid of the scene, to the last digit.
  void ExpectGrid(const std::string& name, const Transform& expected = kTransform) const
  {
    const auto dataset = OpenImage(Path(name));
    Transform transform = {};
    ASSERT_EQ(dataset->GetGeoTransform(transform.data()), CE_None) << name;
    EXPECT_EQ(transform, expected) << name;
    ASSERT_NE(dataset->GetSpatialRef(), nullptr) << name;
    EXPECT_STREQ(dataset->GetSpatialRef()->GetAuthorityCode(nullptr), "32632") << name;
  }

  otb::HUDSceneMetadata m_Expected;
};

TEST_F(Metadata, SurvivesUnmixingAndDecoding)
{
  Unmix();
  ExpectBands("e.tif");
  ExpectAbundanceBands("a.tif");
  ExpectGrid("a.tif");
  EXPECT_EQ(Read("a.tif").m_Items, m_Expected.m_Items);
  Run("HUDUnmix", {{"in", Path("scene.tif")}, {"ie", Path("e.tif")}, {"outlib", Path("e.csv")}});
  Run("HUDUnmix", {{"in", Path("scene.tif")}, {"ie", Path("e.tif")}, {"outlib", Path("e.sli")}});
  for (const char* endmembers : {"e.tif", "e.csv", "e.sli"})
  {
    Run("HUDDecode", {{"in", Path("a.tif")}, {"ie", Path(endmembers)}, {"out", Path("d.tif")}});
    ExpectBands("d.tif", std::string(endmembers) == "e.tif");
    ExpectNoData("d.tif");
    ExpectGrid("d.tif");
    auto items = m_Expected.m_Items;
    items["endmembers"] = endmembers;
    EXPECT_EQ(Read("d.tif").m_Items, items);
  }
  for (const char* name : {"a.qml", "d.qml", "e.qml"})
  {
    ExpectSays(ReadText(Path(name)), {"multibandcolor"});
  }
}

TEST_F(Metadata, OfASyntheticSceneSaysThatItIsOneAndHowItWasMade)
{
  Train();
  Sample({{"sizex", "21"}, {"sizey", "13"}});
  ExpectBands("s.tif");
  ExpectNoData("s.tif");
  ExpectAbundanceBands("sa.tif");
  std::map<std::string, std::string> items = {{"synthetic", "yes"},
                                              {"generator", "HUDSample"},
                                              {"generator_version", hud::Version()},
                                              {"model", "m.safetensors"},
                                              {"model_iterations", "2"},
                                              {"seed", "7"},
                                              {"sampler", "dpmpp"},
                                              {"steps", "3"}};
  EXPECT_EQ(Read("s.tif").m_Items, items);
  EXPECT_EQ(Read("sa.tif").m_Items, items);
  Transform transform = {};
  EXPECT_NE(OpenImage(Path("s.tif"))->GetGeoTransform(transform.data()), CE_None);

  Unmix();
  Run("HUDDecode", {{"in", Path("sa.tif")}, {"ie", Path("e.tif")}, {"out", Path("d.tif")}});
  items["endmembers"] = "e.tif";
  EXPECT_EQ(Read("d.tif").m_Items, items);
}

TEST_F(Metadata, OfAVariedOrRepairedPlaceKeepsItsGridAndItems)
{
  Train();
  Sample({{"in", Path("scene.tif")}});
  ExpectBands("s.tif");
  ExpectGrid("s.tif");
  ExpectGrid("sa.tif");
  EXPECT_EQ(Read("s.tif").m_Items.at("synthetic"), "yes");
  EXPECT_EQ(Read("s.tif").m_Items.at("source"), "scene.tif");
  EXPECT_EQ(Read("s.tif").m_Items.at("acquisition_time"), "2021-06-01T10:11:12");

  hud::test::TestImage mask = m_Scene;
  mask.m_Pixels = Eigen::RowVectorXf::Constant(kWidth * kHeight, 0.f);
  mask.m_Pixels(0, 40) = 1.f;
  WriteImage(Path("mask.tif"), mask);
  Sample({{"in", Path("scene.tif")}, {"mask", Path("mask.tif")}});
  EXPECT_EQ(Read("s.tif").m_Items.at("synthetic"), "partly");
  EXPECT_EQ(Read("s.tif").m_Items.count("strength"), 0u);
}

TEST_F(Metadata, OfARepairedSyntheticSceneIsThatOfAWhollySyntheticOne)
{
  Train();
  Sample({{"in", Path("scene.tif")}, {"strength", "0.25"}, {"out", Path("first.tif")}});
  hud::test::TestImage mask = m_Scene;
  mask.m_Pixels = Eigen::RowVectorXf::Constant(kWidth * kHeight, 0.f);
  mask.m_Pixels(0, 40) = 1.f;
  WriteImage(Path("mask.tif"), mask);
  Sample({{"in", Path("first.tif")}, {"mask", Path("mask.tif")}});
  const auto items = Read("s.tif").m_Items;
  EXPECT_EQ(items.at("synthetic"), "yes");
  EXPECT_EQ(items.at("source"), "first.tif");
  EXPECT_EQ(items.count("strength"), 0u);
}

TEST_F(Metadata, OfGivenEndmembersHasTheirOwnScale)
{
  Unmix();
  {
    const auto endmembers = OpenForUpdate("e.tif");
    for (int band = 1; band <= kBands; ++band)
    {
      endmembers->GetRasterBand(band)->SetScale(0.5);
      endmembers->GetRasterBand(band)->SetUnitType("other");
    }
  }
  Run("HUDUnmix", {{"in", Path("scene.tif")}, {"ie", Path("e.tif")}, {"outendm", Path("f.tif")}});
  EXPECT_EQ(Read("f.tif").m_Scales, std::vector<double>(kBands, 0.5));
  EXPECT_EQ(Read("f.tif").m_Units, "other");
  EXPECT_EQ(Read("f.tif").m_Wavelengths, m_Expected.m_Wavelengths);
  Train({{"ie", Path("e.tif")}});
  ExpectSays(Log(), {"ie (" + Path("e.tif") + "): band 1 has scale 0.5"});
  EXPECT_EQ(Log().find("il ("), std::string::npos) << Log(); // the scene is of its own scale
  Sample({{"sizex", "16"}, {"sizey", "16"}});
  EXPECT_EQ(Read("s.tif").m_Scales, std::vector<double>(kBands, 0.5));
  EXPECT_EQ(Read("s.tif").m_Units, "other");
}

TEST_F(Metadata, LeavesOutItemsOfBands)
{
  OpenForUpdate("scene.tif")->SetMetadataItem("wavelength", "7");
  Unmix();
  Run("HUDDecode", {{"in", Path("a.tif")}, {"ie", Path("e.tif")}, {"out", Path("d.hdr")}});
  ExpectBands("d");
  EXPECT_EQ(OpenImage(Path("a.tif"))->GetMetadataItem("wavelength"), nullptr);
}

TEST_F(Metadata, PartsBeginAtTheirFirstPixel)
{
  Run("HUDUnmix", {{"in", Path("scene.tif")}, {"out", Path("a.tif") + "?&box=3:2:8:6&bands=2:3"}, {"ne", "3"}});
  Transform expected = kTransform;
  expected[0] += 3. * expected[1] + 2. * expected[2];
  expected[3] += 3. * expected[4] + 2. * expected[5];
  ExpectGrid("a.tif", expected);
  EXPECT_EQ(Read("a.tif").m_BandNames, (std::vector<std::string>{"endmember 2", "endmember 3"}));
}

TEST_F(Metadata, KeepsGroundControlPoints)
{
  WriteImage(Path("points.tif"), m_Scene, Wavelengths());
  {
    std::array<GDAL_GCP, 3> points = {};
    GDALInitGCPs(3, points.data());
    for (std::size_t i = 0; i < 3; ++i)
    {
      points[i].dfGCPPixel = 0.5 + 7. * static_cast<double>(i);
      points[i].dfGCPLine = i == 1 ? 18.5 : 2.5;
      points[i].dfGCPX = 9.123456789 + 0.01 * static_cast<double>(i);
      points[i].dfGCPY = 45.987654321 - 0.02 * static_cast<double>(i);
    }
    OGRSpatialReference wgs84;
    wgs84.importFromEPSG(4326);
    OpenForUpdate("points.tif")->SetGCPs(3, points.data(), &wgs84);
    GDALDeinitGCPs(3, points.data());
  }
  Unmix("points.tif");
  const auto source = OpenImage(Path("points.tif"));
  const auto dataset = OpenImage(Path("a.tif"));
  ASSERT_EQ(dataset->GetGCPCount(), 3);
  for (int i = 0; i < 3; ++i)
  {
    EXPECT_EQ(dataset->GetGCPs()[i].dfGCPPixel, source->GetGCPs()[i].dfGCPPixel);
    EXPECT_EQ(dataset->GetGCPs()[i].dfGCPLine, source->GetGCPs()[i].dfGCPLine);
    EXPECT_EQ(dataset->GetGCPs()[i].dfGCPX, source->GetGCPs()[i].dfGCPX);
    EXPECT_EQ(dataset->GetGCPs()[i].dfGCPY, source->GetGCPs()[i].dfGCPY);
  }
  ASSERT_NE(dataset->GetGCPSpatialRef(), nullptr);
  EXPECT_TRUE(dataset->GetGCPSpatialRef()->IsGeographic());
}

TEST_F(Metadata, GoesIntoAnEnviHeader)
{
  Unmix();
  Run("HUDDecode", {{"in", Path("a.tif")}, {"ie", Path("e.tif")}, {"out", Path("d.hdr")}});
  ExpectBands("d");
  ExpectSays(ReadText(Path("d.hdr")), {"wavelength = {400, 437.5", "fwhm = {9, 9.25", "wavelength units = Nanometers",
                                       "data units = W/m2/sr/um", "data ignore value = -9999", "data gain values = {",
                                       "default bands = {8, 5, 2}", "acquisition time = 2021-06-01T10:11:12"});
  ExpectSays(ReadText(Path("d.qml")), {"redBand=\"8\" greenBand=\"5\" blueBand=\"2\""});
}

TEST_F(Metadata, OfOtherScaleIsWarnedOf)
{
  WriteImage(Path("other.tif"), m_Scene, Wavelengths());
  Train({{"il", Path("scene.tif") + " " + Path("other.tif")}});
  ExpectSays(Log(), {"other.tif", "band 1 has scale 1 and offset 0, but band 1 has scale 0.0001 and offset 0",
                     "in the first scene", "as they are stored"});
}

} // namespace
