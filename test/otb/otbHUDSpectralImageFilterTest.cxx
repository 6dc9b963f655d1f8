// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDDecodeImageFilter.h"
#include "otbHUDEncodeImageFilter.h"
#include "otbHUDProjectImageFilter.h"
#include "otbHUDUnprojectImageFilter.h"

#include "hud/core/Error.h"

#include "StreamedScene.h"
#include "core/ErrorMessage.h"
#include "core/RandomMatrix.h"

#include "otbSpatialReference.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <optional>
#include <ostream>
#include <set>
#include <string>

namespace
{

using hud::test::MessageOf;
using hud::test::ReadInTiles;
using hud::test::Says;
using hud::test::StreamedScene;

constexpr Eigen::Index kWidth = 23;
constexpr Eigen::Index kHeight = 17;
constexpr Eigen::Index kPixels = kWidth * kHeight;
constexpr Eigen::Index kBands = 11;
constexpr Eigen::Index kEndmembers = 4;
constexpr double kFloor = 6.5;

Eigen::MatrixXd Endmembers()
{
  return hud::test::UniformMatrix(kBands, kEndmembers, 1, 0.1, 0.9);
}

Eigen::MatrixXf Abundances()
{
  return hud::test::UniformAbundances(kEndmembers, kPixels, 2).cast<float>();
}

Eigen::MatrixXf Spectra()
{
  return (Endmembers() * hud::test::UniformAbundances(kEndmembers, kPixels, 2) +
          hud::test::UniformMatrix(kBands, kPixels, 3, -0.05, 0.05))
      .cast<float>();
}

StreamedScene::Pointer MakeScene(const Eigen::MatrixXf& pixels)
{
  const auto scene = StreamedScene::New();
  scene->SetScene(pixels, static_cast<std::size_t>(kWidth), 3, 7);
  otb::ImageMetadata metadata;
  metadata.Bands.resize(static_cast<std::size_t>(pixels.rows()));
  metadata.Bands[1].Add(otb::MDNum::NoData, -5.);
  metadata.Add(otb::MDGeom::ProjectionWKT, otb::SpatialReference::FromDescription("EPSG:32632").ToWkt());
  scene->SetMetadata(metadata);
  return scene;
}

// One of the four filters, its input, and what the core makes of the same pixels.
struct Case
{
  std::string m_Name;
  Eigen::MatrixXf m_Input;
  Eigen::MatrixXf m_Expected;
  std::function<otb::HUDSpectralImageFilter::Pointer()> m_Make;
};

void PrintTo(const Case& value, std::ostream* stream)
{
  *stream << value.m_Name;
}

Case EncodeCase(hud::EncoderKind kind, const std::string& name)
{
  Case result{name, Spectra(), Eigen::MatrixXf(kEndmembers, kPixels), [kind] {
                const auto filter = otb::HUDEncodeImageFilter::New();
                filter->SetEndmembers(Endmembers());
                filter->SetEncoder(kind);
                return otb::HUDSpectralImageFilter::Pointer(filter.GetPointer());
              }};
  hud::Encoder(Endmembers(), kind).Encode(result.m_Input, result.m_Expected);
  return result;
}

Case DecodeCase()
{
  Case result{"Decode", Abundances(), Eigen::MatrixXf(kBands, kPixels), [] {
                const auto filter = otb::HUDDecodeImageFilter::New();
                filter->SetEndmembers(Endmembers());
                return otb::HUDSpectralImageFilter::Pointer(filter.GetPointer());
              }};
  hud::Decoder(Endmembers()).Decode(result.m_Input, result.m_Expected);
  return result;
}

Case ProjectCase()
{
  Case result{"Project", Abundances(), Eigen::MatrixXf(kEndmembers, kPixels), [] {
                const auto filter = otb::HUDProjectImageFilter::New();
                filter->SetFloor(kFloor);
                return otb::HUDSpectralImageFilter::Pointer(filter.GetPointer());
              }};
  hud::SimplexProjection(hud::ProjectionKind::Log, kEndmembers, kFloor).Project(result.m_Input, result.m_Expected);
  return result;
}

Case UnprojectCase()
{
  Case result{"Unproject", hud::test::UniformMatrix(kEndmembers, kPixels, 4, -9., 0.5).cast<float>(),
              Eigen::MatrixXf(kEndmembers, kPixels), [] {
                const auto filter = otb::HUDUnprojectImageFilter::New();
                return otb::HUDSpectralImageFilter::Pointer(filter.GetPointer());
              }};
  hud::SimplexProjection(hud::ProjectionKind::Log, kEndmembers).Unproject(result.m_Input, result.m_Expected);
  return result;
}

void ExpectNear(const Eigen::MatrixXf& actual, const Eigen::MatrixXf& expected, float tolerance)
{
  ASSERT_EQ(actual.rows(), expected.rows());
  ASSERT_EQ(actual.cols(), expected.cols());
  ASSERT_TRUE(actual.allFinite());
  EXPECT_LE((actual - expected).cwiseAbs().maxCoeff(), tolerance);
}

class HUDSpectralImageFilter : public testing::TestWithParam<Case>
{
};

INSTANTIATE_TEST_SUITE_P(Filters, HUDSpectralImageFilter,
                         testing::Values(EncodeCase(hud::EncoderKind::Fcls, "EncodeFcls"),
                                         EncodeCase(hud::EncoderKind::Nnls, "EncodeNnls"),
                                         EncodeCase(hud::EncoderKind::Unconstrained, "EncodeUnconstrained"),
                                         DecodeCase(), ProjectCase(), UnprojectCase()),
                         [](const auto& instance) { return instance.param.m_Name; });

} // namespace

TEST_P(HUDSpectralImageFilter, GivesTheCoresResultWholeInStripsAndInTilesWithOneAndTwoThreads)
{
  for (const unsigned int threads : {1u, 2u})
  {
    for (const auto& [width, height] :
         {std::pair{kWidth, kHeight}, {kWidth, Eigen::Index(3)}, {Eigen::Index(7), Eigen::Index(5)}})
    {
      SCOPED_TRACE(std::to_string(width) + " x " + std::to_string(height) + ", threads " + std::to_string(threads));
      const auto scene = MakeScene(GetParam().m_Input);
      const auto filter = GetParam().m_Make();
      filter->SetInput(scene->GetOutput());
      filter->SetNumberOfThreads(threads);
      const Eigen::MatrixXf result =
          ReadInTiles(*filter->GetOutput(), static_cast<std::size_t>(width), static_cast<std::size_t>(height));
      ExpectNear(result, GetParam().m_Expected, 1e-5f);
      EXPECT_EQ(filter->GetNoDataPixels(), 0u);
      EXPECT_EQ(scene->LargestRequest(), static_cast<std::size_t>(width * height));
    }
  }
}

TEST_P(HUDSpectralImageFilter, KeepsNoDataPixelsAndCountsThemOnceHoweverItStreams)
{
  Eigen::MatrixXf pixels = GetParam().m_Input;
  pixels(0, 2) = std::numeric_limits<float>::quiet_NaN();
  pixels(pixels.rows() - 1, 40) = std::numeric_limits<float>::infinity();
  pixels(1, 41) = -5.f;
  pixels.middleCols(3 * kWidth, kWidth).row(1).setConstant(-5.f); // a whole line
  std::set<Eigen::Index> noData = {2, 40, 41};
  for (Eigen::Index column = 0; column < kWidth; ++column)
  {
    noData.insert(3 * kWidth + column);
  }
  for (const auto& [width, height] : {std::pair{kWidth, kHeight}, {Eigen::Index(7), Eigen::Index(5)}})
  {
    const auto scene = MakeScene(pixels);
    const auto filter = GetParam().m_Make();
    filter->SetInput(scene->GetOutput());
    filter->SetNumberOfThreads(2);
    Eigen::MatrixXf result;
    for (int sweep = 0; sweep < 2; ++sweep)
    {
      result = ReadInTiles(*filter->GetOutput(), static_cast<std::size_t>(width), static_cast<std::size_t>(height));
      EXPECT_EQ(filter->GetNoDataPixels(), noData.size()) << "sweep " << sweep;
      scene->Modified();
    }
    Eigen::MatrixXf expected = GetParam().m_Expected;
    for (const Eigen::Index pixel : noData)
    {
      expected.col(pixel).setConstant(-9999.f);
    }
    ExpectNear(result, expected, 1e-5f);
  }
}

TEST_P(HUDSpectralImageFilter, KeepsTheGridAndFitsTheBandMetadata)
{
  const auto scene = MakeScene(GetParam().m_Input);
  const auto filter = GetParam().m_Make();
  filter->SetInput(scene->GetOutput());
  filter->UpdateOutputInformation();
  const otb::HUDImageType& input = *scene->GetOutput();
  const otb::HUDImageType& output = *filter->GetOutput();
  EXPECT_EQ(output.GetLargestPossibleRegion(), input.GetLargestPossibleRegion());
  EXPECT_EQ(output.GetOrigin(), input.GetOrigin());
  EXPECT_EQ(output.GetSignedSpacing(), input.GetSignedSpacing());
  EXPECT_TRUE(Says(output.GetImageMetadata().GetProjectionWKT(), "UTM zone 32N"));
  EXPECT_EQ(output.GetNumberOfComponentsPerPixel(), static_cast<unsigned int>(GetParam().m_Expected.rows()));
  ASSERT_EQ(output.GetImageMetadata().Bands.size(), static_cast<std::size_t>(GetParam().m_Expected.rows()));
  for (const auto& band : output.GetImageMetadata().Bands)
  {
    EXPECT_EQ(band[otb::MDNum::NoData], -9999.);
  }
}

TEST(HUDEncodeImageFilter, NamesBothBandCountsBeforeAnyPixelIsRead)
{
  const auto scene = MakeScene(Spectra().topRows(kBands - 2));
  const auto filter = otb::HUDEncodeImageFilter::New();
  filter->SetInput(scene->GetOutput());
  filter->SetEndmembers(Endmembers());
  const std::string message = MessageOf<hud::InvalidData>([&] { filter->UpdateOutputInformation(); });
  EXPECT_TRUE(Says(message, "9 bands")) << message;
  EXPECT_TRUE(Says(message, "the endmembers have 11")) << message;
  EXPECT_EQ(scene->Requests(), 0u);
}

TEST(HUDEncodeImageFilter, RefusesToRunWithoutEndmembers)
{
  const auto scene = MakeScene(Spectra());
  const auto filter = otb::HUDEncodeImageFilter::New();
  filter->SetInput(scene->GetOutput());
  EXPECT_THROW(filter->UpdateOutputInformation(), hud::InvalidOption);
}

TEST(HUDDecodeImageFilter, NamesBothBandCountsBeforeAnyPixelIsRead)
{
  const auto scene = MakeScene(Spectra());
  const auto filter = otb::HUDDecodeImageFilter::New();
  filter->SetInput(scene->GetOutput());
  filter->SetEndmembers(Endmembers());
  const std::string message = MessageOf<hud::InvalidData>([&] { filter->UpdateOutputInformation(); });
  EXPECT_TRUE(Says(message, "11 bands")) << message;
  EXPECT_TRUE(Says(message, "4 endmembers")) << message;
  EXPECT_EQ(scene->Requests(), 0u);
}

TEST(HUDProjectImageFilter, RefusesASingleBand)
{
  const auto scene = StreamedScene::New();
  scene->SetScene(Spectra().topRows(1), static_cast<std::size_t>(kWidth));
  const auto filter = otb::HUDProjectImageFilter::New();
  filter->SetInput(scene->GetOutput());
  EXPECT_THROW(filter->UpdateOutputInformation(), hud::InvalidOption);
}

TEST(HUDEncodeImageFilter, LeavesOutPixelsOfZeros)
{
  Eigen::MatrixXf pixels = Spectra();
  pixels.col(30).setZero();
  const auto scene = MakeScene(pixels);
  const auto filter = otb::HUDEncodeImageFilter::New();
  filter->SetInput(scene->GetOutput());
  filter->SetEndmembers(Endmembers());
  const Eigen::MatrixXf result = ReadInTiles(*filter->GetOutput(), 100, 100);
  EXPECT_EQ(filter->GetNoDataPixels(), 1u);
  EXPECT_EQ(result.col(30), Eigen::VectorXf::Constant(kEndmembers, -9999.f));
}

TEST(HUDUnprojectImageFilter, TakesAPixelOfZerosAsEqualAbundances)
{
  Eigen::MatrixXf pixels = UnprojectCase().m_Input;
  pixels.col(30).setZero();
  const auto scene = MakeScene(pixels);
  const auto filter = otb::HUDUnprojectImageFilter::New();
  filter->SetInput(scene->GetOutput());
  const Eigen::MatrixXf result = ReadInTiles(*filter->GetOutput(), 100, 100);
  EXPECT_EQ(filter->GetNoDataPixels(), 0u);
  EXPECT_TRUE(result.col(30).isApproxToConstant(0.25f)) << result.col(30).transpose();
}

TEST(HUDEncodeImageFilter, SummaryIsThatOfTheWholeImageHoweverItStreams)
{
  Eigen::MatrixXf pixels = Spectra();
  pixels(0, 2) = std::numeric_limits<float>::quiet_NaN();
  pixels(1, 41) = -5.f;
  pixels.col(77).setZero();
  Eigen::MatrixXf valid(kBands, kPixels - 3);
  valid << pixels.leftCols(2), pixels.middleCols(3, 38), pixels.middleCols(42, 35), pixels.rightCols(kPixels - 78);
  Eigen::MatrixXf abundances(kEndmembers, valid.cols());
  hud::Encoder(Endmembers(), hud::EncoderKind::Nnls).Encode(valid, abundances);
  const hud::UnmixingSummary expected = hud::UnmixingSummariser(Endmembers()).Summarise(valid, abundances);
  for (const unsigned int threads : {1u, 2u})
  {
    for (const auto& [width, height] :
         {std::pair{kWidth, kHeight}, {kWidth, Eigen::Index(3)}, {Eigen::Index(7), Eigen::Index(5)}})
    {
      SCOPED_TRACE(std::to_string(width) + " x " + std::to_string(height) + ", threads " + std::to_string(threads));
      const auto scene = MakeScene(pixels);
      const auto filter = otb::HUDEncodeImageFilter::New();
      filter->SetInput(scene->GetOutput());
      filter->SetEndmembers(Endmembers());
      filter->SetEncoder(hud::EncoderKind::Nnls);
      filter->SetNumberOfThreads(threads);
      filter->SetSummarise(true);
      EXPECT_EQ(filter->GetSummary().m_Pixels, 0);
      for (int sweep = 0; sweep < 2; ++sweep)
      {
        ReadInTiles(*filter->GetOutput(), static_cast<std::size_t>(width), static_cast<std::size_t>(height));
        const hud::UnmixingSummary summary = filter->GetSummary();
        EXPECT_EQ(summary.m_Pixels, kPixels - 3) << "sweep " << sweep;
        EXPECT_EQ(summary.m_Negative, expected.m_Negative);
        ASSERT_EQ(summary.m_Largest.size(), kEndmembers);
        EXPECT_TRUE((summary.m_Largest == expected.m_Largest).all());
        EXPECT_TRUE((summary.m_Pure == expected.m_Pure).all());
        EXPECT_TRUE(summary.m_Abundance.isApprox(expected.m_Abundance, 1e-12));
        EXPECT_NEAR(summary.m_Power, expected.m_Power, 1e-12 * expected.m_Power);
        EXPECT_NEAR(summary.m_SquaredError, expected.m_SquaredError, 1e-5 * expected.m_SquaredError);
        EXPECT_EQ(filter->GetNoDataCounts().m_NotFinite, 1u);
        EXPECT_EQ(filter->GetNoDataCounts().m_NoDataValue, 1u);
        EXPECT_EQ(filter->GetNoDataCounts().m_Zero, 1u);
        scene->Modified();
      }
    }
  }
}

TEST(HUDEncodeImageFilter, SummaryIsTheSameToTheLastBitInEverySweep)
{
  const auto scene = MakeScene(Spectra());
  const auto filter = otb::HUDEncodeImageFilter::New();
  filter->SetInput(scene->GetOutput());
  filter->SetEndmembers(Endmembers());
  filter->SetNumberOfThreads(3);
  filter->SetSummarise(true);
  std::optional<hud::UnmixingSummary> first;
  for (int sweep = 0; sweep < 200; ++sweep)
  {
    ReadInTiles(*filter->GetOutput(), kWidth, 9);
    const hud::UnmixingSummary summary = filter->GetSummary();
    if (!first)
    {
      first = summary;
    }
    ASSERT_EQ(summary.m_SquaredError, first->m_SquaredError) << sweep;
    ASSERT_EQ(summary.m_Power, first->m_Power) << sweep;
    ASSERT_TRUE((summary.m_Abundance == first->m_Abundance).all()) << sweep;
    scene->Modified();
  }
}

TEST(HUDEncodeImageFilter, AnIgnoredBandHasNoSay)
{
  Eigen::MatrixXf pixels = Spectra();
  pixels.row(1).setZero();
  pixels.row(8).setZero();
  pixels(3, 30) = std::numeric_limits<float>::quiet_NaN(); // no-data as ever
  const auto encode = [&](const Eigen::MatrixXf& image) {
    const auto scene = MakeScene(image);
    const auto filter = otb::HUDEncodeImageFilter::New();
    filter->SetInput(scene->GetOutput());
    filter->SetEndmembers(Endmembers());
    filter->SetIgnoredBands({1, 8});
    filter->SetNumberOfThreads(1);
    filter->SetSummarise(true);
    const Eigen::MatrixXf abundances = ReadInTiles(*filter->GetOutput(), kWidth, 5);
    EXPECT_EQ(filter->GetNoDataPixels(), 1u);
    EXPECT_EQ(filter->GetSummary().m_Pixels, kPixels - 1);
    return std::make_pair(abundances, filter->GetSummary());
  };
  const auto [expected, expectedSummary] = encode(pixels);
  EXPECT_EQ(expected.col(30), Eigen::VectorXf::Constant(kEndmembers, -9999.f));
  pixels.row(1).setConstant(-5.f); // the band's no-data value
  pixels.row(8).setConstant(std::numeric_limits<float>::quiet_NaN());
  pixels.row(8).head(50) = hud::test::UniformMatrix(1, 50, 9, -7., 7.).cast<float>();
  const auto [abundances, summary] = encode(pixels);
  ASSERT_TRUE(abundances.allFinite());
  EXPECT_EQ(abundances, expected);
  EXPECT_EQ(summary.m_Power, expectedSummary.m_Power);
  EXPECT_EQ(summary.m_SquaredError, expectedSummary.m_SquaredError);
}

TEST(HUDEncodeImageFilter, KeepsNoSummaryUnlessAsked)
{
  const auto scene = MakeScene(Spectra());
  const auto filter = otb::HUDEncodeImageFilter::New();
  filter->SetInput(scene->GetOutput());
  filter->SetEndmembers(Endmembers());
  ReadInTiles(*filter->GetOutput(), kWidth, 5);
  EXPECT_EQ(filter->GetSummary().m_Pixels, 0);
}

TEST(HUDEncodeImageFilter, TakesOtherIgnoredBandsAfterwards)
{
  const auto scene = MakeScene(Spectra());
  const auto filter = otb::HUDEncodeImageFilter::New();
  filter->SetInput(scene->GetOutput());
  filter->SetEndmembers(Endmembers());
  filter->SetIgnoredBands({8});
  ReadInTiles(*filter->GetOutput(), kWidth, 5);
  filter->SetIgnoredBands({});
  const Eigen::MatrixXf abundances = ReadInTiles(*filter->GetOutput(), kWidth, 5);
  Eigen::MatrixXf expected(kEndmembers, kPixels);
  hud::Encoder(Endmembers(), hud::EncoderKind::Fcls).Encode(Spectra(), expected);
  ExpectNear(abundances, expected, 1e-6f);
}
