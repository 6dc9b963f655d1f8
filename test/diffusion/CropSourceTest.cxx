// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "CropSource.h"

#include "ToyModel.h"

#include "hud/core/Error.h"
#include "hud/core/SimplexProjection.h"

#include <gtest/gtest.h>

#include <set>

namespace
{

hud::CropSource MakeSource(const std::vector<hud::AbundanceMap>& maps, const hud::TrainingOptions& options)
{
  hud::CropSource source(maps, options);
  source.Standardise(source.ChannelMean(), source.ChannelSd());
  return source;
}

TEST(CropSource, StandardisesEveryChannelOverTheValidPixels)
{
  hud::AbundanceMap map = hud::test::MakeToyMap(23, 17);
  map.m_Valid.assign(23 * 17, 1);
  map.m_Valid[0] = 0;
  const hud::CropSource source({map}, hud::test::MakeToyOptions());
  Eigen::MatrixXf projected(3, map.m_Abundances.cols());
  hud::SimplexProjection(hud::ProjectionKind::Log, 3, hud::test::MakeToyOptions().m_Floor)
      .Project(map.m_Abundances, projected);
  for (Eigen::Index k = 0; k < 3; ++k)
  {
    const Eigen::ArrayXd z = projected.rightCols(23 * 17 - 1).row(k).transpose().cast<double>().array();
    const auto i = static_cast<std::size_t>(k);
    EXPECT_NEAR(source.ChannelMean()[i], z.mean(), 1e-9);
    EXPECT_NEAR(source.ChannelSd()[i], std::sqrt((z - z.mean()).square().mean()), 1e-9);
  }
}

TEST(CropSource, ABatchDependsOnSeedAndIterationOnly)
{
  const hud::AbundanceMap map = hud::test::MakeToyMap(23, 17);
  hud::TrainingOptions options = hud::test::MakeToyOptions();
  const hud::CropSource source = MakeSource({map}, options);
  const hud::TrainingBatch batch = source.Batch(5);
  source.Batch(6);
  const hud::TrainingBatch again = MakeSource({map}, options).Batch(5);
  EXPECT_TRUE(torch::equal(batch.m_Clean, again.m_Clean));
  EXPECT_TRUE(torch::equal(batch.m_Noise, again.m_Noise));
  EXPECT_TRUE(torch::equal(batch.m_Timesteps, again.m_Timesteps));
  EXPECT_FALSE(torch::equal(batch.m_Noise, source.Batch(6).m_Noise));
  options.m_Seed = 12;
  EXPECT_FALSE(torch::equal(batch.m_Noise, MakeSource({map}, options).Batch(5).m_Noise));
}

TEST(CropSource, DrawsEveryTimestep)
{
  hud::TrainingOptions options = hud::test::MakeToyOptions();
  options.m_Timesteps = 7;
  options.m_Batch = 50;
  const hud::CropSource source = MakeSource({hud::test::MakeToyMap(23, 17)}, options);
  std::set<std::int64_t> seen;
  for (std::int64_t iteration = 0; iteration < 10; ++iteration)
  {
    const torch::Tensor timesteps = source.Batch(iteration).m_Timesteps;
    for (std::int64_t i = 0; i < timesteps.size(0); ++i)
    {
      seen.insert(timesteps[i].item<std::int64_t>());
    }
  }
  EXPECT_EQ(seen, (std::set<std::int64_t>{1, 2, 3, 4, 5, 6, 7}));
}

TEST(CropSource, CropsAreTheScenesOwnWithoutAugmentation)
{
  hud::TrainingOptions options = hud::test::MakeToyOptions();
  options.m_Augment = false;
  // One position only: the crop is the whole map.
  const hud::AbundanceMap map = hud::test::MakeToyMap(8, 8);
  hud::CropSource source({map}, options);
  source.Standardise({0., 0., 0.}, {1., 1., 1.});
  const torch::Tensor crop = source.Batch(0).m_Clean[0];
  Eigen::MatrixXf projected(3, 64);
  hud::SimplexProjection(hud::ProjectionKind::Log, 3, hud::test::MakeToyOptions().m_Floor)
      .Project(map.m_Abundances, projected);
  for (std::int64_t y = 0; y < 8; ++y)
  {
    for (std::int64_t x = 0; x < 8; ++x)
    {
      EXPECT_FLOAT_EQ(crop[1][y][x].item<float>(), projected(1, y * 8 + x));
    }
  }
}

TEST(CropSource, AugmentationShowsAllEightOrientations)
{
  hud::TrainingOptions options = hud::test::MakeToyOptions();
  options.m_Batch = 100;
  const hud::CropSource source = MakeSource({hud::test::MakeToyMap(8, 8)}, options);
  const torch::Tensor crops = source.Batch(0).m_Clean;
  std::vector<torch::Tensor> different;
  for (std::int64_t i = 0; i < crops.size(0); ++i)
  {
    const bool known = std::any_of(different.begin(), different.end(),
                                   [&](const torch::Tensor& crop) { return torch::equal(crop, crops[i]); });
    if (!known)
    {
      different.push_back(crops[i]);
    }
  }
  EXPECT_EQ(different.size(), 8u);
}

TEST(CropSource, NeverTouchesNoDataPixels)
{
  hud::AbundanceMap map = hud::test::MakeToyMap(20, 18);
  map.m_Valid.assign(20 * 18, 1);
  for (Eigen::Index y = 0; y < 18; ++y)
  {
    map.m_Valid[static_cast<std::size_t>(y * 20 + 9)] = 0; // a column: patches fit at its left and right
    map.m_Abundances.col(y * 20 + 9).setConstant(1e6f);
  }
  const hud::CropSource source = MakeSource({map}, hud::test::MakeToyOptions());
  for (std::int64_t iteration = 0; iteration < 30; ++iteration)
  {
    EXPECT_LT(source.Batch(iteration).m_Clean.abs().max().item<double>(), 20.);
  }
}

TEST(CropSource, RefusesScenesWithoutAPatch)
{
  const hud::TrainingOptions options = hud::test::MakeToyOptions();
  EXPECT_THROW(hud::CropSource({}, options), hud::InvalidData);
  try
  {
    const hud::CropSource source({hud::test::MakeToyMap(7, 30)}, options);
    FAIL() << "no error";
  }
  catch (const hud::InvalidData& error)
  {
    EXPECT_NE(std::string(error.what()).find("8 x 8"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("7 x 30"), std::string::npos) << error.what();
  }
  hud::AbundanceMap map = hud::test::MakeToyMap(12, 11);
  map.m_Valid.assign(12 * 11, 1);
  map.m_Valid[5 * 12 + 6] = 0;
  EXPECT_THROW(hud::CropSource({map}, options), hud::InvalidData);
}

} // namespace
