// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/NearestCrop.h"

#include "ErrorMessage.h"
#include "RandomMatrix.h"
#include "hud/core/Error.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace
{

using Eigen::Index;
using hud::AbundanceMap;
using hud::FindNearestCrops;
using hud::InvalidData;
using hud::NearestCrop;
using hud::TurnPatch;
using hud::test::MessageOf;
using hud::test::Says;
using hud::test::UniformAbundances;
using hud::test::UniformMatrix;

constexpr int kTurns = 8;

AbundanceMap RandomMap(Index d, Index width, Index height, std::uint64_t seed)
{
  return {width, height, UniformAbundances(d, width * height, seed).cast<float>(), {}};
}

// Abundances that vary over a few pixels: softmax of waves.
AbundanceMap SmoothMap(Index d, Index width, Index height, std::uint64_t seed)
{
  constexpr Index kWaves = 5;
  AbundanceMap map{width, height, Eigen::MatrixXf(d, width * height), {}};
  const Eigen::MatrixXd waves = UniformMatrix(3, d * kWaves, seed);
  for (Index i = 0; i < width * height; ++i)
  {
    const Index column = i % width;
    const Index row = i / width;
    Eigen::VectorXd logarithms = Eigen::VectorXd::Zero(d);
    for (Index wave = 0; wave < waves.cols(); ++wave)
    {
      const double phase = waves(0, wave) * static_cast<double>(column) +
                           (waves(1, wave) - 0.5) * static_cast<double>(row) + 7. * waves(2, wave);
      logarithms[wave % d] += std::cos(phase);
    }
    const Eigen::VectorXd abundances = logarithms.array().exp();
    map.m_Abundances.col(i) = (abundances / abundances.sum()).cast<float>();
  }
  return map;
}

// The crop of a map, [d x patch * patch].
Eigen::MatrixXf Crop(const AbundanceMap& map, Index column, Index row, Index patch)
{
  Eigen::MatrixXf crop(map.m_Abundances.rows(), patch * patch);
  for (Index y = 0; y < patch; ++y)
  {
    crop.middleCols(y * patch, patch) = map.m_Abundances.middleCols((row + y) * map.m_Width + column, patch);
  }
  return crop;
}

Eigen::MatrixXf Blocks(const AbundanceMap& map, Index patch, const std::vector<std::pair<Index, Index>>& corners)
{
  Eigen::MatrixXf blocks(map.m_Abundances.rows(), patch * patch * static_cast<Index>(corners.size()));
  for (std::size_t i = 0; i < corners.size(); ++i)
  {
    blocks.middleCols(static_cast<Index>(i) * patch * patch, patch * patch) =
        Crop(map, corners[i].first, corners[i].second, patch);
  }
  return blocks;
}

// Turns a patch by transposing and reversing matrices.
Eigen::MatrixXf Turned(const Eigen::MatrixXf& pixels, Index patch, int turn)
{
  Eigen::MatrixXf turned(pixels.rows(), pixels.cols());
  for (Index k = 0; k < pixels.rows(); ++k)
  {
    Eigen::MatrixXf image(patch, patch);
    for (Index i = 0; i < pixels.cols(); ++i)
    {
      image(i / patch, i % patch) = pixels(k, i);
    }
    for (int quarter = 0; quarter < turn / 2; ++quarter)
    {
      image = Eigen::MatrixXf(image.transpose().colwise().reverse());
    }
    if (turn % 2 != 0)
    {
      image = Eigen::MatrixXf(image.rowwise().reverse());
    }
    for (Index i = 0; i < pixels.cols(); ++i)
    {
      turned(k, i) = image(i / patch, i % patch);
    }
  }
  return turned;
}

double Distance(const Eigen::MatrixXf& first, const Eigen::MatrixXf& second)
{
  return std::sqrt((first.cast<double>() - second.cast<double>()).colwise().squaredNorm().mean());
}

bool IsValidCrop(const AbundanceMap& map, Index column, Index row, Index patch)
{
  for (Index i = 0; i < patch * patch && !map.m_Valid.empty(); ++i)
  {
    if (map.m_Valid[static_cast<std::size_t>((row + i / patch) * map.m_Width + column + i % patch)] == 0)
    {
      return false;
    }
  }
  return true;
}

// Looks at every crop in every turn.
NearestCrop BruteForce(const AbundanceMap& map, const Eigen::MatrixXf& block, Index patch)
{
  NearestCrop nearest{std::numeric_limits<double>::infinity(), 0, 0, 0};
  for (Index row = 0; row + patch <= map.m_Height; ++row)
  {
    for (Index column = 0; column + patch <= map.m_Width; ++column)
    {
      for (int turn = 0; turn < kTurns && IsValidCrop(map, column, row, patch); ++turn)
      {
        const double distance = Distance(Turned(Crop(map, column, row, patch), patch, turn), block);
        if (distance < nearest.m_Distance)
        {
          nearest = {distance, column, row, turn};
        }
      }
    }
  }
  return nearest;
}

void ExpectBruteForce(const AbundanceMap& map, const Eigen::MatrixXf& blocks, Index patch)
{
  const std::vector<NearestCrop> found = FindNearestCrops(map, blocks, patch);
  ASSERT_EQ(static_cast<Index>(found.size()), blocks.cols() / (patch * patch));
  for (std::size_t i = 0; i < found.size(); ++i)
  {
    SCOPED_TRACE("block " + std::to_string(i) + ", edge " + std::to_string(patch));
    const NearestCrop truth =
        BruteForce(map, blocks.middleCols(static_cast<Index>(i) * patch * patch, patch * patch), patch);
    ASSERT_TRUE(std::isfinite(truth.m_Distance));
    EXPECT_NEAR(found[i].m_Distance, truth.m_Distance, 1e-12 * (1. + truth.m_Distance));
    EXPECT_EQ(found[i].m_Column, truth.m_Column);
    EXPECT_EQ(found[i].m_Row, truth.m_Row);
    EXPECT_EQ(found[i].m_Turn, truth.m_Turn);
  }
}

// Marks a share of the pixels as no-data, and fills them with what must not matter.
void AddNoData(AbundanceMap& map, double share, std::uint64_t seed)
{
  const Eigen::MatrixXd draw = UniformMatrix(1, map.m_Abundances.cols(), seed);
  map.m_Valid.assign(static_cast<std::size_t>(draw.size()), 1);
  for (Index i = 0; i < draw.size(); ++i)
  {
    if (draw(0, i) < share)
    {
      map.m_Valid[static_cast<std::size_t>(i)] = 0;
      map.m_Abundances.col(i).setConstant(i % 2 != 0 ? std::numeric_limits<float>::quiet_NaN() : 1e30f);
    }
  }
}

} // namespace

TEST(TurnPatch, TurnsCounterclockwiseThenMirrors)
{
  Eigen::MatrixXf pixels(2, 9);
  pixels.row(0) << 1, 2, 3, 4, 5, 6, 7, 8, 9;
  pixels.row(1) = 10.f * pixels.row(0);
  Eigen::MatrixXf expected(kTurns, 9);
  expected.row(0) << 1, 2, 3, 4, 5, 6, 7, 8, 9;
  expected.row(1) << 3, 2, 1, 6, 5, 4, 9, 8, 7;
  expected.row(2) << 3, 6, 9, 2, 5, 8, 1, 4, 7;
  expected.row(3) << 9, 6, 3, 8, 5, 2, 7, 4, 1;
  expected.row(4) << 9, 8, 7, 6, 5, 4, 3, 2, 1;
  expected.row(5) << 7, 8, 9, 4, 5, 6, 1, 2, 3;
  expected.row(6) << 7, 4, 1, 8, 5, 2, 9, 6, 3;
  expected.row(7) << 1, 4, 7, 2, 5, 8, 3, 6, 9;
  for (int turn = 0; turn < kTurns; ++turn)
  {
    const Eigen::MatrixXf turned = TurnPatch(pixels, 3, turn);
    ASSERT_EQ(turned.rows(), 2);
    ASSERT_EQ(turned.cols(), 9);
    EXPECT_EQ(turned.row(0), expected.row(turn)) << turn;
    EXPECT_EQ(turned.row(1), 10.f * expected.row(turn)) << turn;
    EXPECT_EQ(turned, Turned(pixels, 3, turn)) << turn;
  }
}

TEST(TurnPatch, RefusesWhatIsNoPatchOrNoTurn)
{
  const Eigen::MatrixXf pixels = UniformMatrix(3, 16, 1).cast<float>();
  const auto message = [&](Index patch, int turn) {
    return MessageOf<InvalidData>([&] { TurnPatch(pixels, patch, turn); });
  };
  EXPECT_EQ(message(4, 7), "no error");
  EXPECT_TRUE(Says(message(5, 0), "5 x 5"));
  EXPECT_TRUE(Says(message(-4, 0), "-4 x -4"));
  EXPECT_TRUE(Says(message(4, 8), "turn 8"));
  EXPECT_TRUE(Says(message(4, -1), "turn -1"));
}

TEST(NearestCrop, IsThatOfBruteForceInNoise)
{
  const AbundanceMap map = RandomMap(3, 29, 22, 1);
  for (const Index patch : {1, 2, 3, 4, 5, 8, 13})
  {
    ExpectBruteForce(map, UniformAbundances(3, patch * patch * 5, 2).cast<float>(), patch);
  }
}

TEST(NearestCrop, IsThatOfBruteForceInSmoothMaps)
{
  for (const Index d : {2, 4, 9})
  {
    const auto seed = static_cast<std::uint64_t>(d);
    const AbundanceMap map = SmoothMap(d, 41, 37, seed);
    const AbundanceMap other = SmoothMap(d, 23, 19, seed + 100);
    for (const Index patch : {3, 6, 8})
    {
      ExpectBruteForce(map, Blocks(other, patch, {{0, 0}, {5, 2}, {11, 9}, {3, 10}, {14, 7}}), patch);
    }
  }
}

// Several tiles wide, with blocks from very near to far.
TEST(NearestCrop, IsThatOfBruteForceForBlocksNearAndFar)
{
  constexpr Index kPatch = 4;
  const AbundanceMap map = SmoothMap(3, 70, 33, 3);
  Eigen::MatrixXf blocks = Blocks(map, kPatch, {{60, 25}, {31, 12}, {2, 28}, {44, 3}, {17, 17}, {55, 9}, {65, 0}});
  const Eigen::MatrixXf noise = UniformMatrix(3, blocks.cols(), 4, -1., 1.).cast<float>();
  float amplitude = 1e-5f;
  for (Index first = 0; first < blocks.cols(); first += kPatch * kPatch)
  {
    blocks.middleCols(first, kPatch * kPatch) += amplitude * noise.middleCols(first, kPatch * kPatch);
    amplitude *= 10.f;
  }
  ExpectBruteForce(map, blocks, kPatch);
}

TEST(NearestCrop, HoldsNoPixelOfNoData)
{
  for (const double share : {0.003, 0.03})
  {
    AbundanceMap noise = RandomMap(3, 31, 26, 5);
    AddNoData(noise, share, 6);
    ExpectBruteForce(noise, UniformAbundances(3, 25 * 4, 7).cast<float>(), 5);
    AbundanceMap smooth = SmoothMap(4, 43, 30, 8);
    const Eigen::MatrixXf blocks = Blocks(smooth, 6, {{1, 1}, {20, 7}, {36, 23}, {5, 14}});
    AddNoData(smooth, share, 9);
    ExpectBruteForce(smooth, blocks, 6);
  }
}

TEST(NearestCrop, IsTheOneThatIsFreeOfNoData)
{
  constexpr Index kPatch = 5;
  AbundanceMap map = RandomMap(2, 24, 17, 10);
  map.m_Valid.assign(static_cast<std::size_t>(map.m_Abundances.cols()), 0);
  for (Index i = 0; i < kPatch * kPatch; ++i)
  {
    map.m_Valid[static_cast<std::size_t>((9 + i / kPatch) * map.m_Width + 16 + i % kPatch)] = 1;
  }
  const std::vector<NearestCrop> found = FindNearestCrops(map, Crop(map, 1, 1, kPatch), kPatch);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].m_Column, 16);
  EXPECT_EQ(found[0].m_Row, 9);
}

TEST(NearestCrop, OfACopyIsItsOriginalAtDistanceZeroInEveryTurn)
{
  for (const Index patch : {6, 9, 32})
  {
    for (const AbundanceMap& map : {RandomMap(5, 83, 61, 11), SmoothMap(5, 83, 61, 12)})
    {
      Eigen::MatrixXf blocks(5, patch * patch * kTurns);
      for (int turn = 0; turn < kTurns; ++turn)
      {
        const Eigen::MatrixXf crop = Crop(map, 49 - 5 * turn, 1 + 4 * turn, patch);
        // What turns the crop of the map into the block.
        blocks.middleCols(turn * patch * patch, patch * patch) = Turned(crop, patch, turn);
      }
      const std::vector<NearestCrop> found = FindNearestCrops(map, blocks, patch);
      ASSERT_EQ(found.size(), static_cast<std::size_t>(kTurns));
      for (int turn = 0; turn < kTurns; ++turn)
      {
        const NearestCrop& nearest = found[static_cast<std::size_t>(turn)];
        EXPECT_EQ(nearest.m_Distance, 0.) << turn;
        EXPECT_EQ(nearest.m_Column, 49 - 5 * turn) << turn;
        EXPECT_EQ(nearest.m_Row, 1 + 4 * turn) << turn;
        EXPECT_EQ(nearest.m_Turn, turn);
        EXPECT_EQ(TurnPatch(Crop(map, nearest.m_Column, nearest.m_Row, patch), patch, nearest.m_Turn),
                  blocks.middleCols(turn * patch * patch, patch * patch));
      }
    }
  }
}

TEST(NearestCrop, OfANoisyCopyIsTheNoiseAway)
{
  constexpr Index kPatch = 32;
  constexpr Index kEndmembers = 6;
  constexpr double kSd = 0.01;
  const AbundanceMap map = SmoothMap(kEndmembers, 150, 90, 13);
  const double width = kSd * std::sqrt(12.);
  const Eigen::MatrixXf noise = UniformMatrix(kEndmembers, kPatch * kPatch, 14, -width / 2., width / 2.).cast<float>();
  const NearestCrop nearest =
      FindNearestCrops(map, Turned(Crop(map, 101, 40, kPatch), kPatch, 3) + noise, kPatch).front();
  EXPECT_NEAR(nearest.m_Distance, kSd * std::sqrt(static_cast<double>(kEndmembers)), 0.02 * kSd);
  EXPECT_EQ(nearest.m_Column, 101);
  EXPECT_EQ(nearest.m_Row, 40);
  EXPECT_EQ(nearest.m_Turn, 3);
}

TEST(NearestCrop, OfEqualOnesIsTheFirstByRowThenColumnThenTurn)
{
  constexpr Index kPatch = 7;
  // Constant areas: rows from 8 and columns from 20 on.
  AbundanceMap map = RandomMap(3, 45, 40, 15);
  const Eigen::VectorXf area = Eigen::Vector3f(0.3f, 0.1f, 0.6f);
  for (Index i = 0; i < map.m_Abundances.cols(); ++i)
  {
    if (i / map.m_Width >= 8 && i % map.m_Width >= 20)
    {
      map.m_Abundances.col(i) = area;
    }
  }
  const Eigen::MatrixXf noise = UniformMatrix(3, kPatch * kPatch, 16, -0.02, 0.02).cast<float>();
  Eigen::MatrixXf blocks(3, 2 * kPatch * kPatch);
  blocks << area.replicate(1, kPatch * kPatch), noise.colwise() + area;
  const std::vector<NearestCrop> found = FindNearestCrops(map, blocks, kPatch);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].m_Distance, 0.);
  EXPECT_NEAR(found[1].m_Distance, Distance(noise, Eigen::MatrixXf::Zero(3, kPatch * kPatch)), 1e-7);
  for (const NearestCrop& nearest : found)
  {
    EXPECT_EQ(nearest.m_Row, 8);
    EXPECT_EQ(nearest.m_Column, 20);
    EXPECT_EQ(nearest.m_Turn, 0);
  }
}

TEST(NearestCrop, IsThatOfBruteForceInMapsOfConstantAreas)
{
  AbundanceMap map = RandomMap(2, 34, 27, 26);
  for (Index i = 0; i < map.m_Abundances.cols(); ++i)
  {
    const Index column = i % map.m_Width;
    const Index row = i / map.m_Width;
    if (row % 13 < 10 && column % 16 < 12)
    {
      const float stripe = row < 13 ? 0.f : 0.01f * static_cast<float>(row % 3);
      map.m_Abundances.col(i).setConstant((column < 16 ? 0.5f : 0.25f) + stripe);
    }
  }
  // No-data that looks like the areas, of which some are of stripes.
  map.m_Valid.assign(static_cast<std::size_t>(map.m_Abundances.cols()), 1);
  map.m_Valid[0] = map.m_Valid[3 * 34 + 18] = map.m_Valid[16 * 34 + 4] = 0;
  for (const Index patch : {1, 2, 5})
  {
    Eigen::MatrixXf blocks = UniformMatrix(2, 4 * patch * patch, 27, -0.05, 0.05).cast<float>();
    blocks.leftCols(2 * patch * patch).array() += 0.5f;
    blocks.rightCols(2 * patch * patch).array() += 0.25f;
    blocks.rightCols(patch * patch).setConstant(0.25f);
    ExpectBruteForce(map, blocks, patch);
  }
}

// The edge is a multiple of both periods: all crops have the same mean and deviation.
TEST(NearestCrop, InARepeatedPatternIsTheFirstOfItsPhase)
{
  constexpr Index kPatch = 12;
  const AbundanceMap pattern = RandomMap(3, 3, 4, 17);
  AbundanceMap map{41, 37, Eigen::MatrixXf(3, 41 * 37), {}};
  for (Index i = 0; i < map.m_Abundances.cols(); ++i)
  {
    map.m_Abundances.col(i) = pattern.m_Abundances.col(i / 41 % 4 * 3 + i % 41 % 3);
  }
  const Eigen::MatrixXf noise = UniformMatrix(3, kPatch * kPatch, 18, -0.05, 0.05).cast<float>();
  for (int turn = 0; turn < kTurns; ++turn)
  {
    const Eigen::MatrixXf block = Turned(Crop(map, 14, 9, kPatch), kPatch, turn) + noise;
    const NearestCrop nearest = FindNearestCrops(map, block, kPatch).front();
    EXPECT_EQ(nearest.m_Row, 1);
    EXPECT_EQ(nearest.m_Column, 2);
    EXPECT_EQ(nearest.m_Turn, turn);
  }
}

TEST(NearestCrop, ScalesWithTheValues)
{
  const AbundanceMap map = SmoothMap(3, 40, 28, 19);
  const Eigen::MatrixXf blocks = Blocks(SmoothMap(3, 20, 20, 30), 6, {{0, 1}, {9, 4}, {12, 13}});
  const std::vector<NearestCrop> found = FindNearestCrops(map, blocks, 6);
  for (const int exponent : {-110, -60, 29})
  {
    const float scale = std::ldexp(1.f, exponent);
    AbundanceMap scaledMap = map;
    scaledMap.m_Abundances *= scale;
    const std::vector<NearestCrop> scaled = FindNearestCrops(scaledMap, blocks * scale, 6);
    ASSERT_EQ(scaled.size(), 3u);
    for (std::size_t i = 0; i < found.size(); ++i)
    {
      EXPECT_NEAR(scaled[i].m_Distance / static_cast<double>(scale), found[i].m_Distance, 1e-6) << exponent;
      EXPECT_EQ(std::tie(scaled[i].m_Column, scaled[i].m_Row, scaled[i].m_Turn),
                std::tie(found[i].m_Column, found[i].m_Row, found[i].m_Turn))
          << exponent;
    }
  }
}

TEST(NearestCrop, ReportsProgressInTheCallingThread)
{
  const AbundanceMap map = RandomMap(2, 30, 20, 20);
  const Eigen::MatrixXf blocks = UniformMatrix(2, 16 * 30, 21).cast<float>();
  std::vector<double> reported;
  FindNearestCrops(map, blocks, 4, [&, caller = std::this_thread::get_id()](double fraction) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    reported.push_back(fraction);
  });
  ASSERT_FALSE(reported.empty());
  EXPECT_GT(reported.front(), 0.);
  for (std::size_t i = 1; i < reported.size(); ++i)
  {
    EXPECT_GE(reported[i], reported[i - 1]);
  }
  EXPECT_EQ(reported.back(), 1.);
}

TEST(NearestCrop, EndsWithWhatProgressThrows)
{
  const AbundanceMap map = RandomMap(2, 30, 20, 22);
  const Eigen::MatrixXf blocks = UniformMatrix(2, 16 * 40, 23).cast<float>();
  EXPECT_THROW(FindNearestCrops(map, blocks, 4, [](double) { throw std::range_error("interrupted"); }),
               std::range_error);
}

TEST(NearestCrop, RefusesMapsAndBlocksThatDoNotMatch)
{
  const AbundanceMap good = RandomMap(3, 21, 14, 24);
  const Eigen::MatrixXf blocks = UniformMatrix(3, 2 * 36, 25).cast<float>();
  const auto message = [&](const AbundanceMap& map, const Eigen::MatrixXf& tried, Index patch) {
    return MessageOf<InvalidData>([&] { FindNearestCrops(map, tried, patch); });
  };
  EXPECT_EQ(message(good, blocks, 6), "no error");

  const std::string endmembers = message(good, blocks.topRows(2), 6);
  EXPECT_TRUE(Says(endmembers, "2") && Says(endmembers, "3")) << endmembers;
  EXPECT_TRUE(Says(message(good, blocks, 7), "72 pixels for blocks of 7 x 7"));
  EXPECT_TRUE(Says(message(good, blocks, 0), "0 x 0"));
  EXPECT_TRUE(Says(message(good, blocks, -6), "-6 x -6"));
  EXPECT_TRUE(Says(message(good, Eigen::MatrixXf(3, 0), 6), "found 0 pixels"));
  const std::string small = message(good, UniformMatrix(3, 225, 26).cast<float>(), 15);
  EXPECT_TRUE(Says(small, "21 x 14") && Says(small, "15 x 15")) << small;

  AbundanceMap bad = good;
  bad.m_Width = 20;
  EXPECT_TRUE(Says(message(bad, blocks, 6), "20 x 14")) << message(bad, blocks, 6);
  bad = good;
  bad.m_Valid.assign(5, 1);
  EXPECT_TRUE(Says(message(bad, blocks, 6), "5 of them"));
  EXPECT_TRUE(Says(message(AbundanceMap{}, Eigen::MatrixXf(0, 36), 6), "0 x 0"));

  bad.m_Valid.assign(21 * 14, 1);
  for (std::size_t row = 0; row < 14; ++row)
  {
    bad.m_Valid[row * 21 + 5] = bad.m_Valid[row * 21 + 10] = bad.m_Valid[row * 21 + 15] = 0;
  }
  EXPECT_TRUE(Says(message(bad, blocks, 6), "no crop of 6 x 6")) << message(bad, blocks, 6);
  EXPECT_EQ(message(bad, blocks.leftCols(50), 5), "no error");

  for (const float value : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity(), 2e9f})
  {
    bad = good;
    bad.m_Abundances(1, 21 * 4 + 7) = value;
    EXPECT_TRUE(Says(message(bad, blocks, 6), "the real map holds")) << value;
    EXPECT_TRUE(Says(message(bad, blocks, 6), "column 7 of row 4")) << value;
    Eigen::MatrixXf badBlocks = blocks;
    badBlocks(2, 36 + 6 * 3 + 1) = value;
    EXPECT_TRUE(Says(message(good, badBlocks, 6), "block 1 holds")) << value;
    EXPECT_TRUE(Says(message(good, badBlocks, 6), "column 1 of row 3")) << value;
  }
}
