// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDApplication.h"
#include "otbHUDCoarseMap.h"
#include "otbHUDDecodeImageFilter.h"
#include "otbHUDEncodeImageFilter.h"
#include "otbHUDEndmemberImage.h"
#include "otbHUDImageRows.h"
#include "otbHUDInterrupt.h"
#include "otbHUDModelBands.h"
#include "otbHUDReplaceImageFilter.h"
#include "otbHUDResidualImageFilter.h"
#include "otbHUDRowImageSource.h"

#include "otbWrapperApplicationFactory.h"

#include "hud/core/Error.h"
#include "hud/core/Version.h"
#include "hud/diffusion/SampleSession.h"

#include "itkMultiThreader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace otb
{
namespace Wrapper
{

namespace fs = std::filesystem;

class HUDSample : public HUDApplication
{
public:
  using Self = HUDSample;
  using Pointer = itk::SmartPointer<Self>;

  itkNewMacro(Self);
  itkTypeMacro(HUDSample, otb::Wrapper::HUDApplication);

private:
  void DoInit() override
  {
    SetName("HUDSample");
    SetDescription("Generate a synthetic hyperspectral scene");
    SetDocLongDescription(
        "Draws abundances from a model that HUDTrain made, and decodes them to spectra. Abundances are never "
        "negative and sum to one; the spectra are their mixtures of the model's endmembers, in the unit "
        "of the scene that the model was trained on. With an existing scene (in) it makes another realisation of that "
        "place, or repairs it (mask), on the same grid. With a coarse map (coarse) it makes a scene whose materials are "
        "where the map says.");
    SetDocLimitations(
        "Nothing larger than a patch of the model's coarsest level is coherent, unless an existing scene or a "
        "coarse map gives it.");
    SetDocAuthors("The HUD developers");
    SetDocSeeAlso("HUDTrain, HUDDecode");
    AddDocTag(Tags::Hyperspectral);

    AddParameter(ParameterType_InputFilename, "model", "Model");
    SetParameterDescription("model", "Model file that HUDTrain wrote.");

    AddParameter(ParameterType_OutputImage, "out", "Scene");
    SetParameterDescription("out", "Synthetic hyperspectral image.");

    AddParameter(ParameterType_OutputImage, "outabund", "Abundances");
    SetParameterDescription("outabund", "Abundances of the synthetic scene: its ground truth.");
    MandatoryOff("outabund");

    AddParameter(ParameterType_OutputImage, "outendm", "Endmembers");
    SetParameterDescription("outendm", "The endmembers that the scene mixes, one pixel each, as HUDUnmix writes them.");
    MandatoryOff("outendm");

    const hud::SampleOptions defaults;
    AddParameter(ParameterType_Int, "sizex", "Width");
    SetParameterDescription("sizex", "Width of the scene in pixels.");
    SetDefaultParameterInt("sizex", static_cast<int>(defaults.m_Width));

    AddParameter(ParameterType_Int, "sizey", "Height");
    SetParameterDescription("sizey", "Height of the scene in pixels.");
    SetDefaultParameterInt("sizey", static_cast<int>(defaults.m_Height));

    AddParameter(ParameterType_Choice, "layout", "Layout");
    SetParameterDescription("layout", "What fills the scene.");
    AddChoice("layout.scene", "One seamless image");
    AddChoice("layout.patches", "Independent patches side by side, without gaps");

    AddParameter(ParameterType_InputImage, "in", "Existing scene");
    SetParameterDescription("in",
                            "Make another realisation of this place instead of a new one. It has the bands and the "
                            "unit of the model's scenes; what is made has its size and its grid. No-data "
                            "pixels stay no-data.");
    MandatoryOff("in");

    AddParameter(ParameterType_Float, "strength", "Strength of the variation");
    SetParameterDescription("strength",
                            "How far the realisation may be from the existing scene: 0 is its own mixture of the "
                            "endmembers, 1 forgets it. Not used with a mask.");
    SetDefaultParameterFloat("strength", static_cast<float>(defaults.m_Strength));
    SetMinimumParameterFloatValue("strength", 0.f);
    SetMaximumParameterFloatValue("strength", 1.f);

    AddParameter(ParameterType_InputImage, "mask", "Pixels to repair");
    SetParameterDescription("mask",
                            "Make only those pixels of the existing scene anew that are not 0 in this image's first "
                            "band (clouds, bad stripes), and its no-data pixels. All others are kept as they are.");
    MandatoryOff("mask");

    AddParameter(ParameterType_InputImage, "coarse", "Coarse map");
    SetParameterDescription(
        "coarse",
        "What is where: an image of abundances of the model's endmembers, or of one band with their numbers from 1 on, such as "
        "a painted or classified one. Each of its pixels becomes 2, 4, 8, ... pixels of the scene along each edge, with these "
        "abundances on average: as many as Width and Height ask for, or if they are not changed as many as the model's "
        "coarsest level has. Pixels of 0 and without data are free. The scene has the map's grid.");
    MandatoryOff("coarse");

    AddParameter(ParameterType_String, "label", "Label");
    SetParameterDescription(
        "label", "Make a scene like those with this label, a method or a name that HUDTrain was given. Without "
                 "it, a scene like all that the model has learned.");
    MandatoryOff("label");

    AddParameter(ParameterType_Float, "guidance", "Guidance");
    SetParameterDescription("guidance",
                            "How much the label counts: 0 not at all, 1 as in training, beyond 1 its peculiarities are "
                            "exaggerated. Other values than 0 and 1 take twice the time.");
    SetDefaultParameterFloat("guidance", static_cast<float>(defaults.m_Guidance));
    MandatoryOff("guidance");

    AddParameter(ParameterType_Choice, "sampler", "Sampler");
    SetParameterDescription("sampler", "How noise becomes a scene.");
    AddChoice("sampler.dpmpp", "DPM-Solver++: fewest steps");
    AddChoice("sampler.ddim", "DDIM: few steps");
    AddChoice("sampler.ddpm", "DDPM: with as many steps as the model has timesteps, as published");

    AddParameter(ParameterType_Int, "steps", "Steps");
    SetParameterDescription("steps",
                            "Number of steps, at most the model's number of timesteps (1000 unless set in training).");
    SetDefaultParameterInt("steps", defaults.m_Sampler.m_Steps);

    AddParameter(ParameterType_Float, "eta", "Randomness of DDIM");
    SetParameterDescription("eta", "DDIM only: 0 deterministic, 1 as random as DDPM.");
    SetDefaultParameterFloat("eta", static_cast<float>(defaults.m_Sampler.m_Eta));
    GetParameterByKey("eta")->SetUserLevel(UserLevel_Advanced);
    MandatoryOff("eta");

    AddParameter(ParameterType_Float, "residual", "Residual");
    SetParameterDescription("residual",
                            "Add to each pixel what mixing leaves over in real scenes (sensor noise, variation of the "
                            "materials), drawn from its mean and covariance: 1 as much as there, 0 none.");
    SetDefaultParameterFloat("residual", 0.f);
    SetMinimumParameterFloatValue("residual", 0.f);

    AddParameter(ParameterType_Choice, "device", "Device");
    SetParameterDescription("device", "Where to compute.");
    AddChoice("device.auto", "A CUDA GPU where there is one, else the CPU");
    AddChoice("device.cpu", "CPU");
    AddChoice("device.cuda", "CUDA GPU");

    AddSeedParameter();
    AddRAMParameter();

    SetDocExampleParameterValue("model", "jasper.safetensors");
    SetDocExampleParameterValue("sizex", "256");
    SetDocExampleParameterValue("sizey", "256");
    SetDocExampleParameterValue("out", "synthetic.tif");
    SetDocExampleParameterValue("outabund", "synthetic_abundances.tif");
    SetOfficialDocLink();
  }

  void DoExecute() override
  {
    CheckOutputsWritable();
    CheckPlaceParameters();
    hud::ExecutionOptions execution;
    execution.m_Device = GetParameterString("device");
    execution.m_Threads = static_cast<int>(itk::MultiThreader::GetGlobalDefaultNumberOfThreads());
    const hud::SampleSession session(GetParameterString("model"), execution);
    const hud::ModelInfo& info = session.Info();

    hud::SampleOptions options;
    options.m_Width = GetParameterInt("sizex");
    options.m_Height = GetParameterInt("sizey");
    options.m_Layout = hud::ParseSampleLayout(GetParameterString("layout"));
    options.m_Label = GetParameterString("label");
    options.m_Guidance = GetParameterFloat("guidance");
    options.m_Sampler.m_Kind = hud::ParseSamplerKind(GetParameterString("sampler"));
    options.m_Sampler.m_Steps = GetParameterInt("steps");
    options.m_Sampler.m_Eta = GetParameterFloat("eta");
    options.m_Strength = GetParameterFloat("strength");
    options.m_Seed = GetSeed();
    // The other half is for the pipeline that decodes and writes.
    options.m_LargestMemory = static_cast<std::size_t>(GetParameterInt("ram")) << 19;

    CheckLabel(info.m_Scene, options);
    m_Endmembers = info.m_Scene.EndmembersOf(options.m_Label);
    PrepareResidual(info.m_Scene.ResidualOf(options.m_Label), options.m_Seed);

    otbAppLogINFO("Sampling on " << session.DeviceDescription() << ", from a model of " << info.m_Iteration
                                 << " iterations");
    m_EndmemberImage = HUDEndmembersToImage(m_Endmembers);
    SetParameterOutputImage("outendm", m_EndmemberImage.GetPointer());
    if (HasValue("in"))
    {
      SamplePlace(session, options);
    }
    else if (HasValue("coarse"))
    {
      SampleCoarse(session, options);
    }
    else
    {
      SampleScene(session, options);
    }
    Describe(info, options);
    WriteOutputs();
  }

  /// Gives the outputs the model's wavelengths and what else is known, and says how they were made.
  void Describe(const hud::ModelInfo& info, const hud::SampleOptions& options)
  {
    HUDSceneMetadata metadata = HUDModelBands(info.m_Scene);
    std::string synthetic = "yes";
    if (HasValue("coarse"))
    {
      const double scale = 1 << options.m_PlaceLevel;
      SetOutputGrid("out", "coarse", scale);
      SetOutputGrid("outabund", "coarse", scale);
      metadata.m_Items["coarse"] = fs::path(GetInputFile("coarse")).filename().string();
    }
    if (HasValue("in"))
    {
      const std::string file = GetInputFile("in");
      HUDSceneMetadata source = HUDReadSceneMetadata(file);
      const bool isSynthetic = source.m_Items["synthetic"] == "yes";
      if (HasValue("mask") && !isSynthetic)
      {
        synthetic = "partly";
      }
      // How a source was made that is synthetic itself is not how this scene is.
      for (const char* item : {"synthetic", "generator", "generator_version", "model", "model_iterations", "seed",
                               "label", "guidance", "coarse", "sampler", "steps", "source", "strength", "endmembers",
                               "simulated_sensor", "simulated_snr", "simulated_illumination", "noise_seed"})
      {
        source.m_Items[item].clear();
      }
      metadata = HUDCompleteSceneMetadata(metadata, source);
      SetOutputGrid("out", "in");
      SetOutputGrid("outabund", "in");
      metadata.m_Items["source"] = fs::path(file).filename().string();
      if (!HasValue("mask"))
      {
        metadata.m_Items["strength"] = GetParameterAsString("strength");
      }
    }
    metadata.m_Items["synthetic"] = synthetic;
    metadata.m_Items["generator"] = "HUDSample";
    metadata.m_Items["generator_version"] = hud::Version();
    metadata.m_Items["model"] = fs::path(GetParameterString("model")).filename().string();
    metadata.m_Items["model_iterations"] = std::to_string(info.m_Iteration);
    metadata.m_Items["seed"] = std::to_string(options.m_Seed);
    if (!options.m_Label.empty())
    {
      metadata.m_Items["label"] = options.m_Label;
      metadata.m_Items["guidance"] = GetParameterAsString("guidance");
    }
    metadata.m_Items["sampler"] = GetParameterString("sampler");
    metadata.m_Items["steps"] = std::to_string(options.m_Sampler.m_Steps);
    SetOutputMetadata("out", metadata);
    SetOutputMetadata("outendm", metadata);
    SetOutputMetadata("outabund",
                      HUDAbundanceMetadata(metadata, static_cast<std::size_t>(info.m_Scene.m_Endmembers.cols())));
  }

  /// Throws when the model does not know the label, or there is guidance without one; says which there are.
  void CheckLabel(const hud::SceneInfo& scene, const hud::SampleOptions& options)
  {
    if (!options.m_Label.empty())
    {
      static_cast<void>(scene.FindLabel(options.m_Label));
      return;
    }
    if (options.m_Guidance != hud::SampleOptions().m_Guidance && options.m_Guidance != 0.)
    {
      throw hud::InvalidOption("guidance: found " + GetParameterAsString("guidance") +
                               " without a label, expected label as well");
    }
    std::string known;
    for (const hud::LabelInfo& label : scene.m_Labels)
    {
      known += (known.empty() ? "" : ", ") + label.m_Name;
    }
    if (!known.empty())
    {
      otbAppLogINFO("Sampling without a label; the model knows " << known);
    }
  }

  /// Throws when parameters are given that contradict each other.
  void CheckPlaceParameters()
  {
    // QGIS hands over the default values too.
    const hud::SampleOptions defaults;
    const bool isStrengthSet = GetParameterFloat("strength") != static_cast<float>(defaults.m_Strength);
    const std::vector<std::pair<std::string, bool>> ofPlaces = {{"mask", HasValue("mask")},
                                                                {"strength", isStrengthSet}};
    const std::vector<std::pair<std::string, bool>> ofNewScenes = {
        {"sizex", GetParameterInt("sizex") != defaults.m_Width},
        {"sizey", GetParameterInt("sizey") != defaults.m_Height},
        {"layout", GetParameterString("layout") != "scene"},
        {"coarse", HasValue("coarse")}};
    const bool place = HasValue("in");
    if (HasValue("coarse") && GetParameterString("layout") != "scene")
    {
      throw hud::InvalidOption("layout: found " + GetParameterString("layout") +
                               " beside a coarse map, expected scene");
    }
    for (const auto& [key, isSet] : place ? ofNewScenes : ofPlaces)
    {
      if (isSet)
      {
        throw hud::InvalidOption(key + (place ? ": found beside in, whose place and size the result has: leave it out"
                                              : ": found without an existing scene, expected in as well"));
      }
    }
    if (HasValue("mask") && isStrengthSet)
    {
      throw hud::InvalidOption("strength: found beside a mask, whose pixels are made anew entirely: leave it out");
    }
  }

  /// Prepares what is added to the spectra, if anything is.
  void PrepareResidual(const std::optional<hud::ResidualModel>& residual, std::uint64_t seed)
  {
    m_Residual = nullptr;
    const double amount = GetParameterFloat("residual");
    if (amount == 0.)
    {
      return;
    }
    if (!residual)
    {
      throw hud::InvalidOption("residual: found " + GetParameterAsString("residual") +
                               ", expected 0: the model knows no residual of these endmembers");
    }
    m_Residual = HUDResidualImageFilter::New();
    m_Residual->SetNoise(hud::ResidualNoise(*residual, seed, amount));
  }

  void SampleScene(const hud::SampleSession& session, const hud::SampleOptions& options)
  {
    Connect(WithProgress([&](const auto& proceed) { return session.Sample(options, proceed); }));
  }

  /// Makes a scene whose large structure is given.
  void SampleCoarse(const hud::SampleSession& session, hud::SampleOptions& options)
  {
    const HUDCoarseMap map(*OpenImage("coarse"), DescribeInput("coarse"), m_Endmembers.cols(),
                           static_cast<unsigned int>(GetParameterInt("ram")));
    std::optional<std::pair<Eigen::Index, Eigen::Index>> size;
    if (HasUserValue("sizex") || HasUserValue("sizey"))
    {
      size.emplace(options.m_Width, options.m_Height);
    }
    options.m_PlaceLevel = hud::FindPlaceLevel(session.Info().m_Options, map.Width(), map.Height(), size);
    options.m_Width = map.Width() << options.m_PlaceLevel;
    options.m_Height = map.Height() << options.m_PlaceLevel;
    std::ptrdiff_t free = 0;
    std::vector<std::uint8_t> valid;
    const auto place = [&](Eigen::Index row, const Eigen::Ref<Eigen::MatrixXf>& abundances,
                           std::vector<hud::PixelRole>& roles) {
      map.Read(row, abundances, valid);
      std::transform(valid.begin(), valid.end(), roles.begin(),
                     [](std::uint8_t isKnown) { return isKnown != 0 ? hud::PixelRole::Keep : hud::PixelRole::Make; });
      free += std::count(valid.begin(), valid.end(), std::uint8_t(0));
    };
    Connect(WithProgress([&](const auto& proceed) { return session.SamplePlace(options, place, proceed); }));
    const int scale = 1 << options.m_PlaceLevel;
    otbAppLogINFO("Coarse map: each pixel is " << scale << " x " << scale << " pixels of the scene; " << free
                                               << " pixels of the map are free");
  }

  /// Connects a sample to the outputs.
  void Connect(hud::SampledScene sample)
  {
    const auto scene = std::make_shared<const hud::SampledScene>(std::move(sample));
    m_Abundances = HUDRowImageSource::New();
    m_Abundances->SetRows(scene->Endmembers(), scene->Width(), scene->Height(),
                          [scene](Eigen::Index row, auto pixels) { scene->ReadRows(row, 1, pixels); });
    SetParameterOutputImage("out", Decode());
  }

  /// Varies or repairs an existing scene.
  void SamplePlace(const hud::SampleSession& session, hud::SampleOptions options)
  {
    HUDImageType& scene = *OpenImage("in");
    CheckBands("in", {&scene}, m_Endmembers.rows());
    CheckBandLabels("in", HUDModelBands(session.Info().m_Scene), "model");
    const std::vector<Eigen::Index> emptyBands = FindEmptyBands("in", {&scene});
    const bool repair = HasValue("mask");
    m_Encode = HUDEncodeImageFilter::New();
    if (repair)
    {
      m_Masked = MaskScene(scene, "mask", HUDMaskMeaning::LeaveOut);
      m_Encode->SetInput(m_Masked->GetOutput());
    }
    else
    {
      m_Encode->SetInput(&scene);
    }
    m_Encode->SetEndmembers(m_Endmembers);
    m_Encode->SetIgnoredBands(emptyBands);
    UpdateInformation({"in", "mask"}, *m_Encode->GetOutput());

    const HUDImageRows rows(*m_Encode->GetOutput(), static_cast<unsigned int>(GetParameterInt("ram")));
    options.m_Width = rows.Width();
    options.m_Height = rows.Height();
    const auto replaced = std::make_shared<std::vector<bool>>();
    std::vector<std::uint8_t> valid(static_cast<std::size_t>(rows.Width()));
    const auto place = [&](Eigen::Index row, const Eigen::Ref<Eigen::MatrixXf>& abundances,
                           std::vector<hud::PixelRole>& roles) {
      rows.Read(row, abundances, valid.data());
      for (std::size_t x = 0; x < valid.size(); ++x)
      {
        const bool isKnown = valid[x] != 0;
        const hud::PixelRole known = repair ? hud::PixelRole::Keep : hud::PixelRole::Vary;
        roles[x] = isKnown ? known : hud::PixelRole::Make;
        replaced->push_back(isKnown != repair);
      }
    };
    const auto sample = std::make_shared<const hud::SampledScene>(
        WithProgress([&](const auto& proceed) { return session.SamplePlace(options, place, proceed); }));
    LogNoData(m_Encode->GetNoDataCounts());

    m_Abundances = HUDRowImageSource::New();
    m_Abundances->SetReference(scene);
    m_Abundances->SetRows(sample->Endmembers(), sample->Width(), sample->Height(),
                          [sample, replaced, repair](Eigen::Index row, auto pixels) {
                            sample->ReadRows(row, 1, pixels);
                            for (Eigen::Index x = 0; x < pixels.cols() && !repair; ++x)
                            {
                              if (!(*replaced)[static_cast<std::size_t>(row * pixels.cols() + x)])
                              {
                                pixels.col(x).setConstant(kHUDNoDataValue);
                              }
                            }
                          });
    m_Replace = HUDReplaceImageFilter::New();
    m_Replace->SetScene(&scene);
    m_Replace->SetReplacement(Decode());
    m_Replace->SetReplaced(replaced);
    m_Replace->SetKeptBands(emptyBands);
    SetParameterOutputImage("out", m_Replace->GetOutput());
  }

  /// Connects the abundances, and returns their spectra.
  HUDImageType* Decode()
  {
    SetParameterOutputImage("outabund", m_Abundances->GetOutput());
    m_Decode = HUDDecodeImageFilter::New();
    m_Decode->SetInput(m_Abundances->GetOutput());
    m_Decode->SetEndmembers(m_Endmembers);
    if (!m_Residual)
    {
      return m_Decode->GetOutput();
    }
    m_Residual->SetInput(m_Decode->GetOutput());
    return m_Residual->GetOutput();
  }

  /// Returns what sample(proceed) returns, watched.
  template <typename Sample>
  hud::SampledScene WithProgress(const Sample& sample)
  {
    const HUDInterrupt interrupt;
    const auto progress = StartProgress("Sampling");
    hud::SampledScene scene = sample([&](double fraction) { return progress->Advance(fraction); });
    progress->Finish();
    return scene;
  }

  Eigen::MatrixXd m_Endmembers; ///< that abundances are decoded with
  HUDImageType::Pointer m_EndmemberImage;
  HUDRowImageSource::Pointer m_Abundances;
  HUDDecodeImageFilter::Pointer m_Decode;
  HUDResidualImageFilter::Pointer m_Residual;
  itk::ImageSource<HUDImageType>::Pointer m_Masked;
  HUDEncodeImageFilter::Pointer m_Encode;
  HUDReplaceImageFilter::Pointer m_Replace;
};

} // namespace Wrapper
} // namespace otb

OTB_APPLICATION_EXPORT(otb::Wrapper::HUDSample)
