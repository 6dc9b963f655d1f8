// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "ApplicationTest.h"

#include "otbHUDSceneMetadata.h"
#include "otbHUDSensor.h"

#include "core/RandomMatrix.h"

#include "itkMultiThreader.h"

#include <algorithm>
#include <cmath>

namespace
{

using hud::test::ExpectMixture;
using hud::test::ExpectSays;
using hud::test::ReadImage;
using hud::test::ReadText;
using hud::test::TestImage;

class HUDDecode : public hud::test::ApplicationTest
{
protected:
  void SetUp() override
  {
    Run("HUDUnmix", {{"in", Path("scene.tif")}, {"out", Path("a.tif")}, {"outendm", Path("e.tif")}, {"ne", "3"}});
  }

  Parameters Arguments() const
  {
    return {{"in", Path("a.tif")}, {"ie", Path("e.tif")}, {"out", Path("d.tif")}};
  }
};

TEST_F(HUDDecode, MixesTheEndmembers)
{
  Run("HUDDecode", Arguments());
  ExpectMixture(ReadImage(Path("d.tif")).m_Pixels, ReadImage(Path("e.tif")).m_Pixels,
                ReadImage(Path("a.tif")).m_Pixels);
  const auto dataset = hud::test::OpenImage(Path("d.tif"));
  EXPECT_NE(dataset->GetRasterBand(2)->GetMetadataItem("wavelength"), nullptr);
}

TEST_F(HUDDecode, TakesTablesAndTheirWavelengths)
{
  Run("HUDDecode", Arguments());
  const TestImage expected = ReadImage(Path("d.tif"));
  for (const char* name : {"e.csv", "e.sli"})
  {
    Run("HUDUnmix", {{"in", Path("scene.tif")}, {"ie", Path("e.tif")}, {"outlib", Path(name)}});
    Run("HUDDecode", {{"in", Path("a.tif")}, {"ie", Path(name)}, {"out", Path("d.tif")}});
    EXPECT_EQ(ReadImage(Path("d.tif")).m_Pixels, expected.m_Pixels) << name;
    const otb::HUDSceneMetadata metadata = otb::HUDReadSceneMetadata(Path("d.tif"));
    EXPECT_EQ(metadata.m_Wavelengths, Wavelengths()) << name;
    EXPECT_EQ(metadata.m_Items.at("endmembers"), name);
  }
}

TEST_F(HUDDecode, RefusesATableThatIsNone)
{
  hud::test::WriteText(m_Folder / "bad.csv", "wavelength,tree,soil,road\n400,1,2,x\n");
  Parameters arguments = Arguments();
  arguments[1].second = Path("bad.csv");
  ExpectSays(Failure("HUDDecode", arguments), {"ie: ", "bad.csv", "\"x\" in row 2, column 4"});
  arguments[1].second = Path("nothing.csv");
  ExpectSays(Failure("HUDDecode", arguments), {"ie: ", "nothing.csv"});
}

TEST_F(HUDDecode, TheSameInputGivesTheSameBytes)
{
  Run("HUDDecode", Arguments());
  const std::string bytes = ReadText(Path("d.tif"));
  Run("HUDDecode", Arguments());
  EXPECT_EQ(ReadText(Path("d.tif")), bytes);
}

TEST_F(HUDDecode, RefusesAbundancesOfAnotherNumberOfEndmembers)
{
  Parameters arguments = Arguments();
  arguments[0].second = Path("scene.tif");
  ExpectSays(Failure("HUDDecode", arguments), {"scene.tif", "e.tif", "11", "3"});
}

TEST_F(HUDDecode, RefusesEndmembersThatAreNotFinite)
{
  TestImage endmembers = ReadImage(Path("e.tif"));
  endmembers.m_Pixels(4, 1) = std::numeric_limits<float>::infinity();
  WriteImage(m_Folder / "bad.tif", endmembers);
  Parameters arguments = Arguments();
  arguments[1].second = Path("bad.tif");
  ExpectSays(Failure("HUDDecode", arguments), {"bad.tif", "endmember 2", "band 5"});
}

TEST_F(HUDDecode, NoDataPixelsStayNoDataAndAreCounted)
{
  TestImage abundances = ReadImage(Path("a.tif"));
  abundances.m_Pixels.col(41).setConstant(-9999.f);
  WriteImage(m_Folder / "holed.tif", abundances);
  Parameters arguments = Arguments();
  arguments[0].second = Path("holed.tif");
  Run("HUDDecode", arguments);
  ExpectSays(Log(), {"No-data pixels left out: 1"});
  const TestImage decoded = ReadImage(Path("d.tif"));
  EXPECT_TRUE((decoded.m_Pixels.col(41).array() == -9999.f).all());
  EXPECT_EQ(decoded.m_NoData, -9999.);
  EXPECT_GT(decoded.m_Pixels.col(42).minCoeff(), -1.f);
}

TEST_F(HUDDecode, AFullDiskOrAReadOnlyFolderKeepsTheEarlierFile)
{
  Run("HUDDecode", Arguments());
  const std::string bytes = ReadText(Path("d.tif"));
  {
    const hud::test::FullDisk full(4096);
    ExpectSays(Failure("HUDDecode", Arguments()), {"d.tif"});
  }
  EXPECT_EQ(ReadText(Path("d.tif")), bytes);
  Parameters arguments = Arguments();
  arguments[2].second = "/proc/d.tif";
  ExpectSays(Failure("HUDDecode", arguments), {"out", "/proc"});
}

TEST_F(HUDDecode, RefusesAMissingFile)
{
  Parameters arguments = Arguments();
  arguments[1].second = Path("nothing.tif");
  ExpectSays(Failure("HUDDecode", arguments), {"nothing.tif"});
}

/// Simulated sensors: three materials in PRISMA's bands, and abundances of no unmixing.
class HUDDecodeSensor : public hud::test::ApplicationTest
{
protected:
  static constexpr int kColumns = 61;
  static constexpr int kLines = 47;

  HUDDecodeSensor() : m_Source(otb::HUDKnownSensor("prisma"))
  {
    m_Table.m_Metadata.m_Wavelengths = m_Source.m_Wavelengths;
    m_Table.m_Metadata.m_Widths = m_Source.m_Widths;
    m_Table.m_Endmembers.resize(231, 3);
    const Eigen::MatrixXd detail = hud::test::UniformMatrix(231, 3, 5, 0., 0.05);
    for (Eigen::Index band = 0; band < 231; ++band)
    {
      const double x = m_Source.m_Wavelengths[static_cast<std::size_t>(band)];
      m_Table.m_Endmembers.row(band) << 0.1 + x / 5000., 0.5 + 0.3 * std::sin(x / 90.),
          0.4 / (1. + std::exp((720. - x) / 15.));
    }
    m_Table.m_Endmembers += detail;
    m_Table.m_Endmembers = m_Table.m_Endmembers.cast<float>().cast<double>().eval();
    m_Table.m_Names = {"soil", "roof", "tree"};
    WriteTable();
    m_Abundances.m_Width = kColumns;
    m_Abundances.m_Height = kLines;
    m_Abundances.m_Pixels = hud::test::UniformAbundances(3, kColumns * kLines, 8).cast<float>();
    WriteAbundances();
  }

  void WriteTable() const
  {
    otb::HUDWriteEndmemberFile(Path("e.csv"), m_Table);
  }

  void WriteAbundances(const std::vector<std::string>& names = {"soil", "roof", "tree"}) const
  {
    WriteImage(m_Folder / "a.tif", m_Abundances);
    otb::HUDSceneMetadata metadata;
    metadata.m_BandNames = names;
    metadata.m_Items["acquisition_time"] = "2021-06-01T10:11:12";
    otb::HUDWriteSceneMetadata(Path("a.tif"), metadata);
  }

  /// The arguments and more, which replace those of the same key.
  Parameters Arguments(const Parameters& more) const
  {
    Parameters arguments = {{"in", Path("a.tif")}, {"ie", Path("e.csv")}, {"out", Path("d.tif")}};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  /// The mean of a spectrum, which is linear between its bands, under a Gaussian, by the midpoint rule.
  double Integrate(const Eigen::VectorXd& spectrum, double centre, double width) const
  {
    const std::vector<double>& wavelengths = m_Source.m_Wavelengths;
    double sum = 0.;
    double weight = 0.;
    const double step = width / 4000.;
    for (double x = centre - 4. * width + 0.5 * step; x < centre + 4. * width; x += step)
    {
      const auto next = std::upper_bound(wavelengths.begin(), wavelengths.end(), x);
      if (next != wavelengths.begin() && next != wavelengths.end())
      {
        const auto i = next - wavelengths.begin();
        const double share = (x - *(next - 1)) / (*next - *(next - 1));
        const double response = std::exp2(-4. * (x - centre) * (x - centre) / (width * width));
        sum += response * ((1. - share) * spectrum[i - 1] + share * spectrum[i]);
        weight += response;
      }
    }
    return sum / weight;
  }

  otb::HUDSensor m_Source;
  otb::HUDEndmemberTable m_Table;
  TestImage m_Abundances;
};

TEST_F(HUDDecodeSensor, Sentinel2AgreesWithTheIntegralOfEachPixelsSpectrum)
{
  Run("HUDDecode", Arguments({}));
  const TestImage spectra = ReadImage(Path("d.tif"));
  ASSERT_EQ(spectra.m_Pixels.rows(), 231);
  Run("HUDDecode", Arguments({{"sensor", "sentinel2"}}));
  const TestImage bands = ReadImage(Path("d.tif"));
  ASSERT_EQ(bands.m_Pixels.rows(), 13);
  ASSERT_EQ(bands.m_Pixels.cols(), kColumns * kLines);
  ASSERT_TRUE(bands.m_Pixels.allFinite());
  const otb::HUDSensor sensor = otb::HUDKnownSensor("sentinel2");
  for (Eigen::Index pixel = 0; pixel < bands.m_Pixels.cols(); pixel += 397)
  {
    const Eigen::VectorXd spectrum = spectra.m_Pixels.col(pixel).cast<double>();
    for (std::size_t band = 0; band < 13; ++band)
    {
      EXPECT_NEAR(bands.m_Pixels(static_cast<Eigen::Index>(band), pixel),
                  Integrate(spectrum, sensor.m_Wavelengths[band], sensor.m_Widths[band]), 1e-6)
          << "pixel " << pixel << ", band " << band;
    }
  }
}

TEST_F(HUDDecodeSensor, TheImageSaysWhatWasSimulated)
{
  Run("HUDDecode",
      Arguments(
          {{"sensor", "sentinel2"}, {"snr", "150"}, {"illumination", "0.75"}, {"rand", "5"}, {"outside", "drop"}}));
  const otb::HUDSceneMetadata metadata = otb::HUDReadSceneMetadata(Path("d.tif"));
  const otb::HUDSensor sensor = otb::HUDKnownSensor("sentinel2");
  EXPECT_EQ(metadata.m_Wavelengths, sensor.m_Wavelengths);
  EXPECT_EQ(metadata.m_Widths, sensor.m_Widths);
  EXPECT_EQ(metadata.m_BandNames, sensor.m_BandNames);
  const std::map<std::string, std::string> expected = {
      {"acquisition_time", "2021-06-01T10:11:12"}, {"endmembers", "e.csv"},           {"noise_seed", "5"},
      {"simulated_illumination", "0.75"},          {"simulated_sensor", "sentinel2"}, {"simulated_snr", "150"}};
  EXPECT_EQ(metadata.m_Items, expected);
  ExpectSays(Log(), {"Sensor: sentinel2, 13 of 13 bands, from 231 bands", "Noise: standard deviation from"});

  // The endmembers of a simulated scene are that sensor's; its noise is not in what they are decoded to.
  Run("HUDUnmix", {{"in", Path("d.tif")}, {"ne", "3"}, {"out", Path("b.tif")}, {"outendm", Path("e.tif")}});
  Run("HUDDecode", {{"in", Path("b.tif")}, {"ie", Path("e.tif")}, {"out", Path("f.tif")}});
  EXPECT_EQ(otb::HUDReadSceneMetadata(Path("f.tif")).m_Items,
            (std::map<std::string, std::string>{{"acquisition_time", "2021-06-01T10:11:12"},
                                                {"endmembers", "e.tif"},
                                                {"simulated_sensor", "sentinel2"}}));

  // What was simulated before does not stay.
  otb::HUDWriteSceneMetadata(Path("a.tif"), [&] {
    otb::HUDSceneMetadata stale;
    stale.m_Items = expected;
    return stale;
  }());
  Run("HUDDecode", Arguments({}));
  const auto items = otb::HUDReadSceneMetadata(Path("d.tif")).m_Items;
  EXPECT_EQ(items,
            (std::map<std::string, std::string>{{"acquisition_time", "2021-06-01T10:11:12"}, {"endmembers", "e.csv"}}));
}

TEST_F(HUDDecodeSensor, NoiseHasTheRatioAskedFor)
{
  // One mixture everywhere; 300 x 200 pixels measure a deviation to 0.3 %.
  m_Abundances.m_Width = 300;
  m_Abundances.m_Height = 200;
  m_Abundances.m_Pixels.resize(3, 300 * 200);
  m_Abundances.m_Pixels.colwise() = Eigen::Vector3f(0.5f, 0.2f, 0.3f);
  WriteAbundances();
  hud::test::WriteText(m_Folder / "s.csv", "name,wavelength,fwhm,snr\na,500,20,40\nb,900,30,250\nc,1600,80,1000\n");
  const std::vector<std::pair<Parameters, std::vector<double>>> cases = {
      {{}, {40., 250., 1000.}},
      {{{"snr", "80"}, {"illumination", "0.5"}}, {80., 80., 80.}},
      {{{"snr", "20 30 500"}}, {20., 30., 500.}}};
  for (const auto& [more, ratios] : cases)
  {
    Parameters arguments = Arguments({{"sensor", "custom"}, {"sensorfile", Path("s.csv")}});
    arguments.insert(arguments.end(), more.begin(), more.end());
    Run("HUDDecode", arguments);
    const Eigen::MatrixXd spectra = ReadImage(Path("d.tif")).m_Pixels.cast<double>();
    ASSERT_EQ(spectra.rows(), 3);
    for (Eigen::Index band = 0; band < 3; ++band)
    {
      const double mean = spectra.row(band).mean();
      const double deviation = std::sqrt((spectra.row(band).array() - mean).square().mean());
      EXPECT_NEAR(mean / deviation / ratios[static_cast<std::size_t>(band)], 1., 0.02) << band;
    }
  }
  EXPECT_EQ(otb::HUDReadSceneMetadata(Path("d.tif")).m_Items.at("simulated_snr"), "20 30 500");
}

TEST_F(HUDDecodeSensor, NoiseDependsOnTheSeedButNotOnMemoryAndThreads)
{
  // Strips of a few lines, beside the whole image.
  m_Abundances.m_Height = 400;
  m_Abundances.m_Pixels = hud::test::UniformAbundances(3, kColumns * 400, 8).cast<float>();
  m_Abundances.m_Pixels.col(700).setConstant(-9999.f);
  m_Abundances.m_NoData = -9999.;
  WriteAbundances();
  const Parameters noise = {{"snr", "60"}, {"rand", "3"}, {"ram", "256"}};
  Run("HUDDecode", Arguments(noise));
  const std::string bytes = ReadText(Path("d.tif"));
  const TestImage first = ReadImage(Path("d.tif"));
  EXPECT_TRUE((first.m_Pixels.col(700).array() == -9999.f).all());
  const auto threads = itk::MultiThreader::GetGlobalDefaultNumberOfThreads();
  for (const unsigned int count : {1u, 3u})
  {
    itk::MultiThreader::SetGlobalDefaultNumberOfThreads(count);
    Run("HUDDecode", Arguments({{"snr", "60"}, {"rand", "3"}, {"ram", "1"}}));
    EXPECT_EQ(ReadText(Path("d.tif")), bytes) << count;
  }
  itk::MultiThreader::SetGlobalDefaultNumberOfThreads(threads);
  Run("HUDDecode", Arguments({{"snr", "60"}, {"rand", "4"}}));
  const TestImage other = ReadImage(Path("d.tif"));
  EXPECT_GT((other.m_Pixels.leftCols(700) - first.m_Pixels.leftCols(700)).cwiseAbs().minCoeff(), 0.f);
}

TEST_F(HUDDecodeSensor, IlluminationScalesTheSpectraAndIntegersAreRounded)
{
  Run("HUDDecode", Arguments({}));
  const TestImage full = ReadImage(Path("d.tif"));
  Run("HUDDecode", Arguments({{"illumination", "2.5"}}));
  const TestImage bright = ReadImage(Path("d.tif"));
  EXPECT_LT((bright.m_Pixels - 2.5f * full.m_Pixels).cwiseAbs().maxCoeff(), 1e-6f);
  m_PixelType = "uint16";
  Run("HUDDecode", Arguments({{"illumination", "5000"}, {"sensor", "sentinel2"}}));
  const TestImage integers = ReadImage(Path("d.tif"));
  m_PixelType = "";
  Run("HUDDecode", Arguments({{"illumination", "5000"}, {"sensor", "sentinel2"}}));
  EXPECT_LE((integers.m_Pixels - ReadImage(Path("d.tif")).m_Pixels).cwiseAbs().maxCoeff(), 1.f);
}

TEST_F(HUDDecodeSensor, BandsThatTheEndmembersDoNotCoverAreRefusedOrDropped)
{
  // EnMAP begins at 418 nm and has no bands where water vapour absorbs.
  const otb::HUDSensor enmap = otb::HUDKnownSensor("enmap");
  m_Table.m_Metadata.m_Wavelengths = enmap.m_Wavelengths;
  m_Table.m_Metadata.m_Widths = enmap.m_Widths;
  m_Table.m_Endmembers = hud::test::UniformMatrix(224, 3, 4).cast<float>().cast<double>();
  WriteTable();
  ExpectSays(Failure("HUDDecode", Arguments({{"sensor", "prisma"}})),
             {"sensor prisma", "e.csv", "band 1 at 403.62 nm", "range of 414.", "to 2449.", "outside drop"});
  Run("HUDDecode", Arguments({{"sensor", "prisma"}, {"outside", "drop"}}));
  ExpectSays(Log(), {"of 231 bands of prisma, outside", "nm): 403.62 nm, 412.46 nm, ", "of prisma, in a gap"});
  const otb::HUDSceneMetadata metadata = otb::HUDReadSceneMetadata(Path("d.tif"));
  EXPECT_EQ(metadata.m_Wavelengths.size(), static_cast<std::size_t>(ReadImage(Path("d.tif")).m_Pixels.rows()));
  EXPECT_EQ(metadata.m_Widths.size(), metadata.m_Wavelengths.size());
  EXPECT_GT(metadata.m_Wavelengths.front(), 412.);
  for (const double wavelength : metadata.m_Wavelengths)
  {
    EXPECT_FALSE(wavelength > 1775. && wavelength < 1925.) << wavelength;
  }
}

TEST_F(HUDDecodeSensor, EnmapFollowsFromPrisma)
{
  Run("HUDDecode", Arguments({{"sensor", "enmap"}}));
  EXPECT_EQ(ReadImage(Path("d.tif")).m_Pixels.rows(), 224);
  ExpectSays(Log(), {"224 of 224 bands of enmap are narrower"});
}

TEST_F(HUDDecodeSensor, EndmembersInAnotherOrderAreRefusedAndOtherNamesWarnedOf)
{
  WriteAbundances({"roof", "soil", "tree"});
  ExpectSays(Failure("HUDDecode", Arguments({})),
             {"a.tif", "e.csv", "band 1 of the abundances is 'roof'", "endmember 2"});
  WriteAbundances({"soil", "roof", "tree in winter"});
  Run("HUDDecode", Arguments({}));
  ExpectSays(Log(), {"band 3 of the abundances is 'tree in winter', endmember 3 is 'tree'"});
}

TEST_F(HUDDecodeSensor, RefusesWhatMakesNoSense)
{
  const auto refusal = [this](const Parameters& more) { return Failure("HUDDecode", Arguments(more)); };
  for (const char* snr : {"0", "-5", "nan", "inf", "high"})
  {
    ExpectSays(refusal({{"snr", snr}}), {"snr: found \"" + std::string(snr) + "\"", "above 0"});
  }
  ExpectSays(refusal({{"snr", "5 6"}}), {"snr: found 2 ratios", "231 bands"});
  // OTB makes the largest number of what is none.
  for (const auto& [factor, found] :
       {std::pair("0", "0"), {"-1", "-1"}, {"nan", "3.40282e+38"}, {"inf", "3.40282e+38"}, {"dark", "0"}})
  {
    ExpectSays(refusal({{"illumination", factor}}), {"illumination: found " + std::string(found), "above 0"});
  }
  ExpectSays(refusal({{"snr", "5"}, {"rand", "-2"}}), {"rand: found -2"});
  ExpectSays(refusal({{"sensor", "custom"}}), {"sensorfile: found none"});
  hud::test::WriteText(m_Folder / "s.csv", "wavelength,fwhm\n500,0\n");
  ExpectSays(refusal({{"sensorfile", Path("s.csv")}}), {"sensorfile: found", "s.csv beside sensor none", "custom"});
  ExpectSays(refusal({{"sensor", "custom"}, {"sensorfile", Path("s.csv")}}),
             {"sensorfile: ", "s.csv", "\"0\" as fwhm in row 2"});
  ExpectSays(refusal({{"sensor", "custom"}, {"sensorfile", Path("no.csv")}}),
             {"sensorfile: ", "no.csv", "cannot be opened"});
  m_Table.m_Metadata.m_Wavelengths.clear();
  m_Table.m_Metadata.m_Widths.clear();
  WriteTable();
  ExpectSays(refusal({{"sensor", "enmap"}}), {"sensor enmap", "e.csv", "wavelengths of the endmembers are not known"});
}

} // namespace
