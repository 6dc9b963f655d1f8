// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "CropSource.h"
#include "Denoiser.h"
#include "NetworkCoordinates.h"
#include "Safetensors.h"
#include "TemporaryFolder.h"
#include "ToyModel.h"
#include "UNet.h"

#include "core/ErrorMessage.h"
#include "hud/core/Error.h"
#include "hud/diffusion/SampleSession.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace
{

using hud::test::MakeToyMap;
using hud::test::MakeToyOptions;
using hud::test::MakeToyScene;
using hud::test::MessageOf;
using hud::test::OnCpu;
using hud::test::ReadText;

/// Returns a map that is mostly one endmember.
hud::AbundanceMap MakeMapOf(Eigen::Index endmember, Eigen::Index width = 23, Eigen::Index height = 17)
{
  hud::AbundanceMap map = MakeToyMap(width, height);
  map.m_Abundances *= 0.2f;
  map.m_Abundances.row(endmember).array() += 0.8f;
  return map;
}

hud::LabelInfo MakeLabel(const std::string& name)
{
  hud::LabelInfo label;
  label.m_Name = name;
  return label;
}

hud::Conditions WithLabels(const torch::Tensor& labels)
{
  hud::Conditions conditions;
  conditions.m_Labels = labels;
  return conditions;
}

/// Changes all weights, so that no layer is without effect.
void Perturb(torch::nn::Module& network)
{
  const torch::NoGradGuard noGradient;
  torch::manual_seed(4);
  for (torch::Tensor& parameter : network.parameters())
  {
    parameter.add_(0.05 * torch::randn_like(parameter));
  }
}

class Label : public testing::Test
{
protected:
  std::string Path(const std::string& name) const
  {
    return (m_Folder / name).string();
  }

  hud::test::TemporaryFolder m_Folder;
};

const std::vector<hud::LabelInfo> kTwo = {MakeLabel("first"), MakeLabel("second")};

hud::TrainSession MakeSession(const hud::TrainingOptions& options = MakeToyOptions())
{
  return hud::TrainSession({MakeMapOf(0), MakeMapOf(1, 19, 14)}, MakeToyScene(), options, OnCpu(), kTwo);
}

TEST_F(Label, HasNoEffectAtFirst)
{
  hud::UNet without(3, MakeToyOptions().m_Network, 5);
  hud::UNet with(3, MakeToyOptions().m_Network, 5, 2);
  EXPECT_EQ(with->named_parameters()["label"].sizes(), (torch::IntArrayRef{2, 32}));
  Perturb(*without);
  {
    const torch::NoGradGuard noGradient;
    for (const auto& parameter : without->named_parameters())
    {
      with->named_parameters()[parameter.key()].copy_(parameter.value());
    }
  }
  const torch::Tensor input = torch::randn({3, 3, 8, 8});
  const torch::Tensor time = torch::tensor({0.1f, 0.5f, 0.9f});
  const torch::Tensor labels = torch::tensor({0, 1, 2}, torch::kInt64);
  EXPECT_TRUE(torch::equal(with(input, time, WithLabels(labels)), without(input, time)));
}

TEST_F(Label, IsSeenByTheNetworkAndNoneIsNot)
{
  hud::UNet network(3, MakeToyOptions().m_Network, 5, 2);
  Perturb(*network);
  const torch::Tensor input = torch::randn({1, 3, 8, 8}).expand({4, 3, 8, 8});
  const torch::Tensor labels = torch::tensor({0, 1, 2, 0}, torch::kInt64);
  const torch::Tensor output = network(input, torch::full({4}, 0.5f), WithLabels(labels));
  EXPECT_FALSE(torch::allclose(output[0], output[1]));
  EXPECT_FALSE(torch::allclose(output[1], output[2]));
  EXPECT_TRUE(torch::allclose(output[0], output[3]));
  EXPECT_TRUE(torch::allclose(output[0], network(input, torch::full({4}, 0.5f))[0], 1e-5, 1e-6));
  output.square().sum().backward();
  const torch::Tensor gradient = network->named_parameters()["label"].grad();
  EXPECT_GT(gradient[0].abs().max().item<double>(), 0.);
  EXPECT_GT(gradient[1].abs().max().item<double>(), 0.);
}

TEST_F(Label, OfACropIsThatOfItsMapUnlessItIsDropped)
{
  hud::TrainingOptions options = MakeToyOptions();
  options.m_Batch = 500;
  hud::CropSource source({MakeMapOf(0), MakeMapOf(1, 19, 14)}, options, {2, 7});
  const hud::TrainingBatch plain = hud::CropSource({MakeMapOf(0), MakeMapOf(1, 19, 14)}, options).Batch(3);
  double dropped = 0.;
  for (std::int64_t iteration = 0; iteration < 10; ++iteration)
  {
    const hud::TrainingBatch batch = source.Batch(iteration);
    // In logarithms the largest abundance stays the largest.
    const torch::Tensor largest = batch.m_Clean.mean({2, 3}).argmax(1);
    const torch::Tensor expected =
        torch::where(largest == 0, torch::full_like(largest, 2), torch::full_like(largest, 7));
    const torch::Tensor isDropped = batch.m_Conditions.m_Labels == 0;
    EXPECT_TRUE((isDropped | (batch.m_Conditions.m_Labels == expected)).all().item<bool>());
    EXPECT_TRUE((largest == 0).any().item<bool>());
    EXPECT_TRUE((largest == 1).any().item<bool>());
    dropped += isDropped.sum().item<double>();
  }
  EXPECT_NEAR(dropped / 5000., 0.1, 4. * std::sqrt(0.1 * 0.9 / 5000.));
  EXPECT_TRUE(torch::equal(plain.m_Clean, source.Batch(3).m_Clean)) << "labels choose no crops";
  EXPECT_EQ(plain.m_Conditions.m_Labels.abs().sum().item<std::int64_t>(), 0);
}

TEST_F(Label, GuidanceMovesTheEstimateAlongTheDifference)
{
  hud::ModelInfo info;
  info.m_Options = MakeToyOptions();
  info.m_Scene = MakeToyScene();
  info.m_Scene.m_Labels = kTwo;
  info.m_ChannelMean = {-1., -2., -1.5};
  info.m_ChannelSd = {1., 2., 1.};
  hud::UNet network(3, info.m_Options.m_Network, 5, 2);
  Perturb(*network);
  hud::Denoiser denoiser(info, network, torch::kCPU);
  const torch::Tensor windows = 0.1 * torch::randn({5, 3, 8, 8});
  const torch::Tensor without = denoiser.EstimateClean(windows, 300, {2, 0.});
  const torch::Tensor with = denoiser.EstimateClean(windows, 300, {2, 1.});
  EXPECT_TRUE(torch::equal(without, denoiser.EstimateClean(windows, 300)));
  EXPECT_FALSE(torch::allclose(without, with));
  EXPECT_FALSE(torch::allclose(with, denoiser.EstimateClean(windows, 300, {1, 1.})));
  const torch::Tensor expected = without + 1.5 * (with - without);
  const hud::NetworkCoordinates coordinates(info);
  for (std::int64_t channel = 0; channel < 3; ++channel)
  {
    // No estimate may have been clamped here, or it would not be linear.
    EXPECT_GT(expected.select(1, channel).min().item<float>(), coordinates.LowerBounds()(channel));
    EXPECT_LT(expected.select(1, channel).max().item<float>(), coordinates.UpperBounds()(channel));
  }
  EXPECT_TRUE(torch::allclose(expected, denoiser.EstimateClean(windows, 300, {2, 1.5}), 1e-4, 1e-5));
}

TEST_F(Label, PicksWhatIsSampled)
{
  hud::TrainingOptions options = MakeToyOptions();
  options.m_Batch = 8;
  options.m_LearningRate = 5e-3;
  hud::TrainSession session = MakeSession(options);
  session.Run(600);
  session.Save(Path("model"));
  const hud::SampleSession sampler(Path("model"), OnCpu());
  hud::SampleOptions sample;
  sample.m_Width = 64;
  sample.m_Height = 16;
  sample.m_Layout = hud::SampleLayout::Patches;
  const auto mean = [&](const std::string& label, double guidance) {
    sample.m_Label = label;
    sample.m_Guidance = guidance;
    const Eigen::MatrixXf abundances = sampler.Sample(sample).ReadAll().m_Abundances;
    EXPECT_LT((abundances.colwise().sum().array() - 1.f).abs().maxCoeff(), 1e-5f);
    EXPECT_GE(abundances.minCoeff(), 0.f);
    return Eigen::VectorXf(abundances.rowwise().mean());
  };
  EXPECT_GT(mean("first", 1.)(0), 0.7f);
  EXPECT_GT(mean("second", 1.)(1), 0.7f);
  EXPECT_GT(mean("first", 1.5)(0), 0.7f);
  EXPECT_GT(mean("second", 1.5)(1), 0.7f);
  const Eigen::VectorXf mixed = mean("first", 0.);
  EXPECT_GT(mixed(0), 0.15f);
  EXPECT_GT(mixed(1), 0.15f);
  EXPECT_EQ(mean("", 1.5), mixed);
  EXPECT_EQ(mean("second", 0.), mixed);
}

TEST_F(Label, HasItsOwnEndmembersOrTheModels)
{
  hud::SceneInfo scene = MakeToyScene();
  std::vector<hud::LabelInfo> labels = {MakeLabel("common"), MakeLabel("own")};
  labels[1].m_Endmembers = 2. * scene.m_Endmembers;
  labels[1].m_Residual = {Eigen::VectorXd::Constant(4, 0.5), Eigen::MatrixXd::Identity(4, 4)};
  hud::TrainSession session({MakeMapOf(0), MakeMapOf(1)}, scene, MakeToyOptions(), OnCpu(), labels);
  session.Save(Path("model"));
  const hud::SceneInfo read = hud::ReadModelInfo(Path("model")).m_Scene;
  EXPECT_EQ(read.EndmembersOf(""), scene.m_Endmembers);
  EXPECT_EQ(read.EndmembersOf("common"), scene.m_Endmembers);
  EXPECT_EQ(read.EndmembersOf("own"), 2. * scene.m_Endmembers);
  EXPECT_EQ(read.ResidualOf("common")->m_Mean, scene.m_Residual->m_Mean);
  EXPECT_EQ(read.ResidualOf("own")->m_Mean, labels[1].m_Residual->m_Mean);
  EXPECT_EQ(read.ResidualOf("own")->m_Covariance, labels[1].m_Residual->m_Covariance);
  EXPECT_EQ(read.FindLabel("own"), 1u);
  EXPECT_EQ(MessageOf<hud::Error>([&] { read.FindLabel("other"); }),
            "the label is 'other', expected one of common, own");
  EXPECT_EQ(MessageOf<hud::Error>([&] { scene.FindLabel("other"); }),
            "the label is 'other', but the model was trained without labels");
}

TEST_F(Label, ResumingGivesTheWeightsOfAnUninterruptedRun)
{
  hud::TrainingOptions options = MakeToyOptions();
  options.m_Network.m_Dropout = 0.3;
  options.m_Loss = hud::Loss::Absolute;
  hud::TrainSession whole = MakeSession(options);
  whole.Run(16);
  whole.Save(Path("whole"));
  hud::TrainSession half = MakeSession(options);
  half.Run(16, [](const hud::TrainProgress& progress) { return progress.m_Iteration < 9; });
  half.Save(Path("half"));
  hud::TrainSession resumed(Path("half"), {MakeMapOf(0), MakeMapOf(1, 19, 14)}, OnCpu(), kTwo);
  resumed.Run(16);
  resumed.Save(Path("resumed"));
  EXPECT_EQ(ReadText(Path("whole")), ReadText(Path("resumed")));
}

TEST_F(Label, DropoutChangesTraining)
{
  hud::TrainingOptions options = MakeToyOptions();
  hud::TrainSession without = MakeSession(options);
  without.Run(3);
  without.Save(Path("without"));
  options.m_Network.m_Dropout = 0.3;
  hud::TrainSession with = MakeSession(options);
  with.Run(3);
  with.Save(Path("with"));
  hud::SafetensorsReader first(Path("without"));
  hud::SafetensorsReader second(Path("with"));
  EXPECT_FALSE(torch::equal(first.Read("network.input.weight"), second.Read("network.input.weight")));
}

TEST_F(Label, HasOneSetOfEndmembers)
{
  std::vector<hud::LabelInfo> labels = {MakeLabel("same"), MakeLabel("same")};
  EXPECT_NO_THROW(hud::TrainSession({MakeMapOf(0), MakeMapOf(1)}, MakeToyScene(), MakeToyOptions(), OnCpu(), labels));
  labels[1].m_Endmembers = 2. * MakeToyScene().m_Endmembers;
  EXPECT_EQ(MessageOf<hud::Error>([&] {
              hud::TrainSession({MakeMapOf(0), MakeMapOf(1)}, MakeToyScene(), MakeToyOptions(), OnCpu(), labels);
            }),
            "the label 'same' is given to maps of different endmembers");
}

TEST_F(Label, ANewOneBeginsAsNoneAndTrainsOn)
{
  hud::TrainSession session = MakeSession();
  session.Run(30);
  session.Save(Path("model"));
  hud::TrainSession tuned(Path("model"), {MakeMapOf(2)}, OnCpu(), {MakeLabel("third")});
  EXPECT_EQ(tuned.Info().m_Options.m_FirstIteration, 30);
  ASSERT_EQ(tuned.Info().m_Maps.size(), 1u);
  EXPECT_EQ(tuned.Info().m_Maps[0].m_Label, "third");
  EXPECT_NEAR(tuned.Info().m_Maps[0].m_MeanAbundances[2], MakeMapOf(2).m_Abundances.row(2).mean(), 1e-6);
  tuned.Save(Path("untrained"));
  hud::SampleOptions options;
  options.m_Width = 16;
  options.m_Height = 8;
  const hud::SampleSession before(Path("model"), OnCpu());
  const hud::SampleSession after(Path("untrained"), OnCpu());
  const Eigen::MatrixXf none = before.Sample(options).ReadAll().m_Abundances;
  options.m_Label = "third";
  EXPECT_TRUE(after.Sample(options).ReadAll().m_Abundances.isApprox(none, 1e-4f));
  options.m_Label = "second";
  EXPECT_EQ(before.Sample(options).ReadAll().m_Abundances, after.Sample(options).ReadAll().m_Abundances);

  // Interrupted while it is tuned, it goes on where it was.
  tuned.Run(40);
  tuned.Save(Path("whole"));
  hud::TrainSession half(Path("model"), {MakeMapOf(2)}, OnCpu(), {MakeLabel("third")});
  half.Run(40, [](const hud::TrainProgress& progress) { return progress.m_Iteration < 35; });
  half.Save(Path("half"));
  hud::TrainSession resumed(Path("half"), {MakeMapOf(2)}, OnCpu(), {MakeLabel("third")});
  EXPECT_EQ(resumed.Info().m_Options.m_FirstIteration, 30);
  resumed.Run(40);
  resumed.Save(Path("resumed"));
  EXPECT_EQ(ReadText(Path("whole")), ReadText(Path("resumed")));
}

TEST_F(Label, TuningTakesTheLearningRateAndTheAverageFromTheStart)
{
  hud::TrainingOptions options = MakeToyOptions();
  hud::TrainSession session({MakeMapOf(0)}, MakeToyScene(), options, OnCpu());
  session.Run(200);
  session.Save(Path("model"));
  hud::TrainSession same(Path("model"), {MakeMapOf(0)}, OnCpu());
  EXPECT_EQ(same.Info().m_Options.m_FirstIteration, 0);
  hud::TrainSession tuned(Path("model"), {MakeMapOf(1)}, OnCpu());
  EXPECT_EQ(tuned.Info().m_Options.m_FirstIteration, 200);
  options.m_FirstIteration = 200;
  options.m_Iterations = 300;
  EXPECT_DOUBLE_EQ(options.LearningRateAt(200), options.m_LearningRate);
  EXPECT_DOUBLE_EQ(options.LearningRateAt(260), options.m_LearningRate);
  EXPECT_DOUBLE_EQ(options.LearningRateAt(280), 0.5 * options.m_LearningRate);
  EXPECT_DOUBLE_EQ(options.LearningRateAt(300), 0.);
  // After one iteration the average has moved by 1 - 2 / 11 towards the weights.
  tuned.Run(201);
  tuned.Save(Path("tuned"));
  hud::SafetensorsReader before(Path("model"));
  hud::SafetensorsReader after(Path("tuned"));
  const torch::Tensor expected =
      torch::lerp(before.Read("ema.input.weight"), after.Read("network.input.weight"), 9. / 11.);
  EXPECT_TRUE(torch::allclose(after.Read("ema.input.weight"), expected, 1e-5, 1e-7));
}

TEST_F(Label, IsAskedForWhereTheModelHasThemAndRefusedWhereNot)
{
  const std::vector<hud::AbundanceMap> maps = {MakeMapOf(0), MakeMapOf(1)};
  const auto train = [&](const std::vector<hud::LabelInfo>& labels) {
    return MessageOf<hud::Error>([&] { hud::TrainSession(maps, MakeToyScene(), MakeToyOptions(), OnCpu(), labels); });
  };
  EXPECT_EQ(train({MakeLabel("one")}), "found 1 labels, expected one for each of the 2 maps");
  EXPECT_EQ(train({MakeLabel("one"), MakeLabel("")}), "found a label without a name");
  MakeSession().Save(Path("with"));
  hud::TrainSession(maps, MakeToyScene(), MakeToyOptions(), OnCpu()).Save(Path("without"));
  EXPECT_EQ(MessageOf<hud::Error>([&] { hud::TrainSession(Path("with"), maps, OnCpu()); }),
            "the model was trained with labels: expected one for each map");
  EXPECT_EQ(MessageOf<hud::Error>([&] { hud::TrainSession(Path("without"), maps, OnCpu(), kTwo); }),
            "the model was trained without labels: expected none");
  hud::SampleOptions options;
  options.m_Label = "thrid";
  EXPECT_EQ(MessageOf<hud::Error>([&] { hud::SampleSession(Path("with"), OnCpu()).Sample(options); }),
            "the label is 'thrid', expected one of first, second");
  options.m_Label = "first";
  for (const double guidance : {std::nan(""), -0.1, std::numeric_limits<double>::infinity()})
  {
    options.m_Guidance = guidance;
    EXPECT_NE(MessageOf<hud::Error>([&] {
                hud::SampleSession(Path("with"), OnCpu()).Sample(options);
              }).find("the guidance is"),
              std::string::npos);
  }
}

TEST(Loss, IsTheMeanMagnitudeOrTheMeanSquareOfTheNoiseAtFirst)
{
  // A network that begins at zero predicts no noise, whose mean magnitude is sqrt(2 / pi).
  hud::TrainingOptions options = MakeToyOptions();
  options.m_Prediction = hud::Prediction::Epsilon;
  options.m_Batch = 64;
  const auto first = [&](hud::Loss loss) {
    options.m_Loss = loss;
    double value = 0.;
    hud::TrainSession({MakeToyMap(23, 17)}, MakeToyScene(), options, OnCpu())
        .Run(1, [&](const hud::TrainProgress& progress) {
          value = progress.m_Loss;
          return true;
        });
    return value;
  };
  EXPECT_NEAR(first(hud::Loss::Square), 1., 0.05);
  EXPECT_NEAR(first(hud::Loss::Absolute), std::sqrt(2. / 3.14159265), 0.03);
}

TEST(Preset, IsThePublishedNetwork)
{
  const hud::TrainingOptions options = hud::PresetOptions("pastorino");
  EXPECT_NO_THROW(options.Check());
  EXPECT_EQ(options.m_Patch / options.m_Network.Reduction(), 16) << "attention is at the lowest resolution";
  EXPECT_TRUE(options.m_Network.m_Attention);
  const hud::NoiseSchedule schedule(options.m_Schedule, options.m_Timesteps);
  EXPECT_NEAR(1. - schedule.AlphaBar(1), 1e-6, 1e-9);
  EXPECT_NEAR(1. - schedule.AlphaBar(2000) / schedule.AlphaBar(1999), 1e-2, 1e-9);
  EXPECT_EQ(hud::PresetOptions("hud").m_Patch, hud::TrainingOptions().m_Patch);
  EXPECT_NE(MessageOf<hud::Error>([] { hud::PresetOptions("ddpm"); }).find("hud, pastorino"), std::string::npos);
}

TEST_F(Label, BothPresetsTrainAndSample)
{
  for (const char* preset : {"hud", "pastorino"})
  {
    hud::TrainingOptions options = hud::PresetOptions(preset);
    options.m_Network.m_Width = 8;
    options.m_Patch = 16;
    options.m_Batch = 2;
    hud::TrainSession session =
        hud::TrainSession({MakeMapOf(0, 24, 20), MakeMapOf(1, 24, 20)}, MakeToyScene(), options, OnCpu(), kTwo);
    session.Run(3);
    session.Save(Path(preset));
    const hud::SampleSession sampler(Path(preset), OnCpu());
    hud::SampleOptions sample;
    sample.m_Width = 40;
    sample.m_Height = 24;
    sample.m_Label = "second";
    const Eigen::MatrixXf abundances = sampler.Sample(sample).ReadAll().m_Abundances;
    EXPECT_LT((abundances.colwise().sum().array() - 1.f).abs().maxCoeff(), 1e-5f) << preset;
    EXPECT_EQ(abundances, sampler.Sample(sample).ReadAll().m_Abundances) << preset;
  }
}

} // namespace
