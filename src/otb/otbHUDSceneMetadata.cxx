// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDSceneMetadata.h"

#include "otbHUDPreview.h"

#include "hud/core/Error.h"

#include "otbExtendedFilenameToReaderOptions.h"

#include <gdal_priv.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <optional>
#include <regex>
#include <set>

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

std::optional<double> ScaleToNanometres(double wavelength, const std::string& unit)
{
  // No optical sensor has bands below 100 nm or above 100 micrometres.
  return unit.empty() ? (wavelength < 100. ? 1000. : 1.) : NanometresIn(unit);
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

std::string Item(GDALMajorObject& object, const char* name, const char* domain = "")
{
  const char* const item = object.GetMetadataItem(name, domain);
  return item == nullptr ? "" : HUDToUtf8(item);
}

// 0.57681 micrometres are 576.81 nanometres, not 576.8100000000001.
double InNanometres(double value, double scale)
{
  return scale == 1. ? value : CPLAtof(CPLSPrintf("%.12g", value * scale));
}

// A length in text, such as "0.41824 Micrometers".
const std::regex kLength("\\(?([0-9]+\\.?[0-9]*|\\.[0-9]+)\\s*([A-Za-z\xc2\xb5\xce\xbc]+)\\)?");

// A wavelength in a text, with its place.
struct WavelengthInText
{
  double m_Nanometres = 0.;
  double m_Scale = 1.; // nanometres in its unit
  std::size_t m_Begin = 0;
  std::size_t m_End = 0;
};

std::vector<WavelengthInText> FindWavelengths(const std::string& text)
{
  std::vector<WavelengthInText> wavelengths;
  for (auto match = std::sregex_iterator(text.begin(), text.end(), kLength); match != std::sregex_iterator(); ++match)
  {
    const std::optional<double> value = PositiveNumber((*match)[1]);
    const std::optional<double> scale = NanometresIn((*match)[2]);
    if (value && scale)
    {
      const auto begin = static_cast<std::size_t>(match->position());
      wavelengths.push_back(
          {InNanometres(*value, *scale), *scale, begin, begin + static_cast<std::size_t>(match->length())});
    }
  }
  return wavelengths;
}

// What one band says; 0: unknown.
struct BandLight
{
  double m_Wavelength = 0.;
  double m_Width = 0.;
};

// @param listedWidth of the file's list, in the unit of the band's wavelength; empty: none
BandLight ReadLight(GDALRasterBand& band, const std::string& listedWidth)
{
  BandLight light;
  double scale = 0.;
  const std::optional<double> value = PositiveNumber(Item(band, "wavelength"));
  const std::string unit = Item(band, "wavelength_units");
  const std::optional<double> micrometres = PositiveNumber(Item(band, "CENTRAL_WAVELENGTH_UM", "IMAGERY"));
  if (const auto inNanometres = value ? ScaleToNanometres(*value, unit) : std::nullopt)
  {
    scale = *inNanometres;
    light.m_Wavelength = InNanometres(*value, scale);
  }
  else if (micrometres)
  {
    light.m_Wavelength = InNanometres(*micrometres, 1000.);
    scale = 1000.;
  }
  else if (const auto found = FindWavelengths(HUDToUtf8(band.GetDescription())); !found.empty())
  {
    light.m_Wavelength = found.front().m_Nanometres;
    scale = NanometresIn(unit).value_or(found.front().m_Scale);
  }
  const std::optional<double> listed = PositiveNumber(listedWidth);
  if (const std::optional<double> width = PositiveNumber(Item(band, "fwhm")))
  {
    light.m_Width = InNanometres(*width, scale);
  }
  else if (const std::optional<double> inMicrometres = PositiveNumber(Item(band, "FWHM_UM", "IMAGERY")))
  {
    light.m_Width = InNanometres(*inMicrometres, 1000.);
  }
  else if (listed)
  {
    light.m_Width = InNanometres(*listed, scale);
  }
  return light;
}

// What a description says before the wavelength: GDAL adds it to the names in an ENVI file, "name (399.37 Nanometers)", or
// "name (399.37)" without a unit, and calls a band without a name "Band 7".
std::string ReadName(GDALRasterBand& band)
{
  std::string name = CPLString(HUDToUtf8(band.GetDescription())).Trim();
  const std::vector<WavelengthInText> wavelengths = FindWavelengths(name);
  for (auto last = wavelengths.rbegin(); last != wavelengths.rend() && last->m_End == name.size(); ++last)
  {
    name = CPLString(name.substr(0, last->m_Begin)).Trim();
  }
  const std::string value = Item(band, "wavelength");
  const std::string unit = Item(band, "wavelength_units");
  for (const std::string& added : {value, value + " " + unit})
  {
    const std::string end = " (" + added + ")";
    while (!value.empty() && name.size() > end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0)
    {
      name = CPLString(name.substr(0, name.size() - end.size())).Trim();
    }
    name = name == added ? "" : name;
  }
  return EQUAL(name.c_str(), ("Band " + std::to_string(band.GetBand())).c_str()) ? "" : name;
}

// The elements of "{a, b}".
std::vector<std::string> ListElements(std::string list)
{
  list.erase(std::remove_if(list.begin(), list.end(), [](char c) { return c == '{' || c == '}'; }), list.end());
  const CPLStringList elements(CSLTokenizeString2(list.c_str(), ",", CSLT_STRIPLEADSPACES | CSLT_STRIPENDSPACES));
  return {elements.List(), elements.List() + elements.Count()};
}

std::string ToText(double value)
{
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  return std::string(text, end);
}

std::string ToList(const std::vector<double>& values)
{
  std::string list;
  for (const double value : values)
  {
    list += (list.empty() ? "{" : ", ") + ToText(value);
  }
  return list + "}";
}

bool IsEnvi(GDALDataset& dataset)
{
  return dataset.GetDriver() != nullptr && EQUAL(dataset.GetDriver()->GetDescription(), "ENVI");
}

// Whether an item is about the file, or about what is written anew from other members.
bool DescribesTheFile(const std::string& name)
{
  constexpr std::array kPrefixes = {"TIFFTAG_", "TileHint", "STATISTICS_", "OTB_", "Band_", "NoData"};
  constexpr std::array kNames = {"AREA_OR_POINT", "METADATATYPE", "DataType"};
  return std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](const char* x) { return STARTS_WITH(name.c_str(), x); }) ||
         std::any_of(kNames.begin(), kNames.end(), [&](const char* x) { return name == x; });
}

// Whether an item has the name of a field that an ENVI header has for the file and its bands.
bool IsEnviField(std::string name)
{
  static const std::set<std::string> kFields = {"band names",
                                                "bands",
                                                "bbl",
                                                "byte order",
                                                "class lookup",
                                                "class names",
                                                "classes",
                                                "complex function",
                                                "coordinate system string",
                                                "data gain values",
                                                "data ignore value",
                                                "data offset values",
                                                "data reflectance gain values",
                                                "data reflectance offset values",
                                                "data type",
                                                "data units",
                                                "default bands",
                                                "default stretch",
                                                "description",
                                                "file type",
                                                "fwhm",
                                                "geo points",
                                                "header offset",
                                                "interleave",
                                                "lines",
                                                "major frame offsets",
                                                "map info",
                                                "minor frame offsets",
                                                "pixel size",
                                                "projection info",
                                                "reflectance scale factor",
                                                "rpc info",
                                                "samples",
                                                "spectra names",
                                                "wavelength",
                                                "wavelength units",
                                                "x start",
                                                "y start",
                                                "z plot average",
                                                "z plot range",
                                                "z plot titles"};
  std::replace(name.begin(), name.end(), '_', ' ');
  return kFields.count(CPLString(name).Trim().tolower()) > 0;
}

std::map<std::string, std::string> ReadItems(GDALDataset& dataset)
{
  std::map<std::string, std::string> items;
  for (CSLConstList line = dataset.GetMetadata(); line != nullptr && *line != nullptr; ++line)
  {
    const std::string text = HUDToUtf8(*line);
    const std::size_t separator = text.find('=');
    const std::string name = text.substr(0, separator);
    if (separator != std::string::npos && !DescribesTheFile(name) && !IsEnviField(name))
    {
      items[name] = text.substr(separator + 1);
    }
  }
  return items;
}

template <typename T>
void SelectFrom(std::vector<T>& list, const std::vector<std::size_t>& bands, std::size_t count, const std::string& what)
{
  if (list.empty())
  {
    return;
  }
  if (list.size() != count)
  {
    throw hud::InvalidOption("there are " + std::to_string(list.size()) + " " + what + " for " + std::to_string(count) +
                             " bands");
  }
  std::vector<T> selected;
  for (const std::size_t band : bands)
  {
    selected.push_back(list.at(band));
  }
  list = std::move(selected);
}

void WriteItems(GDALDataset& dataset, const std::map<std::string, std::string>& items, bool isEnvi)
{
  // OTB's writer carries all items of an input on. Those of an ENVI file are of its header.
  const CPLStringList carried(CSLDuplicate(isEnvi ? nullptr : dataset.GetMetadata()));
  for (int i = 0; i < carried.size(); ++i)
  {
    const std::string text = carried[i];
    const std::string name = text.substr(0, text.find('='));
    if (IsEnviField(name))
    {
      dataset.SetMetadataItem(name.c_str(), nullptr);
    }
  }
  for (const auto& [name, value] : items)
  {
    if (!IsEnviField(name))
    {
      dataset.SetMetadataItem(name.c_str(), value.empty() ? nullptr : value.c_str());
    }
  }
}

void WriteBand(GDALRasterBand& band, const HUDSceneMetadata& metadata, bool isEnvi)
{
  const auto index = static_cast<std::size_t>(band.GetBand() - 1);
  const std::string name = metadata.m_BandNames.empty() ? "" : metadata.m_BandNames[index];
  const std::string wavelength = metadata.m_Wavelengths.empty() ? "" : ToText(metadata.m_Wavelengths[index]);
  if (!wavelength.empty() && !isEnvi)
  {
    band.SetMetadataItem("wavelength", wavelength.c_str());
    band.SetMetadataItem("wavelength_units", "Nanometers");
  }
  if (!metadata.m_Widths.empty() && !isEnvi)
  {
    band.SetMetadataItem("fwhm", ToText(metadata.m_Widths[index]).c_str());
  }
  const std::string label = wavelength.empty() ? "" : wavelength + " nm";
  if (name.empty())
  {
    band.SetDescription(label.empty() ? band.GetDescription() : label.c_str());
  }
  else
  {
    // GDAL itself adds the wavelength to an ENVI file's names.
    band.SetDescription((isEnvi ? HUDEnviListElement(name) : label.empty() ? name : name + " (" + label + ")").c_str());
  }
  if (!metadata.m_Units.empty())
  {
    band.SetUnitType(metadata.m_Units.c_str());
  }
  if (!metadata.m_Scales.empty())
  {
    band.SetScale(metadata.m_Scales[index]);
  }
  if (!metadata.m_Offsets.empty())
  {
    band.SetOffset(metadata.m_Offsets[index]);
  }
}

void WriteEnviHeader(GDALDataset& dataset, const HUDSceneMetadata& metadata)
{
  const auto set = [&](const char* name, const std::string& value) {
    dataset.SetMetadataItem(name, value.c_str(), "ENVI");
  };
  if (!metadata.m_Wavelengths.empty())
  {
    set("wavelength", ToList(metadata.m_Wavelengths));
    set("wavelength_units", "Nanometers");
  }
  if (!metadata.m_Widths.empty())
  {
    set("fwhm", ToList(metadata.m_Widths));
  }
  if (!metadata.m_Units.empty())
  {
    set("data_units", metadata.m_Units);
  }
  if (dataset.GetRasterCount() >= 3)
  {
    std::vector<double> shown;
    for (const std::size_t band : HUDShownBands(metadata, static_cast<std::size_t>(dataset.GetRasterCount())))
    {
      shown.push_back(static_cast<double>(band + 1));
    }
    set("default_bands", ToList(shown));
  }
  for (const auto& [name, value] : metadata.m_Items)
  {
    if (!IsEnviField(name) && !value.empty())
    {
      set(name.c_str(), value);
    }
  }
}

} // namespace

HUDSceneMetadata HUDSceneMetadata::Select(const std::vector<std::size_t>& bands, std::size_t count) const
{
  HUDSceneMetadata selected = *this;
  SelectFrom(selected.m_Wavelengths, bands, count, "wavelengths");
  SelectFrom(selected.m_Widths, bands, count, "widths of bands");
  SelectFrom(selected.m_BandNames, bands, count, "names of bands");
  SelectFrom(selected.m_Scales, bands, count, "scales");
  SelectFrom(selected.m_Offsets, bands, count, "offsets");
  return selected;
}

HUDSceneMetadata HUDCompleteSceneMetadata(HUDSceneMetadata metadata, const HUDSceneMetadata& others)
{
  const auto complete = [](auto& mine, const auto& other) {
    if (mine.empty())
    {
      mine = other;
    }
  };
  complete(metadata.m_Wavelengths, others.m_Wavelengths);
  complete(metadata.m_Widths, others.m_Widths);
  complete(metadata.m_BandNames, others.m_BandNames);
  const bool hasNumbers = !metadata.m_Units.empty() || !metadata.m_Scales.empty() || !metadata.m_Offsets.empty();
  if (!metadata.m_IsKnown && !hasNumbers)
  {
    metadata.m_Units = others.m_Units;
    metadata.m_Scales = others.m_Scales;
    metadata.m_Offsets = others.m_Offsets;
  }
  metadata.m_IsKnown = metadata.m_IsKnown || others.m_IsKnown;
  metadata.m_Items.insert(others.m_Items.begin(), others.m_Items.end());
  return metadata;
}

HUDSceneMetadata HUDEndmemberMetadata(const HUDSceneMetadata& endmembers, const HUDSceneMetadata& scene)
{
  HUDSceneMetadata metadata = HUDCompleteSceneMetadata(scene, endmembers);
  const HUDSceneMetadata numbers = HUDCompleteSceneMetadata(endmembers, scene);
  metadata.m_Units = numbers.m_Units;
  metadata.m_Scales = numbers.m_Scales;
  metadata.m_Offsets = numbers.m_Offsets;
  return metadata;
}

HUDSceneMetadata HUDAbundanceMetadata(const HUDSceneMetadata& scene, std::size_t endmembers,
                                      const std::vector<std::string>& names)
{
  HUDSceneMetadata metadata;
  metadata.m_Content = HUDImageContent::Abundances;
  metadata.m_Items = scene.m_Items;
  metadata.m_BandNames = names;
  for (std::size_t i = names.size(); i < endmembers; ++i)
  {
    metadata.m_BandNames.push_back("endmember " + std::to_string(i + 1));
  }
  return metadata;
}

std::string HUDToUtf8(const std::string& text)
{
  if (CPLIsUTF8(text.c_str(), static_cast<int>(text.size())) != FALSE)
  {
    return text;
  }
  const std::unique_ptr<char, void (*)(void*)> recoded(CPLRecode(text.c_str(), CPL_ENC_ISO8859_1, CPL_ENC_UTF8),
                                                       VSIFree);
  return recoded.get();
}

std::string HUDEnviListElement(std::string text)
{
  std::replace_if(
      text.begin(), text.end(), [](char c) { return std::string(",{}\r\n").find(c) != std::string::npos; }, '_');
  return text;
}

std::optional<double> HUDToNanometres(double wavelength, const std::string& unit)
{
  const std::optional<double> scale = ScaleToNanometres(wavelength, unit);
  if (!scale || !std::isfinite(wavelength * *scale) || wavelength <= 0.)
  {
    return std::nullopt;
  }
  return InNanometres(wavelength, *scale);
}

std::optional<double> HUDReadNoDataValue(const std::string& path)
{
  const GDALDatasetUniquePtr dataset = OpenForReading(path);
  int declared = 0;
  const double value =
      dataset && dataset->GetRasterCount() > 0 ? dataset->GetRasterBand(1)->GetNoDataValue(&declared) : 0.;
  return declared != 0 && std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
}

HUDSceneMetadata HUDReadSceneMetadata(const std::string& path)
{
  const GDALDatasetUniquePtr dataset = OpenForReading(path);
  if (!dataset || dataset->GetRasterCount() == 0)
  {
    return {};
  }
  const int count = dataset->GetRasterCount();
  const std::vector<std::string> widths = ListElements(Item(*dataset, "fwhm", "ENVI"));
  HUDSceneMetadata metadata;
  metadata.m_Items = ReadItems(*dataset);
  metadata.m_IsKnown = true;
  metadata.m_Units = HUDToUtf8(dataset->GetRasterBand(1)->GetUnitType());
  if (metadata.m_Units.empty())
  {
    metadata.m_Units = Item(*dataset, "data_units", "ENVI");
  }
  for (int index = 1; index <= count; ++index)
  {
    GDALRasterBand& band = *dataset->GetRasterBand(index);
    const bool isListed = widths.size() == static_cast<std::size_t>(count);
    const BandLight light = ReadLight(band, isListed ? widths[static_cast<std::size_t>(index - 1)] : "");
    metadata.m_Wavelengths.push_back(light.m_Wavelength);
    metadata.m_Widths.push_back(light.m_Width);
    metadata.m_BandNames.push_back(ReadName(band));
    // What cannot be applied says nothing.
    const bool isScaled = std::isfinite(band.GetScale()) && band.GetScale() != 0. && std::isfinite(band.GetOffset());
    metadata.m_Scales.push_back(isScaled ? band.GetScale() : 1.);
    metadata.m_Offsets.push_back(isScaled ? band.GetOffset() : 0.);
  }

  const auto options = ExtendedFilenameToReaderOptions::New();
  options->SetExtendedFileName(path);
  std::vector<unsigned int> range;
  if (options->BandRangeIsSet())
  {
    if (!options->ResolveBandRange(options->GetBandRange(), static_cast<unsigned int>(count), range))
    {
      return {};
    }
    metadata = metadata.Select({range.begin(), range.end()}, static_cast<std::size_t>(count));
  }
  const auto clearUnless = [](auto& list, bool isKnown) {
    if (!isKnown)
    {
      list.clear();
    }
  };
  const auto isPositive = [](double value) { return value > 0. && std::isfinite(value); };
  const auto all = [](const auto& list, const auto& test) { return std::all_of(list.begin(), list.end(), test); };
  clearUnless(metadata.m_Wavelengths, all(metadata.m_Wavelengths, isPositive));
  clearUnless(metadata.m_Widths, all(metadata.m_Widths, isPositive));
  clearUnless(metadata.m_BandNames, !all(metadata.m_BandNames, [](const std::string& name) { return name.empty(); }));
  clearUnless(metadata.m_Scales, !all(metadata.m_Scales, [](double scale) { return scale == 1.; }));
  clearUnless(metadata.m_Offsets, !all(metadata.m_Offsets, [](double offset) { return offset == 0.; }));
  return metadata;
}

void HUDWriteSceneMetadata(const std::string& path, const HUDSceneMetadata& metadata)
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
  std::vector<std::size_t> bands(static_cast<std::size_t>(dataset->GetRasterCount()));
  std::iota(bands.begin(), bands.end(), std::size_t(0));
  try
  {
    metadata.Select(bands, bands.size());
  }
  catch (const hud::InvalidOption& error)
  {
    throw hud::InvalidOption(path + ": " + error.what());
  }
  const bool isEnvi = IsEnvi(*dataset);
  if (isEnvi)
  {
    WriteEnviHeader(*dataset, metadata);
  }
  for (const std::size_t band : bands)
  {
    WriteBand(*dataset->GetRasterBand(static_cast<int>(band) + 1), metadata, isEnvi);
  }
  WriteItems(*dataset, metadata.m_Items, isEnvi);
  dataset.reset();
  if (CPLGetLastErrorType() >= CE_Failure)
  {
    throw hud::FileError(path + ": the metadata cannot be written: " + CPLGetLastErrorMsg());
  }
}

} // namespace otb
