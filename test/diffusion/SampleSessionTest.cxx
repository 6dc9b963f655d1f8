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
    options.m_Sampler.m_Steps = 6;
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
    const hud::AbundanceMap map = session.Sample(MakeOptions(layout, 21, 13)).ReadAll();
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
  const hud::AbundanceMap map = session.Sample(options).ReadAll();
  EXPECT_EQ(map.m_Abundances, hud::SampleSession(ModelPath(), OnCpu()).Sample(options).ReadAll().m_Abundances);
  options.m_Seed = 4;
  EXPECT_NE(map.m_Abundances, session.Sample(options).ReadAll().m_Abundances);
}

TEST_F(SampleSession, ThreadsChangeNoMoreThanRounding)
{
  const hud::SampleOptions options = MakeOptions(hud::SampleLayout::Patches, 24, 16);
  const hud::AbundanceMap two = hud::SampleSession(ModelPath(), OnCpu(2)).Sample(options).ReadAll();
  const hud::AbundanceMap one = hud::SampleSession(ModelPath(), OnCpu(1)).Sample(options).ReadAll();
  EXPECT_LT((one.m_Abundances - two.m_Abundances).cwiseAbs().maxCoeff(), 1e-5f);
}

TEST_F(SampleSession, PatchesAreIndependentOfTheirNeighbours)
{
  // Patches beside each other do not change a patch's own noise, so a canvas of one row begins like one of one patch.
  const hud::SampleSession session(ModelPath(), OnCpu());
  const hud::AbundanceMap row = session.Sample(MakeOptions(hud::SampleLayout::Patches, 16, 8)).ReadAll();
  const hud::AbundanceMap two = session.Sample(MakeOptions(hud::SampleLayout::Patches, 16, 16)).ReadAll();
  EXPECT_LT((row.m_Abundances - two.m_Abundances.leftCols(16 * 8)).cwiseAbs().maxCoeff(), 1e-4f);
}

TEST_F(SampleSession, DdpmRunsThroughAllTimesteps)
{
  const hud::SampleSession session(ModelPath(), OnCpu());
  hud::SampleOptions options = MakeOptions(hud::SampleLayout::Patches, 8, 8);
  options.m_Sampler.m_Kind = hud::SamplerKind::Ddpm;
  options.m_Sampler.m_Steps = 1000;
  int calls = 0;
  const hud::AbundanceMap map = session.Sample(options, [&](double) { return ++calls > 0; }).ReadAll();
  EXPECT_EQ(calls, 1000);
  EXPECT_TRUE(map.m_Abundances.allFinite());
}

TEST_F(SampleSession, LearnsTheMeanAbundances)
{
  const hud::SampleSession session(ModelPath(), OnCpu());
  const hud::AbundanceMap sample = session.Sample(MakeOptions(hud::SampleLayout::Patches, 64, 64)).ReadAll();
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
  for (const hud::SamplerKind kind : {hud::SamplerKind::DpmSolver, hud::SamplerKind::Ddim, hud::SamplerKind::Ddpm})
  {
    for (const hud::SampleLayout layout : {hud::SampleLayout::Scene, hud::SampleLayout::Patches})
    {
      hud::SampleOptions options = MakeOptions(layout, 21, 13);
      options.m_Sampler.m_Kind = kind;
      const hud::AbundanceMap map = session.Sample(options).ReadAll();

      // The canvas is rounded up to whole patches: 24 x 16.
      Eigen::MatrixXf expected(3, 21 * 13);
      for (std::uint32_t y = 0; y < 13; ++y)
      {
        Eigen::MatrixXf row(3, 24);
        Eigen::MatrixXf previous = Eigen::MatrixXf::Zero(3, 24);
        hud::Random(options.m_Seed, hud::RandomStream::InitialNoise).FillNormal(0, y, row.data(), 72);
        std::uint32_t number = 0;
        for (const hud::SamplerStep& step : hud::PlanSampler(schedule, options.m_Sampler))
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
              row(k, x) = static_cast<float>(step.m_Current * row(k, x) + step.m_Clean * clean +
                                             step.m_Previous * previous(k, x) + step.m_Noise * noise(k, x));
              previous(k, x) = static_cast<float>(clean);
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

TEST_F(SampleSession, AScratchFileAndOtherBatchesOfWindowsChangeNothing)
{
  hud::SampleOptions options = MakeOptions(hud::SampleLayout::Scene, 37, 29);
  const hud::AbundanceMap inMemory = hud::SampleSession(ModelPath(), OnCpu()).Sample(options).ReadAll();
  hud::ExecutionOptions oneByOne = OnCpu();
  oneByOne.m_WindowsAtOnce = 1;
  options.m_LargestMemory = 0;
  const hud::SampledScene onDisk = hud::SampleSession(ModelPath(), oneByOne).Sample(options);
  EXPECT_LT((onDisk.ReadAll().m_Abundances - inMemory.m_Abundances).cwiseAbs().maxCoeff(), 1e-4f);

  Eigen::MatrixXf rows(3, 2 * 37);
  onDisk.ReadRows(11, 2, rows);
  EXPECT_EQ(rows, onDisk.ReadAll().m_Abundances.middleCols(11 * 37, 2 * 37));
}

/// A place whose pixels have all one role, but for those with x in 4 .. 8.
hud::PlaceReader MakePlace(const hud::AbundanceMap& map, hud::PixelRole role, hud::PixelRole middle)
{
  return [&map, role, middle](Eigen::Index row, Eigen::Ref<Eigen::MatrixXf> abundances,
                              std::vector<hud::PixelRole>& roles) {
    abundances = map.m_Abundances.middleCols(row * map.m_Width, map.m_Width);
    for (std::size_t x = 0; x < roles.size(); ++x)
    {
      roles[x] = x >= 4 && x <= 8 ? middle : role;
    }
  };
}

TEST_F(SampleSession, KeepsThePixelsOfAPlaceThatAreToBeKept)
{
  const hud::SampleSession session(ModelPath(), OnCpu());
  const hud::AbundanceMap place = MakeToyMap(21, 13);
  for (const hud::SamplerKind kind : {hud::SamplerKind::DpmSolver, hud::SamplerKind::Ddim, hud::SamplerKind::Ddpm})
  {
    hud::SampleOptions options = MakeOptions(hud::SampleLayout::Scene, 21, 13);
    options.m_Sampler.m_Kind = kind;
    const hud::AbundanceMap repaired =
        session.SamplePlace(options, MakePlace(place, hud::PixelRole::Keep, hud::PixelRole::Make)).ReadAll();
    EXPECT_GE(repaired.m_Abundances.minCoeff(), 0.f);
    EXPECT_LT((repaired.m_Abundances.colwise().sum().array() - 1.f).abs().maxCoeff(), 1e-5f);
    float kept = 0.f;
    float made = 0.f;
    for (Eigen::Index pixel = 0; pixel < place.m_Abundances.cols(); ++pixel)
    {
      const float change = (repaired.m_Abundances.col(pixel) - place.m_Abundances.col(pixel)).cwiseAbs().maxCoeff();
      const Eigen::Index x = pixel % 21;
      float& largest = x >= 4 && x <= 8 ? made : kept;
      largest = std::max(largest, change);
    }
    EXPECT_LT(kept, 1e-5f);
    EXPECT_GT(made, 0.05f);
  }
}

TEST_F(SampleSession, VariesAPlaceTheMoreTheStrongerItIsAskedTo)
{
  const hud::SampleSession session(ModelPath(), OnCpu());
  const hud::AbundanceMap place = MakeToyMap(21, 13);
  hud::SampleOptions options = MakeOptions(hud::SampleLayout::Scene, 21, 13);
  options.m_Sampler.m_Steps = 20;
  double before = -1.;
  for (const double strength : {0., 0.1, 0.4, 1.})
  {
    options.m_Strength = strength;
    const hud::AbundanceMap varied =
        session.SamplePlace(options, MakePlace(place, hud::PixelRole::Vary, hud::PixelRole::Vary)).ReadAll();
    const double change = (varied.m_Abundances - place.m_Abundances).cwiseAbs().mean();
    EXPECT_GT(change, before) << strength;
    EXPECT_TRUE(strength > 0. || change < 1e-6);
    before = change;
  }
  // A repair knows nothing of the pixels that it makes, whatever the place holds there.
  hud::AbundanceMap other = place;
  other.m_Abundances.middleCols(4, 5).setConstant(1.f / 3.f);
  EXPECT_EQ(
      session.SamplePlace(options, MakePlace(place, hud::PixelRole::Keep, hud::PixelRole::Make)).ReadAll().m_Abundances,
      session.SamplePlace(options, MakePlace(other, hud::PixelRole::Keep, hud::PixelRole::Make))
          .ReadAll()
          .m_Abundances);
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
  options.m_Sampler.m_Steps = 0;
  EXPECT_THROW(session.Sample(options), hud::InvalidOption);
  options.m_Sampler.m_Steps = 1001;
  EXPECT_THROW(session.Sample(options), hud::InvalidOption);
  options = MakeOptions(hud::SampleLayout::Scene, 21, 13);
  options.m_Strength = 1.01;
  EXPECT_THROW(session.Sample(options), hud::InvalidOption);
  EXPECT_THROW(hud::ParseSampleLayout("grid"), hud::InvalidOption);
}

} // namespace
