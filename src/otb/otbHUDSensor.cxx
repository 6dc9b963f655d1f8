// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDSensor.h"

#include "otbHUDSceneMetadata.h"

#include "hud/core/BandNoise.h"
#include "hud/core/BandResampling.h"
#include "hud/core/Error.h"
#include "hud/core/Message.h"

#include <cpl_csv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <cpl_vsi.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <string_view>
#include <utility>

namespace otb
{

namespace resource
{

// Written by the build from data/sensors.
std::string_view SensorEnmap();
std::string_view SensorPrisma();
std::string_view SensorSentinel2();

} // namespace resource

namespace
{

constexpr std::array<hud::NamedValue<std::string_view (*)()>, 3> kSensors = {
    {{"prisma", resource::SensorPrisma}, {"enmap", resource::SensorEnmap}, {"sentinel2", resource::SensorSentinel2}}};

constexpr double kLargestFactor = 1e6; // of a signal

using Row = std::vector<std::string>;

struct NumberedRow
{
  std::size_t m_Line = 0; // of the file, from 1
  Row m_Cells;
};

std::optional<double> PositiveNumber(const std::string& text)
{
  const std::string trimmed = CPLString(text).Trim();
  char* end = nullptr;
  const double value = CPLStrtod(trimmed.c_str(), &end);
  if (trimmed.empty() || *end != '\0' || !std::isfinite(value) || value <= 0.)
  {
    return std::nullopt;
  }
  return value;
}

std::vector<NumberedRow> SplitRows(std::string_view text)
{
  std::vector<NumberedRow> rows;
  std::string separator;
  for (std::size_t line = 1; !text.empty(); ++line)
  {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string content = CPLString(std::string(text.substr(0, end))).Trim();
    text.remove_prefix(std::min(end + 1, text.size()));
    if (content.empty() || content.front() == '#')
    {
      continue;
    }
    if (separator.empty())
    {
      separator = std::string(1, CSVDetectSeperator(content.c_str()));
    }
    // Blanks may stand in a row.
    const int empty = separator == " " ? 0 : CSLT_ALLOWEMPTYTOKENS;
    const CPLStringList cells(CSLTokenizeString2(
        content.c_str(), separator.c_str(), CSLT_HONOURSTRINGS | CSLT_STRIPLEADSPACES | CSLT_STRIPENDSPACES | empty));
    NumberedRow& row = rows.emplace_back();
    row.m_Line = line;
    std::transform(cells.List(), cells.List() + cells.Count(), std::back_inserter(row.m_Cells), HUDToUtf8);
  }
  return rows;
}

// Columns of a table, counted from 0.
struct Columns
{
  std::optional<std::size_t> m_Wavelength;
  std::optional<std::size_t> m_Width;
  std::optional<std::size_t> m_Name;
  std::optional<std::size_t> m_Ratio;
  std::string m_WavelengthUnit;
  std::string m_WidthUnit;
};

// "nm" of "wavelength_nm", "um" of "fwhm (um)".
std::string UnitIn(const std::string& name, std::size_t begin)
{
  const std::string marks = " _-()[]{}";
  const std::size_t first = name.find_first_not_of(marks, begin);
  return first == std::string::npos ? "" : name.substr(first, name.find_last_not_of(marks) - first + 1);
}

// Whether a column's name is a word and perhaps a unit of length.
bool IsLength(const std::string& name, const std::string& word)
{
  const bool begins = STARTS_WITH_CI(name.c_str(), word.c_str());
  const std::string unit = begins ? UnitIn(name, word.size()) : "";
  return begins && (unit.empty() || HUDToNanometres(1., unit));
}

Columns FindColumns(const Row& names)
{
  Columns columns;
  for (std::size_t column = 0; column < names.size(); ++column)
  {
    const std::string& name = names[column];
    if (!columns.m_Wavelength && IsLength(name, "wavelength"))
    {
      columns.m_Wavelength = column;
      columns.m_WavelengthUnit = UnitIn(name, std::string("wavelength").size());
    }
    else if (!columns.m_Width && IsLength(name, "fwhm"))
    {
      columns.m_Width = column;
      columns.m_WidthUnit = UnitIn(name, std::string("fwhm").size());
    }
    else if (!columns.m_Name && EQUAL(name.c_str(), "name"))
    {
      columns.m_Name = column;
    }
    else if (!columns.m_Ratio && EQUAL(name.c_str(), "snr"))
    {
      columns.m_Ratio = column;
    }
  }
  return columns;
}

// @param file that messages name
HUDSensor ParseSensor(std::string_view text, const std::string& name, const std::string& file)
{
  const std::string expected = "expected a row for each band, and a first row that names the columns, among them "
                               "wavelength and fwhm, in nm or um";
  std::vector<NumberedRow> rows = SplitRows(text);
  if (rows.empty())
  {
    throw hud::InvalidData(file + ": holds no band; " + expected);
  }
  const std::size_t count = rows.front().m_Cells.size();
  Columns columns;
  if (count == 2 && PositiveNumber(rows.front().m_Cells[0]))
  {
    columns.m_Wavelength = 0;
    columns.m_Width = 1;
  }
  else
  {
    columns = FindColumns(rows.front().m_Cells);
    if (!columns.m_Wavelength || !columns.m_Width)
    {
      std::string found;
      for (const std::string& cell : rows.front().m_Cells)
      {
        found += (found.empty() ? "" : ", ") + cell;
      }
      throw hud::InvalidData(file + ": found the columns \"" + found + "\"; " + expected);
    }
    rows.erase(rows.begin());
  }
  if (rows.empty())
  {
    throw hud::InvalidData(file + ": holds no band; " + expected);
  }

  HUDSensor sensor;
  sensor.m_Name = name;
  for (const auto& [line, cells] : rows)
  {
    if (cells.size() != count)
    {
      throw hud::InvalidData(hud::Compose(file, ": found ", cells.size(), " columns in row ", line, ", expected ",
                                          count, " as in the first one"));
    }
    const auto number = [&, row = line, &values = cells](std::size_t column, const char* what) {
      const std::optional<double> value = PositiveNumber(values[column]);
      if (!value)
      {
        throw hud::InvalidData(hud::Compose(file, ": found \"", values[column], "\" as ", what, " in row ", row,
                                            ", column ", column + 1, "; expected a finite number above 0"));
      }
      return *value;
    };
    const double wavelength = number(*columns.m_Wavelength, "wavelength");
    const double width = number(*columns.m_Width, "fwhm");
    // Without a unit widths have that of the wavelengths.
    const std::string guess = wavelength < 100. ? "um" : "nm";
    const std::string unit = columns.m_WavelengthUnit.empty() ? guess : columns.m_WavelengthUnit;
    const std::optional<double> centre = HUDToNanometres(wavelength, unit);
    const std::optional<double> fwhm = HUDToNanometres(width, columns.m_WidthUnit.empty() ? unit : columns.m_WidthUnit);
    sensor.m_Wavelengths.push_back(centre.value()); // FindColumns takes known units only
    sensor.m_Widths.push_back(fwhm.value());
    if (columns.m_Name)
    {
      sensor.m_BandNames.push_back(cells[*columns.m_Name]);
    }
    if (columns.m_Ratio)
    {
      sensor.m_Ratios.push_back(number(*columns.m_Ratio, "snr"));
    }
  }
  return sensor;
}

template <typename List>
List Selected(const List& list, const std::vector<std::size_t>& places)
{
  List selected;
  for (const std::size_t place : places)
  {
    if (!list.empty())
    {
      selected.push_back(list[place]);
    }
  }
  return selected;
}

bool IsUniform(const std::vector<double>& values)
{
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

double At(const std::vector<double>& list, Eigen::Index band, double otherwise)
{
  return list.empty() ? otherwise : list[static_cast<std::size_t>(band)];
}

std::string DescribeBand(const HUDSensor& sensor, std::size_t band)
{
  const std::string name = sensor.m_BandNames.empty() ? "" : sensor.m_BandNames[band];
  const double half = 0.5 * sensor.m_Widths[band];
  return hud::Compose(name.empty() ? hud::Compose("band ", band + 1) : name, " at ", sensor.m_Wavelengths[band],
                      " nm (", sensor.m_Wavelengths[band] - half, " to ", sensor.m_Wavelengths[band] + half, " nm)");
}

// "B9 (945.1 nm), B10 (1373.5 nm)", or wavelengths alone.
std::string ListBands(const HUDSensor& sensor, const std::vector<std::size_t>& bands)
{
  std::string text;
  for (const std::size_t band : bands)
  {
    const std::string name = sensor.m_BandNames.empty() ? "" : sensor.m_BandNames[band];
    text += text.empty() ? "" : ", ";
    text += name.empty() ? hud::Compose(sensor.m_Wavelengths[band], " nm")
                         : hud::Compose(name, " (", sensor.m_Wavelengths[band], " nm)");
  }
  return text;
}

// What is to be added to values for the signal to be scale times the sum, [bands].
Eigen::VectorXd Zeros(const HUDSceneMetadata& metadata, Eigen::Index bands)
{
  return Eigen::VectorXd::NullaryExpr(
      bands, [&](Eigen::Index band) { return At(metadata.m_Offsets, band, 0.) / At(metadata.m_Scales, band, 1.); });
}

// The bands that are not 0 in all endmembers: those hold data in the scene.
std::vector<std::size_t> FilledBands(const Eigen::MatrixXd& endmembers)
{
  std::vector<std::size_t> filled;
  for (Eigen::Index band = 0; band < endmembers.rows(); ++band)
  {
    if (!endmembers.row(band).isZero(0.))
    {
      filled.push_back(static_cast<std::size_t>(band));
    }
  }
  return filled;
}

// The endmembers without the bands that hold no data.
HUDEndmemberTable WithoutEmptyBands(const HUDEndmemberTable& endmembers)
{
  const std::vector<std::size_t> filled = FilledBands(endmembers.m_Endmembers);
  HUDEndmemberTable table = endmembers;
  table.m_Endmembers = endmembers.m_Endmembers(filled, Eigen::all);
  HUDSceneMetadata& metadata = table.m_Metadata;
  for (std::vector<double>* const list :
       {&metadata.m_Wavelengths, &metadata.m_Widths, &metadata.m_Scales, &metadata.m_Offsets})
  {
    *list = Selected(*list, filled);
  }
  return table;
}

// Why a band is not covered.
std::string DescribeCover(const hud::BandResampling& resampling, Eigen::Index band)
{
  const auto percent = [](double share) { return std::lround(100. * share); };
  if (resampling.m_Outside[band] >= resampling.m_InGaps[band])
  {
    return hud::Compose(percent(resampling.m_Outside[band]), " % of its response is outside the endmembers' range of ",
                        resampling.m_First, " to ", resampling.m_Last, " nm");
  }
  return hud::Compose(percent(resampling.m_InGaps[band]),
                      " % of its response is in a gap between the endmembers' bands, which range from ",
                      resampling.m_First, " to ", resampling.m_Last, " nm");
}

// Returns the bands that are covered, and tells of the others.
// @throws hud::InvalidData when one is to be refused, or none is covered
std::vector<std::size_t> CoveredBands(const hud::BandResampling& resampling, const HUDSensor& sensor,
                                      HUDUncoveredBands uncovered, std::vector<std::string>& messages)
{
  std::vector<std::size_t> covered;
  std::vector<std::size_t> outside;
  std::vector<std::size_t> inGaps;
  for (std::size_t band = 0; band < sensor.m_Wavelengths.size(); ++band)
  {
    const auto index = static_cast<Eigen::Index>(band);
    const bool isOutside = resampling.m_Outside[index] >= resampling.m_InGaps[index];
    (resampling.IsCovered(index) ? covered : isOutside ? outside : inGaps).push_back(band);
  }
  const std::size_t missing = outside.size() + inGaps.size();
  if (missing > 0 && uncovered == HUDUncoveredBands::Refuse)
  {
    const std::size_t band = outside.empty() ? inGaps.front() : outside.front();
    throw hud::InvalidData(hud::Compose(
        DescribeBand(sensor, band), " of ", sensor.m_Name, ": ",
        DescribeCover(resampling, static_cast<Eigen::Index>(band)), ", expected at most ",
        100. * hud::BandResampling::kLargestUncovered, " %",
        missing > 1 ? hud::Compose("; so are ", missing, " of ", sensor.m_Wavelengths.size(), " bands") : "",
        "; outside drop leaves such bands out"));
  }
  if (covered.empty())
  {
    throw hud::InvalidData(hud::Compose("none of the ", sensor.m_Wavelengths.size(), " bands of ", sensor.m_Name,
                                        " is in the endmembers' range of ", resampling.m_First, " to ",
                                        resampling.m_Last, " nm"));
  }

  for (const auto& [bands, where] : {std::pair(outside, "outside the endmembers' range"),
                                     std::pair(inGaps, "in a gap between the endmembers' bands")})
  {
    if (!bands.empty())
    {
      messages.push_back(hud::Compose("left out ", bands.size(), " of ", sensor.m_Wavelengths.size(), " bands of ",
                                      sensor.m_Name, ", ", where, " (", resampling.m_First, " to ", resampling.m_Last,
                                      " nm): ", ListBands(sensor, bands)));
    }
  }
  return covered;
}

// How many bands are narrower than the nearest of the endmembers'.
std::size_t CountNarrower(const HUDSceneMetadata& endmembers, const HUDSceneMetadata& resampled)
{
  std::size_t count = 0;
  for (std::size_t band = 0; band < resampled.m_Widths.size() && !endmembers.m_Widths.empty(); ++band)
  {
    const double centre = resampled.m_Wavelengths[band];
    const auto& wavelengths = endmembers.m_Wavelengths;
    const auto nearest =
        std::min_element(wavelengths.begin(), wavelengths.end(),
                         [&](double a, double b) { return std::abs(a - centre) < std::abs(b - centre); }) -
        wavelengths.begin();
    count += resampled.m_Widths[band] < endmembers.m_Widths[static_cast<std::size_t>(nearest)] ? 1 : 0;
  }
  return count;
}

} // namespace

HUDSensor HUDKnownSensor(const std::string& name)
{
  return ParseSensor(hud::ParseNamedValue(kSensors, name, "sensor")(), name, "sensor " + name);
}

HUDSensor HUDReadSensorFile(const std::string& path)
{
  const CPLErrorHandlerPusher quiet(CPLQuietErrorHandler);
  GByte* bytes = nullptr;
  vsi_l_offset size = 0;
  constexpr GIntBig kLargest = 10'000'000;
  if (VSIIngestFile(nullptr, path.c_str(), &bytes, &size, kLargest) == 0)
  {
    throw hud::FileError(path + ": cannot be opened as a table of at most 10 MB");
  }
  const std::unique_ptr<GByte, void (*)(void*)> owner(bytes, VSIFree);
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const std::string_view mark = "\xef\xbb\xbf";
  text.remove_prefix(text.substr(0, mark.size()) == mark ? mark.size() : 0);
  return ParseSensor(text, CPLGetFilename(path.c_str()), path);
}

std::vector<double> HUDParseRatios(const std::string& text)
{
  std::vector<double> ratios;
  const CPLStringList tokens(CSLTokenizeString2(text.c_str(), " ,;", 0));
  for (const std::string& token : Row(tokens.List(), tokens.List() + tokens.Count()))
  {
    const std::optional<double> ratio = PositiveNumber(token);
    if (!ratio)
    {
      throw hud::InvalidOption("found \"" + token + "\", expected a ratio of signal to noise, a finite number above 0");
    }
    ratios.push_back(*ratio);
  }
  return ratios;
}

HUDResampledEndmembers HUDResampleEndmembers(const HUDEndmemberTable& table, const HUDSensor& sensor,
                                             HUDUncoveredBands uncovered)
{
  if (table.m_Metadata.m_Wavelengths.empty())
  {
    throw hud::InvalidData("the wavelengths of the endmembers are not known, expected them to simulate the sensor " +
                           sensor.m_Name);
  }
  const HUDEndmemberTable endmembers = WithoutEmptyBands(table);
  const HUDSceneMetadata& metadata = endmembers.m_Metadata;
  const hud::BandResampling resampling =
      hud::ComputeBandResampling(metadata.m_Wavelengths, metadata.m_Widths, sensor.m_Wavelengths, sensor.m_Widths);
  HUDResampledEndmembers result;
  const std::vector<std::size_t> covered = CoveredBands(resampling, sensor, uncovered, result.m_Messages);

  Eigen::MatrixXd values = endmembers.m_Endmembers;
  HUDSceneMetadata& resampled = result.m_Table.m_Metadata;
  resampled = metadata;
  if (IsUniform(metadata.m_Scales) && IsUniform(metadata.m_Offsets))
  {
    resampled.m_Scales.assign(metadata.m_Scales.empty() ? 0 : covered.size(), At(metadata.m_Scales, 0, 1.));
    resampled.m_Offsets.assign(metadata.m_Offsets.empty() ? 0 : covered.size(), At(metadata.m_Offsets, 0, 0.));
  }
  else
  {
    for (Eigen::Index band = 0; band < values.rows(); ++band)
    {
      values.row(band).array() =
          At(metadata.m_Scales, band, 1.) * values.row(band).array() + At(metadata.m_Offsets, band, 0.);
    }
    resampled.m_Scales.clear();
    resampled.m_Offsets.clear();
    result.m_Messages.emplace_back("the endmembers' bands differ in scale or offset: values are written in their unit");
  }
  resampled.m_Wavelengths = Selected(sensor.m_Wavelengths, covered);
  resampled.m_Widths = Selected(sensor.m_Widths, covered);
  resampled.m_BandNames = Selected(sensor.m_BandNames, covered);
  result.m_Ratios = Selected(sensor.m_Ratios, covered);
  result.m_Table.m_Names = endmembers.m_Names;
  result.m_Table.m_Endmembers = resampling.m_Weights(covered, Eigen::all) * values;
  if (const std::size_t narrower = CountNarrower(metadata, resampled); narrower > 0)
  {
    result.m_Messages.push_back(hud::Compose(narrower, " of ", covered.size(), " bands of ", sensor.m_Name,
                                             " are narrower than the endmembers' own: they are no sharper than these"));
  }
  return result;
}

void HUDScaleSignal(HUDEndmemberTable& endmembers, double factor)
{
  // What is no number comes as the largest one.
  if (!(factor > 0. && factor <= kLargestFactor))
  {
    throw hud::InvalidOption(hud::Compose("found ", factor, ", expected a number above 0, at most ", kLargestFactor));
  }
  const Eigen::VectorXd zero = Zeros(endmembers.m_Metadata, endmembers.m_Endmembers.rows());
  for (const std::size_t filled : FilledBands(endmembers.m_Endmembers))
  {
    const auto band = static_cast<Eigen::Index>(filled);
    endmembers.m_Endmembers.row(band).array() =
        factor * (endmembers.m_Endmembers.row(band).array() + zero(band)) - zero(band);
  }
}

Eigen::VectorXd HUDNoiseDeviations(const HUDEndmemberTable& endmembers,
                                   const Eigen::Ref<const Eigen::VectorXd>& abundances, std::vector<double> ratios)
{
  const Eigen::Index bands = endmembers.m_Endmembers.rows();
  if (ratios.size() == 1)
  {
    ratios.assign(static_cast<std::size_t>(bands), ratios.front());
  }
  const auto count = static_cast<Eigen::Index>(ratios.size());
  if (count != bands)
  {
    throw hud::InvalidOption(
        hud::Compose("found ", count, " ratios, expected 1, or one for each of the ", bands, " bands of the scene"));
  }
  // The mean of mixtures is the mixture of the means.
  const Eigen::VectorXd mean = endmembers.m_Endmembers * abundances;
  const Eigen::VectorXd deviations = hud::NoiseDeviations(mean + Zeros(endmembers.m_Metadata, bands),
                                                          Eigen::Map<const Eigen::VectorXd>(ratios.data(), count));
  Eigen::VectorXd ofFilled = Eigen::VectorXd::Zero(bands);
  const std::vector<std::size_t> filled = FilledBands(endmembers.m_Endmembers);
  ofFilled(filled) = deviations(filled);
  return ofFilled;
}

std::string HUDCompareEndmemberNames(const std::vector<std::string>& endmembers,
                                     const std::vector<std::string>& abundances)
{
  static const std::regex kCount("(endmember|band|abundance)?[ _]*[0-9]*", std::regex::icase);
  const auto places = [](const std::vector<std::string>& names) {
    std::map<std::string, std::size_t> found;
    for (std::size_t i = 0; i < names.size(); ++i)
    {
      if (!std::regex_match(names[i], kCount))
      {
        found.emplace(CPLString(names[i]).Trim().tolower(), i);
      }
    }
    return found;
  };
  const auto ofEndmembers = places(endmembers);
  const auto ofAbundances = places(abundances);
  std::string others;
  for (const auto& [name, place] : ofAbundances)
  {
    const auto same = ofEndmembers.find(name);
    const bool isHereToo = place < endmembers.size() && CPLString(endmembers[place]).Trim().tolower() == name;
    if (same != ofEndmembers.end() && same->second != place && !isHereToo)
    {
      throw hud::InvalidData(hud::Compose("band ", place + 1, " of the abundances is '", abundances[place],
                                          "', which is endmember ", same->second + 1,
                                          "; expected the endmembers in the order of the abundances' bands"));
    }
  }
  for (std::size_t i = 0; i < std::min(endmembers.size(), abundances.size()); ++i)
  {
    const bool areNamed = !std::regex_match(endmembers[i], kCount) && !std::regex_match(abundances[i], kCount);
    if (areNamed && CPLString(endmembers[i]).Trim().tolower() != CPLString(abundances[i]).Trim().tolower())
    {
      others += hud::Compose(others.empty() ? "" : ", ", "band ", i + 1, " of the abundances is '", abundances[i],
                             "', endmember ", i + 1, " is '", endmembers[i], "'");
    }
  }
  return others;
}

} // namespace otb
