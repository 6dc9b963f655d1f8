// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "CropSource.h"
#include "Denoiser.h"
#include "Safetensors.h"
#include "TemporaryFolder.h"
#include "ToyModel.h"
#include "UNet.h"

#include "core/ErrorMessage.h"
#include "hud/core/Error.h"
#include "hud/core/SimplexProjection.h"
#include "hud/diffusion/SampleSession.h"

#include <gtest/gtest.h>

#include <cmath>

namespace
{

using hud::test::MakeToyMap;
using hud::test::MakeToyOptions;
using hud::test::MakeToyScene;
using hud::test::MessageOf;
using hud::test::OnCpu;
using hud::test::ReadText;

/// Returns the map whose pixels are the means of `scale` x `scale` of another, from its upper left corner on.
hud::AbundanceMap Average(const hud::AbundanceMap& map, Eigen::Index scale)
{
  hud::AbundanceMap mean;
  mean.m_Width = map.m_Width / scale;
  mean.m_Height = map.m_Height / scale;
  mean.m_Abundances = Eigen::MatrixXf::Zero(map.m_Abundances.rows(), mean.m_Width * mean.m_Height);
  for (Eigen::Index y = 0; y < mean.m_Height * scale; ++y)
  {
    for (Eigen::Index x = 0; x < mean.m_Width * scale; ++x)
    {
      mean.m_Abundances.col(y / scale * mean.m_Width + x / scale) +=
          map.m_Abundances.col(y * map.m_Width + x) / static_cast<float>(scale * scale);
    }
  }
  return mean;
}

hud::TrainingOptions MakeOptions(int levels)
{
  hud::TrainingOptions options = MakeToyOptions();
  options.m_Levels = levels;
  options.m_HoldOut = 0.;
  return options;
}

/// Returns coordinates [channels, height, width], without standardisation, as abundances [d x height * width].
Eigen::MatrixXf ToAbundances(const torch::Tensor& coordinates, const hud::TrainingOptions& options)
{
  const hud::SimplexProjection projection(options.m_Projection, 3, options.m_Floor);
  const torch::Tensor pixels = coordinates.permute({1, 2, 0}).contiguous();
  Eigen::MatrixXf abundances(3, pixels.numel() / projection.Channels());
  projection.UnprojectExactly(
      Eigen::Map<const Eigen::MatrixXf>(pixels.data_ptr<float>(), projection.Channels(), abundances.cols()),
      abundances);
  return abundances;
}

TEST(Cascade, ACropAndItsCoarserLevelAreMeansOfTheSamePixels)
{
  hud::TrainingOptions options = MakeOptions(4);
  options.m_Batch = 200;
  options.m_Augment = false;
  options.m_CoarseNoise = 0.;
  const hud::AbundanceMap map = MakeToyMap(71, 67);
  hud::CropSource source({map}, options);
  source.Standardise({0., 0., 0.}, {1., 1., 1.});
  const hud::TrainingBatch batch = source.Batch(2);
  std::vector<int> seen(4, 0);
  for (std::int64_t sample = 0; sample < options.m_Batch; ++sample)
  {
    const auto level = batch.m_Conditions.m_Levels[sample].item<std::int64_t>();
    ++seen[static_cast<std::size_t>(level)];
    hud::AbundanceMap crop;
    crop.m_Width = options.m_Patch;
    crop.m_Height = options.m_Patch;
    crop.m_Abundances = ToAbundances(batch.m_Clean[sample], options);
    // The crop is somewhere in the map, averaged.
    const Eigen::Index scale = Eigen::Index(1) << level;
    float nearest = 1.f;
    for (Eigen::Index y = 0; y + scale * options.m_Patch <= map.m_Height; ++y)
    {
      for (Eigen::Index x = 0; x + scale * options.m_Patch <= map.m_Width; ++x)
      {
        hud::AbundanceMap square;
        square.m_Width = scale;
        square.m_Height = scale;
        float farthest = 0.f;
        for (const Eigen::Index corner : {Eigen::Index(0), crop.m_Abundances.cols() - 1})
        {
          Eigen::Vector3f mean = Eigen::Vector3f::Zero();
          const Eigen::Index left = x + scale * (corner % options.m_Patch);
          const Eigen::Index top = y + scale * (corner / options.m_Patch);
          for (Eigen::Index pixel = 0; pixel < scale * scale; ++pixel)
          {
            mean += map.m_Abundances.col((top + pixel / scale) * map.m_Width + left + pixel % scale);
          }
          mean /= static_cast<float>(scale * scale);
          farthest = std::max(farthest, (mean - crop.m_Abundances.col(corner)).cwiseAbs().maxCoeff());
        }
        nearest = std::min(nearest, farthest);
      }
    }
    EXPECT_LT(nearest, 1e-4f) << "level " << level;
    // What the network sees of the coarser level is the crop's own mean.
    const float noise = batch.m_Conditions.m_CoarseNoise[sample].item<float>();
    if (level == 3)
    {
      EXPECT_EQ(noise, 1.f) << "the coarsest level has no coarser one";
    }
    if (noise == 1.f)
    {
      EXPECT_EQ(batch.m_Conditions.m_Coarse[sample].abs().max().item<float>(), 0.f);
      continue;
    }
    EXPECT_EQ(noise, 0.f);
    const Eigen::MatrixXf coarse = ToAbundances(batch.m_Conditions.m_Coarse[sample], options);
    EXPECT_LT((coarse - Average(crop, 2).m_Abundances).cwiseAbs().maxCoeff(), 1e-4f) << "level " << level;
  }
  EXPECT_NEAR(seen[0], 100, 30);
  for (std::size_t level = 1; level < 4; ++level)
  {
    EXPECT_NEAR(seen[level], 33, 20) << level;
  }
}

TEST(Cascade, TheCoarserLevelIsTurnedWithTheCropAndNoised)
{
  hud::TrainingOptions options = MakeOptions(2);
  options.m_Batch = 300;
  options.m_CoarseDropout = 0.25;
  const hud::AbundanceMap map = MakeToyMap(31, 29);
  hud::CropSource source({map}, options);
  source.Standardise({0., 0., 0.}, {1., 1., 1.});
  const hud::TrainingBatch batch = source.Batch(0);
  double known = 0.;
  double fine = 0.;
  torch::Tensor errors = torch::zeros({0});
  for (std::int64_t sample = 0; sample < options.m_Batch; ++sample)
  {
    fine += batch.m_Conditions.m_Levels[sample].item<std::int64_t>() == 0 ? 1. : 0.;
    const float deviation = batch.m_Conditions.m_CoarseNoise[sample].item<float>();
    if (deviation == 1.f)
    {
      continue;
    }
    known += 1.;
    ASSERT_GE(deviation, 0.f);
    ASSERT_LE(deviation, 0.5f);
    hud::AbundanceMap crop;
    crop.m_Width = crop.m_Height = options.m_Patch;
    crop.m_Abundances = ToAbundances(batch.m_Clean[sample], options);
    Eigen::MatrixXf mean = Average(crop, 2).m_Abundances;
    Eigen::MatrixXf expected(3, mean.cols());
    hud::SimplexProjection(options.m_Projection, 3, options.m_Floor).Project(mean, expected);
    const torch::Tensor clean =
        torch::from_blob(expected.data(), {options.m_Patch / 2, options.m_Patch / 2, 3}).permute({2, 0, 1});
    errors =
        torch::cat({errors, ((batch.m_Conditions.m_Coarse[sample] - clean) / std::max(deviation, 0.01f)).flatten()});
  }
  EXPECT_NEAR(known / fine, 0.75, 0.1);
  EXPECT_NEAR(errors.std().item<double>(), 1., 0.05);
  EXPECT_NEAR(errors.mean().item<double>(), 0., 0.05);
}

/// Returns a map that is all of the first endmember, but for one pixel that is not valid.
hud::AbundanceMap MakeMapWithAHole(Eigen::Index width, Eigen::Index height)
{
  hud::AbundanceMap map;
  map.m_Width = width;
  map.m_Height = height;
  map.m_Abundances = Eigen::MatrixXf::Zero(3, width * height);
  map.m_Abundances.row(0).setOnes();
  map.m_Valid.assign(static_cast<std::size_t>(width * height), 1);
  const Eigen::Index hole = 17 * width + 20;
  map.m_Valid[static_cast<std::size_t>(hole)] = 0;
  map.m_Abundances.col(hole) << 0.f, 0.f, 1.f;
  return map;
}

TEST(Cascade, NoCropTouchesNoDataOrHeldOutLines)
{
  hud::TrainingOptions options = MakeOptions(2);
  options.m_Batch = 100;
  options.m_HoldOut = 0.4;
  options.m_CoarseDropout = 0.;
  hud::AbundanceMap map = MakeMapWithAHole(41, 60);
  map.m_Abundances.rightCols(24 * 41).row(0).setZero();
  map.m_Abundances.rightCols(24 * 41).row(1).setOnes(); // held out
  hud::CropSource source({map}, options);
  source.Standardise({0., 0., 0.}, {1., 1., 1.});
  EXPECT_EQ(source.HeldOutLines(), 24);
  EXPECT_TRUE(source.CanValidate(0));
  EXPECT_TRUE(source.CanValidate(1));
  for (std::int64_t iteration = 0; iteration < 5; ++iteration)
  {
    const hud::TrainingBatch batch = source.Batch(iteration);
    for (std::int64_t sample = 0; sample < options.m_Batch; ++sample)
    {
      EXPECT_GT(ToAbundances(batch.m_Clean[sample], options).row(0).minCoeff(), 0.999f);
    }
  }
  for (const int level : {0, 1})
  {
    const hud::TrainingBatch batch = source.ValidationBatch(true, level);
    EXPECT_GT(ToAbundances(batch.m_Clean[3], options).row(1).minCoeff(), 0.999f);
    EXPECT_EQ(batch.m_Conditions.m_Levels[3].item<int>(), level);
    EXPECT_EQ(batch.m_Conditions.m_CoarseNoise[3].item<float>(), level == 0 ? 0.f : 1.f);
  }
  EXPECT_NEAR(source.IndependentPatches(1), (36. * 41. - 1.) / 256., 1e-9);
}

TEST(Cascade, BeyondTheEdgeIsAsNoData)
{
  hud::TrainingOptions options = MakeOptions(3);
  options.m_Batch = 300;
  options.m_ValidShare = 0.25;
  const hud::AbundanceMap map = MakeToyMap(37, 41);
  constexpr Eigen::Index kMargin = 32; // a patch of the coarsest level
  hud::AbundanceMap wide = MakeToyMap(37 + 2 * kMargin, 41 + 2 * kMargin);
  wide.m_Valid.assign(static_cast<std::size_t>(wide.m_Width * wide.m_Height), 0);
  for (Eigen::Index y = 0; y < map.m_Height; ++y)
  {
    for (Eigen::Index x = 0; x < map.m_Width; ++x)
    {
      const Eigen::Index pixel = (y + kMargin) * wide.m_Width + x + kMargin;
      wide.m_Abundances.col(pixel) = map.m_Abundances.col(y * map.m_Width + x);
      wide.m_Valid[static_cast<std::size_t>(pixel)] = 1;
    }
  }
  const auto draw = [&](const hud::AbundanceMap& from) {
    hud::CropSource source({from}, options);
    source.Standardise({-1., -2., -3.}, {1., 2., 3.});
    return source.Batch(0);
  };
  const hud::TrainingBatch batch = draw(map);
  const hud::TrainingBatch other = draw(wide);
  EXPECT_TRUE(torch::equal(batch.m_Valid, other.m_Valid));
  EXPECT_TRUE(torch::equal(batch.m_Clean, other.m_Clean));
  EXPECT_TRUE(torch::equal(batch.m_Noise, other.m_Noise));
  EXPECT_TRUE(torch::equal(batch.m_Conditions.m_Levels, other.m_Conditions.m_Levels));
  EXPECT_TRUE(torch::equal(batch.m_Conditions.m_Coarse, other.m_Conditions.m_Coarse));
  const torch::Tensor coarsest = batch.m_Conditions.m_Levels == 2;
  EXPECT_TRUE((coarsest & (batch.m_Valid.mean({1, 2, 3}) < 0.5)).any().item<bool>());
}

TEST(Cascade, APixelOfAPartialPatchIsValidWhereAllThatItIsTheMeanOfIs)
{
  hud::TrainingOptions options = MakeOptions(2);
  options.m_Batch = 300;
  options.m_CoarseDropout = 0.;
  options.m_ValidShare = 0.25;
  hud::CropSource source({MakeMapWithAHole(31, 33)}, options);
  source.Standardise({0., 0., 0.}, {1., 1., 1.});
  const hud::TrainingBatch batch = source.Batch(0);
  const torch::Tensor shares = batch.m_Valid.mean({1, 2, 3});
  EXPECT_LT(shares.min().item<double>(), 0.5);
  EXPECT_EQ(shares.max().item<double>(), 1.);
  double hidden = 0.;
  double noised = 0.;
  for (std::int64_t sample = 0; sample < options.m_Batch; ++sample)
  {
    const torch::Tensor valid = batch.m_Valid[sample][0].to(torch::kBool);
    const torch::Tensor first = batch.m_Clean[sample][0];
    EXPECT_TRUE(first.masked_select(valid).allclose(torch::full({}, first.max().item<float>())));
    EXPECT_EQ(batch.m_Clean[sample].masked_select(valid.logical_not()).count_nonzero().item<int>(), 0);
    if (batch.m_Conditions.m_Levels[sample].item<int>() > 0)
    {
      continue;
    }
    // A pixel of the coarser level is seen where all four are.
    const torch::Tensor four = torch::avg_pool2d(batch.m_Valid[sample].unsqueeze(0), 2)[0][0] == 1.f;
    const torch::Tensor coarse = batch.m_Conditions.m_Coarse[sample];
    EXPECT_EQ(coarse.masked_select(four.logical_not()).count_nonzero().item<int>(), 0);
    hidden += four.logical_not().sum().item<double>();
    noised += coarse.masked_select(four).count_nonzero().item<double>();
  }
  EXPECT_GT(hidden, 0.);
  EXPECT_GT(noised, 0.);
}

TEST(Cascade, HasAsManyLevelsAsTheScenesHaveRoomFor)
{
  hud::TrainingOptions options = MakeOptions(1); // patches of 8
  EXPECT_EQ(hud::CountLevels({MakeToyMap(15, 40)}, options), 1);
  EXPECT_EQ(hud::CountLevels({MakeToyMap(16, 40)}, options), 2);
  EXPECT_EQ(hud::CountLevels({MakeToyMap(31, 40)}, options), 2);
  EXPECT_EQ(hud::CountLevels({MakeToyMap(15, 40), MakeToyMap(33, 40)}, options), 3);
  options.m_HoldOut = 0.25;
  EXPECT_EQ(hud::CountLevels({MakeToyMap(33, 40)}, options), 2) << "10 of 40 lines are held out";
  options.m_Levels = 3;
  EXPECT_EQ(
      MessageOf<hud::Error>([&] { hud::TrainSession({MakeToyMap(33, 40)}, MakeToyScene(), options, OnCpu()); }),
      "a patch of level 2 covers 32 x 32 pixels, which fit into none of the maps free of no-data and of lines that "
      "are held out: expected at most 2 levels, a smaller patch or a larger scene");
}

TEST(Cascade, TheNetworkSeesLevelAndCoarserLevel)
{
  hud::UNet network(3, MakeToyOptions().m_Network, 5, 0, 2);
  {
    const torch::NoGradGuard noGradient;
    torch::manual_seed(4);
    for (torch::Tensor& parameter : network->parameters())
    {
      parameter.add_(0.05 * torch::randn_like(parameter));
    }
  }
  const torch::Tensor input = torch::randn({1, 3, 8, 12}).expand({4, 3, 8, 12});
  hud::Conditions conditions;
  conditions.m_Levels = torch::tensor({0, 1, 0, 0}, torch::kInt64);
  conditions.m_Coarse = torch::zeros({4, 3, 4, 6});
  conditions.m_Coarse[2][1][3][5] = 1.;
  conditions.m_CoarseNoise = torch::tensor({1.f, 1.f, 1.f, 0.f});
  const torch::Tensor output = network(input, torch::full({4}, 0.5f), conditions);
  for (std::int64_t other = 1; other < 4; ++other)
  {
    EXPECT_FALSE(torch::allclose(output[0], output[other])) << other;
  }
  EXPECT_TRUE(torch::allclose(output[0], network(input, torch::full({4}, 0.5f))[0], 1e-5, 1e-6))
      << "nothing said is full resolution without a coarser level";
}

class CascadeModel : public testing::Test
{
protected:
  static hud::AbundanceMap Map()
  {
    return MakeToyMap(47, 41);
  }

  static void SetUpTestSuite()
  {
    s_Folder = std::make_unique<hud::test::TemporaryFolder>();
    hud::TrainingOptions options = MakeOptions(3);
    options.m_Batch = 8;
    options.m_LearningRate = 5e-3;
    hud::TrainSession session({Map()}, MakeToyScene(), options, OnCpu());
    session.Run(300);
    session.Save(Path("model"));
  }

  static void TearDownTestSuite()
  {
    s_Folder.reset();
  }

  static std::string Path(const std::string& name)
  {
    return (*s_Folder / name).string();
  }

  static hud::SampleOptions Scene(Eigen::Index width, Eigen::Index height)
  {
    hud::SampleOptions options;
    options.m_Width = width;
    options.m_Height = height;
    options.m_Sampler.m_Steps = 8;
    options.m_Seed = 3;
    return options;
  }

  static std::unique_ptr<hud::test::TemporaryFolder> s_Folder;
};

std::unique_ptr<hud::test::TemporaryFolder> CascadeModel::s_Folder;

void ExpectOnSimplex(const hud::AbundanceMap& map)
{
  ASSERT_TRUE(map.m_Abundances.allFinite());
  EXPECT_GE(map.m_Abundances.minCoeff(), 0.f);
  EXPECT_LT((map.m_Abundances.colwise().sum().array() - 1.f).abs().maxCoeff(), 1e-5f);
}

TEST_F(CascadeModel, IsOnTheSimplexWithEverySamplerAndSize)
{
  const hud::SampleSession session(Path("model"), OnCpu());
  for (const hud::SamplerKind kind : {hud::SamplerKind::DpmSolver, hud::SamplerKind::Ddim, hud::SamplerKind::Ddpm})
  {
    for (const auto& [width, height] :
         {std::pair(5, 7), std::pair(8, 16), std::pair(21, 13), std::pair(32, 64), std::pair(70, 9)})
    {
      hud::SampleOptions options = Scene(width, height);
      options.m_Sampler.m_Kind = kind;
      const hud::AbundanceMap map = session.Sample(options).ReadAll();
      EXPECT_EQ(map.m_Width, width);
      EXPECT_EQ(map.m_Height, height);
      ExpectOnSimplex(map);
    }
  }
}

TEST_F(CascadeModel, SeedsMemoryAndBatchesOfWindowsChangeWhatTheyShould)
{
  const hud::SampleSession session(Path("model"), OnCpu());
  hud::SampleOptions options = Scene(37, 29);
  const Eigen::MatrixXf first = session.Sample(options).ReadAll().m_Abundances;
  EXPECT_EQ(first, hud::SampleSession(Path("model"), OnCpu()).Sample(options).ReadAll().m_Abundances);
  hud::ExecutionOptions oneByOne = OnCpu();
  oneByOne.m_WindowsAtOnce = 1;
  options.m_LargestMemory = 0;
  EXPECT_LT((hud::SampleSession(Path("model"), oneByOne).Sample(options).ReadAll().m_Abundances - first)
                .cwiseAbs()
                .maxCoeff(),
            1e-4f);
  options.m_Seed = 4;
  EXPECT_NE(first, session.Sample(options).ReadAll().m_Abundances);
}

TEST_F(CascadeModel, ACoarseMapSaysWhatIsWhere)
{
  const hud::SampleSession session(Path("model"), OnCpu());
  for (const int level : {1, 2})
  {
    const hud::AbundanceMap map = Average(MakeToyMap(40, 36), Eigen::Index(1) << level);
    hud::SampleOptions options = Scene(map.m_Width << level, map.m_Height << level);
    options.m_PlaceLevel = level;
    const auto place = [&](Eigen::Index row, Eigen::Ref<Eigen::MatrixXf> abundances,
                           std::vector<hud::PixelRole>& roles) {
      abundances = map.m_Abundances.middleCols(row * map.m_Width, map.m_Width);
      std::fill(roles.begin(), roles.end(), hud::PixelRole::Keep);
    };
    const hud::AbundanceMap made = session.SamplePlace(options, place).ReadAll();
    ExpectOnSimplex(made);
    const Eigen::MatrixXf difference = Average(made, Eigen::Index(1) << level).m_Abundances - map.m_Abundances;
    EXPECT_LT(difference.cwiseAbs().mean(), 0.03f) << level;
  }
}

TEST_F(CascadeModel, AHoleInACoarseMapIsFree)
{
  const hud::SampleSession session(Path("model"), OnCpu());
  hud::AbundanceMap map = Average(MakeToyMap(48, 32), 2);
  hud::SampleOptions options = Scene(48, 32);
  options.m_PlaceLevel = 1;
  const auto place = [&](Eigen::Index row, Eigen::Ref<Eigen::MatrixXf> abundances, std::vector<hud::PixelRole>& roles) {
    abundances = map.m_Abundances.middleCols(row * map.m_Width, map.m_Width);
    for (std::size_t x = 0; x < roles.size(); ++x)
    {
      roles[x] = x < 12 ? hud::PixelRole::Keep : hud::PixelRole::Make;
    }
  };
  const hud::AbundanceMap made = session.SamplePlace(options, place).ReadAll();
  ExpectOnSimplex(made);
  const hud::AbundanceMap mean = Average(made, 2);
  float known = 0.f;
  for (Eigen::Index pixel = 0; pixel < mean.m_Abundances.cols(); ++pixel)
  {
    if (pixel % mean.m_Width < 12)
    {
      known += (mean.m_Abundances.col(pixel) - map.m_Abundances.col(pixel)).cwiseAbs().mean() / (12.f * 16.f);
    }
  }
  EXPECT_LT(known, 0.03f);
  // What is in the hole does not matter.
  for (Eigen::Index pixel = 0; pixel < map.m_Abundances.cols(); ++pixel)
  {
    if (pixel % map.m_Width >= 12)
    {
      map.m_Abundances.col(pixel).setConstant(1.f / 3.f);
    }
  }
  EXPECT_EQ(session.SamplePlace(options, place).ReadAll().m_Abundances, made.m_Abundances);
}

TEST_F(CascadeModel, AnExistingPlaceIsKeptOnAllLevels)
{
  const hud::SampleSession session(Path("model"), OnCpu());
  const hud::AbundanceMap map = MakeToyMap(37, 21);
  hud::SampleOptions options = Scene(37, 21);
  const auto place = [&](Eigen::Index row, Eigen::Ref<Eigen::MatrixXf> abundances, std::vector<hud::PixelRole>& roles) {
    abundances = map.m_Abundances.middleCols(row * map.m_Width, map.m_Width);
    for (std::size_t x = 0; x < roles.size(); ++x)
    {
      roles[x] = x < 20 ? hud::PixelRole::Keep : hud::PixelRole::Make;
    }
  };
  const hud::AbundanceMap repaired = session.SamplePlace(options, place).ReadAll();
  ExpectOnSimplex(repaired);
  float kept = 0.f;
  for (Eigen::Index pixel = 0; pixel < map.m_Abundances.cols(); ++pixel)
  {
    if (pixel % 37 < 20)
    {
      kept = std::max(kept, (repaired.m_Abundances.col(pixel) - map.m_Abundances.col(pixel)).cwiseAbs().maxCoeff());
    }
  }
  EXPECT_LT(kept, 1e-5f);
}

TEST_F(CascadeModel, AScratchFileChangesNothingOfAPlace)
{
  const hud::SampleSession session(Path("model"), OnCpu());
  const hud::AbundanceMap map = MakeToyMap(37, 21);
  for (const int level : {0, 1})
  {
    hud::SampleOptions options = Scene(37 << level, 21 << level);
    options.m_PlaceLevel = level;
    const auto place = [&](Eigen::Index row, Eigen::Ref<Eigen::MatrixXf> abundances,
                           std::vector<hud::PixelRole>& roles) {
      abundances = map.m_Abundances.middleCols(row * map.m_Width, map.m_Width);
      std::fill(roles.begin(), roles.end(), row < 9 ? hud::PixelRole::Keep : hud::PixelRole::Make);
    };
    const hud::AbundanceMap inMemory = session.SamplePlace(options, place).ReadAll();
    options.m_LargestMemory = 0;
    EXPECT_EQ(session.SamplePlace(options, place).ReadAll().m_Abundances, inMemory.m_Abundances) << level;
  }
}

TEST_F(CascadeModel, AVariedPlaceKeepsItsLargeStructure)
{
  const hud::SampleSession session(Path("model"), OnCpu());
  const hud::AbundanceMap map = MakeToyMap(37, 21);
  hud::SampleOptions options = Scene(37, 21);
  const auto vary = [&](Eigen::Index row, Eigen::Ref<Eigen::MatrixXf> abundances, std::vector<hud::PixelRole>& roles) {
    abundances = map.m_Abundances.middleCols(row * map.m_Width, map.m_Width);
    std::fill(roles.begin(), roles.end(), hud::PixelRole::Vary);
  };
  const auto change = [&](double strength) {
    options.m_Strength = strength;
    const hud::AbundanceMap made = session.SamplePlace(options, vary).ReadAll();
    return (Average(made, 4).m_Abundances - Average(map, 4).m_Abundances).cwiseAbs().mean();
  };
  EXPECT_LT(change(0.3), 0.5f * change(1.));
}

TEST_F(CascadeModel, CanvasesOfAnySizeAreFilled)
{
  const hud::SampleSession session(Path("model"), OnCpu());
  for (Eigen::Index edge = 1; edge < 100; edge += 7)
  {
    const hud::AbundanceMap map = session.Sample(Scene(edge, 101 - edge)).ReadAll();
    ExpectOnSimplex(map);
    EXPECT_EQ(map.m_Abundances.cols(), edge * (101 - edge));
  }
}

TEST_F(CascadeModel, TuningToScenesWithoutRoomLeavesTheCoarseLevels)
{
  hud::TrainSession tuned(Path("model"), {MakeToyMap(13, 17)}, OnCpu()); // room for level 0 only
  EXPECT_GT(tuned.IndependentPatches(0), 0.);
  EXPECT_EQ(tuned.IndependentPatches(1), 0.);
  tuned.Run(305);
  tuned.Save(Path("tuned"));
  ExpectOnSimplex(hud::SampleSession(Path("tuned"), OnCpu()).Sample(Scene(40, 24)).ReadAll());
}

TEST_F(CascadeModel, KnowsLabels)
{
  std::vector<hud::LabelInfo> labels(2);
  labels[0].m_Name = "first";
  labels[1].m_Name = "second";
  hud::TrainSession session({Map(), MakeToyMap(13, 17)}, MakeToyScene(), MakeOptions(2), OnCpu(), labels);
  EXPECT_NEAR(session.IndependentPatches(1), 47. * 41. / 256., 1e-9) << "the second map has no room for level 1";
  session.Run(4);
  session.Save(Path("labels"));
  hud::SampleOptions options = Scene(24, 40);
  options.m_Label = "second";
  options.m_Guidance = 1.5;
  ExpectOnSimplex(hud::SampleSession(Path("labels"), OnCpu()).Sample(options).ReadAll());
}

TEST(CascadeOptions, AreRefusedOutsideTheirRanges)
{
  EXPECT_NO_THROW(MakeOptions(2).Check());
  EXPECT_THROW(MakeOptions(0).Check(), hud::InvalidOption);
  EXPECT_THROW(MakeOptions(9).Check(), hud::InvalidOption);
  hud::TrainingOptions options = MakeOptions(2);
  options.m_CoarseNoise = 1.;
  EXPECT_THROW(options.Check(), hud::InvalidOption);
  options = MakeOptions(2);
  options.m_CoarseDropout = -0.1;
  EXPECT_THROW(options.Check(), hud::InvalidOption);
  options = MakeOptions(2);
  options.m_Patch = 10;
  options.m_Network.m_Multipliers = {1, 2};
  EXPECT_EQ(MessageOf<hud::Error>([&] { options.Check(); }),
            "the patch size is 10, expected a multiple of 4 with several levels");
  hud::SampleOptions sample;
  EXPECT_NO_THROW(sample.Check(MakeOptions(3)));
  sample.m_PlaceLevel = 3;
  EXPECT_EQ(MessageOf<hud::Error>([&] { sample.Check(MakeOptions(3)); }),
            "the existing place is of level 3, expected 0 to 2, as the model has 3 levels");
  sample.m_PlaceLevel = 0;
  sample.m_CoarseNoise = 1.;
  EXPECT_THROW(sample.Check(MakeOptions(3)), hud::InvalidOption);
}

TEST_F(CascadeModel, ReportsProgressOfAllLevels)
{
  const hud::SampleSession session(Path("model"), OnCpu());
  double before = 0.;
  session.Sample(Scene(37, 29), [&](double done) {
    EXPECT_GE(done, before);
    before = done;
    return true;
  });
  EXPECT_DOUBLE_EQ(before, 1.);
  int calls = 0;
  EXPECT_EQ(MessageOf<hud::Error>([&] { session.Sample(Scene(37, 29), [&](double) { return ++calls < 3; }); }),
            "interrupted while sampling");
  EXPECT_EQ(calls, 3);
}

TEST_F(CascadeModel, KeepsItsLevelsInTheFileAndResumes)
{
  EXPECT_EQ(hud::ReadModelInfo(Path("model")).m_Options.m_Levels, 3);
  hud::SafetensorsReader file(Path("model"));
  EXPECT_EQ(file.Read("ema.level").sizes(), (torch::IntArrayRef{3, 32}));
  EXPECT_EQ(file.Read("ema.input.weight").sizes(), (torch::IntArrayRef{8, 7, 3, 3}));
  EXPECT_GT(file.Read("ema.level").abs().max().item<double>(), 0.);

  hud::TrainSession whole({Map()}, MakeToyScene(), MakeOptions(3), OnCpu());
  whole.Run(12);
  whole.Save(Path("whole"));
  hud::TrainSession half({Map()}, MakeToyScene(), MakeOptions(3), OnCpu());
  half.Run(12, [](const hud::TrainProgress& progress) { return progress.m_Iteration < 5; });
  half.Save(Path("half"));
  hud::TrainSession resumed(Path("half"), {Map()}, OnCpu());
  resumed.Run(12);
  resumed.Save(Path("resumed"));
  EXPECT_EQ(ReadText(Path("whole")), ReadText(Path("resumed")));
}

TEST(PlaceLevel, FollowsFromTheSizes)
{
  hud::TrainingOptions model = MakeOptions(4);
  EXPECT_EQ(hud::FindPlaceLevel(model, 10, 7, std::nullopt), 3);
  EXPECT_EQ(hud::FindPlaceLevel(model, 10, 7, std::pair<Eigen::Index, Eigen::Index>(20, 14)), 1);
  EXPECT_EQ(hud::FindPlaceLevel(model, 10, 7, std::pair<Eigen::Index, Eigen::Index>(40, 28)), 2);
  EXPECT_EQ(
      MessageOf<hud::Error>([&] { hud::FindPlaceLevel(model, 10, 7, std::pair<Eigen::Index, Eigen::Index>(40, 30)); }),
      "the coarse map has 10 x 7 pixels, and the scene is to have 40 x 30, expected 80 x 56, 40 x 28, 20 x 14");
  model.m_Levels = 1;
  EXPECT_EQ(MessageOf<hud::Error>([&] { hud::FindPlaceLevel(model, 10, 7, std::nullopt); }),
            "the model has one level, expected several: a coarse map is of one of the others");
}

} // namespace
