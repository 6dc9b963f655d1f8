// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDMatlabScene.h"

#include "otbHUDNoData.h"

#include "hud/core/Error.h"

#include <matio.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

namespace otb
{

namespace
{

using File = std::unique_ptr<mat_t, int (*)(mat_t*)>;
using Variable = std::unique_ptr<matvar_t, void (*)(matvar_t*)>;

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

bool IsNumeric(const matvar_t& variable)
{
  return variable.class_type >= MAT_C_DOUBLE && variable.class_type <= MAT_C_UINT64 && variable.isLogical == 0;
}

bool IsScene(const matvar_t& variable)
{
  return IsNumeric(variable) && variable.rank == 3 && variable.isComplex == 0 && variable.dims[0] > 0 &&
         variable.dims[1] > 0 && variable.dims[2] > 0;
}

// Returns "paviaU (610 x 340 x 103, double)".
std::string Describe(const matvar_t& variable)
{
  std::string text = std::string(variable.name == nullptr ? "?" : variable.name) + " (";
  for (int i = 0; i < variable.rank; ++i)
  {
    text += (i > 0 ? " x " : "") + std::to_string(variable.dims[i]);
  }
  return text + ", " + (variable.isComplex != 0 ? "complex " : "") + ClassName(variable) + ")";
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

} // namespace

struct HUDMatlabScene::Implementation
{
  std::string m_Path;
  std::size_t m_Memory = 0;
  File m_File{nullptr, &Mat_Close};
  Variable m_Variable{nullptr, &Mat_VarFree};
  std::string m_Name;

  Eigen::Index Size(int dimension) const
  {
    return static_cast<Eigen::Index>(m_Variable->dims[dimension]);
  }

  void Find(const std::string& name)
  {
    std::string all;
    std::vector<std::string> scenes;
    for (Variable next(Mat_VarReadNextInfo(m_File.get()), &Mat_VarFree); next;
         next.reset(Mat_VarReadNextInfo(m_File.get())))
    {
      const bool wanted = !name.empty() && next->name != nullptr && name == next->name;
      if (wanted && !IsScene(*next))
      {
        throw hud::InvalidData(m_Path + ": found " + Describe(*next) +
                               ", expected a real, numeric array of rows x columns x bands");
      }
      all += (all.empty() ? "" : ", ") + Describe(*next);
      if (IsScene(*next))
      {
        scenes.push_back(next->name);
      }
      if (wanted || (name.empty() && IsScene(*next) && scenes.size() == 1))
      {
        m_Name = next->name;
        m_Variable = std::move(next);
        next = Variable(nullptr, &Mat_VarFree);
      }
    }
    if (!m_Variable)
    {
      const std::string found = m_Path + ": found " + (all.empty() ? "no array that can be read" : all);
      if (!name.empty())
      {
        throw hud::InvalidOption(found + ", expected an array named '" + name + "'");
      }
      throw hud::InvalidData(found + ", expected a real, numeric array of rows x columns x bands");
    }
    if (name.empty() && scenes.size() > 1)
    {
      throw hud::InvalidOption(m_Path + ": found several arrays of three dimensions, " + all + ": one must be named");
    }
  }

  void ReadPart(Eigen::Index row, Eigen::Index rows, float* pixels) const
  {
    const auto size = static_cast<std::size_t>(rows * Size(1) * Size(2)) * Mat_SizeOfClass(m_Variable->class_type);
    // Enough for the alignment of any number.
    std::vector<double> numbers(size / sizeof(double) + 1);
    std::array<int, 3> start = {static_cast<int>(row), 0, 0};
    std::array<int, 3> stride = {1, 1, 1};
    std::array<int, 3> edge = {static_cast<int>(rows), static_cast<int>(Size(1)), static_cast<int>(Size(2))};
    if (Mat_VarReadData(m_File.get(), m_Variable.get(), numbers.data(), start.data(), stride.data(), edge.data()) != 0)
    {
      throw hud::FileError(m_Path + ": cannot read rows " + std::to_string(row) + " to " +
                           std::to_string(row + rows - 1) + " of " + m_Name + ": the file is damaged or cut off");
    }
    const auto spread = [&](auto number) { Spread<decltype(number)>(numbers.data(), rows, Size(1), Size(2), pixels); };
    switch (m_Variable->class_type)
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
};

HUDMatlabScene::HUDMatlabScene(const std::string& path, const std::string& name, std::size_t memory)
  : m_Implementation(std::make_unique<Implementation>())
{
  m_Implementation->m_Path = path;
  m_Implementation->m_Memory = memory;
  m_Implementation->m_File.reset(Mat_Open(path.c_str(), MAT_ACC_RDONLY));
  if (!m_Implementation->m_File)
  {
    throw hud::FileError(path + ": cannot be opened as a MATLAB file of version 5 or 7.3; it may be cut off");
  }
  m_Implementation->Find(name);
}

HUDMatlabScene::~HUDMatlabScene() = default;

const std::string& HUDMatlabScene::Name() const
{
  return m_Implementation->m_Name;
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
  const auto lineBytes =
      static_cast<std::size_t>(Width() * Bands()) * Mat_SizeOfClass(m_Implementation->m_Variable->class_type);
  const auto part = static_cast<Eigen::Index>(std::max<std::size_t>(1, m_Implementation->m_Memory / lineBytes));
  const Eigen::Index rows = pixels.cols() / Width();
  for (Eigen::Index first = 0; first < rows; first += part)
  {
    m_Implementation->ReadPart(row + first, std::min(part, rows - first), pixels.col(first * Width()).data());
  }
}

} // namespace otb
