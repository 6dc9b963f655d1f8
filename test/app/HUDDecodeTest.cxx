// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "ApplicationTest.h"

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
  const std::string bytes = ReadText(Path("d.tif"));
  for (const char* name : {"e.csv", "e.sli"})
  {
    Run("HUDUnmix", {{"in", Path("scene.tif")}, {"ie", Path("e.tif")}, {"outlib", Path(name)}});
    Run("HUDDecode", {{"in", Path("a.tif")}, {"ie", Path(name)}, {"out", Path("d.tif")}});
    EXPECT_EQ(ReadText(Path("d.tif")), bytes) << name;
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

} // namespace
