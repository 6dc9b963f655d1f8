// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDApplication.h"
#include "otbHUDFileCacheLimit.h"
#include "otbHUDSceneImport.h"

#include "hud/core/Error.h"

#include "otbWrapperApplicationFactory.h"

#include <algorithm>

namespace otb
{
namespace Wrapper
{

class HUDImport : public HUDApplication
{
public:
  using Self = HUDImport;
  using Pointer = itk::SmartPointer<Self>;

  itkNewMacro(Self);
  itkTypeMacro(HUDImport, otb::Wrapper::HUDApplication);

private:
  void DoInit() override
  {
    SetName("HUDImport");
    SetDescription("Turn a PRISMA product or a MATLAB scene into an image with wavelengths");
    SetDocLongDescription(
        "Reads the hyperspectral cubes of a PRISMA product (.he5 of level L1, L2B, L2C or L2D) and writes one image: north "
        "up, bands by ascending wavelength, radiance in W m-2 sr-1 um-1 (L1, L2B) or reflectance (L2C, L2D), with "
        "wavelength and width of each band, acquisition time and sun angles. What lies beyond the swath and what the "
        "product flags as defective is no-data (-9999). An L2D has its UTM grid; the others have ground control points, "
        "or are warped to UTM. MATLAB files (.mat of version 5 or 7.3) give their array of rows, columns and bands as "
        "it is. The input is only read, and what it is called does not matter.");
    SetDocLimitations("Georeferenced L1G products are refused. Panchromatic images, masks and atmosphere maps are not "
                      "read. A MATLAB file tells no wavelengths.");
    SetDocAuthors("The HUD developers");
    SetDocSeeAlso("HUDUnmix, HUDTrain");
    AddDocTag(Tags::Hyperspectral);

    const HUDImportOptions defaults;
    AddParameter(ParameterType_InputFilename, "in", "Product");
    SetParameterDescription("in", "PRISMA product (.he5, unpacked) or MATLAB file (.mat).");

    AddParameter(ParameterType_OutputImage, "out", "Scene");
    SetParameterDescription("out", "Hyperspectral image, such as scene.tif.");

    AddParameter(ParameterType_Choice, "join", "Overlap of VNIR and SWIR");
    SetParameterDescription("join", "PRISMA's two spectrometers overlap around 960 nm. Which bands to keep there.");
    AddChoice("join.swir", "Those of the SWIR");
    AddChoice("join.vnir", "Those of the VNIR");
    AddChoice("join.sorted", "All, sorted by wavelength; spectra may jump where they alternate");

    AddParameter(ParameterType_String, "exclude", "Wavelengths to leave out");
    SetParameterDescription("exclude", "Ranges in nanometre. Where water vapour absorbs nearly all light, spectra are "
                                       "noise: 1350-1450 1800-1950 leaves that out. Empty: all bands are imported.");
    MandatoryOff("exclude");

    AddParameter(ParameterType_String, "var", "Array of a MATLAB file");
    SetParameterDescription("var",
                            "Name of the array of rows, columns and bands. Only needed if the file has several.");
    MandatoryOff("var");

    AddParameter(ParameterType_Choice, "grid", "Grid");
    SetParameterDescription("grid", "Where the pixels of the image lie. An L2D has a UTM grid in either case.");
    AddChoice("grid.native", "As in the product; L1, L2B and L2C with ground control points");
    AddChoice("grid.utm", "UTM, 30 m; each pixel is the nearest one of the product, so spectra are not mixed");

    AddParameter(ParameterType_Choice, "flagged", "Flagged samples");
    SetParameterDescription("flagged",
                            "What becomes of samples that the product's error matrix flags: defective, "
                            "saturated, negative after the atmospheric correction. HUD's applications leave out "
                            "a pixel with no-data in any band.");
    AddChoice("flagged.sample", "No-data; the pixel's other bands keep their values");
    AddChoice("flagged.pixel", "All bands of the pixel are no-data");
    AddChoice("flagged.keep", "They keep their values");

    AddParameter(ParameterType_Float, "maxflagged", "Most flagged pixels of a band");
    SetParameterDescription(
        "maxflagged", "Bands in which more than this percentage of the pixels are flagged are left out. 50 keeps a few "
                      "bad bands from making all pixels no-data. Estimated from some of the rows, so that scenes may "
                      "differ in their bands. 100: none is left out. Without meaning if flagged samples are kept.");
    SetDefaultParameterFloat("maxflagged", static_cast<float>(defaults.m_MaxFlagged));

    AddRAMParameter();
    for (const char* key : {"flagged", "maxflagged"})
    {
      GetParameterByKey(key)->SetUserLevel(UserLevel_Advanced);
    }

    SetDocExampleParameterValue("in", "PRS_L2D_STD_20201002193710_20201002193714_0001.he5");
    SetDocExampleParameterValue("out", "scene.tif");
    SetDocExampleParameterValue("exclude", "\"1350-1450 1800-1950\"");
    SetOfficialDocLink();
  }

  void DoExecute() override
  {
    CheckOutputsWritable();
    CheckHoldsNumbers("out");
    // The writer's blocks are complete when they come, so a large cache would only hold what could be written.
    const HUDFileCacheLimit cache(static_cast<std::size_t>(GetParameterInt("ram")) << 18);
    const HUDImportedScene scene = Open();
    for (const std::string& text : scene.m_Warnings)
    {
      otbAppLogWARNING(<< text);
    }
    for (const std::string& text : scene.m_Messages)
    {
      otbAppLogINFO(<< text);
    }
    m_Source = scene.m_Source;
    SetParameterOutputImage("out", m_Source->GetOutput());
    SetOutputMetadata("out", scene.m_Metadata);
    WriteOutputs();
    LogCounts(scene);
  }

  HUDImportedScene Open()
  {
    HUDImportOptions options;
    options.m_Join = hud::ParseNamedValue(hud::kBandJoins, GetParameterString("join"), "join");
    options.m_Flagged = hud::ParseNamedValue(kHUDFlaggedSamples, GetParameterString("flagged"), "choice of flagged");
    options.m_Grid = hud::ParseNamedValue(kHUDImportGrids, GetParameterString("grid"), "grid");
    options.m_Exclude = GetParameterString("exclude");
    options.m_Variable = GetParameterString("var");
    options.m_MaxFlagged = GetParameterFloat("maxflagged");
    options.m_Memory = static_cast<std::size_t>(std::max(1, GetParameterInt("ram")));
    return HUDImportScene(GetParameterString("in"), options);
  }

  void LogCounts(const HUDImportedScene& scene)
  {
    const HUDImportCounts& counts = *scene.m_Counts;
    if (counts.m_Pixels == 0)
    {
      return; // Nothing was written, as in a pipeline in memory.
    }
    const auto percent = [&counts](std::size_t pixels) {
      return std::to_string(pixels) + " (" + std::to_string(100 * pixels / counts.m_Pixels) + " %)";
    };
    otbAppLogINFO(<< "Pixels: " << counts.m_Pixels
                  << "; without data in any band, as beyond the swath: " << percent(counts.m_Empty)
                  << "; with no-data in some bands, as flagged: " << percent(counts.m_Flagged));
    const std::string bands = HUDDescribeFlaggedBands(scene, 50.);
    if (!bands.empty())
    {
      otbAppLogWARNING(<< "flagged in more than 50 % of the pixels with data: " << bands
                       << ". maxflagged 50 leaves such bands out");
    }
    if (GetParameterString("flagged") == "pixel" && counts.m_Empty > counts.m_Pixels / 2)
    {
      otbAppLogWARNING(<< percent(counts.m_Empty)
                       << " pixels hold no data. If that is because of a few bad bands, maxflagged 50 leaves them out");
    }
    if (counts.m_Flagged > (counts.m_Pixels - counts.m_Empty) / 10)
    {
      otbAppLogWARNING(<< "HUD's applications leave out the " << percent(counts.m_Flagged)
                       << " pixels that have no-data in some bands. maxflagged 50, or exclude, leaves out the bands "
                          "that are flagged most; flagged keep takes their values as they are");
    }
  }

  HUDRowImageSource::Pointer m_Source;
};

} // namespace Wrapper
} // namespace otb

OTB_APPLICATION_EXPORT(otb::Wrapper::HUDImport)
