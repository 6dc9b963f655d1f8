// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDAbundanceImage.h"
#include "otbHUDApplication.h"
#include "otbHUDEncodeImageFilter.h"
#include "otbHUDInterrupt.h"
#include "otbHUDModelBands.h"
#include "otbHUDPreview.h"
#include "otbHUDStagedFile.h"

#include "otbWrapperApplicationFactory.h"

#include "hud/core/EndmemberMatching.h"
#include "hud/core/Error.h"
#include "hud/diffusion/TrainSession.h"

#include "itkMultiThreader.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <functional>
#include <optional>
#include <ratio>
#include <set>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace otb
{
namespace Wrapper
{

namespace fs = std::filesystem;

class HUDTrain : public HUDApplication
{
public:
  using Self = HUDTrain;
  using Pointer = itk::SmartPointer<Self>;

  itkNewMacro(Self);
  itkTypeMacro(HUDTrain, otb::Wrapper::HUDApplication);

private:
  /// What is learned from: maps, and the label of each, or none at all.
  struct TrainingMaps
  {
    std::vector<hud::AbundanceMap> m_Maps;
    std::vector<hud::LabelInfo> m_Labels;
  };

  void DoInit() override
  {
    SetName("HUDTrain");
    SetDescription("Learn to generate hyperspectral scenes like the given ones");
    SetDocLongDescription(
        "Unmixes the scenes into abundances and trains a diffusion model on patches of them. The "
        "model file holds everything "
        "that HUDSample needs: the network, the endmembers and the wavelengths. Training can be "
        "interrupted (Ctrl-C): the "
        "model so far is then saved, and resume goes on with it. After a crash or when it was cancelled in QGIS, resume "
        "goes on with name.checkpoint.safetensors, which stands beside the model while it is trained.");
    SetDocLimitations("Nothing larger than a patch of the coarsest level is learned.");
    SetDocAuthors("The HUD developers");
    SetDocSeeAlso("HUDUnmix, HUDSample");
    AddDocTag(Tags::Hyperspectral);
    AddDocTag(Tags::Learning);

    AddParameter(ParameterType_InputImageList, "il", "Scenes");
    SetParameterDescription("il", "Hyperspectral images with the same bands, in the same unit.");

    AddParameter(ParameterType_OutputFilename, "out", "Model");
    SetParameterDescription("out", "Model file to write, name.safetensors.");

    AddParameter(ParameterType_Int, "ne", "Number of endmembers");
    SetParameterDescription(
        "ne", "How many materials to unmix the scenes into, unless endmembers are given. 0: estimated as in HUDUnmix.");
    SetDefaultParameterInt("ne", 4);

    AddParameter(ParameterType_InputImage, "ie", "Given endmembers");
    SetParameterDescription(
        "ie",
        "Use these endmembers instead of looking for them: an image, a table (name.csv) or an ENVI spectral library "
        "(name.sli), as HUDUnmix writes them.");
    MandatoryOff("ie");

    AddParameter(ParameterType_String, "methods", "Unmixing methods");
    SetParameterDescription(
        "methods", "How the endmembers are found: methods of HUDUnmix, with commas. With several, such as "
                   "vca,edaa,nmf, the model learns the maps of each under its name, which HUDSample takes as label.");
    SetParameterString("methods", "vca", false);
    MandatoryOff("methods");

    AddParameter(ParameterType_InputImageList, "abundances", "Abundances made elsewhere");
    SetParameterDescription(
        "abundances", "Images with a band for each endmember to learn from as well. Each pixel's abundances sum to 1 "
                      "within 0.01; they are scaled to it.");
    MandatoryOff("abundances");

    AddParameter(ParameterType_InputFilenameList, "iel", "Endmembers of the abundances");
    SetParameterDescription("iel", "The endmembers of each image of abundances, as ie, in their order and unit.");
    MandatoryOff("iel");

    AddParameter(ParameterType_String, "labels", "Labels");
    SetParameterDescription(
        "labels", "Names that HUDSample takes as label, with commas: one for each scene, if they are to be told "
                  "apart, and then one for each image of abundances. Scenes may share one.");
    MandatoryOff("labels");

    AddParameter(ParameterType_Int, "iterations", "Iterations");
    SetParameterDescription("iterations",
                            "Iterations that the model has seen at the end, those before a resume included.");
    SetDefaultParameterInt("iterations", 2000);

    AddParameter(ParameterType_InputFilename, "resume", "Model to go on with");
    SetParameterDescription(
        "resume",
        "A model file of an earlier run. Its endmembers and options are kept. An interrupted run ends as it would have "
        "without the interruption; a finished one is trained further. With other scenes the model is tuned to them, which "
        "takes fewer iterations than a new one.");
    MandatoryOff("resume");

    AddParameter(ParameterType_OutputFilename, "preview", "Preview");
    SetParameterDescription("preview",
                            "Picture to write every now and then, name.png: what the model would generate by then.");
    MandatoryOff("preview");

    AddParameter(ParameterType_Int, "previewevery", "Iterations between previews");
    SetParameterDescription("previewevery", "The preview is drawn anew after so many iterations, and at the end.");
    SetDefaultParameterInt("previewevery", 500);

    AddParameter(ParameterType_Float, "checkpoint", "Minutes between checkpoints");
    SetParameterDescription(
        "checkpoint",
        "Every so many minutes the model so far is saved as name.checkpoint.safetensors beside the model. If the "
        "computer fails, resume goes on with it; at the end it is removed. 0: never.");
    SetDefaultParameterFloat("checkpoint", 1.f);

    AddParameter(ParameterType_Choice, "device", "Device");
    SetParameterDescription("device", "Where to compute.");
    AddChoice("device.auto", "A CUDA GPU where there is one, else the CPU");
    AddChoice("device.cpu", "CPU");
    AddChoice("device.cuda", "CUDA GPU");

    AddParameter(ParameterType_Choice, "preset", "Preset");
    SetParameterDescription("preset", "What the options are that are not given, or in QGIS not changed.");
    AddChoice("preset.hud", "Small network, learns in minutes on a CPU");
    AddChoice("preset.pastorino", "Network and training of Pastorino et al.: patches of 256 pixels, for a GPU");

    const hud::TrainingOptions defaults;
    AddParameter(ParameterType_Int, "patch", "Patch size");
    SetParameterDescription("patch", "Edge of the patches to learn from, in pixels.");
    SetDefaultParameterInt("patch", defaults.m_Patch);

    AddParameter(ParameterType_Int, "batch", "Batch size");
    SetParameterDescription("batch", "Patches in one iteration.");
    SetDefaultParameterInt("batch", defaults.m_Batch);

    AddParameter(ParameterType_Float, "lr", "Learning rate");
    SetParameterDescription("lr", "Learning rate of the Adam optimiser at its highest.");
    SetDefaultParameterFloat("lr", static_cast<float>(defaults.m_LearningRate));

    AddParameter(ParameterType_Choice, "decay", "Decay of the learning rate");
    SetParameterDescription("decay", "How the learning rate falls.");
    AddChoice("decay.linear",
              "To zero over the last 40 % of the iterations; if a finished run is made longer, it rises again first");
    AddChoice("decay.root", "With the root of the iteration, from 500 on");
    AddChoice("decay.constant", "Not at all");
    SetParameterString("decay", hud::ToString(defaults.m_Decay), false);

    AddParameter(ParameterType_Int, "warmup", "Warm-up");
    SetParameterDescription("warmup", "Iterations over which the learning rate rises from zero.");
    SetDefaultParameterInt("warmup", defaults.m_WarmUp);

    AddParameter(ParameterType_Float, "clip", "Largest gradient");
    SetParameterDescription("clip", "Longer gradients are shortened to this norm, which keeps training from diverging. "
                                    "0: no limit.");
    SetDefaultParameterFloat("clip", static_cast<float>(defaults.m_GradientClip));

    AddParameter(ParameterType_Choice, "loss", "Loss");
    SetParameterDescription("loss", "What an error costs.");
    AddChoice("loss.l2", "Its square, as published");
    AddChoice("loss.l1", "Its magnitude");

    AddParameter(ParameterType_Choice, "weighting", "Weighting of the loss");
    SetParameterDescription("weighting", "How much the timesteps count.");
    AddChoice("weighting.none", "All alike, as published");
    AddChoice("weighting.minsnr", "By their signal-to-noise ratio (Hang et al. 2023)");

    AddParameter(ParameterType_Choice, "prediction", "Prediction");
    SetParameterDescription("prediction", "What the network predicts.");
    AddChoice("prediction.v", "Velocity: learns faster");
    AddChoice("prediction.eps", "Noise, as published");

    AddParameter(ParameterType_Choice, "schedule", "Noise schedule");
    SetParameterDescription("schedule", "How the noise grows with the timestep.");
    AddChoice("schedule.linear", "Linear");
    AddChoice("schedule.cosine", "Cosine: fewer timesteps in strong noise");
    AddChoice("schedule.pastorino", "Linear, with less noise at first (Pastorino et al.)");

    AddParameter(ParameterType_Int, "timesteps", "Timesteps");
    SetParameterDescription("timesteps", "Number of timesteps of the diffusion.");
    SetDefaultParameterInt("timesteps", defaults.m_Timesteps);

    AddParameter(ParameterType_Choice, "projection", "Projection");
    SetParameterDescription("projection", "Coordinates of the abundances that the network sees.");
    AddChoice("projection.ilr", "Isometric log-ratios: one channel less than endmembers");
    AddChoice("projection.clr", "Centred log-ratios");
    AddChoice("projection.log", "Logarithms, as published");
    SetParameterString("projection", hud::ToString(defaults.m_Projection), false);

    AddParameter(ParameterType_Float, "floor", "Floor of the projection");
    SetParameterDescription(
        "floor",
        "An abundance of 0 is seen as exp(-floor) over the number of endmembers. 8 is the published value; a smaller one learns faster.");
    SetDefaultParameterFloat("floor", static_cast<float>(defaults.m_Floor));

    AddParameter(ParameterType_Bool, "augment", "Flips and rotations");
    SetParameterDescription("augment", "Learn from all 8 flips and rotations of the patches.");
    SetParameterInt("augment", defaults.m_Augment ? 1 : 0, false);

    AddParameter(ParameterType_Float, "holdout", "Held-out share");
    SetParameterDescription(
        "holdout",
        "Share of each scene's lines, at its bottom, that is not learned from but shows whether the model copies the "
        "scenes. Scenes where that is less than a patch are learned from whole. 0 to 0.5.");
    SetDefaultParameterFloat("holdout", static_cast<float>(defaults.m_HoldOut));

    AddParameter(ParameterType_Int, "levels", "Levels");
    SetParameterDescription(
        "levels",
        "Levels of a cascade that learns structure larger than a patch: a pixel of each further level is the mean of 2 x 2, so "
        "that a patch covers twice as much. 1: patches only. 0: as many as the scenes have room for.");
    SetDefaultParameterInt("levels", defaults.m_Levels);

    AddParameter(ParameterType_Float, "validshare", "Smallest valid share");
    SetParameterDescription(
        "validshare",
        "Patches may hang over the edge of a scene, or over no-data, of which the network then sees nothing, if at least this "
        "share of them is valid. Half of those that hang over are replaced by the nearest whole one. 1: whole patches only, "
        "among which what lies at an edge is rare. 0.01 to 1; unless given, 1 with one level and 0.25 with several.");
    SetDefaultParameterFloat("validshare", static_cast<float>(defaults.m_ValidShare));

    AddParameter(ParameterType_Group, "net", "Network");
    SetParameterDescription("net", "Architecture of the U-Net.");
    AddParameter(ParameterType_Int, "net.width", "Width");
    SetParameterDescription("net.width", "Channels at full resolution, a multiple of 8.");
    SetDefaultParameterInt("net.width", defaults.m_Network.m_Width);
    AddParameter(ParameterType_String, "net.mult", "Multipliers");
    SetParameterDescription("net.mult", "Channels of each resolution level, as multiples of the width.");
    SetParameterString("net.mult", hud::FormatMultipliers(defaults.m_Network.m_Multipliers), false);
    AddParameter(ParameterType_Int, "net.blocks", "Blocks");
    SetParameterDescription("net.blocks", "Residual blocks of each resolution level.");
    SetDefaultParameterInt("net.blocks", defaults.m_Network.m_Blocks);
    AddParameter(ParameterType_Bool, "net.attention", "Attention");
    SetParameterDescription("net.attention", "Self-attention at the lowest resolution.");
    SetParameterInt("net.attention", defaults.m_Network.m_Attention ? 1 : 0, false);

    AddParameter(ParameterType_Float, "net.dropout", "Dropout");
    SetParameterDescription("net.dropout", "Share of the features that a block forgets in training, 0 to 0.9.");
    SetDefaultParameterFloat("net.dropout", static_cast<float>(defaults.m_Network.m_Dropout));

    AddSeedParameter();
    AddRAMParameter();
    for (const char* key :
         {"methods",    "abundances", "iel",        "labels",    "previewevery", "checkpoint", "preset",
          "patch",      "batch",      "lr",         "decay",     "warmup",       "clip",       "loss",
          "weighting",  "prediction", "schedule",   "timesteps", "projection",   "floor",      "augment",
          "holdout",    "levels",     "validshare", "net.width", "net.mult",     "net.blocks", "net.attention",
          "net.dropout"})
    {
      GetParameterByKey(key)->SetUserLevel(UserLevel_Advanced);
      MandatoryOff(key);
    }

    SetDocExampleParameterValue("il", "jasper_ridge.tif");
    SetDocExampleParameterValue("ne", "4");
    SetDocExampleParameterValue("out", "jasper.safetensors");
    SetDocExampleParameterValue("preview", "preview.png");
    SetOfficialDocLink();
  }

  /// Returns the smallest valid share of a patch unless it is given. A patch of a coarser level is so large that whole ones
  /// show little but the middle of a small scene.
  /// @param levels 0: as many as there is room for
  static double ValidShare(int levels)
  {
    return levels == 1 ? 1. : 0.25;
  }

  /// Sets the options that the user did not give to those of the preset.
  void DoUpdateParameters() override
  {
    const hud::TrainingOptions preset = hud::PresetOptions(GetParameterString("preset"));
    const auto setInt = [this](const char* key, int value) {
      if (!HasUserValue(key))
      {
        SetParameterInt(key, value, false);
      }
    };
    const auto setFloat = [this](const char* key, double value) {
      if (!HasUserValue(key))
      {
        SetParameterFloat(key, static_cast<float>(value), false);
      }
    };
    const auto setText = [this](const char* key, const std::string& value) {
      if (!HasUserValue(key))
      {
        SetParameterString(key, value, false);
      }
    };
    setInt("patch", preset.m_Patch);
    setInt("batch", preset.m_Batch);
    setFloat("lr", preset.m_LearningRate);
    setText("decay", hud::ToString(preset.m_Decay));
    setText("loss", hud::ToString(preset.m_Loss));
    setText("prediction", hud::ToString(preset.m_Prediction));
    setText("schedule", hud::ToString(preset.m_Schedule));
    setInt("timesteps", preset.m_Timesteps);
    setInt("net.width", preset.m_Network.m_Width);
    setText("net.mult", hud::FormatMultipliers(preset.m_Network.m_Multipliers));
    setInt("net.blocks", preset.m_Network.m_Blocks);
    setFloat("net.dropout", preset.m_Network.m_Dropout);
    setFloat("validshare", ValidShare(GetParameterInt("levels")));
  }

  void DoExecute() override
  {
    DoUpdateParameters();
    CheckOutputsWritable({"resume"}); // A model may be replaced by what it becomes.
    CheckWatching();
    const std::vector<HUDImageType*> scenes = OpenImages("il");
    ReadConditions(scenes.size());
    const bool resume = HasValue("resume");
    hud::ModelInfo info;
    if (resume)
    {
      info = hud::ReadModelInfo(GetParameterString("resume"));
      CheckResume(info);
      CheckHasLabels(info.m_Scene);
    }
    else
    {
      info.m_Options = GetOptions();
      info.m_Options.Check();
    }
    // Without another wish a run goes on as it was planned.
    const std::int64_t iterations =
        resume && !HasUserValue("iterations") ? info.m_Options.m_Iterations : GetParameterInt("iterations");
    if (iterations <= info.m_Iteration)
    {
      throw hud::InvalidOption("iterations: found " + std::to_string(iterations) + ", expected more than the " +
                               std::to_string(info.m_Iteration) + " that the model has seen");
    }
    const std::vector<Eigen::Index> emptyBands = FindEmptyBands("il", scenes);
    hud::SceneInfo scene = resume ? info.m_Scene : DescribeScenes(scenes, emptyBands, info.m_Options.m_Seed);
    CheckBands("il", scenes, scene.m_Endmembers.rows());
    const HUDSceneMetadata expected = resume ? HUDModelBands(scene) : HUDReadSceneMetadata(GetInputFiles("il").front());
    const std::string origin = resume ? "model to go on with" : "first scene";
    CheckBandLabels("il", expected, origin);
    for (const std::string& file : GetInputFiles("il"))
    {
      CheckUnit("il (" + file + ")", HUDReadSceneMetadata(file), expected, origin);
    }
    const std::vector<hud::LabelInfo> dictionary = FindDictionary(scenes, emptyBands, scene, info.m_Options.m_Seed);
    TrainingMaps maps = Encode(scenes, emptyBands, scene, dictionary);
    if (!resume)
    {
      scene.m_Residual = EstimateResidual("il", scenes, emptyBands, scene.m_Endmembers);
    }
    AddAbundances(maps, scene.m_Endmembers, expected, origin);

    if (!resume)
    {
      ChooseLevels(info.m_Options, maps.m_Maps);
    }
    hud::TrainSession session = MakeSession(maps, scene, info.m_Options);
    if (resume && session.Info().m_Options.m_FirstIteration > info.m_Options.m_FirstIteration)
    {
      otbAppLogINFO("Tuning a model of " << info.m_Iteration
                                         << " iterations to other maps than it was trained on last");
    }
    Train(session, iterations, maps.m_Maps);
  }

  /// Reads which maps there will be, and their labels.
  void ReadConditions(std::size_t scenes)
  {
    m_Methods = ReadNames("methods");
    for (auto method = m_Methods.begin(); method != m_Methods.end(); ++method)
    {
      static_cast<void>(hud::ParseUnmixingMethod(*method));
      if (std::find(m_Methods.begin(), method, *method) != method)
      {
        throw hud::InvalidOption("methods: found " + *method + " twice");
      }
    }
    if (HasValue("ie"))
    {
      if (m_Methods.size() > 1 || m_Methods.front() != "vca")
      {
        throw hud::InvalidOption("methods: found " + GetParameterString("methods") +
                                 " beside ie, which gives the endmembers: leave one of them out");
      }
      m_Methods = {"ie"};
    }
    const std::size_t rasters = HasValue("abundances") ? OpenImages("abundances").size() : 0;
    const std::size_t files = HasValue("iel") ? GetParameterStringList("iel").size() : 0;
    if (files != rasters)
    {
      throw hud::InvalidOption("iel: found " + std::to_string(files) + " files, expected one for each of the " +
                               std::to_string(rasters) + " images of abundances");
    }
    m_SceneNames.clear();
    m_AbundanceNames = HasValue("labels") ? ReadNames("labels") : std::vector<std::string>();
    if (m_AbundanceNames.size() == scenes + rasters)
    {
      const auto first = m_AbundanceNames.begin() + static_cast<std::ptrdiff_t>(scenes);
      m_SceneNames.assign(m_AbundanceNames.begin(), first);
      m_AbundanceNames.erase(m_AbundanceNames.begin(), first);
    }
    if (m_AbundanceNames.size() != rasters)
    {
      throw hud::InvalidOption(
          "labels: found " + std::to_string(m_AbundanceNames.size()) + ", expected " +
          (rasters > 0 ? std::to_string(rasters) + ", one for each image of abundances, or " : std::string()) +
          std::to_string(scenes + rasters) + ", one for each scene" +
          (rasters > 0 ? " and each image of abundances" : ""));
    }
    if (!m_SceneNames.empty() && m_Methods.size() > 1)
    {
      throw hud::InvalidOption("labels: found names of scenes beside methods " + GetParameterString("methods") +
                               ", whose names are the labels: leave one of them out");
    }
    m_HasMethodLabels = m_SceneNames.empty() && (m_Methods.size() > 1 || rasters > 0);
  }

  /// Returns the names in a list with commas, at least one.
  std::vector<std::string> ReadNames(const std::string& key)
  {
    std::vector<std::string> names;
    const std::string list = HUDToUtf8(GetParameterString(key));
    std::istringstream text(list + ",");
    for (std::string name; std::getline(text, name, ',');)
    {
      const auto first = name.find_first_not_of(' ');
      if (first == std::string::npos)
      {
        throw hud::InvalidOption(key + ": found '" + list + "', expected names with commas between them");
      }
      names.push_back(name.substr(first, name.find_last_not_of(' ') - first + 1));
    }
    return names;
  }

  /// Takes a method that is given as a label if the model has labels. Throws when scenes have labels and the model none, or
  /// the other way round.
  void CheckHasLabels(const hud::SceneInfo& model)
  {
    const bool knowsLabels = !model.m_Labels.empty();
    if (HasUserValue("methods") && m_SceneNames.empty() && knowsLabels)
    {
      m_HasMethodLabels = true;
    }
    const bool hasLabels = m_HasMethodLabels || !m_SceneNames.empty();
    if (hasLabels && !knowsLabels)
    {
      throw hud::InvalidOption(
          "resume: the model was trained without labels, expected neither labels nor abundances nor "
          "several methods");
    }
    if (!hasLabels && knowsLabels)
    {
      std::string known;
      for (const hud::LabelInfo& label : model.m_Labels)
      {
        known += (known.empty() ? "" : ", ") + label.m_Name;
      }
      throw hud::InvalidOption("resume: the model knows the labels " + known +
                               "; expected the methods or labels of what it is trained on");
    }
    if (!knowsLabels && m_Methods.front() != "vca")
    {
      throw hud::InvalidOption("methods: found " + GetParameterString("methods") +
                               " beside resume, which keeps the model's endmembers: leave it out");
    }
  }

  /// Throws when a scene or endmembers are in another unit than expected.
  static void CheckUnit(const std::string& name, const HUDSceneMetadata& found, const HUDSceneMetadata& expected,
                        const std::string& origin)
  {
    if (!found.m_Units.empty() && !expected.m_Units.empty() && found.m_Units != expected.m_Units)
    {
      throw hud::InvalidData(name + ": found the unit '" + found.m_Units + "', expected '" + expected.m_Units +
                             "', as in the " + origin);
    }
  }

  /// Returns the model's label of that name, if it has one.
  static const hud::LabelInfo* FindLabel(const hud::SceneInfo& model, const std::string& name)
  {
    const auto known = std::find_if(model.m_Labels.begin(), model.m_Labels.end(),
                                    [&](const hud::LabelInfo& label) { return label.m_Name == name; });
    return known == model.m_Labels.end() ? nullptr : &*known;
  }

  /// Returns the endmembers of each method under its name: those of the model, none where they are its first ones, or found
  /// anew and put into their order.
  std::vector<hud::LabelInfo> FindDictionary(const std::vector<HUDImageType*>& scenes,
                                             const std::vector<Eigen::Index>& emptyBands, const hud::SceneInfo& model,
                                             std::uint64_t seed)
  {
    std::vector<hud::LabelInfo> dictionary;
    for (const std::string& method : m_Methods)
    {
      const hud::LabelInfo* const known = FindLabel(model, method);
      const bool isFirst = HasValue("resume") ? !m_HasMethodLabels : dictionary.empty();
      hud::LabelInfo entry;
      if (known != nullptr)
      {
        entry = *known;
      }
      else if (!isFirst)
      {
        hud::ExtractionOptions options;
        options.m_Method = hud::ParseUnmixingMethod(method);
        options.m_Endmembers = model.m_Endmembers.cols();
        options.m_Seed = seed;
        const Eigen::MatrixXd found = ExtractEndmembers("il", scenes, emptyBands, options).m_Endmembers;
        entry.m_Endmembers = found(Eigen::all, hud::MatchEndmembers(model.m_Endmembers, found));
        entry.m_Residual = EstimateResidual("il", scenes, emptyBands, entry.m_Endmembers);
      }
      entry.m_Name = method;
      dictionary.push_back(entry);
    }
    return dictionary;
  }

  /// Adds the abundances that were made elsewhere, with their endmembers in the order of the model's.
  void AddAbundances(TrainingMaps& maps, const Eigen::MatrixXd& endmembers, const HUDSceneMetadata& expected,
                     const std::string& origin)
  {
    constexpr double kTolerance = 0.01;
    for (std::size_t i = 0; i < m_AbundanceNames.size(); ++i)
    {
      HUDImageType& image = *OpenImages("abundances")[i];
      const std::string name = "abundances (" + GetParameterStringList("abundances")[i] + "): ";
      const std::string path = GetParameterStringList("iel")[i];
      const HUDEndmemberTable table = ReadEndmembers("iel", path, endmembers.rows());
      CheckBandLabels("iel (" + path + ")", table.m_Metadata, expected, origin);
      CheckUnit("iel (" + path + ")", table.m_Metadata, expected, origin);
      const auto bands = static_cast<Eigen::Index>(image.GetNumberOfComponentsPerPixel());
      if (bands != endmembers.cols() || table.m_Endmembers.cols() != bands)
      {
        throw hud::InvalidData(name + "found " + std::to_string(bands) + " bands and " +
                               std::to_string(table.m_Endmembers.cols()) + " endmembers, expected the " +
                               std::to_string(endmembers.cols()) + " endmembers of the " +
                               (HasValue("resume") ? "model" : "scenes"));
      }
      hud::AbundanceMap map = HUDReadAbundances(image, static_cast<unsigned int>(GetParameterInt("ram")));
      try
      {
        hud::NormaliseAbundances(map, kTolerance);
      }
      catch (const hud::InvalidData& error)
      {
        throw hud::InvalidData(name + error.what());
      }
      const std::vector<Eigen::Index> order = hud::MatchEndmembers(endmembers, table.m_Endmembers);
      map.m_Abundances = map.m_Abundances(order, Eigen::all).eval();
      hud::LabelInfo label;
      label.m_Name = m_AbundanceNames[i];
      label.m_Endmembers = table.m_Endmembers(Eigen::all, order);
      maps.m_Maps.push_back(std::move(map));
      maps.m_Labels.push_back(std::move(label));
    }
  }

  /// Checks what is written during training.
  void CheckWatching()
  {
    m_Warned.clear();
    if (!(GetParameterFloat("checkpoint") >= 0.f))
    {
      throw hud::InvalidOption("checkpoint: found " + GetParameterAsString("checkpoint") + ", expected at least 0");
    }
    if (HasValue("preview") && fs::path(GetParameterString("preview")).extension() != ".png")
    {
      throw hud::InvalidOption("preview: found " + GetParameterString("preview") + ", expected name.png");
    }
    if (GetParameterInt("previewevery") < 1)
    {
      throw hud::InvalidOption("previewevery: found " + GetParameterAsString("previewevery") + ", expected at least 1");
    }
    if (GetParameterFloat("checkpoint") > 0.f)
    {
      const fs::path checkpoint = CheckpointPath();
      // Takes away what a run left that was killed while it saved.
      const HUDStagedFile probe(checkpoint);
      if (fs::exists(checkpoint) && !ResumesFrom(checkpoint))
      {
        otbAppLogWARNING(<< checkpoint.string() << " is there from a run that did not end: resume goes on with it, but "
                         << "this run will replace it");
      }
    }
  }

  fs::path CheckpointPath()
  {
    fs::path path = GetParameterString("out");
    if (path.extension() == ".safetensors")
    {
      path.replace_extension();
    }
    path += ".checkpoint.safetensors";
    return path;
  }

  /// Returns whether that file is the model to go on with.
  bool ResumesFrom(const fs::path& path)
  {
    std::error_code error;
    return HasValue("resume") && fs::equivalent(GetParameterString("resume"), path, error);
  }

  hud::TrainSession MakeSession(const TrainingMaps& maps, const hud::SceneInfo& scene,
                                const hud::TrainingOptions& options)
  {
    hud::ExecutionOptions execution;
    execution.m_Device = GetParameterString("device");
    execution.m_Threads = static_cast<int>(itk::MultiThreader::GetGlobalDefaultNumberOfThreads());
    try
    {
      return HasValue("resume") ? hud::TrainSession(GetParameterString("resume"), maps.m_Maps, execution, maps.m_Labels)
                                : hud::TrainSession(maps.m_Maps, scene, options, execution, maps.m_Labels);
    }
    catch (const hud::InvalidData& error)
    {
      throw hud::InvalidData(DescribeInput("il") + ": " + error.what());
    }
  }

  /// Returns the training options that the parameters give, unchecked.
  hud::TrainingOptions GetOptions()
  {
    hud::TrainingOptions options = hud::PresetOptions(GetParameterString("preset"));
    options.m_Patch = GetParameterInt("patch");
    options.m_Batch = GetParameterInt("batch");
    options.m_LearningRate = GetParameterFloat("lr");
    options.m_Decay = hud::ParseLearningRateDecay(GetParameterString("decay"));
    options.m_WarmUp = GetParameterInt("warmup");
    options.m_GradientClip = GetParameterFloat("clip");
    options.m_Loss = hud::ParseLoss(GetParameterString("loss"));
    options.m_Weighting = hud::ParseLossWeighting(GetParameterString("weighting"));
    options.m_Prediction = hud::ParsePrediction(GetParameterString("prediction"));
    options.m_Schedule = hud::ParseScheduleKind(GetParameterString("schedule"));
    options.m_Timesteps = GetParameterInt("timesteps");
    options.m_Projection = hud::ParseProjectionKind(GetParameterString("projection"));
    options.m_Floor = GetParameterFloat("floor");
    options.m_Augment = GetParameterInt("augment") != 0;
    options.m_HoldOut = GetParameterFloat("holdout");
    options.m_ValidShare = GetParameterFloat("validshare");
    options.m_Levels = GetParameterInt("levels") == 0 ? 1 : GetParameterInt("levels"); // see ChooseLevels
    options.m_Seed = GetSeed();
    options.m_Network.m_Width = GetParameterInt("net.width");
    options.m_Network.m_Multipliers = hud::ParseMultipliers(GetParameterString("net.mult"));
    options.m_Network.m_Blocks = GetParameterInt("net.blocks");
    options.m_Network.m_Attention = GetParameterInt("net.attention") != 0;
    options.m_Network.m_Dropout = GetParameterFloat("net.dropout");
    return options;
  }

  /// Sets the number of levels to what the user asks for, or to what the maps have room for if that is less.
  void ChooseLevels(hud::TrainingOptions& options, const std::vector<hud::AbundanceMap>& maps)
  {
    const int asked = GetParameterInt("levels");
    const int room = hud::CountLevels(maps, options);
    options.m_Levels = asked == 0 ? room : std::min(asked, room);
    if (!HasUserValue("validshare"))
    {
      options.m_ValidShare = ValidShare(options.m_Levels);
    }
    if (asked == 0)
    {
      otbAppLogINFO("Levels: " << room);
    }
    if (asked > room)
    {
      otbAppLogWARNING(<< "levels: found " << asked << ", but a patch of level " << room << " covers "
                       << (options.m_Patch << room) << " x " << (options.m_Patch << room)
                       << " pixels, for which the scenes have no room: there will be "
                       << (room == 1 ? "one level" : std::to_string(room) + " levels"));
    }
  }

  /// Throws when the user gives an option that differs from the one that the model was trained with.
  void CheckResume(const hud::ModelInfo& model)
  {
    const hud::TrainingOptions given = GetOptions();
    const hud::TrainingOptions& kept = model.m_Options;
    const std::vector<std::pair<std::string, bool>> differences = {
        {"ne", GetParameterInt("ne") != model.m_Scene.m_Endmembers.cols()},
        {"ie", true},
        {"preset", given.m_EmaDecay != kept.m_EmaDecay},
        {"patch", given.m_Patch != kept.m_Patch},
        {"batch", given.m_Batch != kept.m_Batch},
        {"lr", given.m_LearningRate != kept.m_LearningRate},
        {"decay", given.m_Decay != kept.m_Decay},
        {"warmup", given.m_WarmUp != kept.m_WarmUp},
        {"clip", given.m_GradientClip != kept.m_GradientClip},
        {"loss", given.m_Loss != kept.m_Loss},
        {"weighting", given.m_Weighting != kept.m_Weighting},
        {"prediction", given.m_Prediction != kept.m_Prediction},
        {"schedule", given.m_Schedule != kept.m_Schedule},
        {"timesteps", given.m_Timesteps != kept.m_Timesteps},
        {"projection", given.m_Projection != kept.m_Projection},
        {"floor", given.m_Floor != kept.m_Floor},
        {"augment", given.m_Augment != kept.m_Augment},
        {"holdout", given.m_HoldOut != kept.m_HoldOut},
        {"levels", GetParameterInt("levels") != 0 && given.m_Levels < kept.m_Levels},
        {"validshare", given.m_ValidShare != kept.m_ValidShare},
        {"rand", given.m_Seed != kept.m_Seed},
        {"net.width", given.m_Network.m_Width != kept.m_Network.m_Width},
        {"net.mult", given.m_Network.m_Multipliers != kept.m_Network.m_Multipliers},
        {"net.blocks", given.m_Network.m_Blocks != kept.m_Network.m_Blocks},
        {"net.attention", given.m_Network.m_Attention != kept.m_Network.m_Attention},
        {"net.dropout", static_cast<float>(given.m_Network.m_Dropout) != static_cast<float>(kept.m_Network.m_Dropout)}};
    for (const auto& [key, differs] : differences)
    {
      if (differs && HasUserValue(key))
      {
        throw hud::InvalidOption(key + " differs from the model to resume, whose own is kept: leave it out");
      }
    }
    // More than there was room for is what the first run may have been asked for.
    if (given.m_Levels > kept.m_Levels)
    {
      otbAppLogWARNING(<< "levels: found " << given.m_Levels << ", but the model to resume has " << kept.m_Levels
                       << ", which is kept");
    }
  }

  hud::SceneInfo DescribeScenes(const std::vector<HUDImageType*>& scenes, const std::vector<Eigen::Index>& emptyBands,
                                std::uint64_t seed)
  {
    hud::ExtractionOptions options;
    options.m_Endmembers = GetParameterInt("ne");
    options.m_Seed = seed;
    hud::SceneInfo scene;
    const auto bands = static_cast<Eigen::Index>(scenes.front()->GetNumberOfComponentsPerPixel());
    const std::string file = GetInputFiles("il").front();
    HUDSceneMetadata metadata = HUDReadSceneMetadata(file);
    scene.m_NoData = HUDReadNoDataValue(file);
    if (HasValue("ie"))
    {
      const HUDEndmemberTable table = ReadEndmembers("ie", bands);
      CheckBandLabels(DescribeInput("ie"), table.m_Metadata, metadata, "first scene");
      metadata = HUDEndmemberMetadata(table.m_Metadata, metadata);
      scene.m_Endmembers = table.m_Endmembers;
    }
    else
    {
      options.m_Method = hud::ParseUnmixingMethod(m_Methods.front());
      scene.m_Endmembers = ExtractEndmembers("il", scenes, emptyBands, options).m_Endmembers;
    }
    HUDSetModelBands(scene, metadata);
    return scene;
  }

  /// Returns the maps of all scenes, unmixed by each method.
  /// @param model what it knows so far
  TrainingMaps Encode(const std::vector<HUDImageType*>& scenes, const std::vector<Eigen::Index>& emptyBands,
                      const hud::SceneInfo& model, const std::vector<hud::LabelInfo>& dictionary)
  {
    TrainingMaps maps;
    for (std::size_t scene = 0; scene < scenes.size(); ++scene)
    {
      for (const hud::LabelInfo& method : dictionary)
      {
        hud::LabelInfo label = method;
        if (!m_HasMethodLabels)
        {
          label.m_Name = m_SceneNames.empty() ? "" : m_SceneNames[scene];
        }
        if (const hud::LabelInfo* const known = FindLabel(model, label.m_Name))
        {
          label = *known;
        }
        const auto encode = HUDEncodeImageFilter::New();
        encode->SetInput(scenes[scene]);
        encode->SetEndmembers(label.m_Endmembers.size() > 0 ? label.m_Endmembers : model.m_Endmembers);
        encode->SetIgnoredBands(emptyBands);
        UpdateInformation({"il", "ie"}, *encode->GetOutput());
        maps.m_Maps.push_back(
            HUDReadAbundances(*encode->GetOutput(), static_cast<unsigned int>(GetParameterInt("ram"))));
        if (&method == &dictionary.front())
        {
          LogNoData(encode->GetNoDataCounts());
        }
        if (!label.m_Name.empty())
        {
          maps.m_Labels.push_back(std::move(label));
        }
      }
    }
    return maps;
  }

  void Train(hud::TrainSession& session, std::int64_t iterations, const std::vector<hud::AbundanceMap>& maps)
  {
    using Clock = std::chrono::steady_clock;
    otbAppLogINFO("Training on " << session.DeviceDescription());
    LogHoldOut(session);
    LogLevels(session);
    const HUDInterrupt interrupt;
    const auto progress = StartProgress("Training");
    const std::int64_t first = session.Info().m_Iteration;
    const std::chrono::duration<double, std::ratio<60>> interval(GetParameterFloat("checkpoint"));
    const fs::path checkpoint = CheckpointPath();
    bool removeCheckpoint = ResumesFrom(checkpoint);
    bool hasPreview = false;
    Clock::time_point saved = Clock::now();
    const std::optional<HUDPreview> preview = MakePreview(session, maps);
    session.Run(iterations, [&](const hud::TrainProgress& state) {
      LogValidation(state);
      const bool isLast = state.m_Iteration == iterations;
      if (preview && (isLast || state.m_Iteration % GetParameterInt("previewevery") == 0))
      {
        Attempt("preview", [&] {
          HUDWritePicture(preview->Draw(session.DrawPatches(4, 2)), GetParameterString("preview"));
          hasPreview = true;
        });
      }
      if (interval.count() > 0. && !isLast && Clock::now() - saved >= interval)
      {
        Attempt("checkpoint", [&] {
          HUDStagedFile staged(checkpoint);
          session.Save(staged.StagedPath().string());
          staged.Commit();
          removeCheckpoint = true;
        });
        saved = Clock::now();
      }
      std::ostringstream detail;
      detail << "iteration " << state.m_Iteration << " of " << iterations << ", loss " << state.m_Loss;
      return progress->Advance(static_cast<double>(state.m_Iteration - first) / static_cast<double>(iterations - first),
                               detail.str());
    });
    if (HUDInterrupt::Cancelled() && session.Info().m_Iteration < iterations)
    {
      if (hasPreview)
      {
        std::error_code ignored;
        fs::remove(GetParameterString("preview"), ignored);
      }
      AbandonTraining(session, removeCheckpoint ? checkpoint : fs::path());
    }
    session.Save(GetParameterString("out"));
    if (removeCheckpoint)
    {
      std::error_code ignored;
      fs::remove(checkpoint, ignored);
    }
    if (session.Info().m_Iteration < iterations)
    {
      throw hud::Error("interrupted after iteration " + std::to_string(session.Info().m_Iteration) + " of " +
                       std::to_string(iterations) + "; the model so far is in " + GetParameterString("out") +
                       ", go on with resume");
    }
    progress->Finish();
  }

  /// Ends a run that nobody waits for: it leaves no model, but a checkpoint that is there is brought up to date.
  [[noreturn]] static void AbandonTraining(const hud::TrainSession& session, const fs::path& checkpoint)
  {
    std::string message =
        "cancelled after iteration " + std::to_string(session.Info().m_Iteration) + "; no model was written";
    if (!checkpoint.empty())
    {
      HUDStagedFile staged(checkpoint);
      session.Save(staged.StagedPath().string());
      staged.Commit();
      message += ", but resume goes on with " + checkpoint.string();
    }
    throw hud::Error(message);
  }

  std::optional<HUDPreview> MakePreview(const hud::TrainSession& session, const std::vector<hud::AbundanceMap>& maps)
  {
    const hud::SceneInfo& scene = session.Info().m_Scene;
    return HasValue("preview") ? std::optional<HUDPreview>(std::in_place, scene.m_Endmembers, scene.m_Wavelengths, maps)
                               : std::nullopt;
  }

  /// Does work that training can do without: a failure is a warning, once for each purpose.
  void Attempt(const std::string& purpose, const std::function<void()>& work)
  {
    try
    {
      work();
    }
    catch (const std::exception& error)
    {
      if (m_Warned.insert(purpose).second)
      {
        otbAppLogWARNING(<< purpose << ": " << error.what() << "; training goes on");
      }
    }
  }

  void LogHoldOut(const hud::TrainSession& session)
  {
    if (session.HeldOutLines() > 0)
    {
      otbAppLogINFO("Held out for validation: " << session.HeldOutLines() << " lines at the bottom of the maps");
    }
    else if (session.Info().m_Options.m_HoldOut > 0.)
    {
      otbAppLogINFO("No validation: a share of " << session.Info().m_Options.m_HoldOut
                                                 << " of a scene's lines holds no patch free of no-data");
    }
  }

  /// Says how many patches of each level there are to learn from, and warns where they are few.
  void LogLevels(const hud::TrainSession& session)
  {
    constexpr double kFew = 4.;
    const hud::TrainingOptions& options = session.Info().m_Options;
    for (int level = 0; level < options.m_Levels && options.m_Levels > 1; ++level)
    {
      const int edge = options.m_Patch << level;
      const double patches = session.IndependentPatches(level);
      if (patches == 0.)
      {
        otbAppLogWARNING(<< "The scenes have no room for a patch of level " << level << ", " << edge << " x " << edge
                         << " pixels: the model keeps what it knows of it");
        continue;
      }
      otbAppLogINFO("Level " << level << ": a patch covers " << edge << " x " << edge << " pixels; "
                             << std::round(10. * patches) / 10. << " side by side cover what is learned from");
      if (patches < kFew && level > 0)
      {
        otbAppLogWARNING(<< "Structure of level " << level
                         << " is learned from little: scenes will resemble what there is. "
                         << "Larger or more scenes help, or fewer levels");
      }
    }
  }

  void LogValidation(const hud::TrainProgress& state)
  {
    for (const hud::Validation& validation : state.m_Validations)
    {
      const std::string level = state.m_Validations.size() > 1 ? ", level " + std::to_string(validation.m_Level) : "";
      otbAppLogINFO("Iteration " << state.m_Iteration << level << ": validation loss " << validation.m_Loss
                                 << ", on what is learned from " << validation.m_TrainingLoss);
      if (validation.m_Memorising && m_Warned.insert("memorising" + level).second)
      {
        otbAppLogWARNING(<< "The model begins to copy the scenes" << level << ": its loss is " << validation.m_Loss
                         << " on lines that are held out, but " << validation.m_TrainingLoss
                         << " on those that it learns from. More scenes, augment or fewer iterations help");
      }
    }
  }

  std::vector<std::string> m_Methods;        ///< of unmixing, at least one
  std::vector<std::string> m_SceneNames;     ///< empty: scenes are not told apart
  std::vector<std::string> m_AbundanceNames; ///< one for each image of abundances
  bool m_HasMethodLabels = false;            ///< the labels of the scenes' maps are the methods
  std::set<std::string> m_Warned;            ///< what was warned of in this run
};

} // namespace Wrapper
} // namespace otb

OTB_APPLICATION_EXPORT(otb::Wrapper::HUDTrain)
