// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDApplication.h"
#include "otbHUDDecodeImageFilter.h"

#include "otbWrapperApplicationFactory.h"

namespace otb
{
namespace Wrapper
{

class HUDDecode : public HUDApplication
{
public:
  using Self = HUDDecode;
  using Pointer = itk::SmartPointer<Self>;

  itkNewMacro(Self);
  itkTypeMacro(HUDDecode, otb::Wrapper::HUDApplication);

private:
  void DoInit() override
  {
    SetName("HUDDecode");
    SetDescription("Turn abundances and endmembers into a hyperspectral scene");
    SetDocLongDescription(
        "Mixes the endmembers' spectra in the proportions that the abundances give (the linear mixing "
        "model). The spectra have the endmembers' wavelengths, unit and scale. No-data pixels stay no-data.");
    SetDocLimitations("None");
    SetDocAuthors("The HUD developers");
    SetDocSeeAlso("HUDUnmix, HUDSample");
    AddDocTag(Tags::Hyperspectral);

    AddParameter(ParameterType_InputImage, "in", "Abundances");
    SetParameterDescription("in", "Image with one band for each endmember, as HUDUnmix and HUDSample write it.");

    AddParameter(ParameterType_InputImage, "ie", "Endmembers");
    SetParameterDescription(
        "ie", "Image with one pixel for each endmember, table (name.csv) or ENVI spectral library (name.sli), "
              "as HUDUnmix writes them.");

    AddParameter(ParameterType_OutputImage, "out", "Scene");
    SetParameterDescription("out", "Hyperspectral image with the bands of the endmembers.");

    AddRAMParameter();

    SetDocExampleParameterValue("in", "abundances.tif");
    SetDocExampleParameterValue("ie", "endmembers.tif");
    SetDocExampleParameterValue("out", "scene.tif");
    SetOfficialDocLink();
  }

  void DoExecute() override
  {
    CheckOutputsWritable();
    HUDImageType* const abundances = OpenImage("in");
    const HUDEndmemberTable table = ReadEndmembers("ie");

    m_Decode = HUDDecodeImageFilter::New();
    m_Decode->SetInput(abundances);
    m_Decode->SetEndmembers(table.m_Endmembers);
    UpdateInformation({"in", "ie"}, *m_Decode->GetOutput());
    SetParameterOutputImage("out", m_Decode->GetOutput());
    HUDSceneMetadata metadata = table.m_Metadata;
    metadata.m_Items = HUDReadSceneMetadata(GetInputFile("in")).m_Items;
    SetOutputMetadata("out", metadata);
    SetOutputGrid("out", "in");
    WriteOutputs();
    LogNoData(m_Decode->GetNoDataCounts());
  }

  HUDDecodeImageFilter::Pointer m_Decode;
};

} // namespace Wrapper
} // namespace otb

OTB_APPLICATION_EXPORT(otb::Wrapper::HUDDecode)
