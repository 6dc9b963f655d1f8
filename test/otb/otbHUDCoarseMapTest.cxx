// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDCoarseMap.h"

#include "StreamedScene.h"
#include "core/ErrorMessage.h"
#include "hud/core/Error.h"

#include <gtest/gtest.h>

namespace
{

using hud::InvalidData;
using hud::test::MessageOf;
using hud::test::Says;

/// Returns an image of two columns.
hud::test::StreamedScene::Pointer MakeImage(const Eigen::MatrixXf& values)
{
  const auto image = hud::test::StreamedScene::New();
  image->SetScene(values, 2, 3, -2);
  return image;
}

TEST(HUDCoarseMap, ReadsAbundancesAndScalesTheirSums)
{
  Eigen::MatrixXf values(3, 6);
  values << 0.2f, 0.f, 1.f, 0.1f, 0.6f, 0.3f, //
      0.3f, 0.f, 0.f, 0.9f, 0.2f, 0.4f,       //
      0.505f, 0.f, 0.f, 0.f, 0.2f, 0.3f;
  const auto image = MakeImage(values);
  const otb::HUDCoarseMap map(*image->GetOutput(), "map", 3, 1);
  ASSERT_EQ(map.Width(), 2);
  ASSERT_EQ(map.Height(), 3);
  Eigen::MatrixXf abundances(3, 2);
  std::vector<std::uint8_t> valid;
  map.Read(0, abundances, valid);
  EXPECT_EQ(valid, (std::vector<std::uint8_t>{1, 0})) << "zeros in all bands are no data";
  EXPECT_TRUE(abundances.col(0).isApprox(values.col(0) / 1.005f, 1e-6f));
  map.Read(1, abundances, valid);
  EXPECT_EQ(valid, (std::vector<std::uint8_t>{1, 1}));
  EXPECT_TRUE(abundances.isApprox(values.middleCols(2, 2), 1e-6f));
}

TEST(HUDCoarseMap, ReadsNumbersOfEndmembers)
{
  Eigen::MatrixXf values(1, 6);
  values << 2.f, 0.f, 1.f, 3.f, 3.f, 3.f;
  const auto image = MakeImage(values);
  const otb::HUDCoarseMap map(*image->GetOutput(), "map", 3, 1);
  Eigen::MatrixXf abundances(3, 2);
  std::vector<std::uint8_t> valid;
  map.Read(0, abundances, valid);
  EXPECT_EQ(valid, (std::vector<std::uint8_t>{1, 0})) << "the number 0 is free";
  EXPECT_EQ(abundances.col(0), Eigen::Vector3f(0.f, 1.f, 0.f));
  map.Read(1, abundances, valid);
  EXPECT_EQ(abundances.col(0), Eigen::Vector3f(1.f, 0.f, 0.f));
  EXPECT_EQ(abundances.col(1), Eigen::Vector3f(0.f, 0.f, 1.f));
}

TEST(HUDCoarseMap, RefusesWhatIsNoMapOfTheEndmembers)
{
  const auto message = [](const Eigen::MatrixXf& values, Eigen::Index row) {
    return MessageOf<InvalidData>([&] {
      const auto image = MakeImage(values);
      const otb::HUDCoarseMap map(*image->GetOutput(), "map", 3, 1);
      Eigen::MatrixXf abundances(3, 2);
      std::vector<std::uint8_t> valid;
      map.Read(row, abundances, valid);
    });
  };
  EXPECT_TRUE(Says(message(Eigen::MatrixXf::Constant(2, 6, 0.5f), 0), "map: found 2 bands, expected 3"));
  EXPECT_TRUE(Says(message(Eigen::MatrixXf::Constant(1, 6, 4.f), 1),
                   "map: found the number 4 in pixel (0, 1), expected 1 to 3"));
  EXPECT_TRUE(Says(message(Eigen::MatrixXf::Constant(1, 6, 1.5f), 1), "the number 1.5"));
  EXPECT_TRUE(Says(message(Eigen::MatrixXf::Constant(1, 6, -1.f), 0), "the number -1"));
  EXPECT_TRUE(
      Says(message(Eigen::MatrixXf::Constant(3, 6, 0.5f), 2), "map: the abundances of pixel (0, 2) sum to 1.5"));
}

} // namespace
