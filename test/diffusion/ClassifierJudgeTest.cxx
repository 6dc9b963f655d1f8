// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/diffusion/ClassifierJudge.h"

#include "core/ErrorMessage.h"
#include "core/RandomMatrix.h"
#include "hud/core/DistributionDistance.h"
#include "hud/core/Error.h"
#include "hud/core/InceptionScore.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace
{

using Eigen::Index;
using hud::ClassifierJudge;
using hud::InvalidData;
using hud::LabelMap;
using hud::test::MessageOf;
using hud::test::Says;

constexpr Index kWidth = 80;
constexpr Index kHeight = 64;
constexpr Index kBands = 6;
constexpr Index kBlock = 16;

/// Returns the class of a pixel: stripes of 16 columns of the classes 0, 1 and 2 in turn.
int ClassOf(Index column)
{
  return static_cast<int>(column / 16 % 3);
}

/// Returns pixels of a class with noise.
Eigen::MatrixXf ClassSpectra(int label, Index pixels, std::uint64_t seed)
{
  const Eigen::MatrixXd means = hud::test::UniformMatrix(kBands, 3, 1, 0.2, 0.8);
  return (hud::test::UniformMatrix(kBands, pixels, seed, -0.05, 0.05).colwise() + means.col(label)).cast<float>();
}

hud::SpectralImage MakeScene()
{
  hud::SpectralImage scene{kWidth, kHeight, Eigen::MatrixXf(kBands, kWidth * kHeight)};
  for (int label = 0; label < 3; ++label)
  {
    const Eigen::MatrixXf spectra = ClassSpectra(label, kWidth * kHeight, 2 + static_cast<std::uint64_t>(label));
    for (Index pixel = 0; pixel < spectra.cols(); ++pixel)
    {
      if (ClassOf(pixel % kWidth) == label)
      {
        scene.m_Spectra.col(pixel) = spectra.col(pixel);
      }
    }
  }
  return scene;
}

LabelMap MakeLabels()
{
  LabelMap labels;
  labels.m_Classes = 3;
  for (Index pixel = 0; pixel < kWidth * kHeight; ++pixel)
  {
    labels.m_Labels.push_back(ClassOf(pixel % kWidth));
  }
  return labels;
}

hud::ExecutionOptions OneThread()
{
  hud::ExecutionOptions execution;
  execution.m_Threads = 1;
  return execution;
}

/// Returns blocks of one class each.
Eigen::MatrixXf Blocks(const std::vector<int>& classes, std::uint64_t seed)
{
  Eigen::MatrixXf blocks(kBands, kBlock * kBlock * static_cast<Index>(classes.size()));
  for (std::size_t i = 0; i < classes.size(); ++i)
  {
    blocks.middleCols(static_cast<Index>(i) * kBlock * kBlock, kBlock * kBlock) =
        ClassSpectra(classes[i], kBlock * kBlock, seed + i);
  }
  return blocks;
}

} // namespace

TEST(ClassifierJudge, TellsSetsThatMissAClassFromThoseThatDoNot)
{
  const hud::InMemoryRows scene(MakeScene());
  const ClassifierJudge judge(scene, MakeLabels(), kBlock, 1, OneThread());
  ASSERT_TRUE(judge.Accuracy().has_value());
  EXPECT_GT(*judge.Accuracy(), 0.95);
  const auto reference = judge.Classify(Blocks({0, 1, 2, 0, 1, 2}, 10));
  const auto same = judge.Classify(Blocks({0, 1, 2, 0, 1, 2}, 20));
  const auto one = judge.Classify(Blocks({1, 1, 1, 1, 1, 1}, 30));
  EXPECT_NEAR(hud::InceptionScore(same.m_Probabilities), 3., 0.15);
  EXPECT_NEAR(hud::InceptionScore(one.m_Probabilities), 1., 0.05);
  EXPECT_LT(hud::FrechetDistance(reference.m_Features, same.m_Features),
            0.1 * hud::FrechetDistance(reference.m_Features, one.m_Features));
}

TEST(ClassifierJudge, CutsBlocksIntoPatchesInTheirOrder)
{
  const hud::InMemoryRows scene(MakeScene());
  const ClassifierJudge judge(scene, MakeLabels(), kBlock, 1, OneThread());
  const Eigen::MatrixXd probabilities = judge.Classify(Blocks({2, 0, 1}, 10)).m_Probabilities;
  ASSERT_EQ(probabilities.cols(), 12); // four of 8 x 8 pixels in each block
  for (Index patch = 0; patch < probabilities.cols(); ++patch)
  {
    Index label = 0;
    probabilities.col(patch).maxCoeff(&label);
    EXPECT_EQ(label, (std::array<Index, 3>{2, 0, 1})[static_cast<std::size_t>(patch / 4)]) << patch;
  }
}

TEST(ClassifierJudge, TakesBlocksSmallerThanItsPatches)
{
  const hud::InMemoryRows scene(MakeScene());
  const ClassifierJudge judge(scene, MakeLabels(), 4, 1, OneThread());
  const Eigen::MatrixXf blocks = Blocks({0, 1}, 10).leftCols(32 * 16);
  const auto classification = judge.Classify(blocks);
  EXPECT_EQ(classification.m_Features.cols(), 32);
  EXPECT_GE(hud::InceptionScore(classification.m_Probabilities), 1.);
}

TEST(ClassifierJudge, RefusesLabelsThatAreNotTheScenesOrOfOneClass)
{
  const hud::InMemoryRows scene(MakeScene());
  LabelMap labels = MakeLabels();
  labels.m_Labels.pop_back();
  EXPECT_TRUE(Says(MessageOf<InvalidData>([&] { ClassifierJudge(scene, labels, kBlock, 1, OneThread()); }), "5119"));
  labels = MakeLabels();
  std::fill(labels.m_Labels.begin(), labels.m_Labels.end(), 2);
  EXPECT_TRUE(
      Says(MessageOf<InvalidData>([&] { ClassifierJudge(scene, labels, kBlock, 1, OneThread()); }), "1 classes"));
  std::fill(labels.m_Labels.begin(), labels.m_Labels.end(), -1);
  EXPECT_TRUE(
      Says(MessageOf<InvalidData>([&] { ClassifierJudge(scene, labels, kBlock, 1, OneThread()); }), "0 classes"));
}
