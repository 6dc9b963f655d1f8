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
  ExpectSays(Failure("HUDDecode", arguments), {"11", "3"});
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

TEST_F(HUDDecode, RefusesAMissingFile)
{
  Parameters arguments = Arguments();
  arguments[1].second = Path("nothing.tif");
  ExpectSays(Failure("HUDDecode", arguments), {"nothing.tif"});
}

} // namespace
