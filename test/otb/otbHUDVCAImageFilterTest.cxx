// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDVCAImageFilter.h"

#include "otbHUDEndmemberImage.h"

#include "hud/core/Error.h"
#include "hud/core/SyntheticScene.h"

#include "StreamedScene.h"

#include "otbImageFileReader.h"
#include "otbSpatialReference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace
{

using hud::test::StreamedScene;

constexpr Eigen::Index kWidth = 61;
constexpr Eigen::Index kHeight = 47;
constexpr Eigen::Index kBands = 40;
constexpr Eigen::Index kEndmembers = 3;

hud::SyntheticScene Truth()
{
  hud::SyntheticSceneOptions options;
  options.m_Bands = kBands;
  options.m_Pixels = kWidth * kHeight;
  options.m_Endmembers = kEndmembers;
  options.m_Seed = 11;
  return hud::MakeSyntheticScene(options);
}

hud::ExtractionOptions Options()
{
  hud::ExtractionOptions options;
  options.m_Endmembers = kEndmembers;
  options.m_Restarts = 3;
  options.m_Refinement.m_Iterations = 2;
  options.m_Seed = 5;
  options.m_SamplePixels = 700;
  return options;
}

StreamedScene::Pointer MakeScene(const Eigen::MatrixXf& spectra)
{
  const auto scene = StreamedScene::New();
  scene->SetScene(spectra, static_cast<std::size_t>(kWidth));
  otb::ImageMetadata metadata;
  metadata.Bands.resize(static_cast<std::size_t>(kBands));
  metadata.Bands[4].Add(otb::MDStr::BandName, "fifth");
  metadata.Bands[4].Add(otb::MDNum::NoData, -1.);
  metadata.Add(otb::MDGeom::ProjectionWKT, otb::SpatialReference::FromDescription("EPSG:32632").ToWkt());
  scene->SetMetadata(metadata);
  return scene;
}

otb::HUDVCAImageFilter::Pointer MakeFilter(otb::HUDImageType* scene, unsigned int ram)
{
  const auto filter = otb::HUDVCAImageFilter::New();
  filter->SetInput(scene);
  filter->SetOptions(Options());
  filter->SetRAM(ram);
  return filter;
}

} // namespace

TEST(HUDVCAImageFilter, GivesTheCoresEndmembersAndNeverAsksForTheWholeScene)
{
  const Eigen::MatrixXf spectra = Truth().m_Spectra;
  const Eigen::MatrixXd expected = hud::ExtractEndmembers(hud::InMemorySpectra(spectra), Options()).m_Endmembers;
  const auto scene = MakeScene(spectra);
  const auto filter = MakeFilter(scene->GetOutput(), 1);
  const Eigen::MatrixXd result = otb::HUDReadEndmembers(*filter->GetOutput());
  ASSERT_EQ(result.rows(), kBands);
  ASSERT_EQ(result.cols(), kEndmembers);
  EXPECT_EQ(result, expected.cast<float>().cast<double>());
  EXPECT_EQ(filter->GetExtraction().m_Endmembers, expected);
  EXPECT_LT(scene->LargestRequest(), static_cast<std::size_t>(kWidth * kHeight));
}

TEST(HUDVCAImageFilter, GivesTheSameBytesWithinAnyBudget)
{
  const auto scene = MakeScene(Truth().m_Spectra);
  const Eigen::MatrixXd small = otb::HUDReadEndmembers(*MakeFilter(scene->GetOutput(), 1)->GetOutput());
  const Eigen::MatrixXd larger = otb::HUDReadEndmembers(*MakeFilter(scene->GetOutput(), 100)->GetOutput());
  ASSERT_EQ(small.cols(), kEndmembers);
  EXPECT_EQ(small, larger);
}

TEST(HUDVCAImageFilter, LeavesOutNoDataPixels)
{
  const Eigen::MatrixXf clean = Truth().m_Spectra;
  Eigen::MatrixXf spectra = clean;
  // Pixels so bright that any extraction would take them.
  for (const Eigen::Index pixel : {100, 2000})
  {
    spectra.col(pixel) *= 100.f;
    spectra(4, pixel) = -1.f;
  }
  Eigen::MatrixXf without(kBands, clean.cols() - 2);
  without << clean.leftCols(100), clean.middleCols(101, 1899), clean.rightCols(clean.cols() - 2001);
  const auto scene = MakeScene(spectra);
  const auto filter = MakeFilter(scene->GetOutput(), 1);
  filter->Update();
  EXPECT_EQ(filter->GetNoDataPixels(), 2u);
  EXPECT_EQ(filter->GetExtraction().m_Endmembers,
            hud::ExtractEndmembers(hud::InMemorySpectra(without), Options()).m_Endmembers);
}

TEST(HUDVCAImageFilter, MakesAnImageOfOneLineWithoutGeoreference)
{
  const auto scene = MakeScene(Truth().m_Spectra);
  const auto filter = MakeFilter(scene->GetOutput(), 1);
  filter->UpdateOutputInformation();
  EXPECT_EQ(scene->Requests(), 0u);
  const otb::HUDImageType& output = *filter->GetOutput();
  EXPECT_EQ(output.GetLargestPossibleRegion().GetSize(0), static_cast<std::size_t>(kEndmembers));
  EXPECT_EQ(output.GetLargestPossibleRegion().GetSize(1), 1u);
  EXPECT_EQ(output.GetNumberOfComponentsPerPixel(), static_cast<unsigned int>(kBands));
  EXPECT_EQ(output.GetImageMetadata().GetProjectionWKT(), "");
  const otb::HUDImageType::VectorType transform = output.GetGeoTransform();
  const std::vector<double> none = {0., 1., 0., 0., 0., 1.};
  ASSERT_EQ(transform.size(), none.size());
  EXPECT_TRUE(std::equal(none.begin(), none.end(), transform.begin()));
  ASSERT_EQ(output.GetImageMetadata().Bands.size(), static_cast<std::size_t>(kBands));
  EXPECT_EQ(output.GetImageMetadata().Bands[4][otb::MDStr::BandName], "fifth");
  EXPECT_FALSE(output.GetImageMetadata().Bands[4].Has(otb::MDNum::NoData));
}

TEST(HUDVCAImageFilter, RefusesTooManyEndmembersBeforeItReads)
{
  const auto scene = MakeScene(Truth().m_Spectra);
  const auto filter = MakeFilter(scene->GetOutput(), 1);
  auto options = Options();
  options.m_Endmembers = kBands + 1;
  filter->SetOptions(options);
  EXPECT_THROW(filter->UpdateOutputInformation(), hud::InvalidOption);
  EXPECT_EQ(scene->Requests(), 0u);
}

TEST(HUDVCAImageFilter, ReadsAFileStripByStrip)
{
  const auto reader = otb::ImageFileReader<otb::HUDImageType>::New();
  reader->SetFileName(HUD_TEST_DATA_DIR "/jasper_ridge.tif");
  const auto filter = MakeFilter(reader->GetOutput(), 2);
  filter->Update();
  EXPECT_EQ(filter->GetExtraction().m_Endmembers.rows(),
            static_cast<Eigen::Index>(reader->GetOutput()->GetNumberOfComponentsPerPixel()));
  EXPECT_TRUE(filter->GetExtraction().m_Endmembers.allFinite());
  EXPECT_LT(reader->GetOutput()->GetBufferedRegion().GetNumberOfPixels(),
            reader->GetOutput()->GetLargestPossibleRegion().GetNumberOfPixels());
}
