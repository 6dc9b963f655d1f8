// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDAbundanceImage.h"
#include "otbHUDApplication.h"
#include "otbHUDBandMetadata.h"
#include "otbHUDEncodeImageFilter.h"
#include "otbHUDInterrupt.h"

#include "otbWrapperApplicationFactory.h"

#include "hud/core/Error.h"
#include "hud/diffusion/TrainSession.h"

#include "itkMultiThreader.h"

#include <sstream>
#include <utility>

namespace otb
{
namespace Wrapper
{

class HUDTrain : public HUDApplication
{
public:
  using Self = HUDTrain;
  using Pointer = itk::SmartPointer<Self>;

  itkNewMacro(Self);
  itkTypeMacro(HUDTrain, otb::Wrapper::HUDApplication);

private:
  void DoInit() override
  {
    SetName("HUDTrain");
    SetDescription("Learn to generate hyperspectral scenes like the given ones");
    SetDocLongDescription("Unmixes the scenes into abundances and trains a diffusion model on patches of them. The "
                          "model file holds everything "
                          "that HUDSample needs: the network, the endmembers and the wavelengths. Training can be "
                          "interrupted (Ctrl-C): the "
                          "model so far is then saved, and resume goes on with it.");
    SetDocLimitations("Nothing larger than a patch is learned.");
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

    AddParameter(ParameterType_Int, "iterations", "Iterations");
    SetParameterDescription("iterations",
                            "Iterations that the model has seen at the end, those before a resume included.");
    SetDefaultParameterInt("iterations", 2000);

    AddParameter(ParameterType_InputFilename, "resume", "Model to go on with");
    SetParameterDescription("resume", "A model file of an earlier run. Its endmembers and options are kept.");
    MandatoryOff("resume");

    AddParameter(ParameterType_Choice, "device", "Device");
    SetParameterDescription("device", "Where to compute.");
    AddChoice("device.auto", "A CUDA GPU where there is one, else the CPU");
    AddChoice("device.cpu", "CPU");
    AddChoice("device.cuda", "CUDA GPU");

    const hud::TrainingOptions defaults;
    AddParameter(ParameterType_Int, "patch", "Patch size");
    SetParameterDescription("patch", "Edge of the patches to learn from, in pixels.");
    SetDefaultParameterInt("patch", defaults.m_Patch);

    AddParameter(ParameterType_Int, "batch", "Batch size");
    SetParameterDescription("batch", "Patches in one iteration.");
    SetDefaultParameterInt("batch", defaults.m_Batch);

    AddParameter(ParameterType_Float, "lr", "Learning rate");
    SetParameterDescription(
        "lr", "Learning rate of the Adam optimiser up to iteration 500; then it falls with the root of the iteration.");
    SetDefaultParameterFloat("lr", static_cast<float>(defaults.m_LearningRate));

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

    AddParameter(ParameterType_Float, "floor", "Floor of the projection");
    SetParameterDescription(
        "floor",
        "An abundance of 0 is seen as exp(-floor) over the number of endmembers. 8 is the published value; a smaller one learns faster.");
    SetDefaultParameterFloat("floor", static_cast<float>(defaults.m_Floor));

    AddParameter(ParameterType_Bool, "augment", "Flips and rotations");
    SetParameterDescription("augment", "Learn from all 8 flips and rotations of the patches.");
    SetParameterInt("augment", defaults.m_Augment ? 1 : 0);

    AddParameter(ParameterType_Group, "net", "Network");
    SetParameterDescription("net", "Architecture of the U-Net.");
    AddParameter(ParameterType_Int, "net.width", "Width");
    SetParameterDescription("net.width", "Channels at full resolution, a multiple of 8.");
    SetDefaultParameterInt("net.width", defaults.m_Network.m_Width);
    AddParameter(ParameterType_String, "net.mult", "Multipliers");
    SetParameterDescription("net.mult", "Channels of each resolution level, as multiples of the width.");
    SetParameterString("net.mult", "1,2,2");
    AddParameter(ParameterType_Int, "net.blocks", "Blocks");
    SetParameterDescription("net.blocks", "Residual blocks of each resolution level.");
    SetDefaultParameterInt("net.blocks", defaults.m_Network.m_Blocks);
    AddParameter(ParameterType_Bool, "net.attention", "Attention");
    SetParameterDescription("net.attention", "Self-attention at the lowest resolution.");
    SetParameterInt("net.attention", defaults.m_Network.m_Attention ? 1 : 0);

    AddSeedParameter();
    AddRAMParameter();
    for (const char* key : {"patch", "batch", "lr", "prediction", "schedule", "timesteps", "floor", "augment",
                            "net.width", "net.mult", "net.blocks", "net.attention"})
    {
      GetParameterByKey(key)->SetUserLevel(UserLevel_Advanced);
      MandatoryOff(key);
    }

    SetDocExampleParameterValue("il", "jasper_ridge.tif");
    SetDocExampleParameterValue("ne", "4");
    SetDocExampleParameterValue("out", "jasper.safetensors");
    SetOfficialDocLink();
  }

  void DoExecute() override
  {
    CheckOutputsWritable();
    const std::vector<HUDImageType*> scenes = OpenImages("il");
    const std::int64_t iterations = GetParameterInt("iterations");
    const bool resume = HasValue("resume");
    hud::ModelInfo info;
    if (resume)
    {
      info = hud::ReadModelInfo(GetParameterString("resume"));
      CheckResume(info);
    }
    else
    {
      info.m_Options = GetOptions();
      info.m_Options.Check();
    }
    if (iterations <= info.m_Iteration)
    {
      throw hud::InvalidOption("iterations: found " + std::to_string(iterations) + ", expected more than the " +
                               std::to_string(info.m_Iteration) + " that the model has seen");
    }
    const std::vector<Eigen::Index> emptyBands = FindEmptyBands("il", scenes);
    const hud::SceneInfo scene = resume ? info.m_Scene : DescribeScenes(scenes, emptyBands, info.m_Options.m_Seed);
    CheckBands("il", scenes, scene.m_Endmembers.rows());

    hud::ExecutionOptions execution;
    execution.m_Device = GetParameterString("device");
    execution.m_Threads = static_cast<int>(itk::MultiThreader::GetGlobalDefaultNumberOfThreads());
    const std::vector<hud::AbundanceMap> maps = Encode(scenes, emptyBands, scene.m_Endmembers);
    hud::TrainSession session = resume ? hud::TrainSession(GetParameterString("resume"), maps, execution)
                                       : hud::TrainSession(maps, scene, info.m_Options, execution);
    Train(session, iterations);
  }

  /// Returns the training options that the parameters give, unchecked.
  hud::TrainingOptions GetOptions()
  {
    hud::TrainingOptions options;
    options.m_Patch = GetParameterInt("patch");
    options.m_Batch = GetParameterInt("batch");
    options.m_LearningRate = GetParameterFloat("lr");
    options.m_Prediction = hud::ParsePrediction(GetParameterString("prediction"));
    options.m_Schedule = hud::ParseScheduleKind(GetParameterString("schedule"));
    options.m_Timesteps = GetParameterInt("timesteps");
    options.m_Floor = GetParameterFloat("floor");
    options.m_Augment = GetParameterInt("augment") != 0;
    options.m_Seed = GetSeed();
    options.m_Network.m_Width = GetParameterInt("net.width");
    options.m_Network.m_Multipliers = hud::ParseMultipliers(GetParameterString("net.mult"));
    options.m_Network.m_Blocks = GetParameterInt("net.blocks");
    options.m_Network.m_Attention = GetParameterInt("net.attention") != 0;
    return options;
  }

  /// Throws when the user gives an option that differs from the one that the model was trained with.
  void CheckResume(const hud::ModelInfo& model)
  {
    const hud::TrainingOptions given = GetOptions();
    const hud::TrainingOptions& kept = model.m_Options;
    const std::vector<std::pair<std::string, bool>> differences = {
        {"ne", GetParameterInt("ne") != model.m_Scene.m_Endmembers.cols()},
        {"ie", true},
        {"patch", given.m_Patch != kept.m_Patch},
        {"batch", given.m_Batch != kept.m_Batch},
        {"lr", given.m_LearningRate != kept.m_LearningRate},
        {"prediction", given.m_Prediction != kept.m_Prediction},
        {"schedule", given.m_Schedule != kept.m_Schedule},
        {"timesteps", given.m_Timesteps != kept.m_Timesteps},
        {"floor", given.m_Floor != kept.m_Floor},
        {"augment", given.m_Augment != kept.m_Augment},
        {"rand", given.m_Seed != kept.m_Seed},
        {"net.width", given.m_Network.m_Width != kept.m_Network.m_Width},
        {"net.mult", given.m_Network.m_Multipliers != kept.m_Network.m_Multipliers},
        {"net.blocks", given.m_Network.m_Blocks != kept.m_Network.m_Blocks},
        {"net.attention", given.m_Network.m_Attention != kept.m_Network.m_Attention}};
    for (const auto& [key, differs] : differences)
    {
      if (differs && HasUserValue(key))
      {
        throw hud::InvalidOption(key + " differs from the model to resume, whose own is kept: leave it out");
      }
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
    scene.m_Endmembers = HasValue("ie") ? ReadEndmembers("ie", bands).m_Endmembers
                                        : ExtractEndmembers("il", scenes, emptyBands, options).m_Endmembers;
    const std::vector<std::string> files = GetParameterStringList("il");
    if (!files.empty())
    {
      scene.m_Wavelengths = HUDReadWavelengths(files.front());
      scene.m_Units = HUDReadUnits(files.front());
      scene.m_NoData = HUDReadNoDataValue(files.front());
    }
    return scene;
  }

  std::vector<hud::AbundanceMap> Encode(const std::vector<HUDImageType*>& scenes,
                                        const std::vector<Eigen::Index>& emptyBands, const Eigen::MatrixXd& endmembers)
  {
    std::vector<hud::AbundanceMap> maps;
    for (HUDImageType* const scene : scenes)
    {
      const auto encode = HUDEncodeImageFilter::New();
      encode->SetInput(scene);
      encode->SetEndmembers(endmembers);
      encode->SetIgnoredBands(emptyBands);
      UpdateInformation({"il", "ie"}, *encode->GetOutput());
      maps.push_back(HUDReadAbundances(*encode->GetOutput(), static_cast<unsigned int>(GetParameterInt("ram"))));
      LogNoData(encode->GetNoDataCounts());
    }
    return maps;
  }

  void Train(hud::TrainSession& session, std::int64_t iterations)
  {
    otbAppLogINFO("Training on " << session.DeviceDescription());
    const HUDInterrupt interrupt;
    const auto progress = StartProgress("Training");
    const std::int64_t first = session.Info().m_Iteration;
    session.Run(iterations, [&](const hud::TrainProgress& state) {
      std::ostringstream detail;
      detail << "iteration " << state.m_Iteration << " of " << iterations << ", loss " << state.m_Loss;
      return progress->Advance(static_cast<double>(state.m_Iteration - first) / static_cast<double>(iterations - first),
                               detail.str());
    });
    session.Save(GetParameterString("out"));
    if (session.Info().m_Iteration < iterations)
    {
      throw hud::Error("interrupted after iteration " + std::to_string(session.Info().m_Iteration) + " of " +
                       std::to_string(iterations) + "; the model so far is in " + GetParameterString("out") +
                       ", go on with resume");
    }
    progress->Finish();
  }
};

} // namespace Wrapper
} // namespace otb

OTB_APPLICATION_EXPORT(otb::Wrapper::HUDTrain)
