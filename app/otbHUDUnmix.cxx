// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDApplication.h"
#include "otbHUDEncodeImageFilter.h"
#include "otbHUDEndmemberImage.h"
#include "otbHUDStagedFile.h"
#include "otbHUDUnmixingReport.h"

#include "hud/core/Error.h"

#include "otbWrapperApplicationFactory.h"

#include <optional>

namespace otb
{
namespace Wrapper
{

class HUDUnmix : public HUDApplication
{
public:
  using Self = HUDUnmix;
  using Pointer = itk::SmartPointer<Self>;

  itkNewMacro(Self);
  itkTypeMacro(HUDUnmix, otb::Wrapper::HUDApplication);

private:
  void DoInit() override
  {
    SetName("HUDUnmix");
    SetDescription("Unmix a hyperspectral scene into endmembers and abundances");
    SetDocLongDescription(
        "Finds the spectra of the pure materials of a scene (endmembers), and how much of each there is in every pixel "
        "(abundances: never negative, sum one). Endmembers come from Vertex Component Analysis, started several times, or "
        "from another method. "
        "By default the runs that describe the scene best are refined, which gives the lowest error of the mixtures: "
        "what a model needs. With refine 0 the endmembers are medians of nearly pure pixels, which are closer to "
        "materials. Abundances come from fully constrained least squares, solved exactly. No-data pixels (the image's "
        "no-data value, NaN, or all bands 0) are left out and stay no-data; so are bands without data in any pixel. "
        "The log says how large the error of the mixtures is, and how small it could be: look at it before training.");
    SetDocLimitations("Endmembers are compared and refined on a sample of 10000 pixels. Looking for "
                      "them takes 4 (2 ne - 1) bytes for each pixel in the folder for temporary files (TMPDIR). "
                      "A pixel that is all shade decodes to zeros, which are no-data.");
    SetDocAuthors("The HUD developers");
    SetDocSeeAlso("HUDDecode, HUDTrain, VertexComponentAnalysis, HyperspectralUnmixing");
    AddDocTag(Tags::Hyperspectral);

    AddParameter(ParameterType_InputImage, "in", "Scene");
    SetParameterDescription("in", "Hyperspectral image, radiance or reflectance in any unit.");

    AddParameter(ParameterType_InputImage, "mask", "Mask");
    SetParameterDescription("mask",
                            "Pixels in which the first band of this image is 0 or NaN are left out as no-data.");
    MandatoryOff("mask");

    AddParameter(ParameterType_OutputImage, "out", "Abundances");
    SetParameterDescription("out", "Image with one band for each endmember. Without it, abundances are not written.");
    MandatoryOff("out");

    AddParameter(ParameterType_OutputImage, "outendm", "Endmembers");
    SetParameterDescription("outendm",
                            "Image with one pixel for each endmember and the bands of the scene. HUDDecode and "
                            "OTB's HyperspectralUnmixing read it.");
    MandatoryOff("outendm");

    AddParameter(ParameterType_OutputFilename, "outlib", "Spectral library");
    SetParameterDescription("outlib",
                            "Endmembers as a table, name.csv (a row for each band), or as an ENVI spectral library, "
                            "name.sli and name.hdr, which QGIS's EnMAP-Box opens.");
    MandatoryOff("outlib");

    AddParameter(ParameterType_OutputFilename, "report", "Report");
    SetParameterDescription("report", "What the log says of the unmixing, and more, as JSON.");
    MandatoryOff("report");

    AddParameter(ParameterType_Int, "ne", "Number of endmembers");
    SetParameterDescription("ne", "How many materials to look for, from 2 to the number of bands. 0: estimated.");
    SetDefaultParameterInt("ne", 4);

    AddParameter(ParameterType_Choice, "estimator", "Estimator of their number");
    SetParameterDescription("estimator", "How the number of endmembers is found with ne 0.");
    AddChoice("estimator.error", "The smallest that keeps the error of the mixtures below maxerror");
    AddChoice("estimator.elm", "Eigenvalue likelihood maximisation; may find many more");
    AddChoice("estimator.vd", "Virtual dimensionality");

    AddParameter(ParameterType_Float, "maxerror", "Largest error");
    SetParameterDescription("maxerror",
                            "Largest error of the mixtures in percent of the scene's root mean square, for estimator "
                            "error.");
    SetDefaultParameterFloat("maxerror", 5.f);

    AddParameter(ParameterType_InputImage, "ie", "Given endmembers");
    SetParameterDescription(
        "ie", "Use these endmembers instead of looking for them: an image as outendm writes it, or a file as outlib "
              "writes it.");
    MandatoryOff("ie");

    AddParameter(ParameterType_Choice, "method", "Extraction method");
    SetParameterDescription(
        "method", "How endmembers are found. Only those of vca are refined, are medians, or have shade: refine, "
                  "smooth and shade are not for other methods. sisal and nmf start with the best VCA run. sisal, "
                  "nmf and edaa look at a sample of the pixels.");
    AddChoice("method.vca", "Vertex Component Analysis, refined");
    AddChoice("method.sivm", "Simplex volume maximisation: pixels, the same every time");
    AddChoice("method.sisal", "Smallest simplex about nearly all pixels (SISAL), where no pixel is pure");
    AddChoice("method.nmf", "Minimum-volume non-negative matrix factorisation: small error and small simplex");
    AddChoice("method.edaa", "Entropic archetypal analysis: near to materials where many pixels are nearly pure");

    AddParameter(ParameterType_Int, "restarts", "Runs");
    SetParameterDescription("restarts",
                            "Number of runs of VCA, or of edaa, to choose the best from; method sivm has none. With 1, "
                            "and no refinement, vca is as published.");
    SetDefaultParameterInt("restarts", 20);

    AddParameter(ParameterType_Int, "refine", "Refinements");
    SetParameterDescription("refine",
                            "Number of refinements of the endmembers of method vca. More lowers the error of the "
                            "mixtures; with 0 and several runs, endmembers are medians of nearly pure pixels.");
    SetDefaultParameterInt("refine", 30);

    AddParameter(ParameterType_Choice, "criterion", "Best run");
    SetParameterDescription("criterion", "What makes one VCA run better than another.");
    AddChoice("criterion.error", "Smallest error of the mixtures");
    AddChoice("criterion.volume", "Largest simplex");

    AddParameter(ParameterType_Float, "smooth", "Pixels of a median");
    SetParameterDescription(
        "smooth", "Percent of the pixels whose median makes an endmember of method vca in the runs that dark and "
                  "outlying pixels must not mislead. 0: single pixels.");
    SetDefaultParameterFloat("smooth", 2.f);

    AddParameter(ParameterType_Bool, "shade", "Shade");
    SetParameterDescription("shade", "Let one of the endmembers be shade, a spectrum of zeros; with method vca.");

    AddParameter(ParameterType_Choice, "encoder", "Abundances from");
    SetParameterDescription("encoder", "How abundances are computed.");
    AddChoice("encoder.fcls", "Fully constrained least squares");
    AddChoice("encoder.nnls", "Non-negative least squares, whatever the abundances sum to");
    AddChoice("encoder.linear", "Unconstrained least squares, clamped and scaled to sum one");
    AddChoice("encoder.ucls", "Unconstrained least squares as they are, with negative values");

    AddSeedParameter();
    AddRAMParameter();
    for (const char* key : {"estimator", "maxerror", "criterion", "smooth", "shade"})
    {
      GetParameterByKey(key)->SetUserLevel(UserLevel_Advanced);
      MandatoryOff(key);
    }

    SetDocExampleParameterValue("in", "jasper_ridge.tif");
    SetDocExampleParameterValue("ne", "4");
    SetDocExampleParameterValue("out", "abundances.tif");
    SetDocExampleParameterValue("outendm", "endmembers.tif");
    SetDocExampleParameterValue("outlib", "endmembers.csv");
    SetDocExampleParameterValue("report", "unmixing.json");
    SetOfficialDocLink();
  }

  void DoExecute() override
  {
    CheckOutputsWritable();
    CheckParameters();
    HUDImageType* const scene = OpenScene();
    HUDUnmixingReport report;
    report.m_Scene = GetParameterString("in");
    report.m_Encoder = GetParameterString("encoder");
    report.m_Bands = static_cast<Eigen::Index>(scene->GetNumberOfComponentsPerPixel());
    report.m_EmptyBands = FindEmptyBands("in", {scene});
    HUDEndmemberTable table = HasValue("ie") ? GivenEndmembers(*scene, report) : FindEndmembers(*scene, report);

    m_Encode = HUDEncodeImageFilter::New();
    m_Encode->SetInput(scene);
    m_Encode->SetEncoder(hud::ParseEncoderKind(report.m_Encoder));
    m_Encode->SetEndmembers(table.m_Endmembers);
    m_Encode->SetIgnoredBands(report.m_EmptyBands);
    m_Encode->SetSummarise(true);
    UpdateInformation({"in", "ie"}, *m_Encode->GetOutput());
    SetParameterOutputImage("out", m_Encode->GetOutput());
    m_Endmembers = HUDEndmembersToImage(table.m_Endmembers);
    SetParameterOutputImage("outendm", m_Endmembers.GetPointer());
    const HUDSceneMetadata metadata = HUDReadSceneMetadata(GetInputFile("in"));
    if (HasValue("ie"))
    {
      CheckBandLabels(DescribeInput("ie"), table.m_Metadata, metadata, "scene");
    }
    table.m_Metadata = HUDEndmemberMetadata(table.m_Metadata, metadata);
    SetOutputMetadata("outendm", table.m_Metadata);
    SetOutputMetadata(
        "out", HUDAbundanceMetadata(metadata, static_cast<std::size_t>(table.m_Endmembers.cols()), table.m_Names));
    SetOutputGrid("out", "in");
    std::vector<HUDStagedFile*> files;
    std::optional<HUDStagedFile> library;
    if (HasValue("outlib"))
    {
      library.emplace(GetParameterString("outlib"));
      HUDWriteEndmemberFile(library->StagedPath(), table);
      files.push_back(&*library);
    }
    std::optional<HUDStagedFile> reportFile;
    if (HasValue("report"))
    {
      reportFile.emplace(GetParameterString("report"));
      files.push_back(&*reportFile);
    }
    WriteOutputs(files, [&] {
      if (reportFile)
      {
        EncodeRest(*scene);
      }
      report.m_Summary = m_Encode->GetSummary();
      report.m_NoDataPixels = m_Encode->GetNoDataCounts();
      Log(report);
      if (reportFile)
      {
        report.Write(reportFile->StagedPath());
      }
    });
  }

  /// Throws, before any work, when parameters cannot go together.
  void CheckParameters()
  {
    if (HasValue("outlib"))
    {
      HUDCheckEndmemberFileName("outlib", GetParameterString("outlib"));
    }
    else if (!HasValue("out") && !HasValue("outendm") && !HasValue("report"))
    {
      otbAppLogWARNING("Neither out nor outendm nor outlib nor report names a file: nothing will be written");
    }
    if (!HasValue("ie") && GetParameterInt("shade") != 0 && GetParameterString("method") != "vca")
    {
      throw hud::InvalidOption("shade: found method " + GetParameterString("method") +
                               ", expected vca; other methods do not know shade");
    }
    if (!HasValue("ie") && GetParameterInt("shade") != 0 && GetParameterString("encoder") != "fcls")
    {
      throw hud::InvalidOption("shade: found encoder " + GetParameterString("encoder") +
                               ", expected fcls; only where abundances sum to one does a spectrum of zeros count");
    }
  }

  /// Returns the scene without what the mask leaves out.
  HUDImageType* OpenScene()
  {
    HUDImageType* const scene = OpenImage("in");
    if (!HasValue("mask"))
    {
      return scene;
    }
    m_Masked = MaskScene(*scene, "mask");
    HUDImageType* const masked = m_Masked->GetOutput();
    masked->UpdateOutputInformation();
    return masked;
  }

  HUDEndmemberTable GivenEndmembers(HUDImageType& scene, HUDUnmixingReport& report)
  {
    HUDEndmemberTable table = ReadEndmembers("ie", report.m_Bands);
    if (HasValue("report"))
    {
      report.SetLimits(ReadStatistics("in", {&scene}, report.m_EmptyBands), table.m_Endmembers.cols());
    }
    return table;
  }

  HUDEndmemberTable FindEndmembers(HUDImageType& scene, HUDUnmixingReport& report)
  {
    hud::ExtractionOptions options;
    report.m_Method = GetParameterString("method");
    options.m_Method = hud::ParseUnmixingMethod(report.m_Method);
    options.m_Endmembers = GetParameterInt("ne");
    options.m_Restarts = GetParameterInt("restarts");
    options.m_Criterion = hud::ParseEndmemberCriterion(GetParameterString("criterion"));
    options.m_Refinement.m_Iterations = GetParameterInt("refine");
    options.m_Refinement.m_Shade = GetParameterInt("shade") != 0;
    options.m_SmoothedShare = GetParameterFloat("smooth") / 100.;
    options.m_Seed = GetSeed();
    HUDEndmemberTable table;
    const hud::Extraction extraction =
        ExtractEndmembers("in", {&scene}, report.m_EmptyBands, options,
                          HUDParseCountMethod(GetParameterString("estimator")), GetParameterFloat("maxerror") / 100.);
    report.SetLimits(extraction.m_Statistics, extraction.m_Endmembers.cols());
    table.m_Endmembers = extraction.m_Endmembers;
    return table;
  }

  /// Computes what was not written: all of the scene without `out`, the rest of it with a box in its name.
  void EncodeRest(const HUDImageType& scene)
  {
    const std::size_t encoded = static_cast<std::size_t>(m_Encode->GetSummary().m_Pixels) + m_Encode->GetNoDataPixels();
    if (encoded != scene.GetLargestPossibleRegion().GetNumberOfPixels())
    {
      m_Encode->Modified(); // it starts anew
      StreamThrough(*m_Encode->GetOutput(), "Computing abundances");
    }
  }

  void Log(const HUDUnmixingReport& report)
  {
    LogNoData(report.m_NoDataPixels);
    if (report.m_Summary.m_Pixels > 0)
    {
      for (const std::string& line : report.Lines())
      {
        otbAppLogINFO(<< line);
      }
    }
    else if (HasValue("out"))
    {
      otbAppLogWARNING(<< DescribeInput("in") << ": no pixel that was written is valid");
    }
  }

  itk::ImageSource<HUDImageType>::Pointer m_Masked;
  HUDEncodeImageFilter::Pointer m_Encode;
  HUDImageType::Pointer m_Endmembers;
};

} // namespace Wrapper
} // namespace otb

OTB_APPLICATION_EXPORT(otb::Wrapper::HUDUnmix)
