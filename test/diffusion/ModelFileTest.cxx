// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "ModelFile.h"

#include "TemporaryFolder.h"
#include "ToyModel.h"

#include "hud/core/Error.h"
#include "hud/core/Version.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace
{

class ModelFile : public testing::Test
{
protected:
  void SetUp() override
  {
    m_Info.m_Options = hud::test::MakeToyOptions();
    m_Info.m_Scene = hud::test::MakeToyScene();
    m_Info.m_Scene.m_Widths = {9.5, 10., 12.25, 20.};
    m_Info.m_Scene.m_BandNames = {"blue", "", "red \"edge\"", "infrared"};
    m_Info.m_Scene.m_Scales = {1e-4, 2e-4, 1., 3.};
    m_Info.m_Scene.m_Offsets = {0., -0.1, 1., 2.};
    m_Info.m_ChannelMean = {-1.5, -2.25, -0.125};
    m_Info.m_ChannelSd = {0.5, 1.5, 2.5};
    m_Info.m_Iteration = 4321;
    m_Info.m_Options.m_PreconditioningSd = 0.37;
    m_Info.m_Options.m_WarmUp = 70;
    m_Info.m_Options.m_Decay = hud::LearningRateDecay::Linear;
    m_Info.m_Options.m_Iterations = 9876;
    m_Info.m_Options.m_GradientClip = 0.75;
    m_Info.m_Options.m_Weighting = hud::LossWeighting::MinSnr;
    m_Info.m_Options.m_HoldOut = 0.375;
    m_Info.m_Options.m_Levels = 3;
    m_Info.m_Options.m_CoarseNoise = 0.25;
    m_Info.m_Options.m_CoarseDropout = 0.125;
    m_Info.m_Options.m_ValidShare = 0.375;
    hud::WriteModelFile(Path("model"), m_Info, {});
  }

  std::string Path(const std::string& name) const
  {
    return (m_Folder / name).string();
  }

  /// Returns the message of the error that reading the file gives.
  std::string Refusal(const std::string& name) const
  {
    try
    {
      hud::ReadModelInfo(Path(name));
    }
    catch (const hud::FileError& error)
    {
      return error.what();
    }
    return "no error";
  }

  /// Writes "model" once more, with another format version and what is left of its description.
  template <typename Remove>
  void Rewrite(const std::string& name, const std::string& version, const Remove& remove) const
  {
    hud::SafetensorsReader file(Path("model"));
    auto metadata = file.Metadata();
    nlohmann::json model = nlohmann::json::parse(metadata["model"]);
    remove(model);
    metadata["model"] = model.dump();
    metadata["format_version"] = version;
    hud::TensorMap tensors;
    for (const std::string& tensor : file.Names(""))
    {
      tensors[tensor] = file.Read(tensor);
    }
    hud::WriteSafetensors(Path(name), tensors, metadata);
  }

  hud::test::TemporaryFolder m_Folder;
  hud::ModelInfo m_Info;
};

TEST_F(ModelFile, KeepsTheWholeDescription)
{
  const hud::ModelInfo read = hud::ReadModelInfo(Path("model"));
  EXPECT_EQ(read.m_Iteration, 4321);
  EXPECT_EQ(read.m_ProgramVersion, hud::Version());
  EXPECT_EQ(read.m_ChannelMean, m_Info.m_ChannelMean);
  EXPECT_EQ(read.m_ChannelSd, m_Info.m_ChannelSd);
  EXPECT_EQ(read.m_Scene.m_Endmembers, m_Info.m_Scene.m_Endmembers);
  EXPECT_EQ(read.m_Scene.m_Wavelengths, m_Info.m_Scene.m_Wavelengths);
  EXPECT_EQ(read.m_Scene.m_Units, "reflectance");
  EXPECT_EQ(read.m_Scene.m_Widths, m_Info.m_Scene.m_Widths);
  EXPECT_EQ(read.m_Scene.m_BandNames, m_Info.m_Scene.m_BandNames);
  EXPECT_EQ(read.m_Scene.m_Scales, m_Info.m_Scene.m_Scales);
  EXPECT_EQ(read.m_Scene.m_Offsets, m_Info.m_Scene.m_Offsets);
  EXPECT_EQ(read.m_Scene.m_NoData, -32768.);
  ASSERT_TRUE(read.m_Scene.m_Residual);
  EXPECT_EQ(read.m_Scene.m_Residual->m_Mean, hud::test::MakeToyScene().m_Residual->m_Mean);
  EXPECT_EQ(read.m_Scene.m_Residual->m_Covariance, hud::test::MakeToyScene().m_Residual->m_Covariance);
  EXPECT_EQ(read.m_Options.m_Network.m_Width, 8);
  EXPECT_EQ(read.m_Options.m_Network.m_Multipliers, (std::vector<int>{1, 2}));
  EXPECT_EQ(read.m_Options.m_Patch, 8);
  EXPECT_EQ(read.m_Options.m_Batch, 3);
  EXPECT_EQ(read.m_Options.m_LearningRate, 2e-3);
  EXPECT_EQ(read.m_Options.m_WarmUp, 70);
  EXPECT_EQ(read.m_Options.m_Decay, hud::LearningRateDecay::Linear);
  EXPECT_EQ(read.m_Options.m_Iterations, 9876);
  EXPECT_EQ(read.m_Options.m_GradientClip, 0.75);
  EXPECT_EQ(read.m_Options.m_Weighting, hud::LossWeighting::MinSnr);
  EXPECT_EQ(read.m_Options.m_HoldOut, 0.375);
  EXPECT_EQ(read.m_Options.m_Levels, 3);
  EXPECT_EQ(read.m_Options.m_CoarseNoise, 0.25);
  EXPECT_EQ(read.m_Options.m_CoarseDropout, 0.125);
  EXPECT_EQ(read.m_Options.m_ValidShare, 0.375);
  EXPECT_EQ(read.m_Options.m_Seed, 11u);
  EXPECT_EQ(read.m_Options.m_Prediction, hud::Prediction::Velocity);
  EXPECT_EQ(read.m_Options.m_PreconditioningSd, 0.37);
}

TEST_F(ModelFile, LacksWhatIsUnknownOfTheBands)
{
  m_Info.m_Scene.m_Widths.clear();
  m_Info.m_Scene.m_BandNames.clear();
  m_Info.m_Scene.m_Scales.clear();
  m_Info.m_Scene.m_Offsets.clear();
  hud::WriteModelFile(Path("bare"), m_Info, {});
  const std::string bytes = hud::test::ReadText(m_Folder / "bare");
  for (const char* name : {"fwhm_nm", "band_names", "scales", "offsets"})
  {
    // Tensors have data_offsets.
    EXPECT_EQ(bytes.find("\"" + std::string(name)), std::string::npos) << name;
  }
  const hud::ModelInfo read = hud::ReadModelInfo(Path("bare"));
  EXPECT_TRUE(read.m_Scene.m_Widths.empty());
  EXPECT_TRUE(read.m_Scene.m_BandNames.empty());
  EXPECT_TRUE(read.m_Scene.m_Scales.empty());
  EXPECT_TRUE(read.m_Scene.m_Offsets.empty());
}

TEST_F(ModelFile, TheNormalisationHasTheChannelsOfTheProjection)
{
  m_Info.m_Options.m_Projection = hud::ProjectionKind::Ilr;
  hud::WriteModelFile(Path("three"), m_Info, {});
  EXPECT_NE(Refusal("three").find("normalisation"), std::string::npos) << Refusal("three");
  m_Info.m_ChannelMean.pop_back();
  m_Info.m_ChannelSd.pop_back();
  hud::WriteModelFile(Path("two"), m_Info, {});
  const hud::ModelInfo read = hud::ReadModelInfo(Path("two"));
  EXPECT_EQ(read.m_Options.m_Projection, hud::ProjectionKind::Ilr);
  EXPECT_EQ(read.m_ChannelMean.size(), 2u);
  EXPECT_EQ(read.m_Scene.m_Endmembers.cols(), 3);
}

TEST_F(ModelFile, GivesVersion1ItsOldMeaning)
{
  const auto remove = [](nlohmann::json& model) {
    for (const char* added : {"warm_up", "decay", "iterations", "gradient_clip", "weighting", "hold_out"})
    {
      EXPECT_EQ(model["options"].erase(added), 1u) << added;
    }
  };
  Rewrite("lacking", "4", remove);
  EXPECT_NE(Refusal("lacking").find("warm_up"), std::string::npos) << Refusal("lacking");
  Rewrite("old", "1", remove);
  const hud::TrainingOptions options = hud::ReadModelInfo(Path("old")).m_Options;
  EXPECT_EQ(options.m_WarmUp, 0);
  EXPECT_EQ(options.m_Decay, hud::LearningRateDecay::Root);
  EXPECT_EQ(options.m_GradientClip, 0.);
  EXPECT_EQ(options.m_Weighting, hud::LossWeighting::None);
  EXPECT_EQ(options.m_HoldOut, 0.);
  EXPECT_EQ(options.m_LearningRate, 2e-3);
}

TEST_F(ModelFile, GivesVersion2ItsOldMeaning)
{
  Rewrite("old", "2", [](nlohmann::json& model) {
    for (const char* added : {"first_iteration", "loss", "label_dropout"})
    {
      EXPECT_EQ(model["options"].erase(added), 1u) << added;
    }
    EXPECT_EQ(model["network"].erase("dropout"), 1u);
    EXPECT_EQ(model.erase("labels"), 1u);
    EXPECT_EQ(model.erase("maps"), 1u);
  });
  const hud::ModelInfo info = hud::ReadModelInfo(Path("old"));
  EXPECT_EQ(info.m_Options.m_FirstIteration, 0);
  EXPECT_EQ(info.m_Options.m_Loss, hud::Loss::Square);
  EXPECT_EQ(info.m_Options.m_Network.m_Dropout, 0.);
  EXPECT_TRUE(info.m_Scene.m_Labels.empty());
  EXPECT_TRUE(info.m_Maps.empty());
}

TEST_F(ModelFile, GivesVersion3ItsOldMeaning)
{
  const auto remove = [](nlohmann::json& model) {
    for (const char* added : {"levels", "coarse_noise", "coarse_dropout"})
    {
      EXPECT_EQ(model["options"].erase(added), 1u) << added;
    }
  };
  Rewrite("lacking", "4", remove);
  EXPECT_NE(Refusal("lacking").find("levels"), std::string::npos) << Refusal("lacking");
  Rewrite("old", "3", remove);
  EXPECT_EQ(hud::ReadModelInfo(Path("old")).m_Options.m_Levels, 1);
}

TEST_F(ModelFile, GivesVersion4ItsOldMeaning)
{
  const auto remove = [](nlohmann::json& model) { EXPECT_EQ(model["options"].erase("valid_share"), 1u); };
  Rewrite("lacking", "5", remove);
  EXPECT_NE(Refusal("lacking").find("valid_share"), std::string::npos) << Refusal("lacking");
  Rewrite("old", "4", remove);
  EXPECT_EQ(hud::ReadModelInfo(Path("old")).m_Options.m_ValidShare, 1.);
}

TEST_F(ModelFile, RefusesMoreLevelsThanTheNetworkHas)
{
  m_Info.m_Options.m_Levels = 3;
  hud::TensorMap tensors = {{"ema.down.0.convolution2.weight", torch::zeros({8, 8, 3, 3})},
                            {"ema.down.1.convolution2.weight", torch::zeros({16, 16, 3, 3})},
                            {"ema.level", torch::zeros({3, 32})}};
  hud::WriteModelFile(Path("fits"), m_Info, tensors);
  EXPECT_NO_THROW(hud::ModelFileReader(Path("fits")).CheckNetwork());
  tensors["ema.level"] = torch::zeros({2, 32});
  hud::WriteModelFile(Path("more"), m_Info, tensors);
  EXPECT_THROW(hud::ModelFileReader(Path("more")).CheckNetwork(), hud::FileError);
  m_Info.m_Options.m_Levels = 9;
  hud::WriteModelFile(Path("many"), m_Info, tensors);
  EXPECT_NE(Refusal("many").find("number of levels is 9, expected 1 to 8"), std::string::npos) << Refusal("many");
}

TEST_F(ModelFile, RefusesMoreLabelsThanTheNetworkHas)
{
  m_Info.m_Options.m_Levels = 1;
  m_Info.m_Scene.m_Labels.resize(3);
  for (hud::LabelInfo& label : m_Info.m_Scene.m_Labels)
  {
    label.m_Name = "label";
  }
  hud::TensorMap tensors = {{"ema.down.0.convolution2.weight", torch::zeros({8, 8, 3, 3})},
                            {"ema.down.1.convolution2.weight", torch::zeros({16, 16, 3, 3})},
                            {"ema.label", torch::zeros({3, 32})}};
  hud::WriteModelFile(Path("fits"), m_Info, tensors);
  EXPECT_NO_THROW(hud::ModelFileReader(Path("fits")).CheckNetwork());
  tensors["ema.label"] = torch::zeros({2, 32});
  hud::WriteModelFile(Path("more"), m_Info, tensors);
  EXPECT_THROW(hud::ModelFileReader(Path("more")).CheckNetwork(), hud::FileError);
}

TEST_F(ModelFile, RefusesAFirstIterationThatIsStillToCome)
{
  m_Info.m_Options.m_FirstIteration = m_Info.m_Iteration + 1;
  hud::WriteModelFile(Path("bad"), m_Info, {});
  EXPECT_NE(Refusal("bad").find("expected at least the first one, 4322"), std::string::npos) << Refusal("bad");
}

TEST_F(ModelFile, RefusesEndmembersOfALabelThatDoNotFit)
{
  m_Info.m_Scene.m_Labels.resize(1);
  m_Info.m_Scene.m_Labels[0].m_Name = "edaa";
  m_Info.m_Scene.m_Labels[0].m_Endmembers = Eigen::MatrixXd::Ones(5, 3);
  hud::WriteModelFile(Path("bad"), m_Info, {});
  EXPECT_NE(Refusal("bad").find("endmembers of the label 'edaa'"), std::string::npos) << Refusal("bad");
}

TEST_F(ModelFile, RefusesAForeignSafetensorsFile)
{
  hud::WriteSafetensors(Path("foreign"), {{"weight", torch::zeros({2, 3})}}, {{"format", "pt"}});
  EXPECT_NE(Refusal("foreign").find("'pt'"), std::string::npos) << Refusal("foreign");
}

TEST_F(ModelFile, RefusesANewerFormat)
{
  hud::WriteSafetensors(Path("newer"), {},
                        {{"format", "hud-model"}, {"format_version", "6"}, {"program_version", "9.9"}});
  EXPECT_NE(Refusal("newer").find("'6'"), std::string::npos) << Refusal("newer");
  EXPECT_NE(Refusal("newer").find("9.9"), std::string::npos) << Refusal("newer");
}

TEST_F(ModelFile, RefusesADescriptionThatCannotBeTrue)
{
  for (const char* model : {"", "{}", "[]", "{\"options\":3}"})
  {
    hud::WriteSafetensors(Path("bad"), {}, {{"format", "hud-model"}, {"format_version", "2"}, {"model", model}});
    EXPECT_NE(Refusal("bad"), "no error") << model;
  }
  m_Info.m_ChannelSd[1] = 0.;
  hud::WriteModelFile(Path("bad"), m_Info, {});
  EXPECT_NE(Refusal("bad").find("normalisation"), std::string::npos);
  m_Info.m_ChannelSd[1] = 1.;
  m_Info.m_Scene.m_Wavelengths.pop_back();
  hud::WriteModelFile(Path("bad"), m_Info, {});
  EXPECT_NE(Refusal("bad").find("3 wavelengths"), std::string::npos);
  m_Info.m_Scene.m_Wavelengths.clear();
  m_Info.m_Scene.m_Scales.pop_back();
  hud::WriteModelFile(Path("bad"), m_Info, {});
  EXPECT_NE(Refusal("bad").find("3 scales for 4 bands"), std::string::npos);
}

TEST_F(ModelFile, RefusesTensorsOfAnotherShape)
{
  hud::WriteModelFile(Path("model"), m_Info, {{"ema.weight", torch::zeros({2, 3})}});
  hud::ModelFileReader reader(Path("model"));
  torch::OrderedDict<std::string, torch::Tensor> parameters;
  parameters.insert("weight", torch::ones({3, 2}));
  EXPECT_THROW(reader.ReadInto("ema.", parameters), hud::FileError);
}

TEST_F(ModelFile, RefusesADescriptionOfALargerNetworkThanItHolds)
{
  m_Info.m_Options.m_Levels = 1;
  // Width 8, multipliers 1 and 2.
  const hud::TensorMap tensors = {{"ema.down.0.convolution2.weight", torch::zeros({8, 8, 3, 3})},
                                  {"ema.down.1.convolution2.weight", torch::zeros({16, 16, 3, 3})}};
  hud::WriteModelFile(Path("model"), m_Info, tensors);
  EXPECT_NO_THROW(hud::ModelFileReader(Path("model")).CheckNetwork());
  for (const std::vector<int>& multipliers : {std::vector<int>{1, 64}, {64, 2}, {1, 2, 64}})
  {
    m_Info.m_Options.m_Network.m_Multipliers = multipliers;
    m_Info.m_Options.m_Patch = 8;
    hud::WriteModelFile(Path("large"), m_Info, tensors);
    EXPECT_THROW(hud::ModelFileReader(Path("large")).CheckNetwork(), hud::FileError);
  }
}

} // namespace
