// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDPrismaProduct.h"

#include "otbHUDGroundLocation.h"
#include "otbHUDHdf5File.h"
#include "otbHUDNoData.h"

#include "hud/core/Error.h"
#include "hud/core/Message.h"

#include <gdal_priv.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

namespace otb
{

namespace
{

using Array = std::shared_ptr<GDALMDArray>;
using Group = std::shared_ptr<GDALGroup>;
using hud::Compose;

// The scale of a spectrometer: value = m_Factor * number + m_Offset.
struct Scale
{
  double m_Factor = 1.;
  double m_Offset = 0.;
};

// One of the two spectrometers.
struct Spectrometer
{
  Array m_Cube;
  Array m_Errors; // may be missing
  std::vector<hud::SpectrometerBand> m_Bands;
  Eigen::Index m_Slots = 0;
  Scale m_Scale;
};

// Rows as stored: planes of dimension 0, in each the bands, in each the samples of dimension 2.
struct Part
{
  Eigen::Index m_Planes = 0;
  Eigen::Index m_Samples = 0;
  std::array<std::vector<std::uint16_t>, 2> m_Numbers; // VNIR, SWIR
  std::array<std::vector<std::uint8_t>, 2> m_Codes;    // empty: no sample is flagged
};

// A tile of samples stays in the cache, as numbers and as pixels.
constexpr Eigen::Index kTile = 32;
using Spectra = std::array<float*, kTile>;

// How the image lies in the arrays, whose dimensions are 0, band and 2.
struct Orientation
{
  bool m_RowsFirst = false; // dimension 0 counts rows, not columns
  bool m_FlipRows = false;
  bool m_FlipColumns = false;

  bool operator==(const Orientation& other) const
  {
    return m_RowsFirst == other.m_RowsFirst && m_FlipRows == other.m_FlipRows && m_FlipColumns == other.m_FlipColumns;
  }
};

// A way on the ground.
struct Way
{
  double m_East = 0.;
  double m_North = 0.;
};

// Latitude and longitude as stored, [dimension 2 x dimension 0], NaN where they are none.
using Degrees = Eigen::MatrixXd;

std::string Trim(std::string text)
{
  const std::string blanks(" \t\r\n\0", 5);
  text.erase(text.find_last_not_of(blanks) + 1);
  return text.erase(0, std::min(text.find_first_not_of(blanks), text.size()));
}

std::string Join(const std::vector<std::string>& names)
{
  std::string text;
  for (const std::string& name : names)
  {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text.empty() ? "nothing" : text;
}

// Returns the shortest decimal number that the product's float can stand for: 406.97, not 406.9700012207031.
double ToDecimal(double value)
{
  const auto single = static_cast<float>(value);
  if (!std::isfinite(value) || static_cast<double>(single) != value)
  {
    return value;
  }
  std::array<char, 32> text = {};
  const char* const end = std::to_chars(text.data(), text.data() + text.size(), single).ptr;
  double decimal = value;
  std::from_chars(text.data(), end, decimal);
  return decimal;
}

// The mean way from one sample to the next along a dimension; nothing when no line has two samples.
std::optional<Way> MeanWay(const Degrees& latitude, const Degrees& longitude, bool alongFirst)
{
  const Eigen::Index lines = alongFirst ? latitude.rows() : latitude.cols();
  const Eigen::Index samples = alongFirst ? latitude.cols() : latitude.rows();
  const auto at = [alongFirst](const Degrees& values, Eigen::Index line, Eigen::Index sample) {
    return alongFirst ? values(line, sample) : values(sample, line);
  };
  Way sum;
  double count = 0.;
  for (Eigen::Index line = 0; line < lines; ++line)
  {
    Eigen::Index first = 0;
    Eigen::Index last = samples - 1;
    while (first < last && std::isnan(at(latitude, line, first)))
    {
      ++first;
    }
    while (first < last && std::isnan(at(latitude, line, last)))
    {
      --last;
    }
    if (first < last)
    {
      const auto steps = static_cast<double>(last - first);
      const double north = at(latitude, line, last) - at(latitude, line, first);
      const double east = std::remainder(at(longitude, line, last) - at(longitude, line, first), 360.);
      sum.m_North += north / steps;
      sum.m_East += east * std::cos(at(latitude, line, first) * M_PI / 180.) / steps;
      count += 1.;
    }
  }
  return count > 0. ? std::optional<Way>({sum.m_East / count, sum.m_North / count}) : std::nullopt;
}

Orientation Orient(const Way& first, const Way& second)
{
  Orientation orientation;
  orientation.m_RowsFirst =
      std::abs(first.m_North) + std::abs(second.m_East) >= std::abs(first.m_East) + std::abs(second.m_North);
  const Way& down = orientation.m_RowsFirst ? first : second;
  const Way& right = orientation.m_RowsFirst ? second : first;
  orientation.m_FlipRows = down.m_North > 0.;
  orientation.m_FlipColumns = right.m_East < 0.;
  return orientation;
}

std::string Describe(const Orientation& orientation)
{
  const std::string rows = orientation.m_FlipRows ? "northwards" : "southwards";
  const std::string columns = orientation.m_FlipColumns ? "westwards" : "eastwards";
  return "the first dimension goes " + (orientation.m_RowsFirst ? rows : columns) + " and the last " +
         (orientation.m_RowsFirst ? columns : rows);
}

} // namespace

struct HUDPrismaProduct::Implementation
{
  std::string m_Path;
  std::size_t m_Memory = 0;
  GDALDatasetUniquePtr m_Dataset;
  Group m_Root;
  Group m_Swath;
  Group m_Geolocation;
  std::string m_Level;
  std::string m_ProductId;
  std::string m_Time;
  std::optional<double> m_SunZenith;
  std::optional<double> m_SunAzimuth;
  std::array<Spectrometer, 2> m_Spectrometers;  // VNIR, SWIR
  std::array<Eigen::Index, 2> m_Sizes = {0, 0}; // of dimensions 0 and 2
  Orientation m_Orientation;
  std::optional<HUDUtmGrid> m_Grid;
  std::vector<std::string> m_Warnings;
  std::vector<hud::SpectrometerBand> m_Selected;
  HUDFlaggedSamples m_Flagged = HUDFlaggedSamples::NoData;

  Eigen::Index Width() const
  {
    return m_Sizes[m_Orientation.m_RowsFirst ? 1 : 0];
  }
  Eigen::Index Height() const
  {
    return m_Sizes[m_Orientation.m_RowsFirst ? 0 : 1];
  }
  std::string SwathName() const
  {
    return "PRS_L" + m_Level + "_HCO";
  }

  [[noreturn]] void Refuse(const std::string& reason) const
  {
    throw hud::InvalidData(m_Path + ": " + reason);
  }

  void Warn(const std::string& text)
  {
    m_Warnings.push_back(m_Path + ": " + text);
  }

  void Open();
  void FindLevel();
  void RefuseGeoreferenced() const;
  void OpenSpectrometer(Spectrometer& spectrometer, bool swir);
  Array OpenArray(const Group& group, const std::string& name, std::size_t dimensions) const;
  void CheckSizes();
  void ReadBands(Spectrometer& spectrometer, bool swir);
  Scale ReadScale(const std::string& name);
  void FindOrientation();
  bool ReadDegrees(Degrees& latitude, Degrees& longitude) const;
  bool ReadDegrees(const std::string& suffix, Degrees& latitude, Degrees& longitude) const;
  Eigen::MatrixXd ToImage(const Degrees& degrees) const;
  void ReadGrid();
  int ReadEpsg() const;
  void CheckGrid();
  void ReadDescription();

  std::optional<std::string> Text(const std::string& name) const;
  std::vector<double> Numbers(const std::string& name) const;
  std::optional<double> Number(const std::string& name) const;
  double RequireNumber(const std::string& name) const;

  void Load(const Array& array, Eigen::Index row, Eigen::Index rows, GDALDataType type, void* buffer) const;
  Part LoadPart(Eigen::Index row, Eigen::Index rows) const;
  void FillTile(const Part& part, Eigen::Index plane, Eigen::Index first, std::size_t width,
                const Spectra& spectra) const;
  void ReadPart(Eigen::Index row, Eigen::Index rows, float* pixels) const;
};

std::optional<std::string> HUDPrismaProduct::Implementation::Text(const std::string& name) const
{
  const auto attribute = m_Root->GetAttribute(name);
  if (!attribute)
  {
    return std::nullopt;
  }
  const CPLStringList values = attribute->ReadAsStringArray();
  return values.empty() ? std::nullopt : std::optional<std::string>(Trim(values[0]));
}

std::vector<double> HUDPrismaProduct::Implementation::Numbers(const std::string& name) const
{
  const auto attribute = m_Root->GetAttribute(name);
  std::vector<double> numbers;
  if (attribute && attribute->GetDataType().GetClass() == GEDTC_STRING)
  {
    // The zone of an L2D is a text.
    const std::string text = Text(name).value_or("");
    char* end = nullptr;
    const double number = CPLStrtod(text.c_str(), &end);
    return end == text.c_str() || *end != '\0' ? numbers : std::vector<double>{number};
  }
  numbers = attribute ? attribute->ReadAsDoubleArray() : numbers;
  for (double& number : numbers)
  {
    number = ToDecimal(number);
  }
  return numbers;
}

std::optional<double> HUDPrismaProduct::Implementation::Number(const std::string& name) const
{
  const std::vector<double> numbers = Numbers(name);
  return numbers.empty() || !std::isfinite(numbers[0]) ? std::nullopt : std::optional<double>(numbers[0]);
}

double HUDPrismaProduct::Implementation::RequireNumber(const std::string& name) const
{
  const std::optional<double> number = Number(name);
  if (!number)
  {
    Refuse("the attribute " + name + " is missing or no number");
  }
  return *number;
}

void HUDPrismaProduct::Implementation::Open()
{
  HUDCheckHdf5Length(m_Path);
  GDALAllRegister();
  CPLErrorReset();
  const char* const drivers[] = {"HDF5", nullptr};
  m_Dataset.reset(GDALDataset::Open(m_Path.c_str(), GDAL_OF_MULTIDIM_RASTER | GDAL_OF_READONLY, drivers));
  m_Root = m_Dataset ? m_Dataset->GetRootGroup() : nullptr;
  if (!m_Root)
  {
    const std::string reason = CPLGetLastErrorMsg();
    throw hud::FileError(m_Path + ": cannot be opened as an HDF5 file" + (reason.empty() ? "" : ": " + reason));
  }
}

void HUDPrismaProduct::Implementation::FindLevel()
{
  const Group eos = m_Root->OpenGroup("HDFEOS");
  const Group swaths = eos ? eos->OpenGroup("SWATHS") : nullptr;
  if (!swaths)
  {
    Refuse("is no PRISMA product: found the groups " + Join(m_Root->GetGroupNames()) +
           ", expected HDFEOS/SWATHS/PRS_L..._HCO");
  }
  const std::vector<std::string> names = swaths->GetGroupNames();
  const std::string level = Text("Processing_Level").value_or("");
  if (!level.empty())
  {
    const std::size_t start = level.find_first_not_of("Ll");
    m_Level = level.substr(start == std::string::npos ? 0 : start);
    std::transform(m_Level.begin(), m_Level.end(), m_Level.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
    RefuseGeoreferenced();
  }
  const std::array<std::string, 4> known = {"1", "2B", "2C", "2D"};
  if (level.empty())
  {
    for (const std::string& candidate : known)
    {
      if (std::find(names.begin(), names.end(), "PRS_L" + candidate + "_HCO") != names.end())
      {
        m_Level = candidate;
      }
    }
    if (m_Level.empty())
    {
      Refuse("is no PRISMA product: the attribute Processing_Level is missing or empty, and of the swaths " +
             Join(names) + " none is PRS_L1_HCO, PRS_L2B_HCO, PRS_L2C_HCO or PRS_L2D_HCO");
    }
    Warn("the attribute Processing_Level is missing or empty: L" + m_Level + " by its swath");
  }
  else if (std::find(known.begin(), known.end(), m_Level) == known.end())
  {
    Refuse("the attribute Processing_Level is '" + level + "', expected 1, 2B, 2C or 2D");
  }
  m_Swath = swaths->OpenGroup(SwathName());
  if (!m_Swath)
  {
    Refuse("the swath HDFEOS/SWATHS/" + SwathName() + " is missing: found " + Join(names));
  }
  m_Geolocation = m_Swath->OpenGroup("Geolocation Fields");
  RefuseGeoreferenced();
}

void HUDPrismaProduct::Implementation::RefuseGeoreferenced() const
{
  const auto names = [this](const char* attribute) {
    return Text(attribute).value_or("").find("L1G") != std::string::npos;
  };
  bool found = m_Level.rfind("1G", 0) == 0 || names("Product_ID") || names("Product_Name");
  if (m_Level == "1" && m_Geolocation)
  {
    const std::vector<std::string> arrays = m_Geolocation->GetMDArrayNames();
    const auto has = [&arrays](const char* name) {
      return std::find(arrays.begin(), arrays.end(), name) != arrays.end();
    };
    found = found || (has("Latitude") && !has("Latitude_VNIR"));
  }
  if (found)
  {
    Refuse("is a georeferenced product of level 1 (L1G), whose arrays and no-data value differ from those of the other "
           "levels; expected L1, L2B, L2C or L2D");
  }
}

Array HUDPrismaProduct::Implementation::OpenArray(const Group& group, const std::string& name,
                                                  std::size_t dimensions) const
{
  const Array array = group ? group->OpenMDArray(name) : nullptr;
  if (!array)
  {
    return nullptr;
  }
  if (array->GetDimensionCount() != dimensions || array->GetDataType().GetClass() != GEDTC_NUMERIC ||
      GDALDataTypeIsComplex(array->GetDataType().GetNumericDataType()) != 0)
  {
    Refuse(Compose(array->GetFullName(), ": found ", array->GetDimensionCount(), " dimensions of ",
                   GDALGetDataTypeName(array->GetDataType().GetNumericDataType()), ", expected numbers in ",
                   dimensions));
  }
  return array;
}

void HUDPrismaProduct::Implementation::OpenSpectrometer(Spectrometer& spectrometer, bool swir)
{
  const std::string prefix = swir ? "SWIR" : "VNIR";
  const Group data = m_Swath->OpenGroup("Data Fields");
  const std::string folder = SwathName() + "/Data Fields/";
  spectrometer.m_Cube = OpenArray(data, prefix + "_Cube", 3);
  if (!spectrometer.m_Cube)
  {
    Refuse("the cube " + folder + prefix + "_Cube is missing");
  }
  // Numbers above 32767 or 255 would be lost.
  const GDALDataType type = spectrometer.m_Cube->GetDataType().GetNumericDataType();
  if (type == GDT_Int16 || type == GDT_Byte)
  {
    Refuse("the cube " + folder + prefix + "_Cube has the type " + GDALGetDataTypeName(type) +
           ", expected numbers from 0 to 65535, UInt16");
  }
  spectrometer.m_Slots = static_cast<Eigen::Index>(spectrometer.m_Cube->GetDimensions()[1]->GetSize());
  const std::string errors = prefix + (m_Level == "1" ? "_PIXEL_SAT_ERR_MATRIX" : "_PIXEL_L2_ERR_MATRIX");
  spectrometer.m_Errors = OpenArray(data, errors, 3);
  if (!spectrometer.m_Errors)
  {
    Warn("the error matrix " + folder + errors + " is missing: defective samples cannot be told from others");
  }
}

void HUDPrismaProduct::Implementation::CheckSizes()
{
  const auto describe = [](const Array& array) {
    std::string text;
    for (const auto& dimension : array->GetDimensions())
    {
      text += (text.empty() ? "" : " x ") + std::to_string(dimension->GetSize());
    }
    return array->GetName() + " of " + text;
  };
  const auto size = [](const Array& array, std::size_t dimension) {
    return array->GetDimensions()[dimension]->GetSize();
  };
  const Array& vnir = m_Spectrometers[0].m_Cube;
  const Array& swir = m_Spectrometers[1].m_Cube;
  if (size(vnir, 0) != size(swir, 0) || size(vnir, 2) != size(swir, 2))
  {
    Refuse("found " + describe(vnir) + " and " + describe(swir) + ", expected the same first and last size");
  }
  for (const Spectrometer& spectrometer : m_Spectrometers)
  {
    for (std::size_t i = 0; spectrometer.m_Errors && i < 3; ++i)
    {
      if (size(spectrometer.m_Errors, i) != size(spectrometer.m_Cube, i))
      {
        Refuse("found " + describe(spectrometer.m_Cube) + " and " + describe(spectrometer.m_Errors) +
               ", expected the same size");
      }
    }
  }
  constexpr std::uint64_t kLargest = 1u << 20;
  m_Sizes = {static_cast<Eigen::Index>(size(vnir, 0)), static_cast<Eigen::Index>(size(vnir, 2))};
  if (m_Sizes[0] < 1 || m_Sizes[1] < 1 || size(vnir, 0) > kLargest || size(vnir, 2) > kLargest)
  {
    Refuse("found " + describe(vnir) + ", expected an image");
  }
}

void HUDPrismaProduct::Implementation::ReadBands(Spectrometer& spectrometer, bool swir)
{
  const std::string suffix = swir ? "Swir" : "Vnir";
  const auto list = [&](const std::string& name) {
    std::vector<double> numbers = Numbers(name);
    if (numbers.empty())
    {
      Refuse("the attribute " + name + " is missing");
    }
    if (static_cast<Eigen::Index>(numbers.size()) != spectrometer.m_Slots)
    {
      Refuse(Compose("the attribute ", name, " has ", numbers.size(), " numbers, expected one for each of the ",
                     spectrometer.m_Slots, " bands of ", spectrometer.m_Cube->GetName()));
    }
    return numbers;
  };
  const std::vector<double> wavelengths = list("List_Cw_" + suffix);
  const std::vector<double> widths = list("List_Fwhm_" + suffix);
  const std::vector<double> flags = list("List_Cw_" + suffix + "_Flags");
  for (std::size_t slot = 0; slot < wavelengths.size(); ++slot)
  {
    if (flags[slot] == 1. && wavelengths[slot] > 0. && std::isfinite(wavelengths[slot]))
    {
      spectrometer.m_Bands.push_back({wavelengths[slot], widths[slot], static_cast<Eigen::Index>(slot), swir});
    }
  }
  hud::CheckMonotonic(spectrometer.m_Bands, m_Path + ": List_Cw_" + suffix);
}

Scale HUDPrismaProduct::Implementation::ReadScale(const std::string& name)
{
  if (m_Level == "1")
  {
    const std::string factor = "ScaleFactor_" + name;
    const double scale = RequireNumber(factor);
    if (scale <= 0.)
    {
      Refuse(Compose("the attribute ", factor, " is ", scale, ", expected a positive number"));
    }
    const std::optional<double> offset = Number("Offset_" + name);
    if (!offset)
    {
      Warn("the attribute Offset_" + name + " is missing: taken as 0");
    }
    return {1. / scale, -offset.value_or(0.)};
  }
  const std::string prefix = "L2Scale" + name;
  const double lowest = RequireNumber(prefix + "Min");
  const double highest = RequireNumber(prefix + "Max");
  if (highest <= lowest)
  {
    Refuse(Compose("the attributes ", prefix, "Min and Max are ", lowest, " and ", highest,
                   ": a scale of 0 or less, expected Max above Min"));
  }
  return {(highest - lowest) / 65535., lowest};
}

bool HUDPrismaProduct::Implementation::ReadDegrees(Degrees& latitude, Degrees& longitude) const
{
  return m_Level == "1" ? ReadDegrees("_VNIR", latitude, longitude) || ReadDegrees("_SWIR", latitude, longitude)
                        : ReadDegrees("", latitude, longitude);
}

bool HUDPrismaProduct::Implementation::ReadDegrees(const std::string& suffix, Degrees& latitude,
                                                   Degrees& longitude) const
{
  const auto read = [&](const std::string& name, Degrees& degrees) {
    const Array array = OpenArray(m_Geolocation, name, 2);
    if (!array)
    {
      return false;
    }
    const auto& dimensions = array->GetDimensions();
    if (static_cast<Eigen::Index>(dimensions[0]->GetSize()) != m_Sizes[0] ||
        static_cast<Eigen::Index>(dimensions[1]->GetSize()) != m_Sizes[1])
    {
      if (m_Level == "2D")
      {
        return false; // It has its grid.
      }
      Refuse(Compose("found ", name, " of ", dimensions[0]->GetSize(), " x ", dimensions[1]->GetSize(), ", expected ",
                     m_Sizes[0], " x ", m_Sizes[1]));
    }
    CPLErrorReset();
    degrees.resize(m_Sizes[1], m_Sizes[0]);
    const GUInt64 start[] = {0, 0};
    const std::size_t count[] = {static_cast<std::size_t>(m_Sizes[0]), static_cast<std::size_t>(m_Sizes[1])};
    if (!array->Read(start, count, nullptr, nullptr, GDALExtendedDataType::Create(GDT_Float64), degrees.data()))
    {
      throw hud::FileError(m_Path + ": cannot read " + name + ": " + HUDReadFailure());
    }
    return true;
  };
  if (!read("Latitude" + suffix, latitude) || !read("Longitude" + suffix, longitude))
  {
    return false;
  }
  for (Eigen::Index i = 0; i < latitude.size(); ++i)
  {
    double& north = latitude.data()[i];
    double& east = longitude.data()[i];
    // What is not known may also be 0, 0.
    const bool known = std::abs(north) <= 90. && std::abs(east) <= 360. && (north != 0. || east != 0.);
    north = known ? north : std::numeric_limits<double>::quiet_NaN();
    east = known ? std::remainder(east, 360.) : std::numeric_limits<double>::quiet_NaN();
  }
  return true;
}

void HUDPrismaProduct::Implementation::FindOrientation()
{
  const bool swath = m_Level != "2D";
  Orientation usual;
  usual.m_RowsFirst = !swath;
  usual.m_FlipColumns = swath;
  m_Orientation = usual;

  Degrees latitude;
  Degrees longitude;
  if (!ReadDegrees(latitude, longitude))
  {
    const std::string suffix = m_Level == "1" ? "_VNIR" : "";
    const std::string what = "the arrays Latitude" + suffix + " and Longitude" + suffix + " of " + SwathName() +
                             "/Geolocation Fields are missing" + (swath ? "" : " or of another size than the image");
    if (swath)
    {
      Refuse(what);
    }
    Warn(what + ": north is taken to be up");
    return;
  }
  const std::optional<Way> first = MeanWay(latitude, longitude, true);
  const std::optional<Way> second = MeanWay(latitude, longitude, false);
  if (!first || !second)
  {
    Warn("there are too few latitudes and longitudes to see where north is: as usual for the level, " +
         Describe(usual));
    return;
  }
  m_Orientation = Orient(*first, *second);
  if (!(m_Orientation == usual))
  {
    Warn("by its latitudes and longitudes, " + Describe(m_Orientation) + "; in other products of the level " +
         Describe(usual) + ". The image is made north up by the former");
  }
}

Eigen::MatrixXd HUDPrismaProduct::Implementation::ToImage(const Degrees& degrees) const
{
  Eigen::MatrixXd image = m_Orientation.m_RowsFirst ? degrees : degrees.transpose();
  if (m_Orientation.m_FlipRows)
  {
    image = image.rowwise().reverse().eval();
  }
  if (m_Orientation.m_FlipColumns)
  {
    image = image.colwise().reverse().eval();
  }
  return image;
}

int HUDPrismaProduct::Implementation::ReadEpsg() const
{
  const std::optional<double> code = Number("Epsg_Code");
  if (code && *code != 0.)
  {
    const int epsg = static_cast<int>(*code);
    const int zone = epsg % 100;
    if ((epsg / 100 != 326 && epsg / 100 != 327) || zone < 1 || zone > 60)
    {
      Refuse(Compose("the attribute Epsg_Code is ", *code, ", expected UTM: 32601 to 32660 or 32701 to 32760"));
    }
    return epsg;
  }
  const std::optional<double> zone = Number("Projection_Id");
  std::optional<double> latitude = Number("Product_center_lat");
  Degrees latitudes;
  Degrees longitudes;
  if (!latitude && ReadDegrees(latitudes, longitudes))
  {
    const auto known = std::find_if(latitudes.data(), latitudes.data() + latitudes.size(),
                                    [](double value) { return std::isfinite(value); });
    latitude = known == latitudes.data() + latitudes.size() ? latitude : *known;
  }
  if (!zone || !latitude || *zone < 1. || *zone > 60.)
  {
    Refuse("the attribute Epsg_Code is missing or 0, and Projection_Id and Product_center_lat do not tell the zone");
  }
  return (*latitude < 0. ? 32700 : 32600) + static_cast<int>(*zone);
}

void HUDPrismaProduct::Implementation::ReadGrid()
{
  if (m_Level != "2D")
  {
    return;
  }
  HUDUtmGrid grid;
  grid.m_Epsg = ReadEpsg();
  grid.m_Left = RequireNumber("Product_ULcorner_easting");
  grid.m_Top = RequireNumber("Product_ULcorner_northing");
  m_Grid = grid;
  CheckGrid();
}

void HUDPrismaProduct::Implementation::CheckGrid()
{
  const auto check = [this](const char* corner, const char* axis, double first, double direction, Eigen::Index size) {
    const std::optional<double> last = Number(std::string("Product_") + corner + "corner_" + axis);
    // The attributes are rounded to half a metre at most.
    const double expected = first + direction * 30. * static_cast<double>(size - 1);
    if (last && std::abs(*last - expected) > 1. + 0.01 * static_cast<double>(size))
    {
      Warn(Compose("the ", axis, " of the ", corner, " corner is ", *last, ", expected ", expected,
                   " from the UL corner and pixels of 30 m: the UL corner is used"));
    }
  };
  check("UR", "easting", m_Grid->m_Left, 1., Width());
  check("LL", "northing", m_Grid->m_Top, -1., Height());

  Degrees latitude;
  Degrees longitude;
  if (ReadDegrees(latitude, longitude))
  {
    const Eigen::Index column = Width() / 2;
    const Eigen::Index row = Height() / 2;
    const double north = ToImage(latitude)(column, row);
    const double east = ToImage(longitude)(column, row);
    const auto [x, y] =
        HUDToMap(Eigen::VectorXd::Constant(1, north), Eigen::VectorXd::Constant(1, east), m_Grid->m_Epsg);
    const double distance = std::hypot(x(0) - m_Grid->m_Left - 30. * static_cast<double>(column),
                                       y(0) - m_Grid->m_Top + 30. * static_cast<double>(row));
    if (distance > 30.)
    {
      Warn(Compose("the latitudes and longitudes are ", std::lround(distance),
                   " m off the grid of the corners, which is used"));
    }
  }
}

void HUDPrismaProduct::Implementation::ReadDescription()
{
  m_ProductId = Text("Product_ID").value_or("");
  m_Time = Text("Product_StartTime").value_or("");
  if (m_Time.empty())
  {
    Warn("the attribute Product_StartTime is missing: the acquisition time is unknown");
  }
  else if (m_Time.back() != 'Z')
  {
    m_Time += "Z";
  }
  m_SunZenith = Number("Sun_zenith_angle");
  m_SunAzimuth = Number("Sun_azimuth_angle");
  if (!m_SunZenith || !m_SunAzimuth)
  {
    Warn("the attribute Sun_zenith_angle or Sun_azimuth_angle is missing: the sun's place is unknown");
  }
}

HUDPrismaProduct::HUDPrismaProduct(const std::string& path, std::size_t memory)
  : m_Implementation(std::make_unique<Implementation>())
{
  const CPLErrorHandlerPusher quiet(CPLQuietErrorHandler);
  Implementation& self = *m_Implementation;
  self.m_Path = path;
  self.m_Memory = memory;
  self.Open();
  self.FindLevel();
  for (const bool swir : {false, true})
  {
    self.OpenSpectrometer(self.m_Spectrometers[swir ? 1 : 0], swir);
  }
  self.CheckSizes();
  for (const bool swir : {false, true})
  {
    Spectrometer& spectrometer = self.m_Spectrometers[swir ? 1 : 0];
    self.ReadBands(spectrometer, swir);
    spectrometer.m_Scale = self.ReadScale(swir ? "Swir" : "Vnir");
  }
  if (VnirBands().empty() && SwirBands().empty())
  {
    self.Refuse("no band is valid: in List_Cw_Vnir_Flags and List_Cw_Swir_Flags none is 1 where there is a wavelength");
  }
  for (const bool swir : {false, true})
  {
    if (self.m_Spectrometers[swir ? 1 : 0].m_Bands.empty())
    {
      self.Warn(std::string("no band of the ") + (swir ? "SWIR" : "VNIR") + " is valid");
    }
  }
  self.FindOrientation();
  self.ReadGrid();
  self.ReadDescription();
}

HUDPrismaProduct::~HUDPrismaProduct() = default;

Eigen::Index HUDPrismaProduct::Width() const
{
  return m_Implementation->Width();
}

Eigen::Index HUDPrismaProduct::Height() const
{
  return m_Implementation->Height();
}

const std::string& HUDPrismaProduct::Level() const
{
  return m_Implementation->m_Level;
}

const std::string& HUDPrismaProduct::ProductId() const
{
  return m_Implementation->m_ProductId;
}

const std::string& HUDPrismaProduct::AcquisitionTime() const
{
  return m_Implementation->m_Time;
}

std::optional<double> HUDPrismaProduct::SunZenith() const
{
  return m_Implementation->m_SunZenith;
}

std::optional<double> HUDPrismaProduct::SunAzimuth() const
{
  return m_Implementation->m_SunAzimuth;
}

std::string HUDPrismaProduct::Units() const
{
  return Level() == "1" || Level() == "2B" ? "W m-2 sr-1 um-1" : "reflectance";
}

const std::vector<hud::SpectrometerBand>& HUDPrismaProduct::VnirBands() const
{
  return m_Implementation->m_Spectrometers[0].m_Bands;
}

const std::vector<hud::SpectrometerBand>& HUDPrismaProduct::SwirBands() const
{
  return m_Implementation->m_Spectrometers[1].m_Bands;
}

const std::optional<HUDUtmGrid>& HUDPrismaProduct::Grid() const
{
  return m_Implementation->m_Grid;
}

const std::vector<std::string>& HUDPrismaProduct::Warnings() const
{
  return m_Implementation->m_Warnings;
}

HUDLocations HUDPrismaProduct::ReadLocations() const
{
  const CPLErrorHandlerPusher quiet(CPLQuietErrorHandler);
  Degrees latitude;
  Degrees longitude;
  if (!m_Implementation->ReadDegrees(latitude, longitude))
  {
    m_Implementation->Refuse("there are no latitudes and longitudes");
  }
  return {m_Implementation->ToImage(latitude), m_Implementation->ToImage(longitude)};
}

void HUDPrismaProduct::SelectBands(std::vector<hud::SpectrometerBand> bands, HUDFlaggedSamples flagged)
{
  m_Implementation->m_Selected = std::move(bands);
  m_Implementation->m_Flagged = flagged;
}

void HUDPrismaProduct::Implementation::Load(const Array& array, Eigen::Index row, Eigen::Index rows, GDALDataType type,
                                            void* buffer) const
{
  const std::size_t dimension = m_Orientation.m_RowsFirst ? 0 : 2;
  std::array<GUInt64, 3> start = {0, 0, 0};
  std::array<std::size_t, 3> count = {};
  for (std::size_t i = 0; i < 3; ++i)
  {
    count[i] = static_cast<std::size_t>(array->GetDimensions()[i]->GetSize());
  }
  start[dimension] = static_cast<GUInt64>(m_Orientation.m_FlipRows ? Height() - row - rows : row);
  count[dimension] = static_cast<std::size_t>(rows);
  CPLErrorReset();
  if (!array->Read(start.data(), count.data(), nullptr, nullptr, GDALExtendedDataType::Create(type), buffer))
  {
    throw hud::FileError(Compose(m_Path, ": cannot read rows ", row, " to ", row + rows - 1, " of ",
                                 array->GetFullName(), ": ", HUDReadFailure()));
  }
}

Part HUDPrismaProduct::Implementation::LoadPart(Eigen::Index row, Eigen::Index rows) const
{
  Part part;
  part.m_Planes = m_Orientation.m_RowsFirst ? rows : m_Sizes[0];
  part.m_Samples = m_Orientation.m_RowsFirst ? m_Sizes[1] : rows;
  for (std::size_t i = 0; i < 2; ++i)
  {
    const Spectrometer& spectrometer = m_Spectrometers[i];
    const auto size = static_cast<std::size_t>(part.m_Planes * spectrometer.m_Slots * part.m_Samples);
    part.m_Numbers[i].resize(size);
    Load(spectrometer.m_Cube, row, rows, GDT_UInt16, part.m_Numbers[i].data());
    if (spectrometer.m_Errors && m_Flagged != HUDFlaggedSamples::Keep)
    {
      part.m_Codes[i].resize(size);
      Load(spectrometer.m_Errors, row, rows, GDT_Byte, part.m_Codes[i].data());
    }
  }
  return part;
}

void HUDPrismaProduct::Implementation::FillTile(const Part& part, Eigen::Index plane, Eigen::Index first,
                                                std::size_t width, const Spectra& spectra) const
{
  std::array<std::uint16_t, kTile> any = {};
  std::array<std::uint8_t, kTile> flagged = {};
  const auto offset = [&](const hud::SpectrometerBand& band) {
    const Eigen::Index slots = m_Spectrometers[band.m_Swir ? 1 : 0].m_Slots;
    return (plane * slots + band.m_Slot) * part.m_Samples + first;
  };
  for (const Spectrometer& spectrometer : m_Spectrometers)
  {
    for (const hud::SpectrometerBand& band : spectrometer.m_Bands)
    {
      const std::uint16_t* const line = part.m_Numbers[band.m_Swir ? 1 : 0].data() + offset(band);
      for (std::size_t i = 0; i < width; ++i)
      {
        any[i] = static_cast<std::uint16_t>(any[i] | line[i]);
      }
    }
  }
  for (std::size_t b = 0; b < m_Selected.size(); ++b)
  {
    const hud::SpectrometerBand& band = m_Selected[b];
    const std::size_t detector = band.m_Swir ? 1 : 0;
    const Scale& scale = m_Spectrometers[detector].m_Scale;
    const std::uint16_t* const line = part.m_Numbers[detector].data() + offset(band);
    if (part.m_Codes[detector].empty())
    {
      for (std::size_t i = 0; i < width; ++i)
      {
        spectra[i][b] = static_cast<float>(scale.m_Factor * line[i] + scale.m_Offset);
      }
      continue;
    }
    const std::uint8_t* const code = part.m_Codes[detector].data() + offset(band);
    for (std::size_t i = 0; i < width; ++i)
    {
      spectra[i][b] = code[i] > 0 ? kHUDNoDataValue : static_cast<float>(scale.m_Factor * line[i] + scale.m_Offset);
      flagged[i] = static_cast<std::uint8_t>(flagged[i] | code[i]);
    }
  }
  for (std::size_t i = 0; i < width; ++i)
  {
    if (any[i] == 0 || (flagged[i] > 0 && m_Flagged == HUDFlaggedSamples::NoDataPixel))
    {
      std::fill_n(spectra[i], m_Selected.size(), kHUDNoDataValue);
    }
  }
}

void HUDPrismaProduct::Implementation::ReadPart(Eigen::Index row, Eigen::Index rows, float* pixels) const
{
  const Part part = LoadPart(row, rows);
  const auto bands = static_cast<Eigen::Index>(m_Selected.size());
  const auto pixelOf = [&](Eigen::Index plane, Eigen::Index sample) {
    const Eigen::Index line = m_Orientation.m_RowsFirst ? plane : sample;
    const Eigen::Index place = m_Orientation.m_RowsFirst ? sample : plane;
    return (m_Orientation.m_FlipRows ? rows - 1 - line : line) * Width() +
           (m_Orientation.m_FlipColumns ? Width() - 1 - place : place);
  };
  for (Eigen::Index plane = 0; plane < part.m_Planes; ++plane)
  {
    for (Eigen::Index first = 0; first < part.m_Samples; first += kTile)
    {
      const Eigen::Index width = std::min(kTile, part.m_Samples - first);
      Spectra spectra = {};
      for (Eigen::Index i = 0; i < width; ++i)
      {
        spectra[static_cast<std::size_t>(i)] = pixels + pixelOf(plane, first + i) * bands;
      }
      FillTile(part, plane, first, static_cast<std::size_t>(width), spectra);
    }
  }
}

void HUDPrismaProduct::ReadRows(Eigen::Index row, Eigen::Ref<Eigen::MatrixXf> pixels) const
{
  const CPLErrorHandlerPusher quiet(CPLQuietErrorHandler);
  const Implementation& self = *m_Implementation;
  const Eigen::Index width = Width();
  const Eigen::Index slots = self.m_Spectrometers[0].m_Slots + self.m_Spectrometers[1].m_Slots;
  // Numbers of 16 bits and codes of 8.
  const auto lineBytes = static_cast<std::size_t>(3 * slots * width);
  const auto part = static_cast<Eigen::Index>(std::max<std::size_t>(1, self.m_Memory / lineBytes));
  const Eigen::Index rows = pixels.cols() / width;
  for (Eigen::Index first = 0; first < rows; first += part)
  {
    self.ReadPart(row + first, std::min(part, rows - first), pixels.col(first * width).data());
  }
}

std::vector<double> HUDPrismaProduct::EstimateFlaggedShares() const
{
  const auto bands = static_cast<Eigen::Index>(m_Implementation->m_Selected.size());
  // In a swath each read goes through all of the file.
  const bool swath = !m_Implementation->m_Orientation.m_RowsFirst;
  const Eigen::Index parts = swath ? 1 : 8;
  const Eigen::Index rows = swath ? 64 : 8;
  std::vector<double> shares(static_cast<std::size_t>(bands), 0.);
  double pixels = 0.;
  Eigen::Index next = 0;
  for (Eigen::Index part = 0; part < parts; ++part)
  {
    const Eigen::Index first = std::max(next, ((2 * part + 1) * Height() / parts - rows) / 2);
    next = std::min(first + rows, Height());
    if (first >= next)
    {
      continue;
    }
    Eigen::MatrixXf spectra(bands, Width() * (next - first));
    ReadRows(first, spectra);
    for (Eigen::Index pixel = 0; pixel < spectra.cols(); ++pixel)
    {
      const auto missing = (spectra.col(pixel).array() == kHUDNoDataValue).eval();
      if (missing.all())
      {
        continue;
      }
      pixels += 1.;
      for (Eigen::Index band = 0; band < bands; ++band)
      {
        shares[static_cast<std::size_t>(band)] += missing(band) ? 1. : 0.;
      }
    }
  }
  for (double& share : shares)
  {
    share = pixels > 0. ? share / pixels : 0.;
  }
  return shares;
}

} // namespace otb
