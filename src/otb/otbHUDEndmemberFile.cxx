// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDEndmemberFile.h"

#include "otbHUDEndmemberImage.h"
#include "otbHUDSceneMetadata.h"

#include "hud/core/Error.h"

#include <cpl_csv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal_priv.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <regex>

namespace otb
{

namespace fs = std::filesystem;

namespace
{

constexpr int kLongestLine = 10'000'000;
const std::regex kLibraryType("(^|\n)\\s*file type\\s*=\\s*envi spectral library\\s*(\r?\n|$)", std::regex::icase);

using Row = std::vector<std::string>;

std::string Trimmed(const std::string& text)
{
  return CPLString(text).Trim();
}

bool EndsIn(const std::string& path, const std::string& extension)
{
  return EQUAL(fs::path(path).extension().c_str(), extension.c_str());
}

std::optional<double> Number(const std::string& text)
{
  const std::string trimmed = Trimmed(text);
  char* end = nullptr;
  const double value = CPLStrtod(trimmed.c_str(), &end);
  return trimmed.empty() || *end != '\0' ? std::nullopt : std::optional<double>(value);
}

template <typename T>
std::string ToText(T value)
{
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof(text), value).ptr);
}

// Empty when the unit is not one of length.
std::vector<double> ToNanometres(std::vector<double> wavelengths, const std::string& unit)
{
  for (double& wavelength : wavelengths)
  {
    const std::optional<double> nanometres = HUDToNanometres(wavelength, unit);
    if (!nanometres)
    {
      return {};
    }
    wavelength = *nanometres;
  }
  return wavelengths;
}

// Without a unit they have that of the wavelengths. Empty when it is not one of length.
std::vector<double> WidthsInNanometres(const std::vector<double>& widths, const std::vector<double>& wavelengths,
                                       const std::string& unit)
{
  const std::string known = !unit.empty() || wavelengths.empty() ? unit : wavelengths.front() < 100. ? "um" : "nm";
  return known.empty() ? std::vector<double>() : ToNanometres(widths, known);
}

// The whole file; nothing when it cannot be opened.
std::optional<std::string> ReadBytes(const std::string& path)
{
  const CPLErrorHandlerPusher quiet(CPLQuietErrorHandler);
  GByte* bytes = nullptr;
  vsi_l_offset size = 0;
  if (VSIIngestFile(nullptr, path.c_str(), &bytes, &size, -1) == 0)
  {
    return std::nullopt;
  }
  const std::unique_ptr<GByte, void (*)(void*)> owner(bytes, VSIFree);
  return std::string(reinterpret_cast<const char*>(bytes), size);
}

// ---- CSV ----

std::vector<Row> ReadRows(const std::string& path)
{
  const std::unique_ptr<VSILFILE, int (*)(VSILFILE*)> file(VSIFOpenL(path.c_str(), "rb"), VSIFCloseL);
  if (!file)
  {
    throw hud::FileError(path + ": cannot be opened");
  }
  const char* const first = CPLReadLine2L(file.get(), kLongestLine, nullptr);
  const std::string separator(1, first == nullptr ? ',' : CSVDetectSeperator(first));
  VSIRewindL(file.get());
  std::vector<Row> rows;
  while (char** const tokens =
             CSVReadParseLine3L(file.get(), kLongestLine, separator.c_str(), true, false, false, true))
  {
    const CPLStringList owner(tokens);
    if (owner.Count() > 0)
    {
      Row& row = rows.emplace_back();
      std::transform(tokens, tokens + owner.Count(), std::back_inserter(row), HUDToUtf8);
    }
  }
  return rows;
}

bool IsWavelength(const std::string& name)
{
  return STARTS_WITH_CI(Trimmed(name).c_str(), "wavelength");
}

enum class Label
{
  None,
  Wavelength,
  Width,
  Scale,
  Offset,
  Units
};

// What a column says of the bands by its name, if it is no endmember.
Label LabelOf(const std::string& name)
{
  const std::string trimmed = Trimmed(name);
  if (IsWavelength(name))
  {
    return Label::Wavelength;
  }
  if (STARTS_WITH_CI(trimmed.c_str(), "fwhm"))
  {
    return Label::Width;
  }
  for (const auto& [text, label] :
       {std::pair("scale", Label::Scale), std::pair("offset", Label::Offset), std::pair("units", Label::Units)})
  {
    if (EQUAL(trimmed.c_str(), text))
    {
      return label;
    }
  }
  return Label::None;
}

// "nm" of "wavelength_nm", "um" of "Wavelength (um)".
std::string WavelengthUnit(const std::string& name)
{
  const std::string marks = " _-()[]{}";
  const std::string rest = Trimmed(name).substr(std::strlen(IsWavelength(name) ? "wavelength" : "fwhm"));
  const std::size_t begin = rest.find_first_not_of(marks);
  return begin == std::string::npos ? "" : rest.substr(begin, rest.find_last_not_of(marks) - begin + 1);
}

bool IsHeader(const Row& row)
{
  return IsWavelength(row[0]) ||
         std::none_of(row.begin(), row.end(), [](const std::string& cell) { return Number(cell).has_value(); });
}

HUDEndmemberTable ReadCsv(const std::string& path, Eigen::Index bands)
{
  std::vector<Row> rows = ReadRows(path);
  if (rows.empty())
  {
    throw hud::InvalidData(path + ": the file is empty; expected a row for each band, a column for each endmember");
  }
  const std::size_t columns = rows[0].size();
  for (std::size_t row = 0; row < rows.size(); ++row)
  {
    if (rows[row].size() != columns)
    {
      throw hud::InvalidData(path + ": found " + std::to_string(rows[row].size()) + " columns in row " +
                             std::to_string(row + 1) + ", expected " + std::to_string(columns) + " as in row 1");
    }
  }
  const std::size_t header = IsHeader(rows[0]) ? 1 : 0;
  std::vector<Label> labels;
  while (header == 1 && labels.size() < columns && LabelOf(rows[0][labels.size()]) != Label::None)
  {
    const Label label = LabelOf(rows[0][labels.size()]);
    if (std::count(labels.begin(), labels.end(), label) > 0)
    {
      break;
    }
    labels.push_back(label);
  }
  const std::size_t spectrum = labels.size(); // the first column of one
  const std::string found =
      path + ": found " + std::to_string(rows.size() - header) + " rows and " + std::to_string(columns) + " columns; ";
  if (bands > 0 && rows.size() - header != static_cast<std::size_t>(bands))
  {
    throw hud::InvalidData(found + "expected one row for each of the scene's " + std::to_string(bands) + " bands");
  }
  if (rows.size() == header || columns == spectrum)
  {
    throw hud::InvalidData(found + "expected a row for each band, a column for each endmember");
  }
  Eigen::MatrixXd values(static_cast<Eigen::Index>(rows.size() - header), static_cast<Eigen::Index>(columns));
  for (std::size_t row = header; row < rows.size(); ++row)
  {
    for (std::size_t column = 0; column < columns; ++column)
    {
      if (column < spectrum && labels[column] == Label::Units)
      {
        continue;
      }
      const std::optional<double> value = Number(rows[row][column]);
      if (!value)
      {
        throw hud::InvalidData(path + ": found \"" + rows[row][column] + "\" in row " + std::to_string(row + 1) +
                               ", column " + std::to_string(column + 1) + "; expected a number");
      }
      values(static_cast<Eigen::Index>(row - header), static_cast<Eigen::Index>(column)) = *value;
    }
  }

  HUDEndmemberTable table;
  if (header == 1)
  {
    for (std::size_t column = spectrum; column < columns; ++column)
    {
      if (IsWavelength(rows[0][column]))
      {
        throw hud::InvalidData(path + ": found wavelengths in column " + std::to_string(column + 1) +
                               "; expected them in column 1, and nothing else before the endmembers");
      }
      table.m_Names.push_back(Trimmed(rows[0][column]));
    }
  }
  else if (values.rows() > 2 &&
           (values.col(0).tail(values.rows() - 1) - values.col(0).head(values.rows() - 1)).minCoeff() > 0.)
  {
    // Not a spectrum: one does not rise in every band.
    throw hud::InvalidData(path +
                           ": the first column only rises, as wavelengths do; expected a header that begins with "
                           "\"wavelength\", or names it");
  }
  const auto numbers = [&](Label label) {
    const auto column = std::find(labels.begin(), labels.end(), label) - labels.begin();
    return column == static_cast<std::ptrdiff_t>(spectrum)
               ? std::vector<double>()
               : std::vector<double>(values.col(column).begin(), values.col(column).end());
  };
  for (std::size_t column = 0; column < spectrum; ++column)
  {
    const std::string& name = rows[0][column];
    switch (labels[column])
    {
    case Label::Wavelength:
      table.m_Metadata.m_Wavelengths = ToNanometres(numbers(Label::Wavelength), WavelengthUnit(name));
      break;
    case Label::Width:
      table.m_Metadata.m_Widths =
          WidthsInNanometres(numbers(Label::Width), numbers(Label::Wavelength), WavelengthUnit(name));
      break;
    case Label::Units:
      table.m_Metadata.m_Units = Trimmed(rows[header][column]);
      break;
    case Label::Scale:
      table.m_Metadata.m_Scales = numbers(Label::Scale);
      break;
    case Label::Offset:
      table.m_Metadata.m_Offsets = numbers(Label::Offset);
      break;
    case Label::None:
      break;
    }
  }
  table.m_Endmembers = values.rightCols(static_cast<Eigen::Index>(columns - spectrum));
  return table;
}

std::string CsvText(const HUDEndmemberTable& table)
{
  const Eigen::MatrixXf values = table.m_Endmembers.cast<float>();
  const HUDSceneMetadata& metadata = table.m_Metadata;
  const std::unique_ptr<char, void (*)(void*)> units(CPLEscapeString(metadata.m_Units.c_str(), -1, CPLES_CSV), VSIFree);
  const std::vector<std::pair<const char*, const std::vector<double>*>> columns = {
      {"wavelength_nm", &metadata.m_Wavelengths},
      {"fwhm_nm", &metadata.m_Widths},
      {"scale", &metadata.m_Scales},
      {"offset", &metadata.m_Offsets}};
  std::string text;
  for (const auto& [name, list] : columns)
  {
    text += list->empty() ? "" : std::string(name) + ",";
  }
  text += metadata.m_Units.empty() ? "" : "units,";
  for (std::size_t endmember = 0; endmember < table.m_Names.size(); ++endmember)
  {
    const std::unique_ptr<char, void (*)(void*)> name(CPLEscapeString(table.m_Names[endmember].c_str(), -1, CPLES_CSV),
                                                      VSIFree);
    text += (endmember == 0 ? "" : ",") + std::string(name.get());
  }
  for (Eigen::Index band = 0; band < values.rows(); ++band)
  {
    text += "\n";
    for (const auto& [name, list] : columns)
    {
      text += list->empty() ? "" : ToText((*list)[static_cast<std::size_t>(band)]) + ",";
    }
    text += metadata.m_Units.empty() ? "" : std::string(units.get()) + ",";
    for (Eigen::Index endmember = 0; endmember < values.cols(); ++endmember)
    {
      text += (endmember == 0 ? "" : ",") + ToText(values(band, endmember));
    }
  }
  return text + "\n";
}

// ---- ENVI spectral library ----

// The name and text of a file's header; nothing when there is none.
std::optional<std::pair<std::string, std::string>> FindHeader(const std::string& path)
{
  for (const std::string& name : {fs::path(path).replace_extension(".hdr").string(), path + ".hdr"})
  {
    if (std::optional<std::string> text = ReadBytes(name))
    {
      return std::pair(name, HUDToUtf8(*text));
    }
  }
  return std::nullopt;
}

// A file in GDAL's memory.
class MemoryFile
{
public:
  MemoryFile(const std::string& path, std::string bytes) : m_Path(path), m_Bytes(std::move(bytes))
  {
    VSIFCloseL(VSIFileFromMemBuffer(m_Path.c_str(), reinterpret_cast<GByte*>(m_Bytes.data()), m_Bytes.size(), FALSE));
  }
  ~MemoryFile()
  {
    VSIUnlink(m_Path.c_str());
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

private:
  std::string m_Path;
  std::string m_Bytes;
};

// The items of "{a, b}".
Row ListItems(const char* text)
{
  std::string list = text == nullptr ? "" : text;
  list.erase(std::remove_if(list.begin(), list.end(), [](char c) { return c == '{' || c == '}'; }), list.end());
  const CPLStringList items(
      CSLTokenizeString2(list.c_str(), ",", CSLT_STRIPLEADSPACES | CSLT_STRIPENDSPACES | CSLT_ALLOWEMPTYTOKENS));
  return {items.List(), items.List() + items.Count()};
}

HUDEndmemberTable ReadLibrary(const std::string& path, Eigen::Index bands)
{
  const std::optional<std::string> bytes = ReadBytes(path);
  if (!bytes)
  {
    throw hud::FileError(path + ": cannot be opened");
  }
  const auto header = FindHeader(path);
  if (!header)
  {
    throw hud::FileError(path + ": has no header; expected " + fs::path(path).replace_extension(".hdr").string());
  }
  if (!std::regex_search(header->second, kLibraryType))
  {
    throw hud::InvalidData(path + ": expected \"file type = ENVI Spectral Library\" in its header " + header->first);
  }
  // GDAL refuses this type alone: what it says of samples, lines and values is that of an image of one band.
  static std::atomic<unsigned int> count{0};
  const std::string copy = "/vsimem/hud-endmembers-" + std::to_string(++count);
  const MemoryFile data(copy + ".sli", *bytes);
  const MemoryFile image(copy + ".hdr",
                         std::regex_replace(header->second, kLibraryType, "\nfile type = ENVI Standard\n"));
  GDALAllRegister();
  const CPLErrorHandlerPusher quiet(CPLQuietErrorHandler);
  CPLErrorReset();
  const char* const drivers[] = {"ENVI", nullptr};
  const GDALDatasetUniquePtr dataset(GDALDataset::Open((copy + ".sli").c_str(), GDAL_OF_RASTER, drivers));
  if (!dataset || dataset->GetRasterCount() != 1)
  {
    throw hud::InvalidData(path + ": its header " + header->first +
                           " is not that of an ENVI spectral library of one band. " + CPLGetLastErrorMsg());
  }
  const int samples = dataset->GetRasterXSize();
  const int lines = dataset->GetRasterYSize();
  if (bands > 0 && samples != bands)
  {
    throw hud::InvalidData(path + ": found " + std::to_string(lines) + " spectra of " + std::to_string(samples) +
                           " bands; expected the scene's " + std::to_string(bands) + " bands");
  }
  const char* const offset = dataset->GetMetadataItem("header_offset", "ENVI");
  const auto expected = static_cast<std::size_t>(
      std::max(0, offset == nullptr ? 0 : std::atoi(offset)) +
      GIntBig{samples} * lines * GDALGetDataTypeSizeBytes(dataset->GetRasterBand(1)->GetRasterDataType()));
  HUDEndmemberTable table;
  table.m_Endmembers.resize(samples, lines);
  // GDAL reads zeros where a file is cut.
  if (bytes->size() < expected ||
      dataset->GetRasterBand(1)->RasterIO(GF_Read, 0, 0, samples, lines, table.m_Endmembers.data(), samples, lines,
                                          GDT_Float64, 0, 0, nullptr) != CE_None)
  {
    throw hud::InvalidData(path + ": found " + std::to_string(bytes->size()) + " bytes, expected " +
                           std::to_string(expected) + " for the " + std::to_string(lines) + " spectra of " +
                           std::to_string(samples) + " bands of its header");
  }

  const auto list = [&](const char* name, const std::string& what) {
    std::vector<double> numbers;
    for (const std::string& item : ListItems(dataset->GetMetadataItem(name, "ENVI")))
    {
      numbers.push_back(Number(item).value_or(0.));
    }
    if (!numbers.empty() && numbers.size() != static_cast<std::size_t>(samples))
    {
      throw hud::InvalidData(path + ": found " + std::to_string(numbers.size()) + " " + what + " in its header for " +
                             std::to_string(samples) + " bands");
    }
    return numbers;
  };
  const char* const unit = dataset->GetMetadataItem("wavelength_units", "ENVI");
  const char* const units = dataset->GetMetadataItem("data_units", "ENVI");
  const std::vector<double> wavelengths = list("wavelength", "wavelengths");
  table.m_Metadata.m_Wavelengths = ToNanometres(wavelengths, unit == nullptr ? "" : unit);
  table.m_Metadata.m_Widths =
      WidthsInNanometres(list("fwhm", "widths of bands"), wavelengths, unit == nullptr ? "" : unit);
  table.m_Metadata.m_Units = units == nullptr ? "" : units;
  table.m_Metadata.m_Scales = list("data_gain_values", "data gain values");
  table.m_Metadata.m_Offsets = list("data_offset_values", "data offset values");
  table.m_Names = ListItems(dataset->GetMetadataItem("spectra_names", "ENVI"));
  if (table.m_Names.size() != static_cast<std::size_t>(lines))
  {
    table.m_Names.clear();
  }
  return table;
}

std::string LibraryHeader(const HUDEndmemberTable& table)
{
  const auto list = [](const Row& items) {
    std::string text;
    for (const std::string& item : items)
    {
      text += (text.empty() ? "{" : ", ") + item;
    }
    return text + "}\n";
  };
  Row names = table.m_Names;
  std::transform(names.begin(), names.end(), names.begin(), HUDEnviListElement);
  std::string text = "ENVI\nsamples = " + std::to_string(table.m_Endmembers.rows()) +
                     "\nlines = " + std::to_string(table.m_Endmembers.cols()) +
                     "\nbands = 1\nheader offset = 0\nfile type = ENVI Spectral Library\ndata type = 4\n"
                     "interleave = bsq\nbyte order = " +
                     std::to_string(CPL_IS_LSB ? 0 : 1) + "\nspectra names = " + list(names);
  const auto add = [&](const char* name, const std::vector<double>& numbers) {
    Row items;
    std::transform(numbers.begin(), numbers.end(), std::back_inserter(items), ToText<double>);
    text += numbers.empty() ? "" : std::string(name) + " = " + list(items);
  };
  const HUDSceneMetadata& metadata = table.m_Metadata;
  text += metadata.m_Wavelengths.empty() ? "" : "wavelength units = Nanometers\n";
  add("wavelength", metadata.m_Wavelengths);
  add("fwhm", metadata.m_Widths);
  add("data gain values", metadata.m_Scales);
  add("data offset values", metadata.m_Offsets);
  text += metadata.m_Units.empty() ? "" : "data units = " + metadata.m_Units + "\n";
  return text;
}

std::string LibraryBytes(const HUDEndmemberTable& table)
{
  const Eigen::MatrixXf values = table.m_Endmembers.cast<float>();
  return std::string(reinterpret_cast<const char*>(values.data()),
                     static_cast<std::size_t>(values.size()) * sizeof(float));
}

void WriteBytes(const std::string& path, const std::string& bytes)
{
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  file.close();
  if (!file)
  {
    throw hud::FileError("cannot write " + path);
  }
}

// Throws unless the numbers can be scaled.
void CheckScales(const std::string& path, const HUDSceneMetadata& metadata)
{
  const auto check = [&](const char* name, const std::vector<double>& values, bool isZeroAllowed) {
    for (std::size_t band = 0; band < values.size(); ++band)
    {
      if (!std::isfinite(values[band]) || (values[band] == 0. && !isZeroAllowed))
      {
        throw hud::InvalidData(path + ": found " + name + " " + ToText(values[band]) + " for band " +
                               std::to_string(band + 1) + ", expected a finite number" +
                               (isZeroAllowed ? "" : " other than 0"));
      }
    }
  };
  check("scale", metadata.m_Scales, false);
  check("offset", metadata.m_Offsets, true);
}

void CheckExtension(const std::string& prefix, const std::string& path)
{
  if (!EndsIn(path, ".csv") && !EndsIn(path, ".sli"))
  {
    throw hud::InvalidOption(prefix + "found " + path +
                             ", expected a name that ends in .csv (table) or .sli (ENVI spectral library)");
  }
}

} // namespace

bool HUDIsEndmemberFile(const std::string& path)
{
  if (EndsIn(path, ".csv"))
  {
    return true;
  }
  GDALAllRegister();
  const CPLErrorHandlerPusher quiet(CPLQuietErrorHandler);
  // The image first: NAME.tif may stand beside the library NAME.sli and its NAME.hdr.
  if (path.empty() || GDALDatasetUniquePtr(GDALDataset::Open(path.c_str(), GDAL_OF_RASTER)))
  {
    return false;
  }
  const auto header = FindHeader(path);
  return EndsIn(path, ".sli") || (header && std::regex_search(header->second, kLibraryType));
}

HUDEndmemberTable HUDReadEndmemberFile(const std::string& path, Eigen::Index bands)
{
  HUDEndmemberTable table = EndsIn(path, ".csv") ? ReadCsv(path, bands) : ReadLibrary(path, bands);
  table.m_Metadata.m_IsKnown = true;
  CheckScales(path, table.m_Metadata);
  table.m_Endmembers = table.m_Endmembers.cast<float>().cast<double>().eval();
  try
  {
    HUDCheckFinite(table.m_Endmembers);
  }
  catch (const hud::InvalidData& error)
  {
    throw hud::InvalidData(path + ": " + error.what());
  }
  return table;
}

void HUDCheckEndmemberFileName(const std::string& key, const std::string& path)
{
  CheckExtension(key + ": ", path);
  const fs::path header = fs::path(path).replace_extension(".hdr");
  if (EndsIn(path, ".sli") && fs::exists(header) && !fs::exists(path))
  {
    throw hud::FileError(key + ": " + path + " needs the header " + header.string() +
                         ", which is there for another file");
  }
}

void HUDWriteEndmemberFile(const std::string& path, const HUDEndmemberTable& table)
{
  CheckExtension("", path);
  const auto bands = static_cast<std::size_t>(table.m_Endmembers.rows());
  try
  {
    table.m_Metadata.Select({}, bands);
  }
  catch (const hud::InvalidOption& error)
  {
    throw hud::InvalidOption(path + ": " + error.what());
  }
  HUDEndmemberTable named = table;
  named.m_Names.resize(static_cast<std::size_t>(table.m_Endmembers.cols()));
  for (std::size_t i = 0; i < named.m_Names.size(); ++i)
  {
    std::string& name = named.m_Names[i];
    // A number alone would not be read as a name, nor would what labels bands.
    if (name.empty() || Number(name) || LabelOf(name) != Label::None)
    {
      name = "endmember_" + (name.empty() ? std::to_string(i + 1) : name);
    }
  }
  if (EndsIn(path, ".csv"))
  {
    WriteBytes(path, CsvText(named));
    return;
  }
  WriteBytes(fs::path(path).replace_extension(".hdr").string(), LibraryHeader(named));
  WriteBytes(path, LibraryBytes(named));
}

} // namespace otb
