// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "ApplicationTest.h"

#include <ogr_spatialref.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <memory>

// The products are made by test/prisma_product.py; the formulas here are those at its head, and the ones of the format.

namespace
{

using hud::test::ExpectSays;
using hud::test::OpenImage;
using hud::test::ReadImage;
using hud::test::ReadText;
using hud::test::TestImage;
using hud::test::WriteText;

constexpr int kRows = 23;
constexpr int kColumns = 17;
constexpr float kNoData = -9999.f;

struct Band
{
  bool m_Swir = false;
  int m_Slot = 0;
  double m_Wavelength = 0.;
  double m_Width = 0.;
};

Band MakeBand(bool swir, int slot)
{
  Band band;
  band.m_Swir = swir;
  band.m_Slot = slot;
  band.m_Wavelength = swir ? 2497.12 - 9.14 * slot : 977.37 - 9.2 * (slot - 3);
  band.m_Width = swir ? 9. + 0.03 * slot : 11. + 0.02 * slot;
  return band;
}

// All valid bands by ascending wavelength.
std::vector<Band> AllBands()
{
  std::vector<Band> bands;
  for (int slot = 3; slot < 66; ++slot)
  {
    bands.push_back(MakeBand(false, slot));
  }
  for (int slot = 0; slot < 171; ++slot)
  {
    bands.push_back(MakeBand(true, slot));
  }
  std::sort(bands.begin(), bands.end(),
            [](const Band& left, const Band& right) { return left.m_Wavelength < right.m_Wavelength; });
  return bands;
}

// Without the VNIR bands that reach into the SWIR, whose first is at 943.32 nm.
std::vector<Band> SwirFirst()
{
  std::vector<Band> bands;
  for (const Band& band : AllBands())
  {
    if (band.m_Swir || band.m_Wavelength < 943.3)
    {
      bands.push_back(band);
    }
  }
  return bands;
}

// Places in the stored arrays of an image's pixel.
struct Place
{
  int m_First = 0; // along the first dimension
  int m_Last = 0;  // along the last one
};

Place PlaceOf(const std::string& level, int column, int row)
{
  return level == "2D" ? Place{row, column} : Place{kColumns - 1 - column, row};
}

bool IsPadding(const std::string& level, int column, int row)
{
  return level == "2D" && row * kColumns + 2 * column * kRows < 0.5 * kRows * kColumns;
}

bool IsFlagged(const Band& band, const Place& place)
{
  const auto is = [&](bool swir, int first, int slot, int last) {
    return band.m_Swir == swir && band.m_Slot == slot && place.m_First == first && place.m_Last == last;
  };
  return is(false, 4, 10, 9) || is(true, 4, 20, 9) || is(true, 6, 100, 11);
}

double Number(const Band& band, const Place& place)
{
  const int i = place.m_First;
  const int k = place.m_Last;
  const int b = band.m_Slot;
  if (!band.m_Swir && i == 8 && b == 30 && k == 13)
  {
    return 0.;
  }
  return band.m_Swir ? (5000 + 13 * i + 29 * b + 53 * k + 2 * i * k) % 50000 + 2
                     : (1000 + 37 * i + 11 * b + 101 * k + i * k) % 60000 + 1;
}

double Value(const std::string& level, const Band& band, double number)
{
  if (level == "1")
  {
    return band.m_Swir ? number / 250. : number / 100. - 0.5;
  }
  if (level == "2B")
  {
    return number * (band.m_Swir ? static_cast<double>(170.74f) : static_cast<double>(430.64f)) / 65535.;
  }
  return band.m_Swir ? -0.0625 + number * 1.3125 / 65535. : number / 65535.;
}

float Expected(const std::string& level, const Band& band, int column, int row)
{
  const Place place = PlaceOf(level, column, row);
  return IsPadding(level, column, row) || IsFlagged(band, place)
             ? kNoData
             : static_cast<float>(Value(level, band, Number(band, place)));
}

// What an L2D's row and column are in the swath of the other levels.
double Latitude(int column, int row)
{
  return 45.25 + (7.7 * (kColumns - 1 - column) - 28.9 * row) / 111132.;
}

double Longitude(int column, int row)
{
  return 15.5 + (-29.5 * (kColumns - 1 - column) - 7.5 * row) / (111320. * std::cos(45.25 * M_PI / 180.));
}

void ExpectClose(float found, float expected, const std::string& what)
{
  EXPECT_LE(std::abs(found - expected), 2e-6f * std::max(1.f, std::abs(expected))) << what;
}

class HUDImport : public hud::test::ApplicationTest
{
protected:
  // Returns a new product.
  std::string Product(const std::string& level, const std::string& changes = "",
                      const std::string& name = "product.he5")
  {
    Script("prisma_product.py " + level + " '" + Path(name) + "' --rows 23 --columns 17" + changes);
    return Path(name);
  }

  std::string Matlab(const std::string& kind)
  {
    Script("matlab_scene.py " + kind + " '" + Path("scene.mat") + "'");
    return Path("scene.mat");
  }

  static void Script(const std::string& arguments)
  {
    const std::string command = std::string(HUD_TEST_PYTHON) + " -B " + HUD_TEST_SOURCE_DIR + "/" + arguments;
    ASSERT_EQ(std::system(command.c_str()), 0) << command << ": are the packages of install-packages.sh --tests there?";
  }

  void Import(const std::string& in, Parameters more = {})
  {
    more.insert(more.begin(), {{"in", in}, {"out", Path("out.tif")}});
    Run("HUDImport", more);
  }

  std::string Refusal(const std::string& in, Parameters more = {})
  {
    more.insert(more.begin(), {{"in", in}, {"out", Path("out.tif")}});
    return Failure("HUDImport", more);
  }

  // Expects every sample of out.tif by its formula.
  void ExpectSamples(const std::string& level, const std::vector<Band>& bands)
  {
    const TestImage image = ReadImage(Path("out.tif"));
    ASSERT_EQ(image.m_Width, kColumns);
    ASSERT_EQ(image.m_Height, kRows);
    ASSERT_EQ(image.m_Pixels.rows(), static_cast<Eigen::Index>(bands.size()));
    ASSERT_TRUE(image.m_Pixels.allFinite());
    EXPECT_EQ(image.m_NoData, -9999.);
    int flagged = 0;
    for (int row = 0; row < kRows; ++row)
    {
      for (int column = 0; column < kColumns; ++column)
      {
        for (std::size_t band = 0; band < bands.size(); ++band)
        {
          const float expected = Expected(level, bands[band], column, row);
          flagged += expected == kNoData && !IsPadding(level, column, row) ? 1 : 0;
          ExpectClose(image.m_Pixels(static_cast<Eigen::Index>(band), row * kColumns + column), expected,
                      "L" + level + " band " + std::to_string(band) + " at " + std::to_string(column) + ", " +
                          std::to_string(row));
        }
      }
    }
    EXPECT_GE(flagged, 2);
  }

  static std::string Item(GDALMajorObject& object, const char* name)
  {
    const char* const value = object.GetMetadataItem(name);
    return value == nullptr ? "" : value;
  }

  void ExpectBands(const std::vector<Band>& bands)
  {
    const auto dataset = OpenImage(Path("out.tif"));
    ASSERT_EQ(dataset->GetRasterCount(), static_cast<int>(bands.size()));
    for (std::size_t i = 0; i < bands.size(); ++i)
    {
      GDALRasterBand& band = *dataset->GetRasterBand(static_cast<int>(i) + 1);
      EXPECT_NEAR(CPLAtof(Item(band, "wavelength").c_str()), bands[i].m_Wavelength, 2e-4) << i;
      EXPECT_NEAR(CPLAtof(Item(band, "fwhm").c_str()), bands[i].m_Width, 2e-6) << i;
      EXPECT_EQ(Item(band, "wavelength_units"), "Nanometers");
    }
  }
};

class HUDImportOfLevel : public HUDImport, public testing::WithParamInterface<std::string>
{
};

TEST_P(HUDImportOfLevel, GivesEverySampleAndWavelength)
{
  Import(Product(GetParam()));
  ASSERT_EQ(SwirFirst().size(), 230u);
  ExpectSamples(GetParam(), SwirFirst());
  ExpectBands(SwirFirst());
  EXPECT_EQ(Log().find("(WARNING)"), std::string::npos) << Log();
}

TEST_P(HUDImportOfLevel, DoesNotDependOnStorageTypesOrStrips)
{
  Import(Product(GetParam()));
  const TestImage plain = ReadImage(Path("out.tif"));
  Import(Product(GetParam(), " --change encoding --change chunks --change select67", "renamed.mat"), {{"ram", "1"}});
  const TestImage other = ReadImage(Path("out.tif"));
  ASSERT_EQ(other.m_Pixels.rows(), plain.m_Pixels.rows());
  EXPECT_EQ(other.m_Pixels, plain.m_Pixels);
  EXPECT_EQ(Log().find("(WARNING)"), std::string::npos) << Log();
}

TEST_P(HUDImportOfLevel, IsNorthUpHoweverItIsStored)
{
  Import(Product(GetParam()));
  const TestImage plain = ReadImage(Path("out.tif"));
  for (const char* change : {" --change reversed", " --change swapped", " --change reversed --change swapped"})
  {
    Import(Product(GetParam(), change));
    const TestImage other = ReadImage(Path("out.tif"));
    ASSERT_EQ(other.m_Width, plain.m_Width) << change;
    EXPECT_EQ(other.m_Pixels, plain.m_Pixels) << change;
    ExpectSays(Log(), {"by its latitudes and longitudes", "made north up"});
  }
}

TEST_P(HUDImportOfLevel, DoesWithoutWhatItDoesNotNeed)
{
  Import(Product(GetParam(), " --change bare"));
  const TestImage image = ReadImage(Path("out.tif"));
  ASSERT_EQ(image.m_Pixels.rows(), 230);
  ExpectSays(Log(), {"error matrix", "Product_StartTime is missing", "Sun_zenith_angle"});
}

INSTANTIATE_TEST_SUITE_P(Prisma, HUDImportOfLevel, testing::Values("1", "2B", "2C", "2D"));

TEST_F(HUDImport, AnL2dHasItsGrid)
{
  for (const char* grid : {"native", "utm"})
  {
    Import(Product("2D"), {{"grid", grid}});
    const auto dataset = OpenImage(Path("out.tif"));
    std::array<double, 6> transform = {};
    ASSERT_EQ(dataset->GetGeoTransform(transform.data()), CE_None);
    EXPECT_EQ(transform, (std::array<double, 6>{512332.5, 30., 0., 5012987.5, 0., -30.}));
    ASSERT_NE(dataset->GetSpatialRef(), nullptr);
    EXPECT_STREQ(dataset->GetSpatialRef()->GetAuthorityCode(nullptr), "32633");
    EXPECT_EQ(dataset->GetGCPCount(), 0);
  }
  Import(Product("2D", " --change no_epsg"));
  EXPECT_STREQ(OpenImage(Path("out.tif"))->GetSpatialRef()->GetAuthorityCode(nullptr), "32633");
}

TEST_F(HUDImport, ASwathHasControlPoints)
{
  for (const char* level : {"1", "2B", "2C"})
  {
    Import(Product(level));
    const auto dataset = OpenImage(Path("out.tif"));
    ASSERT_EQ(dataset->GetGCPCount(), 121);
    EXPECT_STREQ(dataset->GetGCPSpatialRef()->GetAuthorityCode(nullptr), "4326");
    std::array<double, 6> transform = {};
    EXPECT_NE(dataset->GetGeoTransform(transform.data()), CE_None);
    for (int i = 0; i < dataset->GetGCPCount(); ++i)
    {
      const GDAL_GCP& point = dataset->GetGCPs()[i];
      const int column = static_cast<int>(point.dfGCPPixel);
      const int row = static_cast<int>(point.dfGCPLine);
      EXPECT_EQ(point.dfGCPPixel, column + 0.5);
      EXPECT_EQ(point.dfGCPLine, row + 0.5);
      // A metre is 9e-6 degrees or more.
      EXPECT_NEAR(point.dfGCPY, Latitude(column, row), 9e-6);
      EXPECT_NEAR(point.dfGCPX, Longitude(column, row), 9e-6);
    }
    EXPECT_EQ(dataset->GetGCPs()[0].dfGCPPixel, 0.5);
    EXPECT_EQ(dataset->GetGCPs()[120].dfGCPLine, kRows - 0.5);
  }
}

TEST_F(HUDImport, WarpsToTheNearestPixels)
{
  Import(Product("2C"), {{"grid", "utm"}});
  const TestImage image = ReadImage(Path("out.tif"));
  const auto dataset = OpenImage(Path("out.tif"));
  std::array<double, 6> transform = {};
  ASSERT_EQ(dataset->GetGeoTransform(transform.data()), CE_None);
  EXPECT_EQ(transform[1], 30.);
  EXPECT_EQ(transform[5], -30.);
  EXPECT_STREQ(dataset->GetSpatialRef()->GetAuthorityCode(nullptr), "32633");
  EXPECT_EQ(dataset->GetGCPCount(), 0);

  OGRSpatialReference geographic;
  geographic.importFromEPSG(4326);
  geographic.SetAxisMappingStrategy(OAMS_TRADITIONAL_GIS_ORDER);
  OGRSpatialReference map;
  map.importFromEPSG(32633);
  const std::unique_ptr<OGRCoordinateTransformation> project(OGRCreateCoordinateTransformation(&geographic, &map));
  const std::vector<Band> bands = SwirFirst();
  int inside = 0;
  for (int y = 0; y < image.m_Height; ++y)
  {
    for (int x = 0; x < image.m_Width; ++x)
    {
      const double easting = transform[0] + 30. * (x + 0.5);
      const double northing = transform[3] - 30. * (y + 0.5);
      double least = 1e9;
      double second = 1e9;
      int column = 0;
      int row = 0;
      for (int r = 0; r < kRows; ++r)
      {
        for (int c = 0; c < kColumns; ++c)
        {
          double east = Longitude(c, r);
          double north = Latitude(c, r);
          ASSERT_TRUE(project->Transform(1, &east, &north));
          const double distance = std::hypot(east - easting, north - northing);
          second = std::min(second, std::max(distance, least));
          if (distance < least)
          {
            least = distance;
            column = c;
            row = r;
          }
        }
      }
      const auto pixel = image.m_Pixels.col(y * image.m_Width + x);
      if (least > 23.)
      {
        EXPECT_TRUE((pixel.array() == kNoData).all()) << x << ", " << y;
      }
      else if (least < 20. && second - least > 1.) // what is known to a metre
      {
        ++inside;
        for (const std::size_t band : {std::size_t{0}, std::size_t{70}, bands.size() - 1})
        {
          ExpectClose(pixel(static_cast<Eigen::Index>(band)), Expected("2C", bands[band], column, row),
                      std::to_string(x) + ", " + std::to_string(y));
        }
      }
    }
  }
  EXPECT_GT(inside, 300);
  Import(Product("2C"), {{"grid", "utm"}, {"ram", "1"}});
  EXPECT_EQ(ReadImage(Path("out.tif")).m_Pixels, image.m_Pixels);
}

TEST_F(HUDImport, JoinsAndExcludesAsAsked)
{
  Import(Product("2D"), {{"join", "sorted"}});
  ASSERT_EQ(AllBands().size(), 234u);
  ExpectSamples("2D", AllBands());
  ExpectBands(AllBands());

  std::vector<Band> vnirFirst;
  std::vector<Band> excluded;
  for (const Band& band : AllBands())
  {
    if (!band.m_Swir || band.m_Wavelength > 977.4)
    {
      vnirFirst.push_back(band);
    }
    const double nm = band.m_Wavelength;
    if ((band.m_Swir || nm < 943.3) && (nm < 1350. || nm > 1450.) && (nm < 1800. || nm > 1950.))
    {
      excluded.push_back(band);
    }
  }
  Import(Product("1"), {{"join", "vnir"}});
  ExpectBands(vnirFirst);
  ExpectSamples("1", vnirFirst);
  Import(Product("1"), {{"exclude", "1350-1450 1800-1950"}});
  EXPECT_EQ(Log().find("(WARNING)"), std::string::npos) << Log();
  Import(Product("1"), {{"exclude", "1350-1450 1800-1950 3000-4000"}});
  ExpectSays(Log(), {"(WARNING)", "exclude: no band lies in 3000-4000 nm"});
  ExpectBands(excluded);
  ASSERT_EQ(excluded.size(), 202u);
}

TEST_F(HUDImport, TellsTheSceneApart)
{
  Import(Product("2D"), {{"exclude", "1350-1450"}});
  const auto dataset = OpenImage(Path("out.tif"));
  EXPECT_EQ(Item(*dataset, "acquisition_time"), "2020-10-02T19:37:10.216000Z");
  EXPECT_EQ(Item(*dataset, "sun_zenith"), "38.5");
  EXPECT_EQ(Item(*dataset, "sun_azimuth"), "161.25");
  EXPECT_EQ(Item(*dataset, "product_id"), "PRS_L2D_STD");
  EXPECT_EQ(Item(*dataset, "processing_level"), "L2D");
  EXPECT_EQ(Item(*dataset, "import_join"), "swir");
  EXPECT_EQ(Item(*dataset, "import_exclude"), "1350-1450");
  EXPECT_STREQ(dataset->GetRasterBand(1)->GetUnitType(), "reflectance");
  Import(Product("2B"));
  EXPECT_STREQ(OpenImage(Path("out.tif"))->GetRasterBand(1)->GetUnitType(), "W m-2 sr-1 um-1");
}

TEST_F(HUDImport, FlaggedPixelsAndBandsAreTreatedAsAsked)
{
  const std::vector<Band> bands = SwirFirst();
  const int pixel = 9 * kColumns + kColumns - 1 - 4; // stored at 4, 9
  Import(Product("1"), {{"flagged", "pixel"}});
  TestImage image = ReadImage(Path("out.tif"));
  EXPECT_TRUE((image.m_Pixels.col(pixel).array() == kNoData).all());
  EXPECT_GT(image.m_Pixels.col(pixel + 1).minCoeff(), -1.f);
  ExpectSays(Log(), {"Pixels: 391; without data in any band, as beyond the swath: 2 (0 %)"});

  Import(Product("1"), {{"flagged", "keep"}});
  image = ReadImage(Path("out.tif"));
  EXPECT_GT(image.m_Pixels.minCoeff(), -1.f);

  Import(Product("1", " --change bad_band"));
  image = ReadImage(Path("out.tif"));
  EXPECT_EQ(image.m_Pixels.rows(), 230);
  ExpectSays(Log(), {"flagged in more than 50 % of the pixels with data: 2 bands (1939.58-1948.72 nm)", "maxflagged 50",
                     "HUD's applications leave out the 391 (100 %) pixels"});
  Import(Product("1", " --change bad_band"), {{"flagged", "pixel"}});
  ExpectSays(Log(), {"391 (100 %) pixels hold no data", "maxflagged 50"});

  Import(Product("1", " --change bad_band"), {{"maxflagged", "50"}});
  EXPECT_EQ(ReadImage(Path("out.tif")).m_Pixels.rows(), 228);
  ExpectSays(Log(),
             {"left out", "2 bands (1939.58-1948.72 nm)", "maxflagged", "with no-data in some bands, as flagged: 116"});
  Import(Product("1", " --change bad_band"), {{"maxflagged", "10"}});
  EXPECT_EQ(ReadImage(Path("out.tif")).m_Pixels.rows(), 227);
}

TEST_F(HUDImport, WarnsOfAGridThatIsNotWhereTheLocationsAre)
{
  Import(Product("2D", " --change shifted"));
  ExpectSays(Log(), {"(WARNING)", "m off the grid of the corners"});
  Import(Product("2D", " --change no_location"));
  ExpectSays(Log(), {"(WARNING)", "Latitude and Longitude", "are missing", "north is taken to be up"});
  ExpectSamples("2D", SwirFirst());
}

TEST_F(HUDImport, TakesTheLevelFromTheSwathIfNothingElseTellsIt)
{
  for (const char* change : {" --change no_level", " --change empty_level"})
  {
    Import(Product("2C", change));
    ExpectSamples("2C", SwirFirst());
    ExpectSays(Log(), {"Processing_Level is missing or empty: L2C"});
  }
  Import(Product("2C", " --change lower_level"));
  ExpectSamples("2C", SwirFirst());
  EXPECT_EQ(Log().find("(WARNING)"), std::string::npos) << Log();
}

TEST_F(HUDImport, ManagesWithOtherWaysToSayTheSame)
{
  Import(Product("2D", " --change zero_epsg"));
  EXPECT_STREQ(OpenImage(Path("out.tif"))->GetSpatialRef()->GetAuthorityCode(nullptr), "32633");
  Import(Product("1", " --change swir_location"));
  ExpectSamples("1", SwirFirst());
  EXPECT_EQ(OpenImage(Path("out.tif"))->GetGCPCount(), 121);
  Import(Product("2D", " --change small_location"));
  ExpectSamples("2D", SwirFirst());
  ExpectSays(Log(), {"(WARNING)", "of another size than the image"});
  Import(Product("1", " --change wide"));
  ExpectSamples("1", SwirFirst());
  Import(Product("2C", " --change user_block"));
  ExpectSamples("2C", SwirFirst());
}

TEST_F(HUDImport, LocationsMayBeUnknownOrEastOfGreenwich)
{
  const std::string path = Product("2C", " --change invalid_location");
  Import(path);
  ExpectSamples("2C", SwirFirst());
  EXPECT_EQ(OpenImage(Path("out.tif"))->GetGCPCount(), 0);
  ExpectSays(Log(), {"(WARNING)", path, "the image has no ground control points"});
  std::filesystem::remove(Path("out.tif"));
  ExpectSays(Refusal(path, {{"grid", "utm"}}), {path, "no pixel has a known location"});

  Import(Product("1", " --change turned_location"));
  const auto dataset = OpenImage(Path("out.tif"));
  ASSERT_EQ(dataset->GetGCPCount(), 121);
  EXPECT_NEAR(dataset->GetGCPs()[0].dfGCPX, Longitude(0, 0) - 90., 4e-5);
}

TEST_F(HUDImport, NeverReplacesItsInput)
{
  const std::string path = Product("1");
  const std::string bytes = ReadText(path);
  std::filesystem::create_symlink(path, Path("link.tif"));
  std::filesystem::create_hard_link(path, Path("second.tif"));
  for (const char* name : {"link.tif", "second.tif"})
  {
    ExpectSays(Failure("HUDImport", {{"in", path}, {"out", Path(name)}}),
               {"out: ", name, "is the file that in is read from"});
  }
  ExpectSays(Failure("HUDImport", {{"in", path}, {"out", path}}), {"out: ", path, "is the file that in is read from"});
  EXPECT_EQ(ReadText(path), bytes);
}

TEST_F(HUDImport, SaysWhyAChunkCannotBeRead)
{
  const std::string path = Product("1", " --change chunks --change damage");
  const std::string message = Refusal(path);
  ExpectSays(message, {path, "cannot read rows", "SWIR_Cube: "});
  EXPECT_NE(message.substr(message.size() - 2), ": ") << message;
}

TEST_F(HUDImport, ReadsAFileThatMayOnlyBeRead)
{
  const std::string path = Product("2B", "", "l1g.dat");
  const std::string bytes = ReadText(path);
  std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  Import(path);
  EXPECT_EQ(ReadText(path), bytes);
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  ExpectSamples("2B", SwirFirst());
}

TEST_F(HUDImport, RefusesProductsThatAreIncompleteOrContradictThemselves)
{
  struct Case
  {
    const char* m_Level;
    const char* m_Change;
    std::vector<std::string> m_Texts;
  };
  const std::vector<Case> cases = {
      {"1", "no_swath", {"PRS_L1_HCO is missing", "found PRS_L1_HRC, PRS_L1_PCO"}},
      {"2D", "no_cube", {"SWIR_Cube is missing"}},
      {"2B", "no_wavelengths", {"List_Cw_Vnir is missing"}},
      {"1", "no_scale", {"ScaleFactor_Swir is missing"}},
      {"2C", "no_scale", {"L2ScaleSwirMax is missing"}},
      {"1", "zero_scale", {"ScaleFactor_Vnir is 0, expected a positive number"}},
      {"2D", "zero_scale", {"L2ScaleVnirMin and Max are 0 and 0", "scale of 0"}},
      {"2D", "no_corner", {"Product_ULcorner_easting is missing"}},
      {"2D", "other_level", {"Processing_Level is '0', expected 1, 2B, 2C or 2D"}},
      {"1", "no_location", {"Latitude_VNIR and Longitude_VNIR", "missing"}},
      {"2C", "sizes", {"VNIR_Cube of 17 x 66 x 23 and SWIR_Cube of 17 x 173 x 22"}},
      {"2C", "lists", {"List_Cw_Vnir has 65 numbers, expected one for each of the 66 bands"}},
      {"2D", "no_bands", {"no band is valid", "List_Cw_Vnir_Flags"}},
      {"1", "wavelengths", {"List_Cw_Swir: the wavelengths are not monotonic", "in band 40", "in band 41"}},
      {"1", "georeferenced", {"L1G", "expected L1, L2B, L2C or L2D"}},
      {"1", "signed", {"VNIR_Cube has the type Int16", "expected", "UInt16"}},
      {"2C", "bytes", {"SWIR_Cube has the type Byte", "expected", "UInt16"}},
      {"2D", "truncate", {"the file is cut off: found", "bytes, expected"}},
  };
  for (const Case& bad : cases)
  {
    const std::string path = Product(bad.m_Level, std::string(" --change ") + bad.m_Change);
    const std::string message = Refusal(path);
    ExpectSays(message, {path});
    ExpectSays(message, bad.m_Texts);
  }
}

TEST_F(HUDImport, RefusesWhatIsNoProduct)
{
  WriteText(m_Folder / "text.he5", std::string(4000, 'x'));
  ExpectSays(Refusal(Path("text.he5")), {"text.he5", "found neither an HDF5 file nor a MATLAB file"});
  WriteText(m_Folder / "product.he5", "PK\x03\x04" + std::string(4000, 'x'));
  ExpectSays(Refusal(Path("product.he5")), {"zip archive: unpack it"});
  WriteText(m_Folder / "empty.he5", "");
  ExpectSays(Refusal(Path("empty.he5")), {"empty.he5", "expected a PRISMA product"});
  ExpectSays(Refusal(Path("nothing.he5")), {"nothing.he5"});
  Script("matlab_scene.py hdf5 '" + Path("other.h5") + "'");
  ExpectSays(Refusal(Path("other.h5")), {"other.h5", "is no PRISMA product", "HDFEOS/SWATHS/PRS_L"});
  WriteText(m_Folder / "head.h5", ReadText(Path("other.h5")).substr(0, 40));
  ExpectSays(Refusal(Path("head.h5")), {"head.h5", "cannot be opened as an HDF5 file"});
}

TEST_F(HUDImport, RefusesParametersBeforeAnyWork)
{
  const std::string path = Product("1");
  ExpectSays(Refusal(path, {{"exclude", "-5-10"}}), {"'-5-10'", "expected ranges of wavelengths"});
  ExpectSays(Refusal(path, {{"exclude", "1450-1350"}}), {"'1450-1350'"});
  ExpectSays(Refusal(path, {{"exclude", "1-5000"}}), {"all 230 bands are excluded"});
  ExpectSays(Refusal(path, {{"maxflagged", "101"}}), {"maxflagged is 101, expected 0 to 100"});
  ExpectSays(Refusal(path, {{"exclude", "1350 1450"}}), {"'1350'", "such as 1350-1450"});
  for (const char* name : {"out.he5", "out.nc", "out.vrt", "out.something"})
  {
    ExpectSays(Failure("HUDImport", {{"in", path}, {"out", Path(name)}}),
               {"out: ", name, "found the extension '.", "cannot hold the image", ".tif"});
  }
  for (const char* type : {"uint8", "uint16", "int32", "cfloat"})
  {
    m_PixelType = type;
    ExpectSays(Refusal(path), {"out: ", "out.tif", "found the pixel type", type, "expected float or double"});
    ExpectSays(Failure("HUDImport", {{"in", path}, {"out", Path("out.png")}}), {"holds no numbers with a fraction"});
  }
  m_PixelType.clear();
  for (const char* name : {"out.png", "out.jpg", "out.jp2", "out.bmp"})
  {
    ExpectSays(Failure("HUDImport", {{"in", path}, {"out", Path(name)}}),
               {"out: ", name, "holds no numbers with a fraction", ".tif"});
  }
  ExpectSays(Failure("HUDImport", {{"in", path}, {"out", "/proc/out.tif"}}), {"out", "/proc"});
}

TEST_F(HUDImport, WritesEnviToo)
{
  Run("HUDImport", {{"in", Product("2C")}, {"out", Path("out.hdr")}});
  const TestImage image = ReadImage(Path("out"));
  ASSERT_EQ(image.m_Pixels.rows(), 230);
  ExpectClose(image.m_Pixels(0, 3 * kColumns + 5), Expected("2C", SwirFirst()[0], 5, 3), "ENVI");
  ExpectSays(ReadText(Path("out.hdr")), {"wavelength = {", "fwhm = {"});
}

TEST_F(HUDImport, ReadsMatlabArraysAsRowsColumnsAndBands)
{
  const std::map<std::string, double> factors = {{"double", 0.125}, {"compressed", 1.}, {"int16", -1.},
                                                 {"v73", 0.125},    {"v73_uint16", 1.}, {"v73_plain", 1.}};
  for (const auto& [kind, factor] : factors)
  {
    for (const char* ram : {"256", "1"})
    {
      Import(Matlab(kind), {{"ram", ram}});
      const TestImage image = ReadImage(Path("out.tif"));
      ASSERT_EQ(image.m_Width, 5) << kind;
      ASSERT_EQ(image.m_Height, 7) << kind;
      ASSERT_EQ(image.m_Pixels.rows(), 4) << kind;
      for (int row = 0; row < 7; ++row)
      {
        for (int column = 0; column < 5; ++column)
        {
          for (int band = 0; band < 4; ++band)
          {
            const bool missing = kind == "double" && row == 2 && column == 3 && band == 1;
            const double expected = missing ? -9999. : factor * (1 + 100 * row + 10 * column + band);
            EXPECT_EQ(image.m_Pixels(band, row * 5 + column), static_cast<float>(expected)) << kind;
          }
        }
      }
    }
  }
  // Filling at the end.
  WriteText(m_Folder / "scene.mat", ReadText(Matlab("compressed")) + std::string(7, '\0'));
  Import(Path("scene.mat"));
  EXPECT_EQ(ReadImage(Path("out.tif")).m_Pixels(1, 0), 2.f);
  Import(Matlab("two"), {{"var", "second"}});
  EXPECT_EQ(ReadImage(Path("out.tif")).m_Pixels(1, 0), 4.f);
}

TEST_F(HUDImport, RefusesMatlabFilesWithoutOneScene)
{
  ExpectSays(Refusal(Matlab("flat")), {"scene.mat", "map (7 x 5, uint8)", "expected a real, numeric array"});
  ExpectSays(Refusal(Matlab("two")), {"scene.mat", "several arrays", "first (7 x 5 x 4, single)", "second"});
  ExpectSays(Refusal(Matlab("two"), {{"var", "third"}}), {"scene.mat", "first", "expected an array named 'third'"});
  ExpectSays(Refusal(Matlab("complex")), {"scene.mat", "cube (7 x 5 x 4, complex double)"});
  ExpectSays(Refusal(Matlab("complex"), {{"var", "cube"}}), {"scene.mat", "cube (7 x 5 x 4, complex double)"});
  ExpectSays(Refusal(Matlab("v73_complex")), {"scene.mat", "cube (7 x 5 x 4, complex double)"});
  ExpectSays(Refusal(Matlab("v73_two")), {"scene.mat", "several arrays", "second (7 x 5 x 4, single)"});
  ExpectSays(Refusal(Matlab("logical")), {"scene.mat", "cube (7 x 5 x 4, logical)"});
  ExpectSays(Refusal(Matlab("double"), {{"exclude", "1350-1450"}}), {"a MATLAB file has no wavelengths"});
  ExpectSays(Refusal(Matlab("double"), {{"grid", "utm"}}), {"grid is utm", "no latitudes and longitudes"});
  const std::string bytes = ReadText(Matlab("int16"));
  WriteText(m_Folder / "scene.mat", bytes.substr(0, 200));
  ExpectSays(Refusal(Path("scene.mat")), {"scene.mat: the file is cut off: found 200 bytes, expected at least 472"});
  std::string packed = ReadText(Matlab("compressed"));
  std::fill_n(packed.begin() + 128 + 40, 20, '\0');
  WriteText(m_Folder / "scene.mat", packed);
  ExpectSays(Refusal(Path("scene.mat")), {"scene.mat: the compressed array at byte 128 is damaged"});
  const std::string v73 = ReadText(Matlab("v73"));
  WriteText(m_Folder / "scene.mat", v73.substr(0, v73.size() / 2));
  ExpectSays(Refusal(Path("scene.mat")), {"scene.mat: the file is cut off"});
}

TEST_F(HUDImport, AFullDiskKeepsTheEarlierFile)
{
  const std::string path = Product("2D");
  Import(path);
  const std::string bytes = ReadText(Path("out.tif"));
  {
    const hud::test::FullDisk full(4096);
    ExpectSays(Refusal(path), {"out.tif"});
  }
  EXPECT_EQ(ReadText(Path("out.tif")), bytes);
}

} // namespace
