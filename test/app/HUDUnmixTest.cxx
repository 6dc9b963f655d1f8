// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "ApplicationTest.h"

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
  for (const char* count : {"1", "0", "-4"})
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

TEST_F(HUDUnmix, RefusesEndmembersOfAnotherNumberOfBands)
{
  TestImage endmembers;
  endmembers.m_Width = kEndmembers;
  endmembers.m_Height = 1;
  endmembers.m_Pixels = Eigen::MatrixXf::Random(kBands - 2, kEndmembers);
  WriteImage(m_Folder / "foreign.tif", endmembers);
  Parameters arguments = Arguments();
  arguments.emplace_back("ie", Path("foreign.tif"));
  ExpectSays(Failure("HUDUnmix", arguments), {"scene.tif", "11 bands", "endmembers, 9"});
}

TEST_F(HUDUnmix, RefusesDependentEndmembers)
{
  // The third is a mixture of the others, rounded to single precision as in any file.
  TestImage endmembers;
  endmembers.m_Width = kEndmembers;
  endmembers.m_Height = 1;
  endmembers.m_Pixels = Eigen::MatrixXf::Random(kBands, kEndmembers).cwiseAbs();
  endmembers.m_Pixels.col(2) = 0.3f * endmembers.m_Pixels.col(0) + 0.7f * endmembers.m_Pixels.col(1);
  WriteImage(m_Folder / "dependent.tif", endmembers);
  Parameters arguments = Arguments();
  arguments.emplace_back("ie", Path("dependent.tif"));
  ExpectSays(Failure("HUDUnmix", arguments), {"dependent.tif", "linearly dependent", "rank 2"});
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
  EXPECT_EQ(ReadText(Path("a.tif")), abundances);
  EXPECT_EQ(ReadText(Path("e.tif")), endmembers);
}

} // namespace
