// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "ApplicationTest.h"

#include <array>

namespace
{

using hud::test::ExpectMixture;
using hud::test::ExpectSays;
using hud::test::ExpectSimplex;
using hud::test::ReadImage;
using hud::test::ReadText;
using hud::test::TestImage;
using hud::test::WriteImage;

constexpr std::array<double, 6> kTransform = {600000., 60., 0., 4.2e6, 0., -60.};

/// HUDTrain with levels, and HUDSample from what it makes.
class HUDCascade : public hud::test::ApplicationTest
{
protected:
  Parameters Sampling(const Parameters& more) const
  {
    return Changed({{"model", Path("m.safetensors")},
                    {"out", Path("s.tif")},
                    {"outabund", Path("sa.tif")},
                    {"outendm", Path("se.tif")},
                    {"steps", "3"},
                    {"device", "cpu"}},
                   more);
  }

  /// Returns the number of levels in a model file.
  int Levels(const std::string& name) const
  {
    return Model(name).at("options").at("levels").get<int>();
  }

  /// Returns the smallest valid share of a patch in a model file.
  double ValidShare(const std::string& name) const
  {
    return Model(name).at("options").at("valid_share").get<double>();
  }

  /// Writes a map of 11 x 7 pixels, georeferenced: three stripes of pure endmembers, as abundances or as numbers.
  void WriteMap(const std::string& name, bool asNumbers) const
  {
    TestImage map;
    map.m_Width = 11;
    map.m_Height = 7;
    map.m_Pixels = Eigen::MatrixXf::Zero(asNumbers ? 1 : 3, 77);
    for (Eigen::Index pixel = 0; pixel < 77; ++pixel)
    {
      const Eigen::Index endmember = pixel % 11 / 4;
      if (asNumbers)
      {
        map.m_Pixels(0, pixel) = static_cast<float>(endmember + 1);
      }
      else
      {
        map.m_Pixels(endmember, pixel) = 1.f;
      }
    }
    WriteImage(Path(name), map);
    const auto dataset = hud::test::Dataset(static_cast<GDALDataset*>(GDALOpen(Path(name).c_str(), GA_Update)),
                                            [](GDALDataset* open) { GDALClose(open); });
    std::array<double, 6> transform = kTransform;
    dataset->SetGeoTransform(transform.data());
  }
};

TEST_F(HUDCascade, TrainsAsManyLevelsAsThereIsRoomForAndSaysSo)
{
  Run("HUDTrain", Training({{"levels", "0"}}));
  EXPECT_EQ(Levels("m.safetensors"), 2);
  ExpectSays(Log(),
             {"Level 0: a patch covers 8 x 8 pixels", "Level 1: a patch covers 16 x 16 pixels", "learned from little"});
  Run("HUDTrain", Training({{"levels", "1"}}));
  EXPECT_EQ(Levels("m.safetensors"), 1);
  Run("HUDTrain", Training({{"levels", "4"}}));
  EXPECT_EQ(Levels("m.safetensors"), 2);
  ExpectSays(Log(), {"levels: found 4", "32 x 32 pixels", "there will be 2 levels"});
  Run("HUDTrain", Training({{"levels", "2"}, {"patch", "16"}, {"holdout", "0"}}));
  EXPECT_EQ(Levels("m.safetensors"), 1);
  ExpectSays(Log(), {"levels: found 2", "there will be one level"});
}

TEST_F(HUDCascade, PatchesHangOverTheEdgeWithSeveralLevelsOrWhenAskedTo)
{
  Run("HUDTrain", Training({{"levels", "1"}}));
  EXPECT_EQ(ValidShare("m.safetensors"), 1.);
  Run("HUDTrain", Training({{"levels", "2"}, {"patch", "16"}, {"holdout", "0"}})); // room for one
  EXPECT_EQ(ValidShare("m.safetensors"), 1.);
  Run("HUDTrain", Training({{"levels", "1"}, {"validshare", "0.5"}}));
  EXPECT_EQ(ValidShare("m.safetensors"), 0.5);
  for (const char* levels : {"0", "2"})
  {
    Run("HUDTrain", Training({{"levels", levels}}));
    EXPECT_EQ(ValidShare("m.safetensors"), 0.25);
  }
  ExpectSays(Failure("HUDTrain", Resuming({{"validshare", "1"}})), {"validshare differs"});
  Run("HUDTrain", Resuming());
  EXPECT_EQ(ValidShare("n.safetensors"), 0.25);
}

TEST_F(HUDCascade, RefusesLevelsOutsideTheirRangeAndOthersOnResume)
{
  ExpectSays(Failure("HUDTrain", Training({{"levels", "-1"}})), {"number of levels is -1", "1 to 8"});
  ExpectSays(Failure("HUDTrain", Training({{"levels", "9"}})), {"number of levels is 9", "1 to 8"});
  Run("HUDTrain", Training({{"levels", "2"}}));
  ExpectSays(Failure("HUDTrain", Resuming({{"levels", "1"}})), {"levels differs"});
  Run("HUDTrain", Resuming());
  EXPECT_EQ(Levels("n.safetensors"), 2);
  Run("HUDTrain", Resuming({{"levels", "4"}}));
  EXPECT_EQ(Levels("n.safetensors"), 2);
  ExpectSays(Log(), {"levels: found 4", "has 2"});
}

TEST_F(HUDCascade, SamplesMixturesAndTheSameBytesForASeed)
{
  Run("HUDTrain", Training({{"levels", "2"}}));
  Run("HUDSample", Sampling({{"sizex", "37"}, {"sizey", "29"}}));
  const TestImage abundances = ReadImage(Path("sa.tif"));
  EXPECT_EQ(abundances.m_Width, 37);
  ExpectSimplex(abundances.m_Pixels);
  ExpectMixture(ReadImage(Path("s.tif")).m_Pixels, ReadImage(Path("se.tif")).m_Pixels, abundances.m_Pixels);
  const std::string first = ReadText(Path("s.tif"));
  Run("HUDSample", Sampling({{"sizex", "37"}, {"sizey", "29"}}));
  EXPECT_EQ(ReadText(Path("s.tif")), first);
  Run("HUDSample", Sampling({{"sizex", "37"}, {"sizey", "29"}, {"layout", "patches"}}));
  ExpectSimplex(ReadImage(Path("sa.tif")).m_Pixels);
  Run("HUDSample", Sampling({{"in", Path("scene.tif")}, {"strength", "0"}}));
  Run("HUDUnmix", {{"in", Path("scene.tif")}, {"ie", Path("se.tif")}, {"out", Path("a.tif")}});
  EXPECT_LT((ReadImage(Path("sa.tif")).m_Pixels - ReadImage(Path("a.tif")).m_Pixels).cwiseAbs().maxCoeff(), 1e-5f);
}

TEST_F(HUDCascade, ACoarseMapSaysWhatIsWhereAndGivesItsGrid)
{
  Run("HUDTrain", Training({{"levels", "2"}}));
  for (const bool asNumbers : {false, true})
  {
    WriteMap("map.tif", asNumbers);
    Run("HUDSample", Sampling({{"coarse", Path("map.tif")}}));
    ExpectSays(Log(), {"each pixel is 2 x 2 pixels", "0 pixels of the map are free"});
    const TestImage abundances = ReadImage(Path("sa.tif"));
    ASSERT_EQ(abundances.m_Width, 22);
    ASSERT_EQ(abundances.m_Height, 14);
    ExpectSimplex(abundances.m_Pixels);
    double difference = 0.;
    for (Eigen::Index pixel = 0; pixel < abundances.m_Pixels.cols(); ++pixel)
    {
      difference += 1. - abundances.m_Pixels(pixel % 22 / 8, pixel);
    }
    EXPECT_LT(difference / static_cast<double>(abundances.m_Pixels.cols()), 0.03);
    std::array<double, 6> transform = {};
    ASSERT_EQ(hud::test::OpenImage(Path("s.tif"))->GetGeoTransform(transform.data()), CE_None);
    EXPECT_EQ(transform, (std::array<double, 6>{600000., 30., 0., 4.2e6, 0., -30.}));
    EXPECT_STREQ(hud::test::OpenImage(Path("s.tif"))->GetMetadataItem("coarse"), "map.tif");
  }
}

TEST_F(HUDCascade, RefusesCoarseMapsThatDoNotFit)
{
  WriteMap("map.tif", false);
  Run("HUDTrain", Training({{"levels", "1"}}));
  ExpectSays(Failure("HUDSample", Sampling({{"coarse", Path("map.tif")}})), {"one level", "coarse map"});
  Run("HUDTrain", Training({{"levels", "2"}}));
  ExpectSays(Failure("HUDSample", Sampling({{"coarse", Path("map.tif")}, {"sizex", "40"}, {"sizey", "14"}})),
             {"coarse map", "11 x 7", "40 x 14", "22 x 14"});
  ExpectSays(Failure("HUDSample", Sampling({{"coarse", Path("map.tif")}, {"layout", "patches"}})),
             {"layout", "coarse"});
  ExpectSays(Failure("HUDSample", Sampling({{"coarse", Path("map.tif")}, {"in", Path("scene.tif")}})),
             {"coarse", "in"});
  ExpectSays(Failure("HUDSample", Sampling({{"coarse", Path("scene.tif")}})), {"scene.tif", "11 bands", "3"});
  TestImage map = ReadImage(Path("map.tif"));
  map.m_Pixels(0, 40) += 0.5f;
  WriteImage(Path("sums.tif"), map);
  ExpectSays(Failure("HUDSample", Sampling({{"coarse", Path("sums.tif")}})), {"sums.tif", "(7, 3)", "sum to 1.5"});
  map.m_Pixels = Eigen::MatrixXf::Constant(1, 77, 4.f);
  WriteImage(Path("numbers.tif"), map);
  ExpectSays(Failure("HUDSample", Sampling({{"coarse", Path("numbers.tif")}})), {"numbers.tif", "number 4", "1 to 3"});
}

} // namespace
