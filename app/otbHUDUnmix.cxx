// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDApplication.h"
#include "otbHUDBandMetadata.h"
#include "otbHUDEncodeImageFilter.h"
#include "otbHUDEndmemberImage.h"
#include "otbHUDStagedFile.h"

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
        "(abundances: never negative, sum one). Endmembers come from Vertex Component Analysis, started several times; "
        "the run that describes the scene best is then refined. Abundances come from fully constrained least squares, "
        "solved exactly. No-data pixels (the image's no-data value, NaN, or all bands 0) are left out and stay "
        "no-data.");
    SetDocLimitations("Endmembers are compared and refined on a sample of 10000 pixels. Looking for "
                      "them takes 4 (2 ne - 1) bytes for each pixel in the folder for temporary files (TMPDIR).");
    SetDocAuthors("The HUD developers");
    SetDocSeeAlso("HUDDecode, HUDTrain, VertexComponentAnalysis, HyperspectralUnmixing");
    AddDocTag(Tags::Hyperspectral);

    AddParameter(ParameterType_InputImage, "in", "Scene");
    SetParameterDescription("in", "Hyperspectral image, radiance or reflectance in any unit.");

    AddParameter(ParameterType_OutputImage, "out", "Abundances");
    SetParameterDescription("out", "Image with one band for each endmember. Without it, only endmembers are written.");
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

    AddParameter(ParameterType_Int, "ne", "Number of endmembers");
    SetParameterDescription("ne", "How many materials to look for, from 2 to the number of bands.");
    SetDefaultParameterInt("ne", 4);

    AddParameter(ParameterType_InputImage, "ie", "Given endmembers");
    SetParameterDescription(
        "ie", "Use these endmembers instead of looking for them: an image as outendm writes it, or a file as outlib "
              "writes it.");
    MandatoryOff("ie");

    AddParameter(ParameterType_Choice, "method", "Extraction method");
    SetParameterDescription("method", "How endmembers are found.");
    AddChoice("method.vca", "Vertex Component Analysis");

    AddParameter(ParameterType_Int, "restarts", "VCA runs");
    SetParameterDescription("restarts",
                            "Number of VCA runs to choose the best from. With 1, and no refinement, this is VCA "
                            "as published.");
    SetDefaultParameterInt("restarts", 20);

    AddParameter(ParameterType_Int, "refine", "Refinements");
    SetParameterDescription("refine",
                            "Number of refinements of the endmembers. More lowers the error of the mixtures; 0 "
                            "keeps the endmembers close to pixels of the scene.");
    SetDefaultParameterInt("refine", 30);

    AddParameter(ParameterType_Choice, "encoder", "Abundances from");
    SetParameterDescription("encoder", "How abundances are computed.");
    AddChoice("encoder.fcls", "Fully constrained least squares");
    AddChoice("encoder.linear", "Unconstrained least squares, clamped and scaled to sum one");
    AddChoice("encoder.ucls", "Unconstrained least squares as they are, with negative values");

    AddSeedParameter();
    AddRAMParameter();

    SetDocExampleParameterValue("in", "jasper_ridge.tif");
    SetDocExampleParameterValue("ne", "4");
    SetDocExampleParameterValue("out", "abundances.tif");
    SetDocExampleParameterValue("outendm", "endmembers.tif");
    SetOfficialDocLink();
  }

  void DoExecute() override
  {
    CheckOutputsWritable();
    if (HasValue("outlib"))
    {
      HUDCheckEndmemberFileName(GetParameterString("outlib"));
    }
    else if (!HasValue("out") && !HasValue("outendm"))
    {
      otbAppLogWARNING("Neither out nor outendm nor outlib names a file: nothing will be written");
    }
    HUDImageType* const scene = OpenImage("in");
    const auto seed = GetSeed();

    hud::ExtractionOptions options;
    options.m_Endmembers = GetParameterInt("ne");
    options.m_Restarts = GetParameterInt("restarts");
    options.m_Refinement.m_Iterations = GetParameterInt("refine");
    options.m_Seed = seed;
    HUDEndmemberTable table;
    if (HasValue("ie"))
    {
      table = ReadEndmembers("ie", static_cast<Eigen::Index>(scene->GetNumberOfComponentsPerPixel()));
    }
    else
    {
      table.m_Endmembers = ExtractEndmembers("in", {scene}, options);
    }

    m_Encode = HUDEncodeImageFilter::New();
    m_Encode->SetInput(scene);
    m_Encode->SetEncoder(hud::ParseEncoderKind(GetParameterString("encoder")));
    m_Encode->SetEndmembers(table.m_Endmembers);
    UpdateInformation({"in", "ie"}, *m_Encode->GetOutput());
    SetParameterOutputImage("out", m_Encode->GetOutput());
    m_Endmembers = HUDEndmembersToImage(table.m_Endmembers);
    SetParameterOutputImage("outendm", m_Endmembers.GetPointer());
    const std::vector<double> wavelengths = HUDReadWavelengths(GetParameterString("in"));
    if (!wavelengths.empty())
    {
      table.m_Wavelengths = wavelengths;
    }
    SetOutputWavelengths("outendm", table.m_Wavelengths);
    std::vector<HUDStagedFile*> files;
    std::optional<HUDStagedFile> library;
    if (HasValue("outlib"))
    {
      library.emplace(GetParameterString("outlib"));
      HUDWriteEndmemberFile(library->StagedPath(), table);
      files.push_back(&*library);
    }
    WriteOutputs(files);
    LogNoData(m_Encode->GetNoDataPixels());
  }

  HUDEncodeImageFilter::Pointer m_Encode;
  HUDImageType::Pointer m_Endmembers;
};

} // namespace Wrapper
} // namespace otb

OTB_APPLICATION_EXPORT(otb::Wrapper::HUDUnmix)
