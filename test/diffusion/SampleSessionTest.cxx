// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/diffusion/SampleSession.h"

#include "TemporaryFolder.h"
#include "ToyModel.h"

#include "hud/core/Error.h"
#include "hud/core/Random.h"
#include "hud/core/SimplexProjection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace
{

using hud::test::MakeToyMap;
using hud::test::MakeToyOptions;
using hud::test::MakeToyScene;
using hud::test::OnCpu;

class SampleSession : public testing::Test
{
protected:
  static void SetUpTestSuite()
  {
    s_Folder = std::make_unique<hud::test::TemporaryFolder>();
    hud::TrainSession session({MakeToyMap(23, 17)}, MakeToyScene(), MakeToyOptions(), OnCpu());
    session.Run(200);
    session.Save(ModelPath());
  }

  static void TearDownTestSuite()
  {
    s_Folder.reset();
  }

  static std::string ModelPath()
  {
    return (*s_Folder / "model.safetensors").string();
  }

  static hud::SampleOptions MakeOptions(hud::SampleLayout layout, Eigen::Index width, Eigen::Index height)
  {
    hud::SampleOptions options;
    options.m_Layout = layout;
    options.m_Width = width;
    options.m_Height = height;
    options.m_Steps = 6;
    options.m_Seed = 3;
    return options;
  }

  static std::unique_ptr<hud::test::TemporaryFolder> s_Folder;
};

std::unique_ptr<hud::test::TemporaryFolder> SampleSession::s_Folder;

TEST_F(SampleSession, AbundancesAreOnTheSimplex)
{
  const hud::SampleSession session(ModelPath(), OnCpu());
  for (const hud::SampleLayout layout : {hud::SampleLayout::Scene, hud::SampleLayout::Patches})
  {
    const hud::AbundanceMap map = session.Sample(MakeOptions(layout, 21, 13));
    EXPECT_EQ(map.m_Width, 21);
    EXPECT_EQ(map.m_Height, 13);
    ASSERT_EQ(map.m_Abundances.rows(), 3);
    ASSERT_EQ(map.m_Abundances.cols(), 21 * 13);
    ASSERT_TRUE(map.m_Abundances.allFinite());
    EXPECT_GE(map.m_Abundances.minCoeff(), 0.f);
    EXPECT_LT((map.m_Abundances.colwise().sum().array() - 1.f).abs().maxCoeff(), 1e-5f);
    EXPECT_GT((map.m_Abundances.col(0) - map.m_Abundances.col(100)).norm(), 0.f);
  }
}

TEST_F(SampleSession, TheSameSeedGivesTheSameBytes)
{
  const hud::SampleSession session(ModelPath(), OnCpu());
  hud::SampleOptions options = MakeOptions(hud::SampleLayout::Scene, 21, 13);
  const hud::AbundanceMap map = session.Sample(options);
  EXPECT_EQ(map.m_Abundances, hud::SampleSession(ModelPath(), OnCpu()).Sample(options).m_Abundances);
  options.m_Seed = 4;
  EXPECT_NE(map.m_Abundances, session.Sample(options).m_Abundances);
}

TEST_F(SampleSession, ThreadsChangeNoMoreThanRounding)
{
  const hud::SampleOptions options = MakeOptions(hud::SampleLayout::Patches, 24, 16);
  const hud::AbundanceMap two = hud::SampleSession(ModelPath(), OnCpu(2)).Sample(options);
  const hud::AbundanceMap one = hud::SampleSession(ModelPath(), OnCpu(1)).Sample(options);
  EXPECT_LT((one.m_Abundances - two.m_Abundances).cwiseAbs().maxCoeff(), 1e-5f);
}

TEST_F(SampleSession, PatchesAreIndependentOfTheirNeighbours)
{
  // Patches beside each other do not change a patch's own noise, so a canvas of one row begins like one of one patch.
  const hud::SampleSession session(ModelPath(), OnCpu());
  const hud::AbundanceMap row = session.Sample(MakeOptions(hud::SampleLayout::Patches, 16, 8));
  const hud::AbundanceMap two = session.Sample(MakeOptions(hud::SampleLayout::Patches, 16, 16));
  EXPECT_LT((row.m_Abundances - two.m_Abundances.leftCols(16 * 8)).cwiseAbs().maxCoeff(), 1e-4f);
}

TEST_F(SampleSession, DdpmRunsThroughAllTimesteps)
{
  const hud::SampleSession session(ModelPath(), OnCpu());
  hud::SampleOptions options = MakeOptions(hud::SampleLayout::Patches, 8, 8);
  options.m_Sampler = hud::SamplerKind::Ddpm;
  options.m_Steps = 1000;
  int calls = 0;
  const hud::AbundanceMap map = session.Sample(options, [&](double) { return ++calls > 0; });
  EXPECT_EQ(calls, 1000);
  EXPECT_TRUE(map.m_Abundances.allFinite());
}

TEST_F(SampleSession, LearnsTheMeanAbundances)
{
  const hud::SampleSession session(ModelPath(), OnCpu());
  const hud::AbundanceMap sample = session.Sample(MakeOptions(hud::SampleLayout::Patches, 64, 64));
  const Eigen::Vector3f real = MakeToyMap(23, 17).m_Abundances.rowwise().mean();
  EXPECT_LT((sample.m_Abundances.rowwise().mean() - real).cwiseAbs().maxCoeff(), 0.15f);
}

// The network of a model that was never trained puts out zero, so a sample is in closed form: each pixel by itself goes
// through the steps with its posterior mean under the options' deviation of the data, clamped, as the estimate of Z_0.
TEST_F(SampleSession, AnUntrainedModelGivesTheSamplersStepsInClosedForm)
{
  const std::string path = (*s_Folder / "untrained.safetensors").string();
  hud::TrainSession({MakeToyMap(23, 17)}, MakeToyScene(), MakeToyOptions(), OnCpu()).Save(path);
  const hud::SampleSession session(path, OnCpu());
  const hud::ModelInfo& info = session.Info();
  const hud::SimplexProjection projection(hud::ProjectionKind::Log, 3, info.m_Options.m_Floor);
  const hud::NoiseSchedule schedule(info.m_Options.m_Schedule, info.m_Options.m_Timesteps);
  const double dataVariance = info.m_Options.m_PreconditioningSd * info.m_Options.m_PreconditioningSd;
  for (const hud::SamplerKind kind : {hud::SamplerKind::Ddim, hud::SamplerKind::Ddpm})
  {
    for (const hud::SampleLayout layout : {hud::SampleLayout::Scene, hud::SampleLayout::Patches})
    {
      hud::SampleOptions options = MakeOptions(layout, 21, 13);
      options.m_Sampler = kind;
      const hud::AbundanceMap map = session.Sample(options);

      // The canvas is rounded up to whole patches: 24 x 16.
      Eigen::MatrixXf expected(3, 21 * 13);
      for (std::uint32_t y = 0; y < 13; ++y)
      {
        Eigen::MatrixXf row(3, 24);
        hud::Random(options.m_Seed, hud::RandomStream::InitialNoise).FillNormal(0, y, row.data(), 72);
        std::uint32_t number = 0;
        for (const hud::SamplerStep& step : hud::PlanSampler(schedule, kind, options.m_Steps))
        {
          Eigen::MatrixXf noise(3, 24);
          hud::Random(options.m_Seed, hud::RandomStream::SamplerNoise).FillNormal(number++, y, noise.data(), 72);
          for (Eigen::Index k = 0; k < 3; ++k)
          {
            const auto i = static_cast<std::size_t>(k);
            const double lower = (projection.LowerBounds()[k] - info.m_ChannelMean[i]) / info.m_ChannelSd[i];
            const double upper = (projection.UpperBounds()[k] - info.m_ChannelMean[i]) / info.m_ChannelSd[i];
            for (Eigen::Index x = 0; x < 24; ++x)
            {
              const double alphaBar = schedule.AlphaBar(step.m_From);
              const double posterior = std::sqrt(alphaBar) * dataVariance / (1. - alphaBar + alphaBar * dataVariance);
              const double clean = std::clamp(posterior * row(k, x), lower, upper);
              row(k, x) =
                  static_cast<float>(step.m_Current * row(k, x) + step.m_Clean * clean + step.m_Noise * noise(k, x));
            }
          }
        }
        for (Eigen::Index k = 0; k < 3; ++k)
        {
          const auto i = static_cast<std::size_t>(k);
          row.row(k) =
              (row.row(k).array() * static_cast<float>(info.m_ChannelSd[i]) + static_cast<float>(info.m_ChannelMean[i]))
                  .matrix();
        }
        projection.UnprojectExactly(row.leftCols(21), expected.middleCols(y * 21, 21));
      }
      ASSERT_EQ(map.m_Abundances.cols(), expected.cols());
      EXPECT_LT((map.m_Abundances - expected).cwiseAbs().maxCoeff(), 1e-5f);
    }
  }
}

TEST_F(SampleSession, StopsWhenAskedTo)
{
  const hud::SampleSession session(ModelPath(), OnCpu());
  int calls = 0;
  EXPECT_THROW(session.Sample(MakeOptions(hud::SampleLayout::Scene, 21, 13), [&](double) { return ++calls < 2; }),
               hud::Error);
  EXPECT_EQ(calls, 2);
}

TEST_F(SampleSession, RefusesOptionsOutsideTheirRanges)
{
  const hud::SampleSession session(ModelPath(), OnCpu());
  EXPECT_THROW(session.Sample(MakeOptions(hud::SampleLayout::Scene, 0, 13)), hud::InvalidOption);
  EXPECT_THROW(session.Sample(MakeOptions(hud::SampleLayout::Scene, 21, -1)), hud::InvalidOption);
  hud::SampleOptions options = MakeOptions(hud::SampleLayout::Scene, 21, 13);
  options.m_Steps = 0;
  EXPECT_THROW(session.Sample(options), hud::InvalidOption);
  options.m_Steps = 1001;
  EXPECT_THROW(session.Sample(options), hud::InvalidOption);
  EXPECT_THROW(hud::ParseSampleLayout("grid"), hud::InvalidOption);
}

} // namespace
