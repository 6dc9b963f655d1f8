// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDMatlabScene.h"

#include "otbHUDHdf5File.h"
#include "otbHUDNoData.h"

#include "hud/core/Error.h"

#include <gdal_priv.h>
#include <matio.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <utility>
#include <vector>

namespace otb
{

namespace
{

constexpr const char* kExpected = "expected a real, numeric array of rows x columns x bands";

using MatFile = std::shared_ptr<mat_t>;
using MatVariable = std::shared_ptr<matvar_t>;

// Writes rows of an array, [bands x width * rows].
using Reader = std::function<void(Eigen::Index row, Eigen::Index rows, float* pixels)>;

// An array of a file.
struct Candidate
{
  std::string m_Name;
  std::vector<std::size_t> m_Sizes; // as MATLAB shows them
  std::string m_Class;              // "double", "complex double", "cell"
  bool m_IsNumeric = false;         // and real
  std::size_t m_Bytes = 1;          // of a number
  Reader m_Reader;

  bool IsScene() const
  {
    return m_IsNumeric && m_Sizes.size() == 3 &&
           std::all_of(m_Sizes.begin(), m_Sizes.end(), [](std::size_t size) { return size > 0; });
  }

  // Returns "paviaU (610 x 340 x 103, double)".
  std::string Describe() const
  {
    std::string text = m_Name + " (";
    for (std::size_t i = 0; i < m_Sizes.size(); ++i)
    {
      text += (i > 0 ? " x " : "") + std::to_string(m_Sizes[i]);
    }
    return text + ", " + m_Class + ")";
  }
};

const char* ClassName(const matvar_t& variable)
{
  switch (variable.class_type)
  {
  case MAT_C_DOUBLE:
    return "double";
  case MAT_C_SINGLE:
    return "single";
  case MAT_C_INT8:
    return "int8";
  case MAT_C_UINT8:
    return variable.isLogical != 0 ? "logical" : "uint8";
  case MAT_C_INT16:
    return "int16";
  case MAT_C_UINT16:
    return "uint16";
  case MAT_C_INT32:
    return "int32";
  case MAT_C_UINT32:
    return "uint32";
  case MAT_C_INT64:
    return "int64";
  case MAT_C_UINT64:
    return "uint64";
  case MAT_C_CELL:
    return "cell";
  case MAT_C_STRUCT:
    return "struct";
  case MAT_C_CHAR:
    return "char";
  case MAT_C_SPARSE:
    return "sparse";
  default:
    return "of another class";
  }
}

template <typename Value>
void Spread(const void* numbers, Eigen::Index rows, Eigen::Index width, Eigen::Index bands, float* pixels)
{
  // MATLAB's first index runs fastest: a column of rows after the other, in each band.
  const auto* const values = static_cast<const Value*>(numbers);
  for (Eigen::Index band = 0; band < bands; ++band)
  {
    for (Eigen::Index column = 0; column < width; ++column)
    {
      const Value* const line = values + (band * width + column) * rows;
      for (Eigen::Index row = 0; row < rows; ++row)
      {
        const auto value = static_cast<float>(line[row]);
        pixels[(row * width + column) * bands + band] = std::isfinite(value) ? value : kHUDNoDataValue;
      }
    }
  }
}

std::uint64_t FileSize(const std::string& path)
{
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  return error ? 0 : size;
}

// Returns whether the file's next bytes are a whole stream of zlib's, its checksum included.
bool CanInflate(std::ifstream& file, std::uint64_t bytes)
{
  constexpr std::uint64_t kPart = 1u << 16;
  std::vector<unsigned char> input(kPart);
  std::vector<unsigned char> output(4 * kPart);
  z_stream stream = {};
  int state = inflateInit(&stream);
  while (state == Z_OK && bytes > 0)
  {
    const std::uint64_t part = std::min(kPart, bytes);
    bytes -= part;
    file.read(reinterpret_cast<char*>(input.data()), static_cast<std::streamsize>(part));
    stream.next_in = input.data();
    stream.avail_in = static_cast<uInt>(file.gcount());
    do
    {
      stream.next_out = output.data();
      stream.avail_out = static_cast<uInt>(output.size());
      state = inflate(&stream, Z_NO_FLUSH);
    }
    while (state == Z_OK && (stream.avail_in > 0 || stream.avail_out == 0));
    // All that there was is used up: more may follow.
    state = state == Z_BUF_ERROR && stream.avail_in == 0 ? Z_OK : state;
  }
  inflateEnd(&stream);
  return state == Z_STREAM_END;
}

// Throws when the file ends within an array or a compressed array is damaged, which the library does not notice. A file of
// version 5 is a header of 128 bytes and a row of elements, each with its type and its number of bytes in front, 4 bytes
// both.
void CheckElements(const std::string& path)
{
  const std::uint64_t size = FileSize(path);
  std::ifstream file(path, std::ios::binary);
  std::array<char, 128> header = {};
  file.read(header.data(), header.size());
  const bool littleEndian = header[126] == 'I';
  constexpr std::uint64_t kCompressed = 15;
  std::array<unsigned char, 8> tag = {};
  // Fewer bytes than a tag has are filling.
  for (std::uint64_t position = header.size(); position + tag.size() <= size;)
  {
    file.seekg(static_cast<std::streamoff>(position));
    file.read(reinterpret_cast<char*>(tag.data()), tag.size());
    std::uint64_t type = 0;
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < 4; ++i)
    {
      type = (type << 8) | tag[littleEndian ? 3 - i : i];
      bytes = (bytes << 8) | tag[littleEndian ? 7 - i : 4 + i];
    }
    const std::uint64_t start = position;
    position += tag.size() + bytes;
    if (!file || position > size)
    {
      throw hud::FileError(path + ": the file is cut off: found " + std::to_string(size) +
                           " bytes, expected at least " + std::to_string(position));
    }
    if (type == kCompressed && !CanInflate(file, bytes))
    {
      throw hud::FileError(path + ": the compressed array at byte " + std::to_string(start) +
                           " is damaged: it cannot be unpacked, or its checksum is another");
    }
  }
}

void ReadVersion5(const std::string& path, const MatFile& file, matvar_t& variable, Eigen::Index row, Eigen::Index rows,
                  float* pixels)
{
  const auto width = static_cast<Eigen::Index>(variable.dims[1]);
  const auto bands = static_cast<Eigen::Index>(variable.dims[2]);
  const std::size_t size = static_cast<std::size_t>(rows * width * bands) * Mat_SizeOfClass(variable.class_type);
  // Enough for the alignment of any number.
  std::vector<double> numbers(size / sizeof(double) + 1);
  std::array<int, 3> start = {static_cast<int>(row), 0, 0};
  std::array<int, 3> stride = {1, 1, 1};
  std::array<int, 3> edge = {static_cast<int>(rows), static_cast<int>(width), static_cast<int>(bands)};
  if (Mat_VarReadData(file.get(), &variable, numbers.data(), start.data(), stride.data(), edge.data()) != 0)
  {
    throw hud::FileError(path + ": cannot read rows " + std::to_string(row) + " to " + std::to_string(row + rows - 1) +
                         " of " + variable.name + ": the file is damaged");
  }
  const auto spread = [&](auto number) { Spread<decltype(number)>(numbers.data(), rows, width, bands, pixels); };
  switch (variable.class_type)
  {
  case MAT_C_SINGLE:
    return spread(float());
  case MAT_C_INT8:
    return spread(std::int8_t());
  case MAT_C_UINT8:
    return spread(std::uint8_t());
  case MAT_C_INT16:
    return spread(std::int16_t());
  case MAT_C_UINT16:
    return spread(std::uint16_t());
  case MAT_C_INT32:
    return spread(std::int32_t());
  case MAT_C_UINT32:
    return spread(std::uint32_t());
  case MAT_C_INT64:
    return spread(std::int64_t());
  case MAT_C_UINT64:
    return spread(std::uint64_t());
  default:
    return spread(double());
  }
}

std::vector<Candidate> ListVersion5(const std::string& path)
{
  CheckElements(path);
  const MatFile file(Mat_Open(path.c_str(), MAT_ACC_RDONLY), [](mat_t* open) {
    if (open != nullptr)
    {
      Mat_Close(open);
    }
  });
  if (!file)
  {
    throw hud::FileError(path + ": cannot be opened as a MATLAB file of version 5");
  }
  std::vector<Candidate> candidates;
  while (matvar_t* const next = Mat_VarReadNextInfo(file.get()))
  {
    const MatVariable variable(next, &Mat_VarFree);
    Candidate candidate;
    candidate.m_Name = variable->name == nullptr ? "" : variable->name;
    candidate.m_Sizes.assign(variable->dims, variable->dims + variable->rank);
    candidate.m_Class = std::string(variable->isComplex != 0 ? "complex " : "") + ClassName(*variable);
    candidate.m_IsNumeric = variable->class_type >= MAT_C_DOUBLE && variable->class_type <= MAT_C_UINT64 &&
                            variable->isLogical == 0 && variable->isComplex == 0;
    candidate.m_Bytes = std::max<std::size_t>(1, Mat_SizeOfClass(variable->class_type));
    candidate.m_Reader = [path, file, variable](Eigen::Index row, Eigen::Index rows, float* pixels) {
      ReadVersion5(path, file, *variable, row, rows, pixels);
    };
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

// A file of version 7.3 is an HDF5 file, as a rule behind a header of 512 bytes.
std::shared_ptr<GDALDataset> OpenVersion73(const std::string& path)
{
  GDALAllRegister();
  const CPLErrorHandlerPusher quiet(CPLQuietErrorHandler);
  const char* const drivers[] = {"HDF5", nullptr};
  return std::shared_ptr<GDALDataset>(
      GDALDataset::Open(path.c_str(), GDAL_OF_MULTIDIM_RASTER | GDAL_OF_READONLY, drivers), [](GDALDataset* open) {
        if (open != nullptr)
        {
          GDALClose(open);
        }
      });
}

std::string ClassOf(const GDALMDArray& array)
{
  const auto attribute = array.GetAttribute("MATLAB_class");
  const char* const text = attribute ? attribute->ReadAsString() : nullptr;
  return text == nullptr ? "" : text;
}

Candidate DescribeVersion73(const std::string& path, const std::shared_ptr<GDALDataset>& dataset,
                            const std::shared_ptr<GDALMDArray>& array)
{
  Candidate candidate;
  candidate.m_Name = array->GetName();
  // The dimensions stand in reverse order: rows run fastest.
  for (const auto& dimension : array->GetDimensions())
  {
    candidate.m_Sizes.insert(candidate.m_Sizes.begin(), static_cast<std::size_t>(dimension->GetSize()));
  }
  const GDALExtendedDataType& type = array->GetDataType();
  const std::string name = ClassOf(*array);
  const bool isNumeric = type.GetClass() == GEDTC_NUMERIC && name != "logical" && name != "char" && name != "cell";
  // Complex numbers are pairs named real and imag.
  const bool isComplex =
      type.GetClass() == GEDTC_COMPOUND || (isNumeric && GDALDataTypeIsComplex(type.GetNumericDataType()) != 0);
  candidate.m_IsNumeric = isNumeric && !isComplex;
  candidate.m_Class =
      (isComplex ? "complex " : "") + (name.empty() ? GDALGetDataTypeName(type.GetNumericDataType()) : name);
  candidate.m_Bytes = sizeof(float);
  candidate.m_Reader = [path, dataset, array](Eigen::Index row, Eigen::Index rows, float* pixels) {
    const CPLErrorHandlerPusher quiet(CPLQuietErrorHandler);
    const std::size_t bands = array->GetDimensions()[0]->GetSize();
    const std::size_t width = array->GetDimensions()[1]->GetSize();
    const GUInt64 start[] = {0, 0, static_cast<GUInt64>(row)};
    const std::size_t count[] = {bands, width, static_cast<std::size_t>(rows)};
    const GPtrDiff_t stride[] = {1, static_cast<GPtrDiff_t>(bands), static_cast<GPtrDiff_t>(bands * width)};
    CPLErrorReset();
    if (!array->Read(start, count, nullptr, stride, GDALExtendedDataType::Create(GDT_Float32), pixels))
    {
      throw hud::FileError(path + ": cannot read rows " + std::to_string(row) + " to " +
                           std::to_string(row + rows - 1) + " of " + array->GetName() + ": " + HUDReadFailure());
    }
    std::replace_if(
        pixels, pixels + count[0] * count[1] * count[2], [](float value) { return !std::isfinite(value); },
        kHUDNoDataValue);
  };
  return candidate;
}

std::vector<Candidate> ListVersion73(const std::string& path)
{
  HUDCheckHdf5Length(path);
  const std::shared_ptr<GDALDataset> dataset = OpenVersion73(path);
  const std::shared_ptr<GDALGroup> root = dataset ? dataset->GetRootGroup() : nullptr;
  if (!root)
  {
    throw hud::FileError(path + ": cannot be opened as a MATLAB file of version 7.3, an HDF5 file; it may be cut off");
  }
  std::vector<Candidate> candidates;
  for (const std::string& name : root->GetMDArrayNames())
  {
    if (const std::shared_ptr<GDALMDArray> array = root->OpenMDArray(name))
    {
      candidates.push_back(DescribeVersion73(path, dataset, array));
    }
  }
  return candidates;
}

} // namespace

struct HUDMatlabScene::Implementation
{
  std::string m_Path;
  std::size_t m_Memory = 0;
  Candidate m_Array;

  Eigen::Index Size(std::size_t dimension) const
  {
    return static_cast<Eigen::Index>(m_Array.m_Sizes[dimension]);
  }

  void Choose(const std::vector<Candidate>& candidates, const std::string& name)
  {
    std::string all;
    std::vector<Candidate> scenes;
    for (const Candidate& candidate : candidates)
    {
      all += (all.empty() ? "" : ", ") + candidate.Describe();
      if (name.empty() ? candidate.IsScene() : candidate.m_Name == name)
      {
        scenes.push_back(candidate);
      }
    }
    const std::string found = m_Path + ": found " + (all.empty() ? "no array that can be read" : all);
    if (scenes.empty() && !name.empty())
    {
      throw hud::InvalidOption(found + ", expected an array named '" + name + "'");
    }
    if (scenes.empty() || !scenes[0].IsScene())
    {
      throw hud::InvalidData((scenes.empty() ? found : m_Path + ": found " + scenes[0].Describe()) + ", " + kExpected);
    }
    if (scenes.size() > 1)
    {
      throw hud::InvalidOption(found + ": several arrays of three dimensions, one must be named");
    }
    m_Array = scenes[0];
  }
};

bool HUDMatlabScene::IsHdf5Scene(const std::string& path)
{
  const std::shared_ptr<GDALDataset> dataset = OpenVersion73(path);
  const std::shared_ptr<GDALGroup> root = dataset ? dataset->GetRootGroup() : nullptr;
  if (HUDFindHdf5(path).value_or(0) > 0)
  {
    return !root || !root->OpenGroup("HDFEOS");
  }
  const std::vector<std::string> names = root ? root->GetMDArrayNames() : std::vector<std::string>();
  return std::any_of(names.begin(), names.end(), [&root](const std::string& name) {
    const std::shared_ptr<GDALMDArray> array = root->OpenMDArray(name);
    return array && !ClassOf(*array).empty();
  });
}

HUDMatlabScene::HUDMatlabScene(const std::string& path, const std::string& name, std::size_t memory)
  : m_Implementation(std::make_unique<Implementation>())
{
  m_Implementation->m_Path = path;
  m_Implementation->m_Memory = memory;
  m_Implementation->Choose(HUDFindHdf5(path) ? ListVersion73(path) : ListVersion5(path), name);
}

HUDMatlabScene::~HUDMatlabScene() = default;

const std::string& HUDMatlabScene::Name() const
{
  return m_Implementation->m_Array.m_Name;
}

Eigen::Index HUDMatlabScene::Width() const
{
  return m_Implementation->Size(1);
}

Eigen::Index HUDMatlabScene::Height() const
{
  return m_Implementation->Size(0);
}

Eigen::Index HUDMatlabScene::Bands() const
{
  return m_Implementation->Size(2);
}

void HUDMatlabScene::ReadRows(Eigen::Index row, Eigen::Ref<Eigen::MatrixXf> pixels) const
{
  const std::size_t lineBytes = static_cast<std::size_t>(Width() * Bands()) * m_Implementation->m_Array.m_Bytes;
  const auto part = static_cast<Eigen::Index>(std::max<std::size_t>(1, m_Implementation->m_Memory / lineBytes));
  const Eigen::Index rows = pixels.cols() / Width();
  for (Eigen::Index first = 0; first < rows; first += part)
  {
    m_Implementation->m_Array.m_Reader(row + first, std::min(part, rows - first), pixels.col(first * Width()).data());
  }
}

} // namespace otb
