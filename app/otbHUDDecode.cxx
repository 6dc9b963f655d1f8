// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDApplication.h"
#include "otbHUDDecodeImageFilter.h"
#include "otbHUDResidualImageFilter.h"
#include "otbHUDSensor.h"

#include "otbWrapperApplicationFactory.h"

#include "hud/core/BandNoise.h"
#include "hud/core/Error.h"
#include "hud/core/Message.h"

#include <filesystem>
#include <string>
#include <vector>

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
        "model). The spectra have the endmembers' wavelengths, unit and scale. No-data pixels stay no-data. With other "
        "endmembers of the same materials it makes the same place in another season. It can simulate another sensor "
        "(its bands, with Gaussian responses, and its noise) and another illumination; the image says what was "
        "simulated.");
    SetDocLimitations("Noise is normal and independent between bands and pixels. Spatial resolution stays as it is.");
    SetDocAuthors("The HUD developers");
    SetDocSeeAlso("HUDUnmix, HUDSample");
    AddDocTag(Tags::Hyperspectral);

    AddParameter(ParameterType_InputImage, "in", "Abundances");
    SetParameterDescription("in", "Image with one band for each endmember, as HUDUnmix and HUDSample write it.");

    AddParameter(ParameterType_InputImage, "ie", "Endmembers");
    SetParameterDescription(
        "ie", "Image with one pixel for each endmember, table (name.csv) or ENVI spectral library (name.sli), "
              "as HUDUnmix writes them, in the order of the abundances' bands.");

    AddParameter(ParameterType_OutputImage, "out", "Scene");
    SetParameterDescription("out", "Hyperspectral image with the bands of the endmembers, or of the sensor.");

    AddParameter(ParameterType_Choice, "sensor", "Sensor");
    SetParameterDescription("sensor", "Whose bands the scene has. A band is the mean of the spectrum under a Gaussian "
                                      "with the band's full width at half maximum.");
    AddChoice("sensor.none", "That of the endmembers");
    AddChoice("sensor.prisma", "PRISMA, nominal bands");
    AddChoice("sensor.enmap", "EnMAP, level 2A");
    AddChoice("sensor.sentinel2", "Sentinel-2A MSI, 13 bands");
    AddChoice("sensor.custom", "That of a sensor file");

    AddParameter(ParameterType_InputFilename, "sensorfile", "Sensor file");
    SetParameterDescription("sensorfile",
                            "For sensor custom: CSV table with a row for each band, and columns wavelength and fwhm in "
                            "nanometre; if wanted, name and snr (signal-to-noise ratio).");
    MandatoryOff("sensorfile");

    AddParameter(ParameterType_Choice, "outside", "Bands without endmembers");
    SetParameterDescription("outside",
                            "What becomes of bands of the sensor of whose response more than an eighth is outside the "
                            "range of the endmembers' wavelengths, or in a gap between them.");
    AddChoice("outside.refuse", "An error");
    AddChoice("outside.drop", "They are left out");

    AddParameter(ParameterType_String, "snr", "Signal-to-noise ratio");
    SetParameterDescription("snr",
                            "Adds noise to each band: its standard deviation is the scene's mean in the band over "
                            "this ratio (not decibels). One number, or one for each band of the scene "
                            "with blanks between. Empty: that of the sensor file, or no noise.");
    MandatoryOff("snr");

    AddParameter(ParameterType_Float, "illumination", "Illumination");
    SetParameterDescription("illumination", "Factor of all spectra, above 0: 0.5 is half of the light.");
    SetDefaultParameterFloat("illumination", 1.f);

    AddSeedParameter();
    AddRAMParameter();

    SetDocExampleParameterValue("in", "abundances.tif");
    SetDocExampleParameterValue("ie", "endmembers.tif");
    SetDocExampleParameterValue("out", "scene.tif");
    SetOfficialDocLink();
  }

  /// Returns what the work returns; its errors name the parameter.
  template <typename Work>
  static auto WithKey(const std::string& key, const Work& work)
  {
    try
    {
      return work();
    }
    catch (const hud::FileError& error)
    {
      throw hud::FileError(key + ": " + error.what());
    }
    catch (const hud::InvalidData& error)
    {
      throw hud::InvalidData(key + ": " + error.what());
    }
    catch (const hud::InvalidOption& error)
    {
      throw hud::InvalidOption(key + ": " + error.what());
    }
  }

  void DoExecute() override
  {
    CheckOutputsWritable();
    HUDImageType* const abundances = OpenImage("in");
    const HUDSceneMetadata source = HUDReadSceneMetadata(GetInputFile("in"));
    HUDEndmemberTable table = ReadEndmembers("ie");
    m_Decode = HUDDecodeImageFilter::New();
    m_Decode->SetInput(abundances);
    m_Decode->SetEndmembers(table.m_Endmembers);
    UpdateInformation({"in", "ie"}, *m_Decode->GetOutput());
    CheckNames(table, source);

    m_Ratios.clear();
    HUDSceneMetadata metadata;
    metadata.m_Items = source.m_Items;
    // What was simulated before is no longer so, but for the sensor of the endmembers.
    for (const char* item : {"simulated_sensor", "simulated_snr", "noise_seed", "simulated_illumination"})
    {
      metadata.m_Items[item] = "";
    }
    metadata.m_Items["simulated_sensor"] = table.m_Metadata.m_Items["simulated_sensor"];
    metadata.m_Items["endmembers"] = std::filesystem::path(GetParameterString("ie")).filename().string();
    SimulateSensor(table, metadata);
    SimulateIllumination(table, metadata);
    m_Decode->SetEndmembers(table.m_Endmembers);
    HUDImageType* const scene = SimulateNoise(*abundances, table, metadata);

    std::swap(metadata.m_Items, table.m_Metadata.m_Items);
    SetParameterOutputImage("out", scene);
    SetOutputMetadata("out", table.m_Metadata);
    SetOutputGrid("out", "in");
    WriteOutputs();
    LogNoData(m_Decode->GetNoDataCounts());
  }

  /// Throws when the endmembers are those of the abundances in another order, and warns of other names.
  void CheckNames(const HUDEndmemberTable& table, const HUDSceneMetadata& abundances)
  {
    const std::string inputs = DescribeInput("in") + ", " + DescribeInput("ie");
    const std::string others =
        WithKey(inputs, [&] { return HUDCompareEndmemberNames(table.m_Names, abundances.m_BandNames); });
    if (!others.empty())
    {
      otbAppLogWARNING(<< inputs << ": " << others);
    }
  }

  /// Returns the sensor that was asked for.
  HUDSensor ReadSensor()
  {
    if (GetParameterString("sensor") != "custom")
    {
      return HUDKnownSensor(GetParameterString("sensor"));
    }
    if (!HasValue("sensorfile"))
    {
      throw hud::InvalidOption("sensorfile: found none, expected a table of the bands for sensor custom");
    }
    return WithKey("sensorfile", [&] { return HUDReadSensorFile(GetParameterString("sensorfile")); });
  }

  void SimulateSensor(HUDEndmemberTable& table, HUDSceneMetadata& metadata)
  {
    const std::string choice = GetParameterString("sensor");
    if (choice != "custom" && HasValue("sensorfile"))
    {
      throw hud::InvalidOption("sensorfile: found " + GetParameterString("sensorfile") + " beside sensor " + choice +
                               ", expected sensor custom");
    }
    if (choice == "none")
    {
      return;
    }
    const HUDSensor sensor = ReadSensor();
    const auto uncovered = hud::ParseNamedValue(kHUDUncoveredBands, GetParameterString("outside"), "choice of outside");
    const HUDResampledEndmembers resampled = WithKey("sensor " + choice + ", " + DescribeInput("ie"),
                                                     [&] { return HUDResampleEndmembers(table, sensor, uncovered); });
    for (const std::string& message : resampled.m_Messages)
    {
      otbAppLogWARNING(<< "sensor: " << message);
    }
    otbAppLogINFO(<< "Sensor: " << sensor.m_Name << ", " << resampled.m_Table.m_Endmembers.rows() << " of "
                  << sensor.m_Wavelengths.size() << " bands, from " << table.m_Endmembers.rows()
                  << " bands of the endmembers");
    table = resampled.m_Table;
    m_Ratios = resampled.m_Ratios;
    metadata.m_Items["simulated_sensor"] = sensor.m_Name;
  }

  void SimulateIllumination(HUDEndmemberTable& table, HUDSceneMetadata& metadata)
  {
    const double factor = GetParameterFloat("illumination");
    if (factor == 1.)
    {
      return;
    }
    WithKey("illumination", [&] { HUDScaleSignal(table, factor); });
    metadata.m_Items["simulated_illumination"] = GetParameterAsString("illumination");
  }

  /// Returns the scene, with noise if any was asked for.
  HUDImageType* SimulateNoise(HUDImageType& abundances, const HUDEndmemberTable& table, HUDSceneMetadata& metadata)
  {
    m_Noise = nullptr;
    if (HasValue("snr") && !GetParameterString("snr").empty())
    {
      m_Ratios = WithKey("snr", [&] { return HUDParseRatios(GetParameterString("snr")); });
    }
    if (m_Ratios.empty())
    {
      return m_Decode->GetOutput();
    }
    const std::uint64_t seed = GetSeed();
    const hud::SceneStatistics statistics = ReadStatistics("in", {&abundances}, {});
    const Eigen::VectorXd deviations =
        WithKey("snr", [&] { return HUDNoiseDeviations(table, statistics.m_Mean, m_Ratios); });
    otbAppLogINFO(<< "Noise: standard deviation from " << deviations.minCoeff() << " to " << deviations.maxCoeff()
                  << " by band");
    m_Noise = HUDResidualImageFilter::New();
    m_Noise->SetInput(m_Decode->GetOutput());
    m_Noise->SetNoise(hud::BandNoise(deviations, seed));
    metadata.m_Items["simulated_snr"] = DescribeRatios();
    metadata.m_Items["noise_seed"] = std::to_string(seed);
    return m_Noise->GetOutput();
  }

  /// Returns the ratios of signal to noise, one number if they are equal.
  std::string DescribeRatios() const
  {
    std::string text;
    bool areEqual = true;
    for (const double ratio : m_Ratios)
    {
      text += hud::Compose(text.empty() ? "" : " ", ratio);
      areEqual = areEqual && ratio == m_Ratios.front();
    }
    return areEqual ? hud::Compose(m_Ratios.front()) : text;
  }

  HUDDecodeImageFilter::Pointer m_Decode;
  HUDResidualImageFilter::Pointer m_Noise;
  std::vector<double> m_Ratios; ///< of signal to noise in each band; empty: no noise
};

} // namespace Wrapper
} // namespace otb

OTB_APPLICATION_EXPORT(otb::Wrapper::HUDDecode)
