// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDSceneSource.h"

#include "hud/core/Error.h"

#include "otbHUDInterrupt.h"

#include "StreamedScene.h"
#include "core/ErrorMessage.h"
#include "core/RandomMatrix.h"

#include <gtest/gtest.h>

#include <csignal>
#include <limits>
#include <vector>

namespace
{

using hud::test::MessageOf;
using hud::test::Says;
using hud::test::StreamedScene;
using otb::HUDSceneSource;

// 24 bytes a sample make 4.2 MB of this scene: several strips within 1 MB, one within 100.
constexpr Eigen::Index kWidth = 83;
constexpr Eigen::Index kHeight = 71;
constexpr Eigen::Index kPixels = kWidth * kHeight;
constexpr Eigen::Index kBands = 31;

Eigen::MatrixXf Spectra(Eigen::Index pixels, std::uint64_t seed)
{
  return hud::test::UniformMatrix(kBands, pixels, seed, 0.1, 0.9).cast<float>();
}

StreamedScene::Pointer MakeScene(const Eigen::MatrixXf& spectra, Eigen::Index width)
{
  const auto scene = StreamedScene::New();
  scene->SetScene(spectra, static_cast<std::size_t>(width), 5, 2);
  return scene;
}

// Band 4 has the no-data value -1.
otb::ImageMetadata NoDataInBandFour()
{
  otb::ImageMetadata metadata;
  metadata.Bands.resize(static_cast<std::size_t>(kBands));
  metadata.Bands[4].Add(otb::MDNum::NoData, -1.);
  return metadata;
}

// All blocks side by side, and their sizes.
struct Collected
{
  Eigen::MatrixXf m_Spectra = Eigen::MatrixXf(kBands, 0);
  std::vector<Eigen::Index> m_Blocks;
};

Collected Collect(const HUDSceneSource& source)
{
  Collected result;
  source.Visit([&](const Eigen::Ref<const Eigen::MatrixXf>& block) {
    Eigen::MatrixXf joined(kBands, result.m_Spectra.cols() + block.cols());
    joined << result.m_Spectra, block;
    result.m_Spectra = joined;
    result.m_Blocks.push_back(block.cols());
  });
  return result;
}

} // namespace

TEST(HUDSceneSource, HandsTheVisitorsErrorsOnAndStaysUsable)
{
  const auto scene = MakeScene(Spectra(kPixels, 7), kWidth);
  const HUDSceneSource source({scene->GetOutput()}, 1);
  for (const int failing : {1, 2}) // the first block of two, then the last
  {
    int block = 0;
    EXPECT_THROW(source.Visit([&](const Eigen::Ref<const Eigen::MatrixXf>&) {
      if (++block == failing)
      {
        throw hud::InvalidOption("no");
      }
    }),
                 hud::InvalidOption);
    EXPECT_EQ(block, failing);
  }
  EXPECT_EQ(Collect(source).m_Spectra.cols(), kPixels);
}

TEST(HUDSceneSource, GivesTheSameBlocksWithinAnyBudget)
{
  const Eigen::MatrixXf spectra = Spectra(kPixels, 1);
  for (const unsigned int ram : {1u, 100u})
  {
    const auto scene = MakeScene(spectra, kWidth);
    const HUDSceneSource source({scene->GetOutput()}, ram);
    const Collected result = Collect(source);
    EXPECT_EQ(result.m_Blocks, (std::vector<Eigen::Index>{4096, kPixels - 4096}));
    ASSERT_EQ(result.m_Spectra.cols(), kPixels);
    EXPECT_EQ(result.m_Spectra, spectra);
    if (ram == 1)
    {
      EXPECT_GE(scene->Requests(), 4u);
      EXPECT_LE(scene->LargestRequest() * kBands * 24, std::size_t(1024 * 1024));
    }
    else
    {
      EXPECT_EQ(scene->Requests(), 1u);
    }
  }
}

TEST(HUDSceneSource, LeavesOutNoDataPixelsAndCountsThem)
{
  Eigen::MatrixXf spectra = Spectra(kPixels, 2);
  spectra.col(10).setZero();
  spectra(7, kPixels - 1) = std::numeric_limits<float>::quiet_NaN();
  spectra(kBands - 1, 4000) = -1.f;
  const auto scene = MakeScene(spectra, kWidth);
  otb::ImageMetadata metadata;
  metadata.Bands.resize(static_cast<std::size_t>(kBands));
  metadata.Bands.back().Add(otb::MDNum::NoData, -1.);
  scene->SetMetadata(metadata);

  const HUDSceneSource source({scene->GetOutput()}, 1);
  EXPECT_EQ(source.ValidPixels(), 0);
  const Collected result = Collect(source);
  EXPECT_EQ(source.ValidPixels(), kPixels - 3);
  EXPECT_EQ(source.NoDataPixels().Total(), 3u);
  ASSERT_EQ(result.m_Spectra.cols(), kPixels - 3);
  EXPECT_TRUE(result.m_Spectra.allFinite());
  EXPECT_EQ(result.m_Spectra.col(9), spectra.col(9));
  EXPECT_EQ(result.m_Spectra.col(10), spectra.col(11));
  EXPECT_EQ(result.m_Spectra.rightCols(1), spectra.col(kPixels - 2));
}

TEST(HUDSceneSource, GivesEveryVisitTheSame)
{
  const auto scene = MakeScene(Spectra(kPixels, 3), kWidth);
  const HUDSceneSource source({scene->GetOutput()}, 1);
  const Collected first = Collect(source);
  const Collected second = Collect(source);
  EXPECT_EQ(first.m_Blocks, second.m_Blocks);
  EXPECT_EQ(first.m_Spectra, second.m_Spectra);
  EXPECT_EQ(source.ValidPixels(), kPixels);
}

TEST(HUDSceneSource, GivesOneImageAfterTheOther)
{
  const Eigen::MatrixXf first = Spectra(kPixels, 4);
  const Eigen::MatrixXf second = Spectra(29 * 13, 5);
  const auto a = MakeScene(first, kWidth);
  const auto b = MakeScene(second, 29);
  const HUDSceneSource source({a->GetOutput(), b->GetOutput()}, 1);
  const Collected result = Collect(source);
  ASSERT_EQ(result.m_Spectra.cols(), first.cols() + second.cols());
  EXPECT_EQ(result.m_Spectra.leftCols(first.cols()), first);
  EXPECT_EQ(result.m_Spectra.rightCols(second.cols()), second);
}

TEST(HUDSceneSource, NamesTheImageWhoseBandsDiffer)
{
  const auto a = MakeScene(Spectra(kPixels, 6), kWidth);
  const auto b = MakeScene(Spectra(kPixels, 7).topRows(kBands - 3), kWidth);
  const std::string message = MessageOf<hud::InvalidData>([&] {
    HUDSceneSource({a->GetOutput(), b->GetOutput()}, 1, {"first.tif", "second.tif"});
  });
  EXPECT_TRUE(Says(message, "second.tif has 28 bands")) << message;
  EXPECT_TRUE(Says(message, "31")) << message;
  EXPECT_TRUE(Says(MessageOf<hud::InvalidData>([&] {
                     HUDSceneSource({a->GetOutput(), b->GetOutput()}, 1);
                   }),
                   "image 2"));
}

TEST(HUDSceneSource, RefusesNoImage)
{
  EXPECT_THROW(HUDSceneSource({}, 1), hud::InvalidData);
}

TEST(HUDSceneSource, ReadsImagesThatAreInMemory)
{
  const Eigen::MatrixXf spectra = Spectra(kPixels, 8);
  const auto scene = MakeScene(spectra, kWidth);
  scene->Update();
  const otb::HUDImageType::Pointer image = scene->GetOutput();
  image->DisconnectPipeline();
  const Collected result = Collect(HUDSceneSource({image}, 1));
  ASSERT_EQ(result.m_Spectra.cols(), kPixels);
  EXPECT_EQ(result.m_Spectra, spectra);
}

TEST(HUDSceneSource, StopsWhenInterrupted)
{
  const otb::HUDInterrupt interrupt;
  const auto scene = MakeScene(Spectra(kPixels, 9), kWidth);
  scene->SetHook([](const auto&) { std::raise(SIGINT); });
  const HUDSceneSource source({scene->GetOutput()}, 1);
  EXPECT_EQ(MessageOf<hud::Error>([&] { Collect(source); }), "interrupted");
  EXPECT_EQ(scene->Requests(), 1u);
  EXPECT_EQ(source.ValidPixels(), 0);
}

TEST(HUDSceneSource, LeavesOutBandsWithoutDataInAnyPixel)
{
  // NaN in one band, the no-data value in another, in all pixels; pixel 10 is dark and pixel 20 not finite besides.
  Eigen::MatrixXf spectra = Spectra(kPixels, 11);
  spectra.col(10).setZero();
  spectra(6, 20) = std::numeric_limits<float>::infinity();
  Eigen::MatrixXf expected(kBands, kPixels - 2);
  expected << spectra.leftCols(10), spectra.middleCols(11, 9), spectra.rightCols(kPixels - 21);
  for (const Eigen::Index band : {Eigen::Index(4), kBands - 1})
  {
    spectra.row(band).setConstant(band == 4 ? -1.f : std::numeric_limits<float>::quiet_NaN());
    expected.row(band).setZero();
  }
  for (const unsigned int ram : {1u, 100u})
  {
    const auto scene = MakeScene(spectra, kWidth);
    scene->SetMetadata(NoDataInBandFour());
    const HUDSceneSource source({scene->GetOutput()}, ram);
    EXPECT_EQ(source.EmptyBands(), (std::vector<Eigen::Index>{4, kBands - 1}));
    for (int visit = 0; visit < 2; ++visit)
    {
      const Collected result = Collect(source);
      EXPECT_EQ(source.ValidPixels(), kPixels - 2);
      EXPECT_EQ(source.NoDataPixels().m_Zero, 1u);
      EXPECT_EQ(source.NoDataPixels().m_NotFinite, 1u);
      EXPECT_EQ(source.NoDataPixels().m_NoDataValue, 0u);
      EXPECT_EQ(result.m_Blocks, (std::vector<Eigen::Index>{4096, kPixels - 2 - 4096}));
      ASSERT_EQ(result.m_Spectra.cols(), expected.cols());
      EXPECT_EQ(result.m_Spectra, expected);
    }
  }
}

TEST(HUDSceneSource, ABandThatIsEmptyInNoDataPixelsOnlyIsNotLeftOut)
{
  Eigen::MatrixXf spectra = Spectra(kPixels, 12);
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  spectra.row(3).setConstant(nan);
  spectra(3, 7) = 0.25f; // the only pixel with data in band 3 has data in all bands
  const auto scene = MakeScene(spectra, kWidth);
  const HUDSceneSource source({scene->GetOutput()}, 1);
  const Collected result = Collect(source);
  EXPECT_TRUE(source.EmptyBands().empty());
  ASSERT_EQ(result.m_Spectra.cols(), 1);
  EXPECT_EQ(result.m_Spectra.col(0), spectra.col(7));
  EXPECT_EQ(source.NoDataPixels().m_NotFinite, static_cast<std::size_t>(kPixels - 1));
}

TEST(HUDSceneSource, ABandOfZerosHoldsData)
{
  Eigen::MatrixXf spectra = Spectra(kPixels, 13);
  spectra.row(8).setZero();
  const auto scene = MakeScene(spectra, kWidth);
  const HUDSceneSource source({scene->GetOutput()}, 1);
  EXPECT_EQ(Collect(source).m_Spectra, spectra);
  EXPECT_TRUE(source.EmptyBands().empty());
}

TEST(HUDSceneSource, ABorderOfZerosDoesNotHideABandWithoutData)
{
  Eigen::MatrixXf spectra = Spectra(kPixels, 16);
  spectra.row(6).setConstant(std::numeric_limits<float>::quiet_NaN());
  spectra.leftCols(3 * kWidth).setZero();
  const auto scene = MakeScene(spectra, kWidth);
  const HUDSceneSource source({scene->GetOutput()}, 1);
  EXPECT_EQ(source.EmptyBands(), (std::vector<Eigen::Index>{6}));
  EXPECT_EQ(Collect(source).m_Spectra.cols(), kPixels - 3 * kWidth);
  EXPECT_EQ(source.NoDataPixels().m_Zero, static_cast<std::size_t>(3 * kWidth));
}

TEST(HUDSceneSource, ReadsUpToTheFirstValidPixelToFindThatNoBandIsEmpty)
{
  const auto scene = MakeScene(Spectra(kPixels, 17), kWidth);
  const HUDSceneSource source({scene->GetOutput()}, 1);
  EXPECT_TRUE(source.EmptyBands().empty());
  EXPECT_EQ(scene->Requests(), 1u);
}

TEST(HUDSceneSource, RefusesAnImageWithoutAnyData)
{
  Eigen::MatrixXf spectra = Eigen::MatrixXf::Constant(kBands, kPixels, std::numeric_limits<float>::quiet_NaN());
  spectra.row(4).setConstant(-1.f);
  const auto scene = MakeScene(spectra, kWidth);
  scene->SetMetadata(NoDataInBandFour());
  const HUDSceneSource source({scene->GetOutput()}, 1);
  EXPECT_TRUE(source.EmptyBands().empty());
  EXPECT_TRUE(Says(MessageOf<hud::InvalidData>([&] { Collect(source); }), std::to_string(kPixels) + " not finite"));
}

TEST(HUDSceneSource, ABandIsEmptyOnlyIfItIsSoInAllImages)
{
  Eigen::MatrixXf first = Spectra(kPixels, 14);
  Eigen::MatrixXf second = Spectra(29 * 13, 15);
  first.row(2).setConstant(std::numeric_limits<float>::quiet_NaN());
  first.row(9).setConstant(std::numeric_limits<float>::quiet_NaN());
  second.row(9).setConstant(-1.f);
  otb::ImageMetadata metadata;
  metadata.Bands.resize(static_cast<std::size_t>(kBands));
  metadata.Bands[9].Add(otb::MDNum::NoData, -1.);
  const auto a = MakeScene(first, kWidth);
  const auto b = MakeScene(second, 29);
  b->SetMetadata(metadata);
  // Each image declares its own no-data value.
  const HUDSceneSource source({a->GetOutput(), b->GetOutput()}, 1);
  const Collected result = Collect(source);
  EXPECT_EQ(source.EmptyBands(), (std::vector<Eigen::Index>{9}));
  second.row(9).setZero();
  ASSERT_EQ(result.m_Spectra.cols(), second.cols());
  EXPECT_EQ(result.m_Spectra, second);
  EXPECT_EQ(source.NoDataPixels().m_NotFinite, static_cast<std::size_t>(kPixels));
}

TEST(HUDSceneSource, FitsStripsToTheBudgetAndToTiles)
{
  // 1 MB holds 43,690 samples of 24 bytes.
  EXPECT_EQ(HUDSceneSource::StripLines(100, 1000, 10, 1, 1), 43u);
  EXPECT_EQ(HUDSceneSource::StripLines(100, 1000, 10, 16, 1), 32u);
  EXPECT_EQ(HUDSceneSource::StripLines(100, 1000, 10, 64, 1), 43u);
  EXPECT_EQ(HUDSceneSource::StripLines(100, 20, 10, 1, 1), 20u);
  EXPECT_EQ(HUDSceneSource::StripLines(100000, 20, 240, 1, 1), 1u);
}
