// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDAbundanceImage.h"
#include "otbHUDApplication.h"
#include "otbHUDEncodeImageFilter.h"
#include "otbHUDEvaluationReport.h"
#include "otbHUDFileCacheLimit.h"
#include "otbHUDImageRows.h"
#include "otbHUDInterrupt.h"
#include "otbHUDLabelImage.h"
#include "otbHUDStagedFile.h"

#include "otbWrapperApplicationFactory.h"

#include "hud/core/Error.h"
#include "hud/core/Evaluation.h"
#include "hud/diffusion/ClassifierJudge.h"

#include "itkMultiThreader.h"

#include <algorithm>
#include <list>
#include <optional>

namespace otb
{
namespace Wrapper
{

class HUDEvaluate : public HUDApplication
{
public:
  using Self = HUDEvaluate;
  using Pointer = itk::SmartPointer<Self>;

  itkNewMacro(Self);
  itkTypeMacro(HUDEvaluate, otb::Wrapper::HUDApplication);

private:
  void DoInit() override
  {
    SetName("HUDEvaluate");
    SetDescription("Compare a generated hyperspectral scene with a real one");
    SetDocLongDescription(
        "Computes how near a generated scene is to a real one: point fidelity and block diversity of Shen et al., "
        "Inception Score and Frechet Inception Distance with a classifier of the real scene, distances of spectra that "
        "see brightness, distances between the distributions of abundances and of their arrangement, and whether blocks "
        "are copies. No figure says much alone: beside each stands where real data is (one half of the scene against the "
        "other, or one set of crops against another), and what four trivial images get. The page shows all that with "
        "pictures; it is one file that needs no network.");
    SetDocLimitations(
        "Blocks are cut from the upper left corner of the generated scene; those with a no-data pixel are "
        "left out of all but fidelity and diversity. Distributions are compared on at most 64 blocks. "
        "Abundances of both scenes are held in memory.");
    SetDocAuthors("The HUD developers");
    SetDocSeeAlso("HUDSample, HUDUnmix");
    AddDocTag(Tags::Hyperspectral);

    AddParameter(ParameterType_InputImage, "in", "Real scene");
    SetParameterDescription("in", "Hyperspectral image, the one that the model was trained on or another of its kind.");

    AddParameter(ParameterType_InputImage, "gen", "Generated scene");
    SetParameterDescription("gen",
                            "Hyperspectral image of the same bands in the same unit: a scene, or patches side by "
                            "side.");

    AddParameter(ParameterType_InputImage, "ie", "Endmembers");
    SetParameterDescription("ie",
                            "Endmembers that both scenes are unmixed with: an image or a file as HUDUnmix writes it. "
                            "Without it they are looked for in the real scene.");
    MandatoryOff("ie");

    AddParameter(ParameterType_Int, "ne", "Number of endmembers");
    SetParameterDescription("ne", "How many endmembers to look for where none are given. 0: estimated.");
    SetDefaultParameterInt("ne", 4);

    AddParameter(ParameterType_InputImage, "labels", "Labels");
    SetParameterDescription("labels",
                            "Class of each pixel of the real scene, an image of whole numbers; 0 is no class. "
                            "Without it, a pixel's class is the endmember with the largest abundance.");
    MandatoryOff("labels");

    AddParameter(ParameterType_Int, "patch", "Edge of a block");
    SetParameterDescription("patch", "In pixels; the layout patches of HUDSample needs that of its model.");
    SetDefaultParameterInt("patch", static_cast<int>(hud::EvaluationOptions().m_Patch));
    SetMinimumParameterIntValue("patch", 2);

    AddParameter(ParameterType_Int, "blocks", "Blocks to compare");
    SetParameterDescription(
        "blocks", "Compare only so many blocks with every pixel and place of the real scene, for an estimate of "
                  "fidelity and diversity in less time. 0: all, exact.");
    SetDefaultParameterInt("blocks", 0);
    SetMinimumParameterIntValue("blocks", 0);

    AddParameter(ParameterType_OutputFilename, "out", "Figures");
    SetParameterDescription("out", "All figures as JSON.");
    MandatoryOff("out");

    AddParameter(ParameterType_OutputFilename, "report", "Report");
    SetParameterDescription("report", "All figures and pictures as one HTML page.");
    MandatoryOff("report");

    AddParameter(ParameterType_OutputFilename, "quicklook", "Quicklook");
    SetParameterDescription("quicklook",
                            "Picture (PNG) of the real scene beside the generated one, in the same colours.");
    MandatoryOff("quicklook");

    AddParameter(ParameterType_Choice, "device", "Device");
    SetParameterDescription("device", "Where the classifier is computed.");
    AddChoice("device.auto", "A CUDA GPU where there is one, else the CPU");
    AddChoice("device.cpu", "CPU");
    AddChoice("device.cuda", "CUDA GPU");

    AddSeedParameter();
    AddRAMParameter();
    for (const char* key : {"blocks", "device"})
    {
      GetParameterByKey(key)->SetUserLevel(UserLevel_Advanced);
      MandatoryOff(key);
    }

    SetDocExampleParameterValue("in", "jasper_ridge.tif");
    SetDocExampleParameterValue("gen", "synthetic.tif");
    SetDocExampleParameterValue("ie", "endmembers.tif");
    SetDocExampleParameterValue("out", "evaluation.json");
    SetDocExampleParameterValue("report", "evaluation.html");
    SetDocExampleParameterValue("quicklook", "quicklook.png");
    SetOfficialDocLink();
  }

  void DoExecute() override
  {
    CheckOutputsWritable();
    const HUDInterrupt interrupt;
    // The scenes are read several times, but a cache of them would be beyond ram.
    const HUDFileCacheLimit cache(static_cast<std::size_t>(GetParameterInt("ram")) << 18);
    HUDImageType* const real = OpenImage("in");
    HUDImageType* const generated = OpenImage("gen");
    const auto bands = static_cast<Eigen::Index>(real->GetNumberOfComponentsPerPixel());
    HUDEvaluationReport report;
    const HUDSceneMetadata metadata = HUDReadSceneMetadata(GetInputFile("in"));
    report.m_Wavelengths = metadata.m_Wavelengths;
    report.m_Units = metadata.m_Units;
    CheckGenerated(*generated, bands, metadata);
    CheckSize("in", *real);
    CheckSize("gen", *generated);
    const std::optional<hud::LabelMap> labels = ReadLabels(*real);
    report.m_EmptyBands = FindEmptyBands("in", {real});
    report.m_Endmembers = Endmembers(*real, bands, report.m_EmptyBands);
    report.m_Options.m_Patch = GetParameterInt("patch");
    report.m_Options.m_MaximumBlocks = GetParameterInt("blocks");
    report.m_Options.m_Seed = GetSeed();
    report.m_Options.m_Threads = static_cast<int>(itk::MultiThreader::GetGlobalDefaultNumberOfThreads());
    // The other half is for reading.
    report.m_Options.m_MemoryBytes = static_cast<std::size_t>(GetParameterInt("ram")) << 19;

    const auto ram = static_cast<unsigned int>(GetParameterInt("ram"));
    const hud::AbundanceMap realAbundances = Unmix("in", *real, report, report.m_Real.m_NoDataPixels);
    const hud::AbundanceMap generatedAbundances = Unmix("gen", *generated, report, report.m_Generated.m_NoDataPixels);
    const unsigned int stripRam = std::max(1u, ram / 4); // each
    const HUDImageRows realRows(*real, stripRam, report.m_EmptyBands);
    const HUDImageRows generatedRows(*generated, stripRam, report.m_EmptyBands);
    SetScene(report.m_Real, "in", realRows, realAbundances);
    SetScene(report.m_Generated, "gen", generatedRows, generatedAbundances);

    const std::optional<hud::ClassifierJudge> judge =
        TrainJudge(realRows, labels ? *labels : LargestAbundances(realAbundances), report);
    Evaluate(judge, report);
    for (const std::string& line : report.Lines())
    {
      otbAppLogINFO(<< line);
    }
    for (const std::string& warning : report.Warnings())
    {
      otbAppLogWARNING(<< warning);
    }
    if (report.m_Evaluation.m_Memorisation.m_Copies > 0)
    {
      otbAppLogWARNING(<< report.DescribeCopies());
    }
    else
    {
      otbAppLogINFO(<< report.DescribeCopies());
    }
    WriteFiles(report);
  }

  /// Throws when the scenes cannot be compared.
  void CheckGenerated(const HUDImageType& generated, Eigen::Index bands, const HUDSceneMetadata& metadata)
  {
    const auto found = static_cast<Eigen::Index>(generated.GetNumberOfComponentsPerPixel());
    if (found != bands)
    {
      throw hud::InvalidData(DescribeInput("gen") + ": found " + std::to_string(found) + " bands, expected those of " +
                             DescribeInput("in") + ", " + std::to_string(bands));
    }
    CheckBandLabels("gen", metadata, "real scene");
    if (!HasValue("out") && !HasValue("report") && !HasValue("quicklook"))
    {
      otbAppLogWARNING("None of out, report and quicklook names a file: the figures are in this log only");
    }
  }

  Eigen::MatrixXd Endmembers(HUDImageType& scene, Eigen::Index bands, const std::vector<Eigen::Index>& emptyBands)
  {
    if (HasValue("ie"))
    {
      Eigen::MatrixXd endmembers = ReadEndmembers("ie", bands).m_Endmembers;
      endmembers(emptyBands, Eigen::all).setZero(); // as the scene has them
      return endmembers;
    }
    hud::ExtractionOptions options;
    options.m_Endmembers = GetParameterInt("ne");
    options.m_Seed = GetSeed();
    return ExtractEndmembers("in", {&scene}, emptyBands, options).m_Endmembers;
  }

  /// Returns the abundances of a scene, and how many of its pixels are left out.
  hud::AbundanceMap Unmix(const std::string& key, HUDImageType& scene, const HUDEvaluationReport& report,
                          HUDNoDataCounts& noData)
  {
    const auto encode = HUDEncodeImageFilter::New();
    encode->SetInput(&scene);
    encode->SetEndmembers(report.m_Endmembers);
    encode->SetIgnoredBands(report.m_EmptyBands);
    UpdateInformation({key, "ie"}, *encode->GetOutput());
    hud::AbundanceMap map = HUDReadAbundances(*encode->GetOutput(), static_cast<unsigned int>(GetParameterInt("ram")));
    noData = encode->GetNoDataCounts();
    LogNoData(noData);
    if (noData.Total() == static_cast<std::size_t>(map.m_Width * map.m_Height))
    {
      throw hud::InvalidData(DescribeInput(key) + ": found " + std::to_string(noData.Total()) +
                             " no-data pixels and no other (" + noData.Describe() + "), expected valid ones");
    }
    return map;
  }

  void SetScene(HUDEvaluationReport::Scene& scene, const std::string& key, const hud::SpectralRows& rows,
                const hud::AbundanceMap& abundances)
  {
    scene.m_File = GetParameterString(key);
    scene.m_Spectra = &rows;
    scene.m_Abundances = &abundances;
  }

  /// Throws when a scene does not hold a block.
  void CheckSize(const std::string& key, const HUDImageType& scene)
  {
    const auto size = scene.GetLargestPossibleRegion().GetSize();
    const auto patch = static_cast<std::size_t>(GetParameterInt("patch"));
    if (std::min(size[0], size[1]) < patch)
    {
      throw hud::InvalidData(DescribeInput(key) + ": found " + SizeText(scene) + ", expected at least a block of " +
                             std::to_string(patch) + " x " + std::to_string(patch));
    }
  }

  static std::string SizeText(const HUDImageType& image)
  {
    const auto size = image.GetLargestPossibleRegion().GetSize();
    return std::to_string(size[0]) + " x " + std::to_string(size[1]) + " pixels";
  }

  /// Returns the classes of the real scene's pixels, if they are given.
  std::optional<hud::LabelMap> ReadLabels(const HUDImageType& scene)
  {
    if (!HasValue("labels"))
    {
      return std::nullopt;
    }
    HUDImageType* const image = OpenImage("labels");
    if (image->GetLargestPossibleRegion().GetSize() != scene.GetLargestPossibleRegion().GetSize())
    {
      throw hud::InvalidData(DescribeInput("labels") + ": found " + SizeText(*image) + ", expected those of " +
                             DescribeInput("in") + ", " + SizeText(scene));
    }
    try
    {
      hud::LabelMap labels = HUDReadLabels(*image, static_cast<unsigned int>(GetParameterInt("ram")));
      if (labels.m_Classes < 2)
      {
        throw hud::InvalidData("found " + std::to_string(labels.m_Classes) + " classes, expected at least 2");
      }
      return labels;
    }
    catch (const hud::InvalidData& error)
    {
      throw hud::InvalidData(DescribeInput("labels") + ": " + error.what());
    }
  }

  /// Returns the judge, or none when the real scene has one class only.
  std::optional<hud::ClassifierJudge> TrainJudge(const hud::SpectralRows& scene, const hud::LabelMap& labels,
                                                 HUDEvaluationReport& report)
  {
    hud::ExecutionOptions execution;
    execution.m_Device = GetParameterString("device");
    execution.m_Threads = report.m_Options.m_Threads;
    const HUDProgress::Pointer progress = StartProgress("Training the classifier");
    std::optional<hud::ClassifierJudge> judge;
    try
    {
      judge.emplace(scene, labels, report.m_Options.m_Patch, report.m_Options.m_Seed, execution,
                    [&](double fraction) { return progress->Advance(fraction); });
    }
    catch (const hud::InvalidData& error)
    {
      if (HasValue("labels"))
      {
        throw hud::InvalidData(DescribeInput("labels") + ": " + error.what());
      }
      otbAppLogWARNING(<< "Inception Score and Frechet Inception Distance are left out: " << error.what());
      return std::nullopt;
    }
    progress->Finish();
    report.m_Classifier = {HasValue("labels") ? GetParameterString("labels") : "largest abundance", labels.m_Classes,
                           judge->Accuracy()};
    return judge;
  }

  void Evaluate(const std::optional<hud::ClassifierJudge>& judge, HUDEvaluationReport& report)
  {
    const HUDProgress::Pointer progress = StartProgress("Evaluating");
    try
    {
      report.m_Evaluation =
          hud::Evaluate({*report.m_Real.m_Spectra, *report.m_Real.m_Abundances},
                        {*report.m_Generated.m_Spectra, *report.m_Generated.m_Abundances}, report.m_Endmembers,
                        report.m_Options, judge ? &*judge : nullptr, [&](double fraction, const std::string& what) {
                          if (!progress->Advance(fraction, what))
                          {
                            throw hud::Error("interrupted");
                          }
                        });
    }
    catch (const hud::InvalidData& error)
    {
      throw hud::InvalidData(DescribeInput("in") + ", " + DescribeInput("gen") + ": " + error.what());
    }
    progress->Finish();
  }

  void WriteFiles(const HUDEvaluationReport& report)
  {
    std::list<HUDStagedFile> files;
    const auto write = [&](const std::string& key, const auto& writer) {
      if (HasValue(key))
      {
        files.emplace_back(GetParameterString(key));
        writer(files.back().StagedPath().string());
      }
    };
    write("out", [&](const std::string& path) { report.WriteJson(path); });
    write("report", [&](const std::string& path) { report.WritePage(path); });
    write("quicklook", [&](const std::string& path) { HUDWritePicture(report.Quicklook(), path); });
    std::vector<HUDStagedFile*> staged;
    for (HUDStagedFile& file : files)
    {
      staged.push_back(&file);
    }
    WriteOutputs(staged);
  }
};

} // namespace Wrapper
} // namespace otb

OTB_APPLICATION_EXPORT(otb::Wrapper::HUDEvaluate)
