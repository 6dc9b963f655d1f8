// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDAbundanceImage.h"
#include "otbHUDApplication.h"
#include "otbHUDDecodeImageFilter.h"
#include "otbHUDInterrupt.h"

#include "otbWrapperApplicationFactory.h"

#include "hud/diffusion/SampleSession.h"

#include "itkMultiThreader.h"

namespace otb
{
namespace Wrapper
{

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
        "of the scene that the model was trained on.");
    SetDocLimitations("The abundances of the whole scene are held in memory.");
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

    AddParameter(ParameterType_Int, "sizex", "Width");
    SetParameterDescription("sizex", "Width of the scene in pixels.");
    SetDefaultParameterInt("sizex", 128);

    AddParameter(ParameterType_Int, "sizey", "Height");
    SetParameterDescription("sizey", "Height of the scene in pixels.");
    SetDefaultParameterInt("sizey", 128);

    AddParameter(ParameterType_Choice, "layout", "Layout");
    SetParameterDescription("layout", "What fills the scene.");
    AddChoice("layout.scene", "One seamless image");
    AddChoice("layout.patches", "Independent patches side by side, without gaps");

    AddParameter(ParameterType_Choice, "sampler", "Sampler");
    SetParameterDescription("sampler", "How noise becomes a scene.");
    AddChoice("sampler.ddim", "DDIM: few steps");
    AddChoice("sampler.ddpm", "DDPM: with as many steps as the model has timesteps, as published");

    AddParameter(ParameterType_Int, "steps", "Steps");
    SetParameterDescription("steps",
                            "Number of steps, at most the model's number of timesteps (1000 unless set in training).");
    SetDefaultParameterInt("steps", 20);

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
    hud::ExecutionOptions execution;
    execution.m_Device = GetParameterString("device");
    execution.m_Threads = static_cast<int>(itk::MultiThreader::GetGlobalDefaultNumberOfThreads());
    const hud::SampleSession session(GetParameterString("model"), execution);
    const hud::ModelInfo& info = session.Info();

    hud::SampleOptions options;
    options.m_Width = GetParameterInt("sizex");
    options.m_Height = GetParameterInt("sizey");
    options.m_Layout = hud::ParseSampleLayout(GetParameterString("layout"));
    options.m_Sampler = hud::ParseSamplerKind(GetParameterString("sampler"));
    options.m_Steps = GetParameterInt("steps");
    options.m_Seed = GetSeed();

    otbAppLogINFO("Sampling on " << session.DeviceDescription() << ", from a model of " << info.m_Iteration
                                 << " iterations");
    m_Abundances = HUDAbundancesToImage(Sample(session, options));
    m_Decode = HUDDecodeImageFilter::New();
    m_Decode->SetInput(m_Abundances);
    m_Decode->SetEndmembers(info.m_Scene.m_Endmembers);
    SetParameterOutputImage("out", m_Decode->GetOutput());
    SetParameterOutputImage("outabund", m_Abundances.GetPointer());
    SetOutputWavelengths("out", info.m_Scene.m_Wavelengths);
    WriteOutputs();
  }

  hud::AbundanceMap Sample(const hud::SampleSession& session, const hud::SampleOptions& options)
  {
    const HUDInterrupt interrupt;
    const auto progress = StartProgress("Sampling");
    hud::AbundanceMap map = session.Sample(options, [&](double fraction) { return progress->Advance(fraction); });
    progress->Finish();
    return map;
  }

  HUDImageType::Pointer m_Abundances;
  HUDDecodeImageFilter::Pointer m_Decode;
};

} // namespace Wrapper
} // namespace otb

OTB_APPLICATION_EXPORT(otb::Wrapper::HUDSample)
