// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "ApplicationTest.h"

#include "otbHUDEndmemberFile.h"
#include "otbHUDEndmemberImage.h"

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
    EXPECT_EQ(table.m_Wavelengths, Wavelengths()) << name;
  }
  EXPECT_EQ(m_Folder.Names(), (std::set<std::string>{"scene.tif", "a.tif", "e.tif", "e.csv", "e.sli", "e.hdr"}));

  // And takes them back, as it takes the image.
  Run("HUDUnmix", {{"in", Path("scene.tif")}, {"out", Path("a.tif")}, {"ie", Path("e.tif")}});
  for (const char* name : {"e.csv", "e.sli"})
  {
    Run("HUDUnmix",
        {{"in", Path("scene.tif")}, {"out", Path("b.tif")}, {"ie", Path(name)}, {"outlib", Path("again.csv")}});
    EXPECT_TRUE(ReadText(Path("b.tif")) == ReadText(Path("a.tif"))) << name;
    EXPECT_EQ(ReadText(Path("again.csv")), ReadText(Path("e.csv"))) << name;
  }
}

TEST_F(HUDUnmix, KeepsNamesAndWavelengthsOfGivenEndmembers)
{
  WriteImage(m_Folder / "bare.tif", m_Scene);
  otb::HUDEndmemberTable given;
  given.m_Endmembers = Eigen::MatrixXf::Random(kBands, 2).cast<double>();
  given.m_Names = {"tree", "road"};
  given.m_Wavelengths = Wavelengths();
  otb::HUDWriteEndmemberFile(Path("given.csv"), given);
  Run("HUDUnmix", {{"in", Path("bare.tif")}, {"ie", Path("given.csv")}, {"outlib", Path("kept.sli")}});
  const otb::HUDEndmemberTable kept = otb::HUDReadEndmemberFile(Path("kept.sli"));
  EXPECT_EQ(kept.m_Names, given.m_Names);
  EXPECT_EQ(kept.m_Wavelengths, given.m_Wavelengths);
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
  {
    const hud::test::FullDisk full(1024);
    Parameters arguments = Arguments("scene.tif", "5");
    ExpectSays(Failure("HUDUnmix", arguments), {"temporary file", "TMPDIR"});
    arguments.emplace_back("ie", Path("e.tif"));
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

} // namespace
