// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDBandMetadata.h"

#include "hud/core/Error.h"

#include "otbExtendedFilenameToReaderOptions.h"

#include <gdal_priv.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <regex>

namespace otb
{

namespace
{

GDALDatasetUniquePtr OpenRaster(const std::string& path, unsigned int access)
{
  GDALAllRegister();
  return GDALDatasetUniquePtr(GDALDataset::Open(path.c_str(), GDAL_OF_RASTER | access));
}

// The file of an OTB extended filename; nothing when it cannot be opened.
GDALDatasetUniquePtr OpenForReading(const std::string& path)
{
  const auto options = ExtendedFilenameToReaderOptions::New();
  options->SetExtendedFileName(path);
  const CPLErrorHandlerPusher quiet(CPLQuietErrorHandler);
  return OpenRaster(options->GetSimpleFileName(), GDAL_OF_READONLY);
}

// Nanometres in a unit; nothing when it is none of length.
std::optional<double> NanometresIn(const std::string& unit)
{
  for (const char* name : {"nm", "nanometer", "nanometers", "nanometre", "nanometres"})
  {
    if (EQUAL(unit.c_str(), name))
    {
      return 1.;
    }
  }
  // The last two are the micro sign and the Greek letter mu, in UTF-8.
  for (const char* name :
       {"um", "micron", "microns", "micrometer", "micrometers", "micrometre", "micrometres", "\xc2\xb5m", "\xce\xbcm"})
  {
    if (EQUAL(unit.c_str(), name))
    {
      return 1000.;
    }
  }
  return std::nullopt;
}

std::optional<double> PositiveNumber(const std::string& text)
{
  char* end = nullptr;
  const double value = CPLStrtod(text.c_str(), &end);
  if (end == text.c_str() || !std::isfinite(value) || value <= 0.)
  {
    return std::nullopt;
  }
  return value;
}

std::optional<double> WavelengthFromItem(GDALRasterBand& band)
{
  const char* item = band.GetMetadataItem("wavelength");
  if (item == nullptr)
  {
    return std::nullopt;
  }
  const std::optional<double> value = PositiveNumber(item);
  const char* unit = band.GetMetadataItem("wavelength_units");
  return value ? HUDToNanometres(*value, unit == nullptr ? "" : unit) : std::nullopt;
}

std::optional<double> WavelengthFromDescription(GDALRasterBand& band)
{
  static const std::regex pattern("([0-9]+\\.?[0-9]*|\\.[0-9]+)\\s*([A-Za-z\xc2\xb5\xce\xbc]+)");
  const std::string description = band.GetDescription();
  for (auto match = std::sregex_iterator(description.begin(), description.end(), pattern);
       match != std::sregex_iterator(); ++match)
  {
    const std::optional<double> value = PositiveNumber((*match)[1]);
    const std::optional<double> scale = NanometresIn((*match)[2]);
    if (value && scale)
    {
      return *value * *scale;
    }
  }
  return std::nullopt;
}

std::string ToText(double value)
{
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  return std::string(text, end);
}

} // namespace

std::optional<double> HUDToNanometres(double wavelength, const std::string& unit)
{
  // No optical sensor has bands below 100 nm or above 100 micrometres.
  const std::optional<double> scale = unit.empty() ? (wavelength < 100. ? 1000. : 1.) : NanometresIn(unit);
  return scale && std::isfinite(wavelength) && wavelength > 0. ? std::optional<double>(wavelength * *scale)
                                                               : std::nullopt;
}

std::string HUDReadUnits(const std::string& path)
{
  const GDALDatasetUniquePtr dataset = OpenForReading(path);
  return dataset && dataset->GetRasterCount() > 0 ? dataset->GetRasterBand(1)->GetUnitType() : "";
}

std::optional<double> HUDReadNoDataValue(const std::string& path)
{
  const GDALDatasetUniquePtr dataset = OpenForReading(path);
  int declared = 0;
  const double value =
      dataset && dataset->GetRasterCount() > 0 ? dataset->GetRasterBand(1)->GetNoDataValue(&declared) : 0.;
  return declared != 0 && std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
}

std::vector<double> HUDReadWavelengths(const std::string& path)
{
  const auto options = ExtendedFilenameToReaderOptions::New();
  options->SetExtendedFileName(path);

  const GDALDatasetUniquePtr dataset = OpenForReading(path);
  if (!dataset)
  {
    return {};
  }
  const auto count = static_cast<unsigned int>(dataset->GetRasterCount());
  std::vector<unsigned int> bands(count);
  std::iota(bands.begin(), bands.end(), 0u);
  if (options->BandRangeIsSet() && !options->ResolveBandRange(options->GetBandRange(), count, bands))
  {
    return {};
  }
  std::vector<double> wavelengths;
  for (const unsigned int index : bands)
  {
    GDALRasterBand& band = *dataset->GetRasterBand(static_cast<int>(index) + 1);
    std::optional<double> wavelength = WavelengthFromItem(band);
    if (!wavelength)
    {
      wavelength = WavelengthFromDescription(band);
    }
    if (!wavelength)
    {
      return {};
    }
    wavelengths.push_back(*wavelength);
  }
  return wavelengths;
}

void HUDWriteWavelengths(const std::string& path, const std::vector<double>& wavelengths)
{
  const CPLErrorHandlerPusher quiet(CPLQuietErrorHandler);
  CPLErrorReset();
  GDALDatasetUniquePtr dataset = OpenRaster(path, GDAL_OF_UPDATE);
  if (!dataset)
  {
    // A format without update keeps them in the file's .aux.xml.
    CPLErrorReset();
    dataset = OpenRaster(path, GDAL_OF_READONLY);
  }
  if (!dataset)
  {
    throw hud::FileError(path + ": cannot be opened: " + CPLGetLastErrorMsg());
  }
  const auto bands = static_cast<std::size_t>(dataset->GetRasterCount());
  if (bands != wavelengths.size())
  {
    throw hud::InvalidOption(path + " has " + std::to_string(bands) + " bands, but there are " +
                             std::to_string(wavelengths.size()) + " wavelengths");
  }
  if (dataset->GetDriver() != nullptr && std::string(dataset->GetDriver()->GetDescription()) == "ENVI")
  {
    std::string list;
    for (const double wavelength : wavelengths)
    {
      list += (list.empty() ? "{" : ", ") + ToText(wavelength);
    }
    dataset->SetMetadataItem("wavelength", (list + "}").c_str(), "ENVI");
    dataset->SetMetadataItem("wavelength_units", "Nanometers", "ENVI");
  }
  else
  {
    for (std::size_t i = 0; i < bands; ++i)
    {
      GDALRasterBand& band = *dataset->GetRasterBand(static_cast<int>(i) + 1);
      const std::string text = ToText(wavelengths[i]);
      band.SetMetadataItem("wavelength", text.c_str());
      band.SetMetadataItem("wavelength_units", "Nanometers");
      band.SetDescription((text + " nm").c_str());
    }
  }
  dataset.reset();
  if (CPLGetLastErrorType() >= CE_Failure)
  {
    throw hud::FileError(path + ": the wavelengths cannot be written: " + CPLGetLastErrorMsg());
  }
}

} // namespace otb
