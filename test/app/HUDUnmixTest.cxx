// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "ApplicationTest.h"

#include "otbHUDEndmemberFile.h"
#include "otbHUDEndmemberImage.h"

#include "hud/core/Error.h"
#include "hud/core/SceneStatistics.h"

#include <Eigen/QR>
#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>

namespace
{

using hud::test::ExpectSays;
using hud::test::ExpectSimplex;
using hud::test::ReadImage;
using hud::test::ReadText;
using hud::test::TestImage;

class HUDUnmix : public hud::test::ApplicationTest
{
protected:
  Parameters Arguments(const std::string& scene = "scene.tif", const std::string& endmembers = "3") const
  {
    return {{"in", Path(scene)}, {"out", Path("a.tif")}, {"outendm", Path("e.tif")}, {"ne", endmembers}};
  }

  /// Returns Arguments with others besides.
  Parameters With(const Parameters& others, const std::string& scene = "scene.tif",
                  const std::string& endmembers = "3") const
  {
    Parameters arguments = Arguments(scene, endmembers);
    arguments.insert(arguments.end(), others.begin(), others.end());
    return arguments;
  }

  nlohmann::json Report(const std::string& name = "r.json") const
  {
    return nlohmann::json::parse(ReadText(Path(name)));
  }

  /// Writes a mask of the scene's size in which these pixels are 0.
  void WriteMask(const std::string& name, const std::set<Eigen::Index>& masked)
  {
    TestImage mask;
    mask.m_Width = kWidth;
    mask.m_Height = kHeight;
    mask.m_Pixels = Eigen::MatrixXf::Constant(1, kWidth * kHeight, 255.f);
    for (const Eigen::Index pixel : masked)
    {
      mask.m_Pixels(0, pixel) = 0.f;
    }
    WriteImage(m_Folder / name, mask, {}, GDT_Byte);
  }

  /// Expects a.tif and e.tif to be what an unmixing is: finite, on the simplex, of the scene's size.
  /// @param noData pixels in which the abundances are no-data
  void ExpectUnmixing(Eigen::Index endmembers, const std::set<Eigen::Index>& noData = {})
  {
    const TestImage abundances = ReadImage(Path("a.tif"));
    const TestImage spectra = ReadImage(Path("e.tif"));
    ASSERT_EQ(abundances.m_Pixels.rows(), endmembers);
    ASSERT_EQ(abundances.m_Pixels.cols(), kWidth * kHeight);
    ASSERT_EQ(spectra.m_Pixels.rows(), kBands);
    ASSERT_EQ(spectra.m_Pixels.cols(), endmembers);
    EXPECT_TRUE(spectra.m_Pixels.allFinite());
    std::vector<Eigen::Index> valid;
    for (Eigen::Index pixel = 0; pixel < abundances.m_Pixels.cols(); ++pixel)
    {
      if (noData.count(pixel) > 0)
      {
        EXPECT_TRUE((abundances.m_Pixels.col(pixel).array() == -9999.f).all()) << pixel;
      }
      else
      {
        valid.push_back(pixel);
      }
    }
    ExpectSimplex(abundances.m_Pixels(Eigen::all, valid));
  }

  /// Returns the scene without noise, so that its rank is kEndmembers.
  static TestImage NoiseFreeScene()
  {
    hud::SyntheticSceneOptions options;
    options.m_Bands = kBands;
    options.m_Pixels = kWidth * kHeight;
    options.m_Endmembers = kEndmembers;
    options.m_SnrDecibel = std::numeric_limits<double>::infinity();
    TestImage scene = MakeScene();
    scene.m_Pixels = MakeSyntheticScene(options).m_Spectra;
    return scene;
  }
};

TEST_F(HUDUnmix, FindsTheEndmembersAndAbundancesOfTheScene)
{
  Run("HUDUnmix", Arguments());
  const TestImage abundances = ReadImage(Path("a.tif"));
  const TestImage endmembers = ReadImage(Path("e.tif"));
  EXPECT_EQ(abundances.m_Width, kWidth);
  EXPECT_EQ(abundances.m_Height, kHeight);
  ASSERT_EQ(abundances.m_Pixels.rows(), kEndmembers);
  EXPECT_EQ(endmembers.m_Width, kEndmembers);
  EXPECT_EQ(endmembers.m_Height, 1);
  ASSERT_EQ(endmembers.m_Pixels.rows(), kBands);
  ExpectSimplex(abundances.m_Pixels);
  const Eigen::MatrixXf residual = m_Scene.m_Pixels - endmembers.m_Pixels * abundances.m_Pixels;
  EXPECT_LT(residual.norm() / m_Scene.m_Pixels.norm(), 0.02f); // the scene's SNR is 40 dB
}

TEST_F(HUDUnmix, TheSameSeedGivesTheSameBytes)
{
  Run("HUDUnmix", Arguments());
  const std::string abundances = ReadText(Path("a.tif"));
  const std::string endmembers = ReadText(Path("e.tif"));
  Run("HUDUnmix", Arguments());
  EXPECT_EQ(ReadText(Path("a.tif")), abundances);
  EXPECT_EQ(ReadText(Path("e.tif")), endmembers);
}

TEST_F(HUDUnmix, EndmembersCarryTheWavelengths)
{
  Run("HUDUnmix", Arguments());
  const auto dataset = hud::test::OpenImage(Path("e.tif"));
  for (int band = 1; band <= kBands; ++band)
  {
    const char* wavelength = dataset->GetRasterBand(band)->GetMetadataItem("wavelength");
    ASSERT_NE(wavelength, nullptr);
    EXPECT_DOUBLE_EQ(std::stod(wavelength), Wavelengths()[static_cast<std::size_t>(band - 1)]);
  }
}

TEST_F(HUDUnmix, TakesGivenEndmembers)
{
  Run("HUDUnmix", Arguments());
  Run("HUDUnmix", {{"in", Path("scene.tif")}, {"out", Path("again.tif")}, {"ie", Path("e.tif")}});
  const Eigen::MatrixXf difference = ReadImage(Path("again.tif")).m_Pixels - ReadImage(Path("a.tif")).m_Pixels;
  EXPECT_LT(difference.cwiseAbs().maxCoeff(), 1e-5f);
}

TEST_F(HUDUnmix, UnconstrainedAbundancesMayBeNegativeAndLinearOnesMayNot)
{
  Run("HUDUnmix", Arguments());
  const Parameters common = {{"in", Path("scene.tif")}, {"out", Path("x.tif")}, {"ie", Path("e.tif")}};
  Parameters raw = common;
  raw.emplace_back("encoder", "ucls");
  Run("HUDUnmix", raw);
  EXPECT_LT(ReadImage(Path("x.tif")).m_Pixels.minCoeff(), 0.f);
  Parameters linear = common;
  linear.emplace_back("encoder", "linear");
  Run("HUDUnmix", linear);
  ExpectSimplex(ReadImage(Path("x.tif")).m_Pixels);
}

TEST_F(HUDUnmix, LeavesNoDataPixelsOutAndCountsThem)
{
  TestImage holed = m_Scene;
  holed.m_NoData = -32768.;
  holed.m_Pixels(4, 30) = -32768.f;
  holed.m_Pixels(2, 77) = std::numeric_limits<float>::quiet_NaN();
  holed.m_Pixels.col(123).setZero();
  WriteImage(m_Folder / "holed.tif", holed);
  // The same scene with those pixels cut away, as one long row.
  TestImage cut;
  cut.m_Pixels.resize(kBands, m_Scene.m_Pixels.cols() - 3);
  Eigen::Index next = 0;
  for (Eigen::Index pixel = 0; pixel < m_Scene.m_Pixels.cols(); ++pixel)
  {
    if (pixel != 30 && pixel != 77 && pixel != 123)
    {
      cut.m_Pixels.col(next++) = m_Scene.m_Pixels.col(pixel);
    }
  }
  cut.m_Width = static_cast<int>(next);
  cut.m_Height = 1;
  WriteImage(m_Folder / "cut.tif", cut);

  Run("HUDUnmix", Arguments("cut.tif"));
  const TestImage cutAbundances = ReadImage(Path("a.tif"));
  const TestImage cutEndmembers = ReadImage(Path("e.tif"));
  Run("HUDUnmix", Arguments("holed.tif"));
  ExpectSays(Log(), {"No-data pixels left out: 3"});
  const TestImage abundances = ReadImage(Path("a.tif"));
  EXPECT_EQ(ReadImage(Path("e.tif")).m_Pixels, cutEndmembers.m_Pixels);
  EXPECT_EQ(abundances.m_NoData, -9999.);
  next = 0;
  for (Eigen::Index pixel = 0; pixel < abundances.m_Pixels.cols(); ++pixel)
  {
    if (pixel == 30 || pixel == 77 || pixel == 123)
    {
      EXPECT_TRUE((abundances.m_Pixels.col(pixel).array() == -9999.f).all()) << pixel;
    }
    else
    {
      EXPECT_EQ(abundances.m_Pixels.col(pixel), cutAbundances.m_Pixels.col(next++)) << pixel;
    }
  }
}

TEST_F(HUDUnmix, RefusesAMissingFile)
{
  ExpectSays(Failure("HUDUnmix", Arguments("nothing.tif")), {"nothing.tif"});
}

TEST_F(HUDUnmix, RefusesAnImageOfOneBand)
{
  TestImage one = m_Scene;
  one.m_Pixels = m_Scene.m_Pixels.topRows(1).eval();
  WriteImage(m_Folder / "one.tif", one);
  ExpectSays(Failure("HUDUnmix", Arguments("one.tif")), {"one.tif", "endmembers is 3", "bands, 1"});
}

TEST_F(HUDUnmix, RefusesMoreEndmembersThanBands)
{
  ExpectSays(Failure("HUDUnmix", Arguments("scene.tif", "12")), {"scene.tif", "endmembers is 12", "bands, 11"});
}

TEST_F(HUDUnmix, RefusesFewerThanTwoEndmembers)
{
  for (const char* count : {"1", "-4"})
  {
    ExpectSays(Failure("HUDUnmix", Arguments("scene.tif", count)),
               {"endmembers is " + std::string(count), "at least 2"});
  }
}

TEST_F(HUDUnmix, RefusesAZeroNumberOfRuns)
{
  Parameters arguments = Arguments();
  arguments.emplace_back("restarts", "0");
  ExpectSays(Failure("HUDUnmix", arguments), {"restarts is 0"});
  arguments.back() = {"restarts", "-1"};
  ExpectSays(Failure("HUDUnmix", arguments), {"restarts is -1"});
  arguments.back() = {"refine", "-1"};
  ExpectSays(Failure("HUDUnmix", arguments), {"refinements is -1"});
}

TEST_F(HUDUnmix, RefusesFewerValidPixelsThanEndmembers)
{
  TestImage sparse = m_Scene;
  sparse.m_Pixels.rightCols(sparse.m_Pixels.cols() - 2).setZero();
  WriteImage(m_Folder / "sparse.tif", sparse);
  ExpectSays(Failure("HUDUnmix", Arguments("sparse.tif")), {"sparse.tif", "endmembers is 3", "valid pixels, 2"});
}

TEST_F(HUDUnmix, RefusesASceneOfNoDataOnly)
{
  TestImage empty = m_Scene;
  empty.m_Pixels.setConstant(std::numeric_limits<float>::quiet_NaN());
  WriteImage(m_Folder / "empty.tif", empty);
  ExpectSays(Failure("HUDUnmix", Arguments("empty.tif")), {"empty.tif", "no valid pixel"});
}

TEST_F(HUDUnmix, WritesTheSameEndmembersIntoEveryKindOfFile)
{
  for (const char* name : {"e.csv", "e.sli"})
  {
    Parameters arguments = Arguments();
    arguments.emplace_back("outlib", Path(name));
    Run("HUDUnmix", arguments);
    const otb::HUDEndmemberTable table = otb::HUDReadEndmemberFile(Path(name));
    EXPECT_EQ(table.m_Endmembers.cast<float>(), ReadImage(Path("e.tif")).m_Pixels) << name;
    EXPECT_EQ(table.m_Metadata.m_Wavelengths, Wavelengths()) << name;
  }
  EXPECT_EQ(m_Folder.Names(),
            (std::set<std::string>{"scene.tif", "a.tif", "a.qml", "e.tif", "e.qml", "e.csv", "e.sli", "e.hdr"}));

  // And takes them back, as it takes the image.
  Run("HUDUnmix", {{"in", Path("scene.tif")}, {"out", Path("a.tif")}, {"ie", Path("e.tif")}});
  for (const char* name : {"e.csv", "e.sli"})
  {
    Run("HUDUnmix",
        {{"in", Path("scene.tif")}, {"out", Path("b.tif")}, {"ie", Path(name)}, {"outlib", Path("again.csv")}});
    // Their bands have the names of the file.
    EXPECT_EQ(ReadImage(Path("b.tif")).m_Pixels, ReadImage(Path("a.tif")).m_Pixels) << name;
    EXPECT_EQ(ReadText(Path("again.csv")), ReadText(Path("e.csv"))) << name;
  }
}

TEST_F(HUDUnmix, KeepsNamesAndWavelengthsOfGivenEndmembers)
{
  WriteImage(m_Folder / "bare.tif", m_Scene);
  otb::HUDEndmemberTable given;
  given.m_Endmembers = Eigen::MatrixXf::Random(kBands, 2).cast<double>();
  given.m_Names = {"tree", "road"};
  given.m_Metadata.m_Wavelengths = Wavelengths();
  otb::HUDWriteEndmemberFile(Path("given.csv"), given);
  Run("HUDUnmix", {{"in", Path("bare.tif")}, {"ie", Path("given.csv")}, {"outlib", Path("kept.sli")}});
  const otb::HUDEndmemberTable kept = otb::HUDReadEndmemberFile(Path("kept.sli"));
  EXPECT_EQ(kept.m_Names, given.m_Names);
  EXPECT_EQ(kept.m_Metadata.m_Wavelengths, given.m_Metadata.m_Wavelengths);
}

TEST_F(HUDUnmix, TakesEndmembersInMemory)
{
  Run("HUDUnmix", Arguments());
  Run("HUDUnmix", {{"in", Path("scene.tif")}, {"out", Path("a.tif")}, {"ie", Path("e.tif")}});
  const auto application = otb::Wrapper::ApplicationRegistry::CreateApplication("HUDUnmix");
  application->SetParameterString("in", Path("scene.tif"));
  application->SetParameterString("ie", Path("replaced.csv"));
  const auto image = otb::HUDEndmembersToImage(ReadImage(Path("e.tif")).m_Pixels.cast<double>());
  application->SetParameterInputImage("ie", image.GetPointer());
  application->SetParameterString("out", Path("again.tif"));
  ASSERT_EQ(application->ExecuteAndWriteOutput(), 0);
  EXPECT_TRUE(ReadText(Path("again.tif")) == ReadText(Path("a.tif")));
}

TEST_F(HUDUnmix, RefusesALibraryThatCannotBeWritten)
{
  Parameters arguments = Arguments();
  arguments.emplace_back("outlib", Path("e.txt"));
  ExpectSays(Failure("HUDUnmix", arguments), {"e.txt", ".csv", ".sli"});
  arguments.back().second = Path("missing/e.csv");
  ExpectSays(Failure("HUDUnmix", arguments), {"outlib", "missing"});
  // An ENVI image e and a library e.sli would share their header.
  arguments.back().second = Path("e.sli");
  arguments[2].second = Path("e.hdr");
  ExpectSays(Failure("HUDUnmix", arguments), {"outlib", "outendm", "same file", "e.hdr"});
  hud::test::WriteText(m_Folder / "taken.hdr", "ENVI");
  arguments.back().second = Path("taken.sli");
  ExpectSays(Failure("HUDUnmix", arguments), {"taken.sli", "taken.hdr", "another file"});
}

/// Endmembers that no scene of kBands can be unmixed with, as an image and as a table.
TEST_F(HUDUnmix, RefusesGivenEndmembersByTheNameOfTheirFile)
{
  const Eigen::MatrixXf good = Eigen::MatrixXf::Random(kBands + 2, kBands + 1).cwiseAbs();
  const auto refusals = [&](const Eigen::MatrixXf& endmembers, const std::vector<std::string>& texts,
                            const std::string& encoder = "fcls") {
    TestImage image;
    image.m_Width = static_cast<int>(endmembers.cols());
    image.m_Height = 1;
    image.m_Pixels = endmembers;
    WriteImage(m_Folder / "bad.tif", image);
    otb::HUDEndmemberTable table;
    table.m_Endmembers = endmembers.cast<double>();
    otb::HUDWriteEndmemberFile(Path("bad.csv"), table);
    otb::HUDWriteEndmemberFile(Path("bad.sli"), table);
    for (const char* name : {"bad.tif", "bad.csv", "bad.sli"})
    {
      Parameters arguments = Arguments();
      arguments.emplace_back("ie", Path(name));
      arguments.emplace_back("encoder", encoder);
      const std::string message = Failure("HUDUnmix", arguments);
      ExpectSays(message, {"ie", name});
      ExpectSays(message, texts);
    }
  };
  Eigen::MatrixXf bad = good.topLeftCorner(kBands, 3);
  bad.col(2) = bad.col(0);
  refusals(bad, {"linearly dependent", "rank 2"});
  // Rounded to single precision, as in any file.
  bad.col(2) = 0.3f * bad.col(0) + 0.7f * bad.col(1);
  refusals(bad, {"linearly dependent", "rank 2"});
  bad.col(2) = 2.f * bad.col(0);
  refusals(bad, {"linearly dependent", "rank 2"}, "ucls");
  bad.col(2) = good.col(2).head(kBands);
  bad(4, 1) = std::numeric_limits<float>::quiet_NaN();
  refusals(bad, {"endmember 2", "not finite", "band 5"});
  refusals(good.topLeftCorner(kBands, 1), {"found 1 endmembers", "at least 2"});
  refusals(good.topRows(kBands), {"found 12 endmembers of 11 bands", "no more than bands"});
  refusals(good.topLeftCorner(kBands - 2, 3), {"the scene's 11 bands", "3", "9"});
}

TEST_F(HUDUnmix, RefusesAFolderThatDoesNotExistOrIsReadOnly)
{
  Parameters arguments = Arguments();
  arguments[1].second = Path("missing/a.tif");
  ExpectSays(Failure("HUDUnmix", arguments), {"out", "missing"});
  arguments[1].second = "/proc/a.tif";
  ExpectSays(Failure("HUDUnmix", arguments), {"out", "/proc"});
}

TEST_F(HUDUnmix, AFullDiskKeepsTheEarlierFiles)
{
  Run("HUDUnmix", Arguments());
  const std::string abundances = ReadText(Path("a.tif"));
  const std::string endmembers = ReadText(Path("e.tif"));
  std::filesystem::copy_file(Path("e.tif"), Path("given.tif"));
  {
    const hud::test::FullDisk full(1024);
    Parameters arguments = Arguments("scene.tif", "5");
    ExpectSays(Failure("HUDUnmix", arguments), {"temporary file", "TMPDIR"});
    arguments.emplace_back("ie", Path("given.tif"));
    ExpectSays(Failure("HUDUnmix", arguments), {"a.tif"});
  }
  {
    const hud::test::FullDisk full(100);
    const Parameters arguments = {{"in", Path("scene.tif")}, {"ie", Path("e.tif")}, {"outlib", Path("e.csv")}};
    ExpectSays(Failure("HUDUnmix", arguments), {"cannot write", "e.csv"});
  }
  EXPECT_EQ(ReadText(Path("a.tif")), abundances);
  EXPECT_EQ(ReadText(Path("e.tif")), endmembers);
}

TEST_F(HUDUnmix, EstimatesTheNumberOfEndmembersByEachEstimator)
{
  for (const char* estimator : {"error", "elm", "vd"})
  {
    SCOPED_TRACE(estimator);
    Run("HUDUnmix", With({{"estimator", estimator}, {"maxerror", "2"}}, "scene.tif", "0"));
    ExpectSays(Log(), {"Number of endmembers found: 3"});
    ExpectUnmixing(kEndmembers);
    const std::string abundances = ReadText(Path("a.tif"));
    Run("HUDUnmix", Arguments());
    EXPECT_TRUE(ReadText(Path("a.tif")) == abundances);
  }
}

TEST_F(HUDUnmix, TheEstimateOfTheNumberKeepsTheErrorAskedFor)
{
  for (const double percent : {12., 2.})
  {
    Run("HUDUnmix", With({{"maxerror", std::to_string(percent)}, {"report", Path("r.json")}}, "scene.tif", "0"));
    EXPECT_LE(Report().at("relativeDecodeError").get<double>(), percent / 100.);
  }
}

TEST_F(HUDUnmix, SaysOnceWhatErrorCanBeReachedWhenThatAskedForCannot)
{
  // Noise of 1 % in 11 bands: even 11 endmembers leave some.
  const std::string message = Failure("HUDUnmix", With({{"maxerror", "0.01"}}, "scene.tif", "0"));
  ExpectSays(message, {"scene.tif", "up to 11", "0.01 %", "none is below 0.2"});
  EXPECT_EQ(message.find("scene.tif"), message.rfind("scene.tif")) << message;
  for (const char* percent : {"0", "100", "-3"})
  {
    ExpectSays(Failure("HUDUnmix", With({{"maxerror", percent}}, "scene.tif", "0")),
               {"scene.tif", "decode error is " + std::string(percent) + " %"});
  }
}

TEST_F(HUDUnmix, EstimatesTheNumberOfASceneInScaledIntegersWithAnEmptyBand)
{
  TestImage scaled = m_Scene;
  scaled.m_Pixels = (10000.f * m_Scene.m_Pixels).array().round();
  scaled.m_Pixels.row(4).setConstant(-1.f);
  scaled.m_NoData = -1.;
  WriteImage(m_Folder / "scaled.tif", scaled, {}, GDT_Int16);
  for (const char* estimator : {"error", "elm", "vd"})
  {
    SCOPED_TRACE(estimator);
    Run("HUDUnmix", With({{"estimator", estimator}, {"maxerror", "2"}}, "scaled.tif", "0"));
    ExpectSays(Log(), {"Number of endmembers found: 3"});
    ExpectUnmixing(kEndmembers);
  }
}

TEST_F(HUDUnmix, ReportHoldsWhatTheWrittenImagesSay)
{
  TestImage holed = m_Scene;
  holed.m_NoData = -32768.;
  holed.m_Pixels(4, 30) = -32768.f;
  holed.m_Pixels.col(77).setConstant(std::numeric_limits<float>::quiet_NaN());
  holed.m_Pixels(2, 78) = std::numeric_limits<float>::infinity();
  holed.m_Pixels.col(123).setZero();
  holed.m_Pixels.col(124).setZero();
  holed.m_Pixels.col(125).setZero();
  WriteImage(m_Folder / "holed.tif", holed);
  // The mask leaves out valid pixels, and one of each kind of no-data.
  const std::set<Eigen::Index> masked = {5, 6, 7, 77, 123};
  WriteMask("mask.tif", masked);
  for (const char* encoder : {"fcls", "nnls", "linear", "ucls"})
  {
    SCOPED_TRACE(encoder);
    Run("HUDUnmix", With({{"mask", Path("mask.tif")}, {"report", Path("r.json")}, {"encoder", encoder}}, "holed.tif"));
    const nlohmann::json report = Report();
    EXPECT_EQ(report.at("format"), "hud-unmixing-report");
    EXPECT_EQ(report.at("scene"), Path("holed.tif"));
    EXPECT_EQ(report.at("encoder"), encoder);
    EXPECT_EQ(report.at("bands"), kBands);
    EXPECT_EQ(report.at("endmembers"), kEndmembers);
    EXPECT_EQ(report.at("emptyBands"), nlohmann::json::array());
    EXPECT_EQ(report.at("pixelsLeftOut"),
              (nlohmann::json{{"masked", 5}, {"notFinite", 1}, {"noDataValue", 1}, {"allBandsZero", 2}}));
    EXPECT_EQ(report.at("validPixels"), kWidth * kHeight - 9);

    const Eigen::MatrixXf all = ReadImage(Path("a.tif")).m_Pixels;
    std::vector<Eigen::Index> valid;
    for (Eigen::Index pixel = 0; pixel < all.cols(); ++pixel)
    {
      if (all(0, pixel) != -9999.f)
      {
        valid.push_back(pixel);
      }
    }
    ASSERT_EQ(valid.size(), static_cast<std::size_t>(kWidth * kHeight - 9));
    const Eigen::MatrixXd spectra = holed.m_Pixels(Eigen::all, valid).cast<double>();
    const Eigen::MatrixXd abundances = all(Eigen::all, valid).cast<double>();
    const Eigen::MatrixXd endmembers = ReadImage(Path("e.tif")).m_Pixels.cast<double>();
    const double error = (spectra - endmembers * abundances).norm();
    const double rmse = error / std::sqrt(static_cast<double>(spectra.size()));
    EXPECT_NEAR(report.at("decodeRmse").get<double>(), rmse, 1e-4 * rmse);
    EXPECT_NEAR(report.at("relativeDecodeError").get<double>(), error / spectra.norm(), 1e-4 * error / spectra.norm());

    const hud::SceneStatistics statistics = ComputeSceneStatistics(hud::InMemorySpectra(spectra.cast<float>()));
    const double affine = AffineRankLimit(statistics, kEndmembers - 1);
    const double linear = LinearRankLimit(statistics, kEndmembers);
    EXPECT_NEAR(report.at("affineRankLimit").get<double>(), affine, 1e-6 * affine);
    EXPECT_NEAR(report.at("linearRankLimit").get<double>(), linear, 1e-6 * linear);
    const std::string name = encoder;
    const double limit = name == "fcls" || name == "linear" ? affine : linear;
    EXPECT_NEAR(report.at("decodeRmseOverLimit").get<double>(), rmse / limit, 1e-4 * rmse / limit);
    EXPECT_GE(rmse, linear);
    const Eigen::MatrixXd unconstrained = endmembers.colPivHouseholderQr().solve(spectra);
    const double negative = static_cast<double>((unconstrained.array() < 0.).count());
    EXPECT_NEAR(report.at("negativeShareOfUnconstrained").get<double>(),
                negative / static_cast<double>(unconstrained.size()), 2. / static_cast<double>(unconstrained.size()));

    ASSERT_EQ(report.at("perEndmember").size(), static_cast<std::size_t>(kEndmembers));
    Eigen::Index pixels = 0;
    for (Eigen::Index k = 0; k < kEndmembers; ++k)
    {
      const nlohmann::json& entry = report.at("perEndmember").at(static_cast<std::size_t>(k));
      pixels += entry.at("largestIn").get<Eigen::Index>();
      EXPECT_EQ(entry.at("pureIn").get<Eigen::Index>(), (all(k, valid).array() >= 0.95f).count());
      EXPECT_NEAR(entry.at("meanAbundance").get<double>(), abundances.row(k).mean(), 1e-6);
    }
    EXPECT_EQ(pixels, kWidth * kHeight - 9);

    // Without abundances to write, it is the same.
    Run("HUDUnmix", {{"in", Path("holed.tif")},
                     {"mask", Path("mask.tif")},
                     {"ne", "3"},
                     {"encoder", encoder},
                     {"report", Path("only.json")}});
    EXPECT_EQ(Report("only.json"), report);
    EXPECT_EQ(Log().find("nothing will be written"), std::string::npos);
  }
}

TEST_F(HUDUnmix, ReportOfGivenEndmembersIsThatOfFoundOnes)
{
  Run("HUDUnmix", With({{"report", Path("r.json")}}));
  Run("HUDUnmix", {{"in", Path("scene.tif")}, {"ie", Path("e.tif")}, {"report", Path("given.json")}});
  const nlohmann::json found = Report();
  const nlohmann::json given = Report("given.json");
  EXPECT_EQ(found.at("method"), "vca");
  EXPECT_EQ(given.count("method"), 0u);
  for (const char* key : {"affineRankLimit", "linearRankLimit", "validPixels", "pixelsLeftOut", "emptyBands"})
  {
    EXPECT_EQ(given.at(key), found.at(key)) << key;
  }
  EXPECT_NEAR(given.at("decodeRmse").get<double>(), found.at("decodeRmse").get<double>(), 1e-6);
}

TEST_F(HUDUnmix, ReportIsOfTheWholeSceneWhenABoxOfItIsWritten)
{
  WriteMask("mask.tif", {0, 1, 2, 300});
  Run("HUDUnmix", With({{"mask", Path("mask.tif")}, {"report", Path("whole.json")}}));
  Parameters arguments = With({{"mask", Path("mask.tif")}, {"report", Path("r.json")}});
  for (const char* box : {"5:4:7:6", "0:0:7:6"})
  {
    arguments[1].second = Path("a.tif") + "?&box=" + box;
    Run("HUDUnmix", arguments);
    EXPECT_EQ(ReadImage(Path("a.tif")).m_Width, 7) << box;
    EXPECT_EQ(Report(), Report("whole.json")) << box;
  }
}

TEST_F(HUDUnmix, LeavesNothingOfTheReportWhenTheRunFails)
{
  ExpectSays(Failure("HUDUnmix", With({{"report", Path("r.json")}}, "scene.tif", "12")), {"endmembers is 12"});
  Parameters arguments = With({{"report", Path("missing/r.json")}});
  ExpectSays(Failure("HUDUnmix", arguments), {"report", "missing"});
  arguments.back().second = Path("a.tif");
  ExpectSays(Failure("HUDUnmix", arguments), {"report", "out", "same file", "a.tif"});
  // No pixel has data in all bands: known only when the images are complete.
  TestImage empty = m_Scene;
  for (Eigen::Index pixel = 0; pixel < empty.m_Pixels.cols(); ++pixel)
  {
    empty.m_Pixels(pixel % kBands, pixel) = std::numeric_limits<float>::quiet_NaN();
  }
  WriteImage(m_Folder / "empty.tif", empty);
  WriteImage(m_Folder / "given.tif", [&] {
    TestImage given = m_Scene;
    given.m_Width = 3;
    given.m_Height = 1;
    given.m_Pixels = m_Scene.m_Pixels.leftCols(3).eval();
    return given;
  }());
  ExpectSays(Failure("HUDUnmix", With({{"ie", Path("given.tif")}, {"report", Path("r.json")}}, "empty.tif")),
             {"no valid pixel"});
  {
    const hud::test::FullDisk full(300);
    ExpectSays(Failure("HUDUnmix", {{"in", Path("scene.tif")}, {"ie", Path("given.tif")}, {"report", Path("r.json")}}),
               {"r.json"});
  }
}

TEST_F(HUDUnmix, AMaskedPixelIsAsGoodAsNoData)
{
  const std::set<Eigen::Index> masked = {0, 40, 41, 3 * kWidth + 7, kWidth * kHeight - 1};
  WriteMask("mask.tif", masked);
  TestImage holed = m_Scene;
  for (const Eigen::Index pixel : masked)
  {
    holed.m_Pixels.col(pixel).setConstant(std::numeric_limits<float>::quiet_NaN());
  }
  WriteImage(m_Folder / "holed.tif", holed, Wavelengths());
  Run("HUDUnmix", Arguments("holed.tif"));
  ExpectUnmixing(kEndmembers, masked);
  const std::string abundances = ReadText(Path("a.tif"));
  const std::string endmembers = ReadText(Path("e.tif"));
  Run("HUDUnmix", With({{"mask", Path("mask.tif")}}));
  ExpectSays(Log(), {"5 left out by the mask"});
  EXPECT_TRUE(ReadText(Path("a.tif")) == abundances);
  EXPECT_TRUE(ReadText(Path("e.tif")) == endmembers);
}

TEST_F(HUDUnmix, TakesAMaskWithoutAGridForASceneWithOne)
{
  const double grid[] = {500000., 20., 0., 4000000., 0., -20.};
  const auto scene = hud::test::Dataset(GDALDataset::Open(Path("scene.tif").c_str(), GDAL_OF_RASTER | GDAL_OF_UPDATE),
                                        [](GDALDataset* open) { GDALClose(open); });
  scene->SetGeoTransform(const_cast<double*>(grid));
  scene->FlushCache();
  WriteMask("mask.tif", {17});
  Run("HUDUnmix", With({{"mask", Path("mask.tif")}}));
  ExpectUnmixing(kEndmembers, {17});
}

TEST_F(HUDUnmix, RefusesAMaskThatDoesNotFitOrLeavesNothing)
{
  std::set<Eigen::Index> all;
  for (Eigen::Index pixel = 0; pixel < kWidth * kHeight; ++pixel)
  {
    all.insert(pixel);
  }
  WriteMask("nothing.tif", all);
  ExpectSays(Failure("HUDUnmix", With({{"mask", Path("nothing.tif")}})),
             {"scene.tif", "no valid pixel", "437 left out by the mask"});
  TestImage other;
  other.m_Width = kHeight;
  other.m_Height = kWidth;
  other.m_Pixels = Eigen::MatrixXf::Ones(1, kWidth * kHeight);
  WriteImage(m_Folder / "other.tif", other);
  ExpectSays(Failure("HUDUnmix", With({{"mask", Path("other.tif")}})), {"mask", "other.tif", "19 x 23", "23 x 19"});
  ExpectSays(Failure("HUDUnmix", With({{"mask", Path("missing.tif")}})), {"missing.tif"});
  // What the mask leaves is no-data.
  all.erase(17);
  WriteMask("hole.tif", all);
  TestImage holed = m_Scene;
  holed.m_Pixels.col(17).setZero();
  WriteImage(m_Folder / "holed.tif", holed);
  ExpectSays(Failure("HUDUnmix", With({{"mask", Path("hole.tif")}}, "holed.tif")), {"holed.tif", "no valid pixel"});
}

TEST_F(HUDUnmix, EndmembersAreZeroInBandsWithoutDataAndServeAgain)
{
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float empty : {nan, -1.f, 0.f})
  {
    SCOPED_TRACE(empty);
    TestImage holed = m_Scene;
    holed.m_NoData = -1.;
    holed.m_Pixels.row(0).setConstant(empty);
    holed.m_Pixels.middleRows(5, 2).setConstant(empty);
    holed.m_Pixels(3, 50) = nan;
    WriteImage(m_Folder / "holed.tif", holed);
    for (const char* refine : {"30", "0"})
    {
      SCOPED_TRACE(refine);
      Run("HUDUnmix", With({{"report", Path("r.json")}, {"refine", refine}}, "holed.tif"));
      ExpectUnmixing(kEndmembers, {50});
      const Eigen::MatrixXf endmembers = ReadImage(Path("e.tif")).m_Pixels;
      EXPECT_TRUE(endmembers.row(0).isZero(0.f));
      EXPECT_TRUE(endmembers.middleRows(5, 2).isZero(0.f)) << endmembers;
      EXPECT_GT(endmembers.cwiseAbs().rowwise().maxCoeff()(7), 0.05f);
      const nlohmann::json report = Report();
      EXPECT_EQ(report.at("emptyBands"), empty == 0.f ? nlohmann::json::array() : nlohmann::json({1, 6, 7}));
      EXPECT_LT(report.at("relativeDecodeError").get<double>(), 0.06);
      EXPECT_EQ(report.at("pixelsLeftOut").at("notFinite"), 1);
      if (empty != 0.f)
      {
        ExpectSays(Log(), {"holed.tif", "band 1, 6-7 without data"});
      }

      const Eigen::MatrixXf abundances = ReadImage(Path("a.tif")).m_Pixels;
      Run("HUDUnmix", {{"in", Path("holed.tif")}, {"out", Path("again.tif")}, {"ie", Path("e.tif")}});
      const Eigen::MatrixXf again = ReadImage(Path("again.tif")).m_Pixels;
      ASSERT_TRUE(again.allFinite());
      EXPECT_LT((again - abundances).cwiseAbs().maxCoeff(), 1e-5f);
    }
  }
}

TEST_F(HUDUnmix, WhatABandWithoutDataHoldsMakesNoDifference)
{
  TestImage holed = m_Scene;
  holed.m_Pixels.row(5).setZero();
  WriteImage(m_Folder / "zero.tif", holed);
  holed.m_Pixels.row(5).setConstant(std::numeric_limits<float>::quiet_NaN());
  WriteImage(m_Folder / "nan.tif", holed);
  Run("HUDUnmix", Arguments("zero.tif"));
  const Eigen::MatrixXf abundances = ReadImage(Path("a.tif")).m_Pixels;
  const Eigen::MatrixXf endmembers = ReadImage(Path("e.tif")).m_Pixels;
  Run("HUDUnmix", Arguments("nan.tif"));
  EXPECT_EQ(ReadImage(Path("a.tif")).m_Pixels, abundances);
  EXPECT_EQ(ReadImage(Path("e.tif")).m_Pixels, endmembers);
}

TEST_F(HUDUnmix, RowsOfNoDataAreAsGoodAsCutAway)
{
  // The first two rows and the last three.
  const Eigen::Index first = 2 * kWidth;
  const Eigen::Index count = (kHeight - 5) * kWidth;
  TestImage cut = m_Scene;
  cut.m_Height = kHeight - 5;
  cut.m_Pixels = m_Scene.m_Pixels.middleCols(first, count).eval();
  WriteImage(m_Folder / "cut.tif", cut);
  Run("HUDUnmix", With({{"outlib", Path("e.csv")}}, "cut.tif"));
  const Eigen::MatrixXf abundances = ReadImage(Path("a.tif")).m_Pixels;
  const std::string endmembers = ReadText(Path("e.csv"));
  for (const float noData : {std::numeric_limits<float>::quiet_NaN(), -1.f, 0.f})
  {
    SCOPED_TRACE(noData);
    TestImage holed = m_Scene;
    holed.m_NoData = -1.;
    holed.m_Pixels.leftCols(first).setConstant(noData);
    holed.m_Pixels.rightCols(3 * kWidth).setConstant(noData);
    WriteImage(m_Folder / "holed.tif", holed);
    Run("HUDUnmix", With({{"outlib", Path("e.csv")}}, "holed.tif"));
    EXPECT_EQ(ReadText(Path("e.csv")), endmembers);
    const Eigen::MatrixXf result = ReadImage(Path("a.tif")).m_Pixels;
    EXPECT_EQ(result.middleCols(first, count), abundances);
    EXPECT_TRUE((result.leftCols(first).array() == -9999.f).all());
    EXPECT_TRUE((result.rightCols(3 * kWidth).array() == -9999.f).all());
  }
}

TEST_F(HUDUnmix, EveryWayToFindEndmembersGivesAnUnmixing)
{
  for (const Parameters& others : std::vector<Parameters>{{{"criterion", "volume"}},
                                                          {{"criterion", "volume"}, {"refine", "0"}},
                                                          {{"smooth", "0"}},
                                                          {{"smooth", "50"}},
                                                          {{"smooth", "0"}, {"refine", "0"}},
                                                          {{"restarts", "1"}},
                                                          {{"restarts", "1"}, {"refine", "0"}},
                                                          {{"shade", "1"}},
                                                          {{"shade", "1"}, {"refine", "0"}},
                                                          {{"shade", "1"}, {"smooth", "0"}, {"criterion", "volume"}}})
  {
    SCOPED_TRACE(others.front().first + " " + others.front().second + " " + others.back().first);
    Run("HUDUnmix", With(others));
    ExpectUnmixing(kEndmembers);
  }
}

TEST_F(HUDUnmix, EveryMethodGivesAnUnmixingAndIsNamed)
{
  std::set<std::string> endmembers;
  for (const char* method : {"vca", "sivm", "sisal", "nmf", "edaa"})
  {
    SCOPED_TRACE(method);
    Run("HUDUnmix", With({{"method", method}, {"report", Path("r.json")}}));
    ExpectUnmixing(kEndmembers);
    EXPECT_EQ(Report().at("method"), method);
    EXPECT_LT(Report().at("relativeDecodeError").get<double>(), 0.1);
    EXPECT_NE(Log().find("Endmembers: 3 by " + std::string(method)), std::string::npos) << Log();
    endmembers.insert(ReadText(Path("e.tif")));
    Run("HUDUnmix", With({{"method", method}}));
    EXPECT_EQ(endmembers.count(ReadText(Path("e.tif"))), 1u) << "the same seed gives other endmembers";
  }
  EXPECT_EQ(endmembers.size(), 5u) << "two methods give the same endmembers";
}

TEST_F(HUDUnmix, EveryMethodLeavesNoDataAndEmptyBandsOut)
{
  TestImage holed = m_Scene;
  holed.m_Pixels.col(77).setConstant(std::numeric_limits<float>::quiet_NaN());
  holed.m_Pixels.row(4).setZero();
  WriteImage(m_Folder / "holed.tif", holed);
  for (const char* method : {"sivm", "sisal", "nmf", "edaa"})
  {
    SCOPED_TRACE(method);
    Run("HUDUnmix", With({{"method", method}}, "holed.tif"));
    ExpectUnmixing(kEndmembers, {77});
    EXPECT_TRUE((ReadImage(Path("e.tif")).m_Pixels.row(4).array() == 0.f).all());
  }
}

TEST_F(HUDUnmix, OnlyVcaKnowsShade)
{
  for (const char* method : {"sivm", "sisal", "nmf", "edaa"})
  {
    ExpectSays(Failure("HUDUnmix", With({{"method", method}, {"shade", "1"}})), {"shade", method, "expected vca"});
  }
}

TEST_F(HUDUnmix, ShadeIsOneEndmemberOfZerosThatServesAgain)
{
  Run("HUDUnmix", With({{"shade", "1"}, {"report", Path("r.json")}}));
  const Eigen::MatrixXf endmembers = ReadImage(Path("e.tif")).m_Pixels;
  EXPECT_EQ((endmembers.array() == 0.f).colwise().all().count(), 1);
  const Eigen::MatrixXf abundances = ReadImage(Path("a.tif")).m_Pixels;
  ExpectSimplex(abundances);
  Run("HUDUnmix", {{"in", Path("scene.tif")}, {"out", Path("again.tif")}, {"ie", Path("e.tif")}});
  const Eigen::MatrixXf again = ReadImage(Path("again.tif")).m_Pixels;
  ASSERT_TRUE(again.allFinite());
  EXPECT_LT((again - abundances).cwiseAbs().maxCoeff(), 1e-5f);
  // Without sum-to-one, nothing says how much shade there is.
  for (const char* encoder : {"nnls", "linear", "ucls"})
  {
    ExpectSays(Failure("HUDUnmix", With({{"shade", "1"}, {"encoder", encoder}})), {"shade", encoder});
  }
}

TEST_F(HUDUnmix, NnlsAbundancesAreNeverNegativeAndNoWorseThanThoseOfSumOne)
{
  Run("HUDUnmix", With({{"report", Path("fcls.json")}}));
  Run("HUDUnmix", {{"in", Path("scene.tif")},
                   {"out", Path("a.tif")},
                   {"ie", Path("e.tif")},
                   {"encoder", "nnls"},
                   {"report", Path("nnls.json")}});
  const Eigen::MatrixXf abundances = ReadImage(Path("a.tif")).m_Pixels;
  ASSERT_TRUE(abundances.allFinite());
  EXPECT_GE(abundances.minCoeff(), 0.f);
  EXPECT_GT((abundances.colwise().sum().array() - 1.f).abs().maxCoeff(), 1e-3f);
  EXPECT_LE(Report("nnls.json").at("decodeRmse").get<double>(), Report("fcls.json").at("decodeRmse").get<double>());
}

TEST_F(HUDUnmix, RefusesOptionsOutOfTheirRange)
{
  ExpectSays(Failure("HUDUnmix", With({{"smooth", "70"}})), {"scene.tif", "median", "70 %", "0 to 50 %"});
  ExpectSays(Failure("HUDUnmix", With({{"smooth", "-1"}})), {"median", "-1 %"});
  ExpectSays(Failure("HUDUnmix", With({{"shade", "1"}}, "scene.tif", "2")), {"endmembers is 2", "at least 3", "shade"});
  for (const char* key : {"criterion", "estimator", "encoder", "method"})
  {
    EXPECT_NE(Failure("HUDUnmix", With({{key, "nonsense"}})), "no error") << key;
  }
}

TEST_F(HUDUnmix, RefusesAConstantImage)
{
  TestImage constant = m_Scene;
  constant.m_Pixels.colwise() = Eigen::VectorXf::LinSpaced(kBands, 0.1f, 0.7f);
  WriteImage(m_Folder / "constant.tif", constant);
  for (const char* endmembers : {"3", "0"})
  {
    const std::string message = Failure("HUDUnmix", Arguments("constant.tif", endmembers));
    ExpectSays(message, {"constant.tif", "endmembers"});
  }
}

TEST_F(HUDUnmix, MoreEndmembersThanTheRankAreRefusedOrAnUnmixing)
{
  WriteImage(m_Folder / "pure.tif", NoiseFreeScene());
  Run("HUDUnmix", With({{"report", Path("r.json")}}, "pure.tif"));
  ExpectUnmixing(kEndmembers);
  EXPECT_LT(Report().at("relativeDecodeError").get<double>(), 1e-3);
  for (const char* refine : {"0", "30"})
  {
    SCOPED_TRACE(refine);
    const Parameters arguments = With({{"refine", refine}}, "pure.tif", "5");
    const auto before = m_Folder.Names();
    try
    {
      Run("HUDUnmix", arguments);
    }
    catch (const hud::InvalidData& error)
    {
      ExpectSays(error.what(), {"pure.tif", "endmembers"});
      EXPECT_EQ(m_Folder.Names(), before);
      continue;
    }
    ExpectUnmixing(5);
  }
}

TEST_F(HUDUnmix, EstimatesTheNumberOfASceneWithoutNoise)
{
  WriteImage(m_Folder / "pure.tif", NoiseFreeScene());
  Run("HUDUnmix", With({{"maxerror", "0.5"}}, "pure.tif", "0"));
  ExpectSays(Log(), {"Number of endmembers found: 3"});
  ExpectUnmixing(kEndmembers);
}

TEST_F(HUDUnmix, DarkSaturatedAndOutlyingPixelsKeepTheConstraints)
{
  TestImage wild = m_Scene;
  wild.m_Pixels = (20000.f * m_Scene.m_Pixels).array().round().max(0.f);
  wild.m_Pixels.col(3).setZero(); // no-data
  wild.m_Pixels.col(4).setZero();
  wild.m_Pixels(2, 4) = 1.f;                  // nearly dark
  wild.m_Pixels.col(70).setConstant(65535.f); // saturated
  wild.m_Pixels.col(71).head(4).setConstant(65535.f);
  wild.m_Pixels(8, 200) = 65535.f;
  WriteImage(m_Folder / "wild.tif", wild, {}, GDT_UInt16);
  for (const Parameters& others :
       std::vector<Parameters>{{}, {{"refine", "0"}}, {{"shade", "1"}}, {{"restarts", "1"}, {"refine", "0"}}})
  {
    SCOPED_TRACE(others.empty() ? "defaults" : others.front().first);
    Parameters arguments = With({{"report", Path("r.json")}}, "wild.tif");
    arguments.insert(arguments.end(), others.begin(), others.end());
    Run("HUDUnmix", arguments);
    ExpectUnmixing(kEndmembers, {3});
    EXPECT_EQ(Report().at("pixelsLeftOut").at("allBandsZero"), 1);
  }
}

TEST_F(HUDUnmix, ValuesOfAnyMagnitudeKeepTheConstraints)
{
  TestImage wild = m_Scene;
  wild.m_Pixels.col(9) *= 1e6f;
  wild.m_Pixels.col(10) *= -1e6f;
  wild.m_Pixels.col(11) *= 1e-30f;
  wild.m_Pixels.col(12).setConstant(std::numeric_limits<float>::denorm_min());
  WriteImage(m_Folder / "wild.tif", wild);
  Run("HUDUnmix", With({{"report", Path("r.json")}}, "wild.tif"));
  ExpectUnmixing(kEndmembers);
  const nlohmann::json report = Report();
  for (const auto& [key, value] : report.items())
  {
    EXPECT_FALSE(value.is_null()) << key; // as NaN would be
  }
  for (const float unit : {1e-12f, 1e12f})
  {
    SCOPED_TRACE(unit);
    TestImage scaled = m_Scene;
    scaled.m_Pixels *= unit;
    WriteImage(m_Folder / "scaled.tif", scaled);
    Run("HUDUnmix", Arguments("scaled.tif"));
    ExpectUnmixing(kEndmembers);
  }
  wild = m_Scene;
  wild.m_Pixels(2, 9) = 3e38f;
  WriteImage(m_Folder / "huge.tif", wild);
  ExpectSays(Failure("HUDUnmix", Arguments("huge.tif")), {"huge.tif", "no-data value"});
}

} // namespace
