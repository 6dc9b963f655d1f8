// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDEndmemberImage.h"

#include "hud/core/Error.h"

#include "StreamedScene.h"
#include "core/ErrorMessage.h"
#include "core/RandomMatrix.h"

#include <gtest/gtest.h>

#include <limits>

namespace
{

Eigen::MatrixXd Endmembers()
{
  // Exact in single precision.
  return hud::test::UniformMatrix(7, 3, 1).cast<float>().cast<double>();
}

} // namespace

TEST(HUDEndmemberImage, HoldsOnePixelForEachEndmember)
{
  const auto image = otb::HUDEndmembersToImage(Endmembers());
  EXPECT_EQ(image->GetLargestPossibleRegion().GetSize(0), 3u);
  EXPECT_EQ(image->GetLargestPossibleRegion().GetSize(1), 1u);
  ASSERT_EQ(image->GetNumberOfComponentsPerPixel(), 7u);
  const auto pixel = image->GetPixel({{2, 0}});
  EXPECT_EQ(pixel[5], static_cast<float>(Endmembers()(5, 2)));
}

TEST(HUDEndmemberImage, ReadsWhatWasWritten)
{
  EXPECT_EQ(otb::HUDReadEndmembers(*otb::HUDEndmembersToImage(Endmembers())), Endmembers());
}

TEST(HUDEndmemberImage, IsReadRowByRowFromAnyPipeline)
{
  const Eigen::MatrixXd endmembers = hud::test::UniformMatrix(7, 6, 2).cast<float>().cast<double>();
  const auto scene = hud::test::StreamedScene::New();
  scene->SetScene(endmembers.cast<float>(), 3, 1, 2);
  EXPECT_EQ(otb::HUDReadEndmembers(*scene->GetOutput()), endmembers);
}

TEST(HUDEndmemberImage, NamesTheValueThatIsNotFinite)
{
  Eigen::MatrixXd endmembers = Endmembers();
  endmembers(4, 1) = std::numeric_limits<double>::quiet_NaN();
  const auto image = otb::HUDEndmembersToImage(endmembers);
  const std::string message = hud::test::MessageOf<hud::InvalidData>([&] { otb::HUDReadEndmembers(*image); });
  EXPECT_EQ(message, "endmember 2 is not finite in band 5");
}
