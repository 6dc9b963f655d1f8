// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "CropSource.h"

#include "ToyModel.h"

#include "hud/core/Error.h"
#include "hud/core/SimplexProjection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

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

/// Returns abundances that tell the line of every pixel.
hud::AbundanceMap MakeRamp(Eigen::Index width, Eigen::Index height)
{
  hud::AbundanceMap map;
  map.m_Width = width;
  map.m_Height = height;
  map.m_Abundances.resize(2, width * height);
  for (Eigen::Index pixel = 0; pixel < width * height; ++pixel)
  {
    const Eigen::Index line = pixel / width;
    const float share = static_cast<float>(line + 1) / static_cast<float>(height + 1);
    map.m_Abundances.col(pixel) << share, 1.f - share;
  }
  return map;
}

/// Returns the smallest and the largest line that MakeRamp's crops come from.
std::pair<int, int> Lines(const torch::Tensor& crops, const hud::TrainingOptions& options, Eigen::Index height)
{
  const double offset = std::exp(-options.m_Floor) / 2.;
  const auto line = [&](const torch::Tensor& projected) {
    return static_cast<int>(
        std::lround((std::exp(projected.item<double>()) - offset) * static_cast<double>(height + 1)) - 1);
  };
  const torch::Tensor first = crops.select(1, 0);
  return {line(first.min()), line(first.max())};
}

TEST(CropSource, TheLinesAtTheBottomAreHeldOut)
{
  hud::TrainingOptions options = hud::test::MakeToyOptions();
  options.m_Batch = 60;
  options.m_HoldOut = 0.31; // 12.4 of 40 lines
  hud::CropSource source({MakeRamp(9, 40)}, options);
  source.Standardise({0., 0.}, {1., 1.});
  EXPECT_EQ(source.HeldOutLines(), 12);
  std::pair<int, int> trained = Lines(source.Batch(0).m_Clean, options, 40);
  for (std::int64_t iteration = 1; iteration < 10; ++iteration)
  {
    const std::pair<int, int> lines = Lines(source.Batch(iteration).m_Clean, options, 40);
    trained = {std::min(trained.first, lines.first), std::max(trained.second, lines.second)};
  }
  EXPECT_EQ(trained, std::make_pair(0, 27));
  EXPECT_EQ(Lines(source.ValidationBatch(true).m_Clean, options, 40), std::make_pair(28, 39));
  EXPECT_LE(Lines(source.ValidationBatch(false).m_Clean, options, 40).second, 27);
}

TEST(CropSource, ValidationBatchesDependOnTheSeedOnlyAndDifferInTheirCropsOnly)
{
  hud::TrainingOptions options = hud::test::MakeToyOptions();
  options.m_HoldOut = 0.25;
  const hud::AbundanceMap map = hud::test::MakeToyMap(23, 37);
  const hud::CropSource source = MakeSource({map}, options);
  source.Batch(3);
  const hud::TrainingBatch heldOut = source.ValidationBatch(true);
  const hud::TrainingBatch trained = source.ValidationBatch(false);
  const hud::TrainingBatch again = MakeSource({map}, options).ValidationBatch(true);
  EXPECT_EQ(heldOut.m_Clean.sizes(), (std::vector<std::int64_t>{hud::CropSource::kValidationCrops, 3, 8, 8}));
  EXPECT_TRUE(torch::equal(heldOut.m_Clean, again.m_Clean));
  EXPECT_TRUE(torch::equal(heldOut.m_Noise, again.m_Noise));
  EXPECT_TRUE(torch::equal(heldOut.m_Noise, trained.m_Noise));
  EXPECT_TRUE(torch::equal(heldOut.m_Timesteps, trained.m_Timesteps));
  EXPECT_FALSE(torch::equal(heldOut.m_Clean, trained.m_Clean));
  options.m_Seed = 12;
  EXPECT_FALSE(torch::equal(heldOut.m_Noise, MakeSource({map}, options).ValidationBatch(true).m_Noise));
}

TEST(CropSource, ValidationTimestepsAreSpreadEvenly)
{
  hud::TrainingOptions options = hud::test::MakeToyOptions();
  for (const int timesteps : {2, 64, 1000})
  {
    options.m_Timesteps = timesteps;
    const torch::Tensor drawn = MakeSource({hud::test::MakeToyMap(23, 17)}, options).ValidationBatch(false).m_Timesteps;
    EXPECT_GE(drawn.min().item<int>(), 1);
    EXPECT_LE(drawn.max().item<int>(), timesteps);
    EXPECT_NEAR(drawn.to(torch::kFloat64).mean().item<double>(), 0.5 * (timesteps + 1), 0.5) << timesteps;
  }
}

TEST(CropSource, AStripWithoutAPatchIsNotHeldOut)
{
  hud::TrainingOptions options = hud::test::MakeToyOptions();
  options.m_HoldOut = 0.5;
  EXPECT_EQ(hud::CropSource({MakeRamp(9, 15)}, options).HeldOutLines(), 0); // of 7 lines
  EXPECT_EQ(hud::CropSource({MakeRamp(9, 17)}, options).HeldOutLines(), 8);
  EXPECT_EQ(hud::CropSource({MakeRamp(9, 17), MakeRamp(8, 15), MakeRamp(11, 20)}, options).HeldOutLines(), 18);
  for (const Eigen::Index line : {3, 13})
  {
    // No patch is left in the rest, or in the strip.
    hud::AbundanceMap map = MakeRamp(9, 17);
    map.m_Valid.assign(9 * 17, 1);
    map.m_Valid[static_cast<std::size_t>(line * 9 + 4)] = 0;
    EXPECT_EQ(hud::CropSource({map}, options).HeldOutLines(), 0) << line;
  }
  options.m_HoldOut = 0.;
  EXPECT_EQ(hud::CropSource({MakeRamp(9, 40)}, options).HeldOutLines(), 0);
}

TEST(CropSource, CropsHaveTheChannelsOfTheProjection)
{
  for (const hud::ProjectionKind kind : {hud::ProjectionKind::Clr, hud::ProjectionKind::Ilr})
  {
    hud::TrainingOptions options = hud::test::MakeToyOptions();
    options.m_Augment = false;
    options.m_Projection = kind;
    const hud::AbundanceMap map = hud::test::MakeToyMap(8, 8);
    const hud::SimplexProjection projection(kind, 3, options.m_Floor);
    const auto channels = static_cast<std::size_t>(projection.Channels());
    hud::CropSource source({map}, options);
    ASSERT_EQ(source.ChannelMean().size(), channels);
    ASSERT_EQ(source.ChannelSd().size(), channels);
    source.Standardise(std::vector<double>(channels, 0.), std::vector<double>(channels, 1.));
    Eigen::MatrixXf projected(projection.Channels(), 64);
    projection.Project(map.m_Abundances, projected);
    const torch::Tensor crop = source.Batch(0).m_Clean[1];
    ASSERT_EQ(crop.size(0), projection.Channels());
    for (std::int64_t pixel = 0; pixel < 64; ++pixel)
    {
      EXPECT_FLOAT_EQ(crop[1][pixel / 8][pixel % 8].item<float>(), projected(1, pixel));
    }
  }
}

/// Returns abundances that tell the place of every pixel.
hud::AbundanceMap MakePlaces(Eigen::Index width, Eigen::Index height)
{
  hud::AbundanceMap map;
  map.m_Width = width;
  map.m_Height = height;
  map.m_Abundances.resize(3, width * height);
  map.m_Valid.assign(static_cast<std::size_t>(width * height), 1);
  for (Eigen::Index pixel = 0; pixel < width * height; ++pixel)
  {
    const float x = static_cast<float>(pixel % width) / static_cast<float>(2 * width);
    const Eigen::Index row = pixel / width;
    const float y = static_cast<float>(row) / static_cast<float>(2 * height);
    map.m_Abundances.col(pixel) << x, y, 1.f - x - y;
  }
  return map;
}

/// Returns the row and the column in MakePlaces' map that a pixel tells.
Eigen::Array2d FindPlace(const hud::AbundanceMap& map, const hud::SimplexProjection& projection,
                         const torch::Tensor& pixel)
{
  const Eigen::MatrixXf projected = Eigen::Map<const Eigen::VectorXf>(pixel.contiguous().data_ptr<float>(), 3);
  Eigen::MatrixXf abundances(3, 1);
  projection.UnprojectExactly(projected, abundances);
  return {2. * static_cast<double>(abundances(1) * static_cast<float>(map.m_Height)),
          2. * static_cast<double>(abundances(0) * static_cast<float>(map.m_Width))};
}

/// Row and column at which a crop begins, and whether it is valid as a whole.
using Corner = std::tuple<Eigen::Index, Eigen::Index, bool>;

/// Returns how many crops of a level of MakePlaces' map begin where.
std::map<Corner, double> CountCorners(const hud::AbundanceMap& map, const hud::TrainingOptions& options, int level)
{
  hud::CropSource source({map}, options);
  source.Standardise({0., 0., 0.}, {1., 1., 1.});
  const hud::SimplexProjection projection(options.m_Projection, 3, options.m_Floor);
  // What may be trained on, with room for a crop on all sides.
  const std::int64_t edge = static_cast<std::int64_t>(options.m_Patch) << level;
  torch::Tensor trained = torch::zeros({map.m_Height, map.m_Width});
  for (Eigen::Index pixel = 0; pixel < (map.m_Height - source.HeldOutLines()) * map.m_Width; ++pixel)
  {
    trained[pixel / map.m_Width][pixel % map.m_Width] = map.m_Valid[static_cast<std::size_t>(pixel)];
  }
  trained = torch::constant_pad_nd(trained, {edge, edge, edge, edge});
  std::map<Corner, double> counts;
  for (std::int64_t iteration = 0; iteration < 100; ++iteration)
  {
    const hud::TrainingBatch batch = source.Batch(iteration);
    const torch::Tensor isHidden = batch.m_Valid == 0.f;
    EXPECT_EQ((batch.m_Clean * isHidden).count_nonzero().item<int>(), 0);
    EXPECT_EQ((batch.m_Noise * isHidden).count_nonzero().item<int>(), 0);
    for (std::int64_t sample = 0; sample < options.m_Batch; ++sample)
    {
      if (options.m_Levels > 1 && batch.m_Conditions.m_Levels[sample].item<int>() != level)
      {
        continue;
      }
      const torch::Tensor places = batch.m_Valid[sample][0].nonzero();
      std::set<Corner> corners; // as the first and the last valid pixel tell
      for (const std::int64_t which : {std::int64_t(0), places.size(0) - 1})
      {
        const auto row = places[which][0].item<std::int64_t>();
        const auto column = places[which][1].item<std::int64_t>();
        // The mean of 2^level x 2^level pixels is the place of their middle.
        const Eigen::Array2d place =
            FindPlace(map, projection, batch.m_Clean[sample].select(1, row).select(1, column)) -
            0.5 * static_cast<double>((1 << level) - 1);
        corners.emplace(std::lround(place(0)) - (row << level), std::lround(place(1)) - (column << level),
                        places.size(0) == options.m_Patch * options.m_Patch);
      }
      EXPECT_EQ(corners.size(), 1u);
      const auto [y, x, isWhole] = *corners.begin();
      const torch::Tensor covered = trained.slice(0, edge + y, 2 * edge + y).slice(1, edge + x, 2 * edge + x);
      const torch::Tensor valid = torch::avg_pool2d(covered.unsqueeze(0), 1 << level).eq(1.f).to(torch::kFloat32);
      EXPECT_TRUE(torch::equal(batch.m_Valid[sample], valid));
      ++counts[*corners.begin()];
    }
  }
  return counts;
}

/// Returns the shares of all crops that CountCorners should count: all corners are drawn equally often at which enough of a crop
/// is valid, and half of those at which not all of it is are replaced by the nearest at which all is, the first of several.
/// @param lines that are trained on
/// @param step between corners
std::map<Corner, double> ExpectCorners(const hud::AbundanceMap& map, const hud::TrainingOptions& options, int level,
                                       Eigen::Index lines, Eigen::Index step)
{
  const Eigen::Index edge = static_cast<Eigen::Index>(options.m_Patch) << level;
  std::vector<std::pair<Eigen::Index, Eigen::Index>> whole;
  std::vector<std::pair<Eigen::Index, Eigen::Index>> partial;
  for (Eigen::Index y = -edge; y < lines; y += step)
  {
    for (Eigen::Index x = -edge; x < map.m_Width; x += step)
    {
      Eigen::Index valid = 0;
      for (Eigen::Index row = std::max<Eigen::Index>(y, 0); row < std::min(y + edge, lines); ++row)
      {
        for (Eigen::Index column = std::max<Eigen::Index>(x, 0); column < std::min(x + edge, map.m_Width); ++column)
        {
          valid += map.m_Valid[static_cast<std::size_t>(row * map.m_Width + column)];
        }
      }
      if (static_cast<double>(valid) >= options.m_ValidShare * static_cast<double>(edge * edge))
      {
        (valid == edge * edge ? whole : partial).emplace_back(y, x);
      }
    }
  }
  const double share = 1. / static_cast<double>(whole.size() + partial.size());
  std::map<Corner, double> shares;
  for (const auto& [y, x] : whole)
  {
    shares[{y, x, true}] += share;
  }
  for (const auto& corner : partial)
  {
    const auto distance = [&](const std::pair<Eigen::Index, Eigen::Index>& other) {
      return std::abs(other.first - corner.first) + std::abs(other.second - corner.second);
    };
    const auto nearest = *std::min_element(
        whole.begin(), whole.end(), [&](const auto& one, const auto& two) { return distance(one) < distance(two); });
    shares[{corner.first, corner.second, false}] += 0.5 * share;
    shares[{nearest.first, nearest.second, true}] += 0.5 * share;
  }
  return shares;
}

/// Fails unless the counts are a likely sample of the shares: by chi square, within five standard deviations.
void ExpectSample(const std::map<Corner, double>& counts, const std::map<Corner, double>& shares)
{
  double all = 0.;
  for (const auto& [corner, count] : counts)
  {
    all += count;
    EXPECT_EQ(shares.count(corner), 1u) << std::get<0>(corner) << ", " << std::get<1>(corner);
  }
  double chiSquare = 0.;
  for (const auto& [corner, share] : shares)
  {
    const double count = counts.count(corner) > 0 ? counts.at(corner) : 0.;
    chiSquare += (count - share * all) * (count - share * all) / (share * all);
  }
  const auto freedom = static_cast<double>(shares.size() - 1);
  EXPECT_LT(std::abs(chiSquare / freedom - 1.), 5. * std::sqrt(2. / freedom)) << chiSquare / freedom;
}

TEST(CropSource, HalfOfThePartialPatchesAreReplacedByTheNearestWholeOnes)
{
  hud::TrainingOptions options = hud::test::MakeToyOptions(); // patches of 8
  options.m_Augment = false;
  options.m_HoldOut = 0.;
  options.m_Batch = 200;
  const hud::AbundanceMap map = MakePlaces(20, 17);
  ExpectSample(CountCorners(map, options, 0), ExpectCorners(map, options, 0, 17, 1));
  options.m_ValidShare = 0.25;
  ExpectSample(CountCorners(map, options, 0), ExpectCorners(map, options, 0, 17, 1));
  options.m_Levels = 2;
  ExpectSample(CountCorners(map, options, 1), ExpectCorners(map, options, 1, 17, 1));
  options.m_Levels = 3; // crops of level 1 begin where pixels of level 2 may
  ExpectSample(CountCorners(map, options, 1), ExpectCorners(map, options, 1, 17, 2));
}

TEST(CropSource, PartialPatchesShowNeitherNoDataNorHeldOutLines)
{
  hud::TrainingOptions options = hud::test::MakeToyOptions();
  options.m_Augment = false;
  options.m_HoldOut = 0.3;
  options.m_Batch = 200;
  options.m_ValidShare = 0.25;
  hud::AbundanceMap map = MakePlaces(24, 27); // 8 lines are held out
  map.m_Valid[15 * 24 + 10] = 0;
  for (Eigen::Index pixel = 0; pixel < 4 * 24; ++pixel)
  {
    map.m_Valid[static_cast<std::size_t>(pixel)] = pixel % 24 < 13 ? 0 : 1;
  }
  ExpectSample(CountCorners(map, options, 0), ExpectCorners(map, options, 0, 19, 1));
}

TEST(CropSource, APatchIsReplacedByOneOfItsOwnMap)
{
  hud::TrainingOptions options = hud::test::MakeToyOptions();
  options.m_Batch = 500;
  options.m_HoldOut = 0.;
  options.m_LabelDropout = 0.;
  options.m_Levels = 2;
  options.m_ValidShare = 0.25;
  hud::AbundanceMap narrow = hud::test::MakeToyMap(12, 30); // without a whole patch of level 1
  narrow.m_Abundances.colwise() = Eigen::Vector3f(1.f, 0.f, 0.f);
  hud::AbundanceMap wide = hud::test::MakeToyMap(20, 24);
  wide.m_Abundances.colwise() = Eigen::Vector3f(0.f, 1.f, 0.f);
  hud::CropSource source({narrow, wide}, options, {2, 1});
  source.Standardise({0., 0., 0.}, {1., 1., 1.});
  const hud::TrainingBatch batch = source.Batch(0);
  const torch::Tensor valid = batch.m_Valid.flatten(1) == 1.f;
  const torch::Tensor firstIsLarger = batch.m_Clean.select(1, 0).flatten(1) > batch.m_Clean.select(1, 1).flatten(1);
  const torch::Tensor isNarrow = batch.m_Conditions.m_Labels == 2;
  EXPECT_TRUE((firstIsLarger == isNarrow.unsqueeze(1)).logical_or(valid.logical_not()).all().item<bool>());
  const torch::Tensor isWhole = valid.all(1);
  const torch::Tensor isCoarse = batch.m_Conditions.m_Levels == 1;
  EXPECT_GT((isNarrow & isCoarse).sum().item<int>(), 0);
  EXPECT_EQ((isNarrow & isCoarse & isWhole).sum().item<int>(), 0);
  EXPECT_GT((isNarrow & isWhole).sum().item<int>(), 0);
  EXPECT_GT((isNarrow.logical_not() & isCoarse & isWhole).sum().item<int>(), 0);
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
  try
  {
    const hud::CropSource source({hud::test::MakeToyMap(9, 30), map}, options);
    FAIL() << "no error";
  }
  catch (const hud::InvalidData& error)
  {
    EXPECT_NE(std::string(error.what()).find("map 2 of 2, of 12 x 11"), std::string::npos) << error.what();
  }
}

} // namespace
