// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDLabelImage.h"

#include "StreamedScene.h"
#include "core/ErrorMessage.h"
#include "hud/core/Error.h"

#include <gtest/gtest.h>

namespace
{

using hud::InvalidData;
using hud::test::MessageOf;
using hud::test::Says;

hud::test::StreamedScene::Pointer MakeImage(const Eigen::MatrixXf& values, std::size_t width)
{
  const auto image = hud::test::StreamedScene::New();
  image->SetScene(values, width, 3, -2);
  return image;
}

TEST(HUDLabelImage, NumbersValuesInTheirOrder)
{
  Eigen::MatrixXf values(1, 6);
  values << 7.f, 0.f, 2.f, 2.f, 250.f, 7.f;
  const hud::LabelMap labels = otb::HUDReadLabels(*MakeImage(values, 3)->GetOutput(), 1);
  EXPECT_EQ(labels.m_Classes, 3);
  EXPECT_EQ(labels.m_Labels, (std::vector<int>{1, -1, 0, 0, 2, 1}));
}

TEST(HUDLabelImage, TakesNoDataForNoClass)
{
  Eigen::MatrixXf values(1, 6);
  values << 7.f, 255.f, 2.f, 2.f, 255.f, 7.f;
  const auto image = MakeImage(values, 2);
  otb::ImageMetadata metadata;
  metadata.Bands.resize(1);
  metadata.Bands[0].Add(otb::MDNum::NoData, 255.);
  image->SetMetadata(metadata);
  EXPECT_EQ(otb::HUDReadLabels(*image->GetOutput(), 1).m_Labels, (std::vector<int>{1, -1, 0, 0, -1, 1}));
}

TEST(HUDLabelImage, RefusesWhatIsNoImageOfClasses)
{
  Eigen::MatrixXf values = Eigen::MatrixXf::Constant(1, 6, 3.f);
  values(0, 4) = 1.5f;
  EXPECT_TRUE(Says(MessageOf<InvalidData>([&] { otb::HUDReadLabels(*MakeImage(values, 3)->GetOutput(), 1); }), "1.5"));
  const Eigen::MatrixXf bands = Eigen::MatrixXf::Constant(4, 6, 3.f);
  EXPECT_TRUE(
      Says(MessageOf<InvalidData>([&] { otb::HUDReadLabels(*MakeImage(bands, 3)->GetOutput(), 1); }), "4 bands"));
  const Eigen::MatrixXf many = Eigen::RowVectorXf::LinSpaced(1200, 1.f, 1200.f);
  EXPECT_TRUE(Says(MessageOf<InvalidData>([&] { otb::HUDReadLabels(*MakeImage(many, 40)->GetOutput(), 1); }), "1000"));
}

} // namespace
