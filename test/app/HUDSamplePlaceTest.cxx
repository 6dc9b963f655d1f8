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
using hud::test::TestImage;
using hud::test::WriteImage;

constexpr double kNoData = -32768.;
constexpr std::array<double, 6> kTransform = {600000., 30., 0., 4.2e6, 0., -30.};

/// HUDSample with an existing scene that is georeferenced and has a no-data pixel.
class HUDSamplePlace : public hud::test::ApplicationTest
{
protected:
  void SetUp() override
  {
    m_Scene.m_NoData = kNoData;
    m_Scene.m_Pixels.col(kHole).setConstant(static_cast<float>(kNoData));
    WriteImage(Path("place.tif"), m_Scene, Wavelengths());
    const auto dataset = hud::test::Dataset(static_cast<GDALDataset*>(GDALOpen(Path("place.tif").c_str(), GA_Update)),
                                            [](GDALDataset* open) { GDALClose(open); });
    std::array<double, 6> transform = kTransform;
    dataset->SetGeoTransform(transform.data());

    Run("HUDUnmix", {{"in", Path("place.tif")}, {"out", Path("a.tif")}, {"outendm", Path("e.tif")}, {"ne", "3"}});
    Run("HUDTrain", {{"il", Path("place.tif")},
                     {"out", Path("m.safetensors")},
                     {"ie", Path("e.tif")},
                     {"iterations", "4"},
                     {"patch", "8"},
                     {"batch", "2"},
                     {"device", "cpu"},
                     {"net.width", "8"},
                     {"net.mult", "1,2"}});
  }

  /// Arguments of a sample from the place.
  Parameters Sampling(const Parameters& more) const
  {
    Parameters parameters = {{"model", Path("m.safetensors")},
                             {"in", Path("place.tif")},
                             {"out", Path("s.tif")},
                             {"outabund", Path("sa.tif")},
                             {"steps", "3"},
                             {"device", "cpu"}};
    parameters.insert(parameters.end(), more.begin(), more.end());
    return parameters;
  }

  void WriteMask(int width, int height) const
  {
    TestImage mask;
    mask.m_Width = width;
    mask.m_Height = height;
    mask.m_Pixels = Eigen::MatrixXf::Zero(1, Eigen::Index(width) * height);
    mask.m_Pixels.middleCols(100, 5).setConstant(255.f);
    WriteImage(Path("mask.tif"), mask);
  }

  static void ExpectGrid(const std::string& path)
  {
    std::array<double, 6> transform = {};
    ASSERT_EQ(hud::test::OpenImage(path)->GetGeoTransform(transform.data()), CE_None);
    EXPECT_EQ(transform, kTransform);
  }

  static constexpr Eigen::Index kHole = 40;
};

TEST_F(HUDSamplePlace, VariesAPlaceAndKeepsItsGridAndNoData)
{
  Run("HUDSample", Sampling({{"strength", "0.5"}}));
  const TestImage spectra = ReadImage(Path("s.tif"));
  TestImage abundances = ReadImage(Path("sa.tif"));
  EXPECT_EQ(spectra.m_Width, kWidth);
  EXPECT_EQ(spectra.m_Height, kHeight);
  EXPECT_EQ(spectra.m_NoData, kNoData);
  EXPECT_EQ(spectra.m_Pixels.col(kHole), m_Scene.m_Pixels.col(kHole));
  EXPECT_EQ(abundances.m_Pixels(0, kHole), static_cast<float>(*abundances.m_NoData));
  ExpectGrid(Path("s.tif"));
  ExpectGrid(Path("sa.tif"));

  Eigen::MatrixXf made = spectra.m_Pixels;
  made.col(kHole) = made.col(0);
  abundances.m_Pixels.col(kHole) = abundances.m_Pixels.col(0);
  ExpectSimplex(abundances.m_Pixels);
  ExpectMixture(made, ReadImage(Path("e.tif")).m_Pixels, abundances.m_Pixels);
  EXPECT_GT((made.col(50) - m_Scene.m_Pixels.col(50)).norm(), 0.01f);
}

TEST_F(HUDSamplePlace, AtStrengthZeroItIsTheScenesOwnMixture)
{
  Run("HUDSample", Sampling({{"strength", "0"}}));
  EXPECT_LT((ReadImage(Path("sa.tif")).m_Pixels - ReadImage(Path("a.tif")).m_Pixels).cwiseAbs().maxCoeff(), 1e-5f);
}

TEST_F(HUDSamplePlace, RepairsMaskedAndNoDataPixelsAndKeepsTheOthersBitForBit)
{
  WriteMask(kWidth, kHeight);
  Run("HUDSample", Sampling({{"mask", Path("mask.tif")}}));
  const TestImage spectra = ReadImage(Path("s.tif"));
  const TestImage abundances = ReadImage(Path("sa.tif"));
  ExpectSimplex(abundances.m_Pixels);
  const Eigen::MatrixXf mixed = ReadImage(Path("e.tif")).m_Pixels * abundances.m_Pixels;
  for (Eigen::Index pixel = 0; pixel < spectra.m_Pixels.cols(); ++pixel)
  {
    const bool isMade = pixel == kHole || (pixel >= 100 && pixel < 105);
    if (isMade)
    {
      EXPECT_LT((spectra.m_Pixels.col(pixel) - mixed.col(pixel)).cwiseAbs().maxCoeff(), 1e-5f) << pixel;
      EXPECT_GT((spectra.m_Pixels.col(pixel) - m_Scene.m_Pixels.col(pixel)).norm(), 1e-3f) << pixel;
    }
    else
    {
      EXPECT_EQ(spectra.m_Pixels.col(pixel), m_Scene.m_Pixels.col(pixel)) << pixel;
    }
  }
  ExpectGrid(Path("s.tif"));
}

TEST_F(HUDSamplePlace, AddsTheResidualToWhatIsMadeOnly)
{
  Run("HUDSample", Sampling({{"strength", "0"}}));
  const TestImage mixture = ReadImage(Path("s.tif"));
  Run("HUDSample", Sampling({{"strength", "0"}, {"residual", "1"}}));
  const TestImage noisy = ReadImage(Path("s.tif"));
  EXPECT_EQ(noisy.m_Pixels.col(kHole), m_Scene.m_Pixels.col(kHole));
  const double left = (m_Scene.m_Pixels - mixture.m_Pixels).cast<double>().norm();
  const double added = (noisy.m_Pixels - mixture.m_Pixels).cast<double>().norm();
  EXPECT_GT(left, 0.);
  EXPECT_NEAR(added, left, 0.2 * left);

  WriteMask(kWidth, kHeight);
  Run("HUDSample", Sampling({{"mask", Path("mask.tif")}, {"residual", "1"}}));
  EXPECT_EQ(ReadImage(Path("s.tif")).m_Pixels.col(0), m_Scene.m_Pixels.col(0));
}

// As a dialog does that hands over every value.
TEST_F(HUDSamplePlace, TakesDefaultsThatAreGivenInEveryMode)
{
  WriteMask(kWidth, kHeight);
  const Parameters defaults = {{"sizex", "128"}, {"sizey", "128"}, {"strength", "0.5"}, {"layout", "scene"}};
  Parameters scene = {{"model", Path("m.safetensors")}, {"out", Path("s.tif")}, {"steps", "1"}};
  scene.insert(scene.end(), defaults.begin(), defaults.end());
  Run("HUDSample", scene);
  EXPECT_EQ(ReadImage(Path("s.tif")).m_Width, 128);
  Run("HUDSample", Sampling(defaults));
  Parameters repair = defaults;
  repair.emplace_back("mask", Path("mask.tif"));
  Run("HUDSample", Sampling(repair));
  EXPECT_EQ(ReadImage(Path("s.tif")).m_Width, kWidth);
}

TEST_F(HUDSamplePlace, ARepairedSceneKeepsItsBandsWithoutData)
{
  TestImage holes = m_Scene;
  holes.m_Pixels.row(4).setConstant(static_cast<float>(kNoData));
  WriteImage(Path("place.tif"), holes, Wavelengths());
  WriteMask(kWidth, kHeight);
  Run("HUDSample", Sampling({{"mask", Path("mask.tif")}}));
  EXPECT_EQ(ReadImage(Path("s.tif")).m_Pixels.row(4), holes.m_Pixels.row(4));
  Run("HUDUnmix", {{"in", Path("s.tif")}, {"out", Path("b.tif")}, {"ne", "3"}});
  EXPECT_GE(ReadImage(Path("b.tif")).m_Pixels.minCoeff(), 0.f);
}

TEST_F(HUDSamplePlace, RefusesParametersThatContradictEachOther)
{
  WriteMask(kWidth, kHeight);
  ExpectSays(Failure("HUDSample", Sampling({{"sizex", "64"}})), {"sizex", "in"});
  ExpectSays(Failure("HUDSample", Sampling({{"layout", "patches"}})), {"layout", "in"});
  ExpectSays(Failure("HUDSample", Sampling({{"mask", Path("mask.tif")}, {"strength", "0.3"}})), {"strength", "mask"});
  ExpectSays(Failure("HUDSample", {{"model", Path("m.safetensors")}, {"out", Path("s.tif")}, {"strength", "0.3"}}),
             {"strength", "in"});
}

TEST_F(HUDSamplePlace, RefusesPlacesAndMasksThatDoNotFit)
{
  WriteMask(kWidth - 1, kHeight);
  ExpectSays(Failure("HUDSample", Sampling({{"mask", Path("mask.tif")}})), {"mask.tif", "22 x 19", "23 x 19"});

  TestImage other = m_Scene;
  other.m_Pixels = m_Scene.m_Pixels.topRows(kBands - 1).eval();
  WriteImage(Path("other.tif"), other);
  ExpectSays(
      Failure("HUDSample", {{"model", Path("m.safetensors")}, {"in", Path("other.tif")}, {"out", Path("s.tif")}}),
      {"other.tif", "10", "11"});
}

} // namespace
