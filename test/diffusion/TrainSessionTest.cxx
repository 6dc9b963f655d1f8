// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/diffusion/TrainSession.h"

#include "CropSource.h"
#include "Safetensors.h"
#include "TemporaryFolder.h"
#include "ToyModel.h"

#include "hud/core/Error.h"
#include "hud/core/Random.h"
#include "hud/diffusion/SampleSession.h"

#include <gtest/gtest.h>

namespace
{

using hud::test::MakeToyMap;
using hud::test::MakeToyOptions;
using hud::test::MakeToyScene;
using hud::test::OnCpu;
using hud::test::ReadText;

hud::TrainSession MakeSession(const hud::TrainingOptions& options = MakeToyOptions())
{
  return hud::TrainSession({MakeToyMap(23, 17)}, MakeToyScene(), options, OnCpu());
}

class TrainSession : public testing::Test
{
protected:
  std::string Path(const std::string& name) const
  {
    return (m_Folder / name).string();
  }

  hud::test::TemporaryFolder m_Folder;
};

TEST(TrainingOptions, TheLearningRateFallsWithTheRootOfTheIteration)
{
  hud::TrainingOptions options;
  options.m_LearningRate = 0.01;
  options.m_Decay = hud::LearningRateDecay::Root;
  EXPECT_DOUBLE_EQ(options.LearningRateAt(0), 0.01);
  EXPECT_DOUBLE_EQ(options.LearningRateAt(500), 0.01);
  EXPECT_DOUBLE_EQ(options.LearningRateAt(2000), 0.005);
}

TEST(TrainingOptions, TheLearningRateFallsToZeroOverTheLastPartOfThePlan)
{
  hud::TrainingOptions options;
  options.m_LearningRate = 0.01;
  options.m_Decay = hud::LearningRateDecay::Linear;
  options.m_Iterations = 300;
  EXPECT_DOUBLE_EQ(options.LearningRateAt(0), 0.01);
  EXPECT_DOUBLE_EQ(options.LearningRateAt(180), 0.01);
  EXPECT_DOUBLE_EQ(options.LearningRateAt(240), 0.005);
  EXPECT_DOUBLE_EQ(options.LearningRateAt(299), 0.01 / 120.);
  EXPECT_DOUBLE_EQ(options.LearningRateAt(300), 0.);
  EXPECT_DOUBLE_EQ(options.LearningRateAt(400), 0.);
}

TEST(TrainingOptions, TheLearningRateRisesOverTheWarmUp)
{
  hud::TrainingOptions options;
  options.m_LearningRate = 0.01;
  options.m_Decay = hud::LearningRateDecay::Constant;
  options.m_WarmUp = 50;
  EXPECT_DOUBLE_EQ(options.LearningRateAt(0), 0.0002);
  EXPECT_DOUBLE_EQ(options.LearningRateAt(24), 0.005);
  EXPECT_DOUBLE_EQ(options.LearningRateAt(49), 0.01);
  EXPECT_DOUBLE_EQ(options.LearningRateAt(90000), 0.01);
}

TEST_F(TrainSession, ResumingGivesTheWeightsOfAnUninterruptedRun)
{
  for (const hud::LearningRateDecay decay : {hud::LearningRateDecay::Root, hud::LearningRateDecay::Linear})
  {
    hud::TrainingOptions options = MakeToyOptions();
    options.m_Decay = decay;
    options.m_WarmUp = 15;
    options.m_Weighting = hud::LossWeighting::MinSnr;
    hud::TrainSession whole = MakeSession(options);
    whole.Run(20);
    whole.Save(Path("whole"));

    hud::TrainSession half = MakeSession(options);
    half.Run(20, [](const hud::TrainProgress& progress) { return progress.m_Iteration < 10; });
    half.Save(Path("half"));
    hud::TrainSession resumed(Path("half"), {MakeToyMap(23, 17)}, OnCpu());
    EXPECT_EQ(resumed.Info().m_Iteration, 10);
    EXPECT_EQ(resumed.Info().m_Options.m_Iterations, 20);
    resumed.Run(20);
    resumed.Save(Path("resumed"));
    EXPECT_EQ(ReadText(Path("whole")), ReadText(Path("resumed"))) << hud::ToString(decay);
  }
}

TEST_F(TrainSession, WithRootDecayGoingOnBeyondThePlanEqualsALongerOne)
{
  hud::TrainingOptions options = MakeToyOptions();
  options.m_Decay = hud::LearningRateDecay::Root;
  hud::TrainSession whole = MakeSession(options);
  whole.Run(20);
  whole.Save(Path("whole"));
  hud::TrainSession shorter = MakeSession(options);
  shorter.Run(10);
  shorter.Run(20);
  shorter.Save(Path("longer"));
  EXPECT_EQ(ReadText(Path("whole")), ReadText(Path("longer")));
}

TEST_F(TrainSession, ShortensLongGradients)
{
  hud::TrainingOptions options = MakeToyOptions();
  options.m_GradientClip = 1e-3;
  hud::TrainSession session = MakeSession(options);
  session.Run(1);
  session.Save(Path("clipped"));
  hud::SafetensorsReader file(Path("clipped"));
  double square = 0.;
  for (const std::string& name : file.Names("adam.exp_avg."))
  {
    square += file.Read(name).to(torch::kFloat64).square().sum().item<double>();
  }
  // After one iteration Adam's first moment is a tenth of the gradient.
  EXPECT_NEAR(std::sqrt(square), 1e-4, 1e-7);
}

TEST_F(TrainSession, SavingAndLoadingChangesNoByte)
{
  hud::TrainSession session = MakeSession();
  session.Run(3);
  session.Save(Path("first"));
  hud::TrainSession(Path("first"), {MakeToyMap(23, 17)}, OnCpu()).Save(Path("second"));
  EXPECT_EQ(ReadText(Path("first")), ReadText(Path("second")));
}

TEST_F(TrainSession, TheSameSeedGivesTheSameFile)
{
  for (const char* name : {"first", "second"})
  {
    hud::TrainSession session = MakeSession();
    session.Run(5);
    session.Save(Path(name));
  }
  EXPECT_EQ(ReadText(Path("first")), ReadText(Path("second")));
}

TEST_F(TrainSession, ALossIsTheMeanOverWhatIsValid)
{
  hud::TrainingOptions options = MakeToyOptions();
  options.m_Prediction = hud::Prediction::Epsilon;
  options.m_ValidShare = 0.25;
  options.m_HoldOut = 0.;
  options.m_Batch = 16;
  const hud::AbundanceMap map = MakeToyMap(23, 17);
  const hud::TrainingBatch batch = hud::CropSource({map}, options).Batch(0);
  const torch::Tensor valid = batch.m_Valid.expand_as(batch.m_Noise) == 1.f;
  ASSERT_FALSE(valid.all().item<bool>());
  // At first the network estimates that there is no noise.
  double expected = 0.;
  for (std::int64_t sample = 0; sample < options.m_Batch; ++sample)
  {
    expected += batch.m_Noise[sample].masked_select(valid[sample]).square().mean().item<double>() / options.m_Batch;
  }
  double loss = 0.;
  hud::TrainSession({map}, MakeToyScene(), options, OnCpu()).Run(1, [&](const hud::TrainProgress& progress) {
    loss = progress.m_Loss;
    return true;
  });
  EXPECT_NEAR(loss, expected, 1e-5);
}

TEST_F(TrainSession, LearnsOnePatchByHeart)
{
  for (const hud::Prediction prediction : {hud::Prediction::Velocity, hud::Prediction::Epsilon})
  {
    hud::TrainingOptions options = MakeToyOptions();
    options.m_Augment = false;
    options.m_Batch = 16;
    options.m_Prediction = prediction;
    options.m_LearningRate = 5e-3;
    hud::TrainSession session({MakeToyMap(8, 8)}, MakeToyScene(), options, OnCpu());
    double first = 0.;
    double last = 0.;
    session.Run(300, [&](const hud::TrainProgress& progress) {
      first = progress.m_Iteration == 1 ? progress.m_Loss : first;
      last = progress.m_Loss;
      return true;
    });
    // Whoever knows the only clean sample can compute what is to be predicted.
    EXPECT_GT(first, 0.5);
    EXPECT_LT(last, 0.12) << hud::ToString(prediction);
  }
}

TEST_F(TrainSession, LearnsWithEveryProjection)
{
  for (const hud::ProjectionKind kind : {hud::ProjectionKind::Log, hud::ProjectionKind::Clr, hud::ProjectionKind::Ilr})
  {
    hud::TrainingOptions options = MakeToyOptions();
    options.m_Augment = false;
    options.m_Batch = 16;
    options.m_Projection = kind;
    options.m_LearningRate = 5e-3;
    hud::TrainSession session({MakeToyMap(8, 8)}, MakeToyScene(), options, OnCpu());
    double last = 0.;
    session.Run(400, [&](const hud::TrainProgress& progress) {
      last = progress.m_Loss;
      return true;
    });
    EXPECT_LT(last, 0.12) << hud::ToString(kind);
    // What was learned by heart is what is drawn.
    session.Save(Path("model"));
    const hud::AbundanceMap drawn = hud::TrainSession(Path("model"), {MakeToyMap(8, 8)}, OnCpu()).DrawPatches(2, 1);
    ASSERT_EQ(drawn.m_Width, 16);
    ASSERT_EQ(drawn.m_Height, 8);
    ASSERT_EQ(drawn.m_Abundances.rows(), 3);
    ASSERT_TRUE(drawn.m_Abundances.allFinite());
    const Eigen::MatrixXf learned = MakeToyMap(8, 8).m_Abundances;
    for (Eigen::Index pixel = 0; pixel < 128; ++pixel)
    {
      const Eigen::Index place = pixel / 16 * 8 + pixel % 8;
      EXPECT_LT((drawn.m_Abundances.col(pixel) - learned.col(place)).cwiseAbs().maxCoeff(), 0.3f)
          << hud::ToString(kind) << ", pixel " << pixel;
    }
  }
}

TEST_F(TrainSession, LearnsTwoEndmembersByTheirOneLogRatio)
{
  hud::TrainingOptions options = MakeToyOptions();
  options.m_Augment = false;
  options.m_Batch = 16;
  options.m_Projection = hud::ProjectionKind::Ilr;
  options.m_LearningRate = 5e-3;
  hud::AbundanceMap map = MakeToyMap(8, 8);
  map.m_Abundances = map.m_Abundances.topRows(2).eval();
  map.m_Abundances.row(1) = 1.f - map.m_Abundances.row(0).array();
  hud::SceneInfo scene = MakeToyScene();
  scene.m_Endmembers = scene.m_Endmembers.leftCols(2).eval();
  hud::TrainSession session({map}, scene, options, OnCpu());
  session.Run(400);
  const hud::AbundanceMap drawn = session.DrawPatches(1, 1);
  ASSERT_EQ(drawn.m_Abundances.rows(), 2);
  ASSERT_EQ(drawn.m_Abundances.cols(), 64);
  ASSERT_TRUE(drawn.m_Abundances.allFinite());
  EXPECT_LT((drawn.m_Abundances.colwise().sum().array() - 1.f).abs().maxCoeff(), 1e-6f);
  EXPECT_LT((drawn.m_Abundances - map.m_Abundances).cwiseAbs().maxCoeff(), 0.3f);
}

TEST_F(TrainSession, PatchesAreThoseThatTheSavedModelDraws)
{
  hud::TrainSession session = MakeSession();
  session.Run(5);
  session.Save(Path("model"));
  const hud::AbundanceMap drawn = session.DrawPatches(3, 2);
  hud::SampleOptions options;
  options.m_Width = 24;
  options.m_Height = 16;
  options.m_Layout = hud::SampleLayout::Patches;
  options.m_Seed = MakeToyOptions().m_Seed;
  const hud::AbundanceMap sample = hud::SampleSession(Path("model"), OnCpu()).Sample(options).ReadAll();
  ASSERT_EQ(drawn.m_Width, sample.m_Width);
  ASSERT_EQ(drawn.m_Height, sample.m_Height);
  ASSERT_EQ(drawn.m_Abundances.rows(), sample.m_Abundances.rows());
  ASSERT_TRUE(drawn.m_Abundances.allFinite());
  EXPECT_LT((drawn.m_Abundances - sample.m_Abundances).cwiseAbs().maxCoeff(), 1e-5f);
}

hud::TrainingOptions WithHoldOut()
{
  hud::TrainingOptions options = MakeToyOptions();
  options.m_HoldOut = 0.4;
  return options;
}

TEST_F(TrainSession, ValidationAndPatchesDoNotChangeTraining)
{
  const std::vector<hud::AbundanceMap> maps = {MakeToyMap(23, 27)};
  hud::TrainingOptions options = WithHoldOut();
  options.m_Decay = hud::LearningRateDecay::Root; // does not depend on the plan
  hud::TrainSession undisturbed(maps, MakeToyScene(), options, OnCpu());
  EXPECT_EQ(undisturbed.HeldOutLines(), 10);
  undisturbed.Run(12);
  undisturbed.Save(Path("undisturbed"));

  hud::TrainSession watched(maps, MakeToyScene(), options, OnCpu());
  int validations = 0;
  for (const std::int64_t iterations : {5, 6, 12})
  {
    watched.Run(iterations, [&](const hud::TrainProgress& progress) {
      validations += static_cast<int>(progress.m_Validations.size());
      EXPECT_EQ(!progress.m_Validations.empty(), progress.m_Iteration == iterations);
      return true;
    });
    watched.DrawPatches(2, 1);
  }
  EXPECT_EQ(validations, 3);
  watched.Save(Path("watched"));
  EXPECT_EQ(ReadText(Path("watched")), ReadText(Path("undisturbed")));
}

TEST_F(TrainSession, WithoutHeldOutLinesThereIsNoValidation)
{
  hud::TrainSession session = MakeSession();
  EXPECT_EQ(session.HeldOutLines(), 0);
  session.Run(2, [](const hud::TrainProgress& progress) {
    EXPECT_TRUE(progress.m_Validations.empty());
    return true;
  });
}

/// Returns abundances of which every pixel is drawn by itself.
hud::AbundanceMap MakeNoiseMap(Eigen::Index width, Eigen::Index height)
{
  hud::AbundanceMap map = MakeToyMap(width, height);
  const hud::Random random(3, hud::RandomStream::SyntheticScene);
  random.FillUniform(0, 0, map.m_Abundances.data(), static_cast<std::size_t>(map.m_Abundances.size()));
  map.m_Abundances.array().rowwise() /= map.m_Abundances.array().colwise().sum().eval();
  return map;
}

/// Returns the last validation of a run.
hud::Validation Validate(const hud::AbundanceMap& map, hud::TrainingOptions options)
{
  options.m_Augment = false;
  options.m_Batch = 16;
  options.m_LearningRate = 5e-3;
  hud::TrainSession session({map}, MakeToyScene(), options, OnCpu());
  hud::Validation validation;
  session.Run(400, [&](const hud::TrainProgress& progress) {
    if (!progress.m_Validations.empty())
    {
      validation = progress.m_Validations.front();
    }
    return true;
  });
  return validation;
}

TEST_F(TrainSession, TellsLearningByHeartFromLearning)
{
  // One crop to train on says nothing of the lines below it.
  hud::TrainingOptions options = WithHoldOut();
  options.m_HoldOut = 0.5;
  const hud::Validation byHeart = Validate(MakeNoiseMap(8, 16), options);
  EXPECT_LT(byHeart.m_TrainingLoss, 0.5 * byHeart.m_Loss);
  EXPECT_TRUE(byHeart.m_Memorising);
  // The lines below repeat those above.
  const hud::Validation learned = Validate(MakeToyMap(23, 56), options);
  EXPECT_NEAR(learned.m_Loss, learned.m_TrainingLoss, 0.2 * learned.m_TrainingLoss);
  EXPECT_FALSE(learned.m_Memorising);
}

TEST_F(TrainSession, StopsWhenAskedTo)
{
  hud::TrainSession session = MakeSession();
  session.Run(50, [](const hud::TrainProgress& progress) { return progress.m_Iteration < 4; });
  EXPECT_EQ(session.Info().m_Iteration, 4);
}

TEST_F(TrainSession, EveryParameterLearns)
{
  hud::TrainSession session = MakeSession();
  session.Save(Path("before"));
  session.Run(3);
  session.Save(Path("after"));
  hud::SafetensorsReader before(Path("before"));
  hud::SafetensorsReader after(Path("after"));
  const auto names = before.Names("network.");
  EXPECT_GT(names.size(), 20u);
  EXPECT_EQ(names, after.Names("network."));
  for (const std::string& name : names)
  {
    EXPECT_FALSE(torch::equal(before.Read(name), after.Read(name))) << name;
  }
}

TEST_F(TrainSession, RefusesMapsThatDoNotFitTheModel)
{
  hud::TrainSession session = MakeSession();
  session.Save(Path("model"));
  hud::AbundanceMap two = MakeToyMap(23, 17);
  two.m_Abundances = two.m_Abundances.topRows(2).eval();
  EXPECT_THROW(hud::TrainSession(Path("model"), {two}, OnCpu()), hud::InvalidData);
}

TEST_F(TrainSession, RefusesOptionsOutsideTheirRanges)
{
  const auto refused = [](void (*change)(hud::TrainingOptions&)) {
    hud::TrainingOptions options = MakeToyOptions();
    change(options);
    EXPECT_THROW(MakeSession(options), hud::InvalidOption);
  };
  refused([](hud::TrainingOptions& options) { options.m_Patch = 0; });
  refused([](hud::TrainingOptions& options) { options.m_Patch = 9; });
  refused([](hud::TrainingOptions& options) { options.m_Batch = -1; });
  refused([](hud::TrainingOptions& options) { options.m_LearningRate = 0.; });
  refused([](hud::TrainingOptions& options) { options.m_LearningRate = std::nan(""); });
  refused([](hud::TrainingOptions& options) { options.m_WarmUp = -1; });
  refused([](hud::TrainingOptions& options) { options.m_Iterations = 0; });
  refused([](hud::TrainingOptions& options) { options.m_GradientClip = -1.; });
  refused([](hud::TrainingOptions& options) { options.m_HoldOut = -0.1; });
  refused([](hud::TrainingOptions& options) { options.m_HoldOut = 0.6; });
  refused([](hud::TrainingOptions& options) { options.m_Timesteps = 0; });
  refused([](hud::TrainingOptions& options) { options.m_Floor = 0.; });
  refused([](hud::TrainingOptions& options) { options.m_PreconditioningSd = 0.; });
  refused([](hud::TrainingOptions& options) { options.m_PreconditioningSd = 1.5; });
  refused([](hud::TrainingOptions& options) { options.m_Network.m_Width = 12; });
  refused([](hud::TrainingOptions& options) { options.m_Network.m_Multipliers = {}; });
  refused([](hud::TrainingOptions& options) { options.m_Network.m_Blocks = 0; });
}

TEST_F(TrainSession, RefusesAGpuThatIsNotThere)
{
  if (torch::cuda::is_available())
  {
    GTEST_SKIP() << "there is a GPU";
  }
  hud::ExecutionOptions execution = OnCpu();
  execution.m_Device = "cuda";
  EXPECT_THROW(hud::TrainSession({MakeToyMap(23, 17)}, MakeToyScene(), MakeToyOptions(), execution),
               hud::InvalidOption);
  execution.m_Device = "tpu";
  EXPECT_THROW(hud::TrainSession({MakeToyMap(23, 17)}, MakeToyScene(), MakeToyOptions(), execution),
               hud::InvalidOption);
}

} // namespace
