// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "Canvas.h"

#include <algorithm>

namespace hud
{

Canvas::Canvas(std::int64_t channels, std::int64_t height, std::int64_t width, bool inMemory)
  : m_Channels(channels), m_Height(height), m_Width(width)
{
  if (inMemory)
  {
    m_Memory.resize(static_cast<std::size_t>(channels * height * width));
  }
  else
  {
    m_File.emplace();
  }
}

template <typename Piece>
void Canvas::ForEachPiece(std::int64_t first, std::int64_t count, const Piece& piece) const
{
  std::int64_t row = (first + m_Height) % m_Height;
  for (std::int64_t place = 0; place < count;)
  {
    const std::int64_t rows = std::min(count - place, m_Height - row);
    piece(place, row, rows);
    place += rows;
    row = 0;
  }
}

torch::Tensor Canvas::Read(std::int64_t first, std::int64_t count) const
{
  torch::Tensor result = torch::empty({count, m_Channels, m_Width}, torch::kFloat32);
  const std::int64_t rowSize = m_Channels * m_Width;
  ForEachPiece(first, count, [&](std::int64_t place, std::int64_t row, std::int64_t rows) {
    float* const target = result.data_ptr<float>() + place * rowSize;
    const auto begin = static_cast<std::size_t>(row * rowSize);
    const auto size = static_cast<std::size_t>(rows * rowSize);
    if (m_File)
    {
      m_File->Read(begin, target, size);
    }
    else
    {
      std::copy_n(m_Memory.data() + begin, size, target);
    }
  });
  return result;
}

void Canvas::Write(std::int64_t first, const torch::Tensor& rows)
{
  const torch::Tensor source = rows.to(torch::kCPU).contiguous();
  const std::int64_t rowSize = m_Channels * m_Width;
  ForEachPiece(first, source.size(0), [&](std::int64_t place, std::int64_t row, std::int64_t count) {
    const float* const values = source.data_ptr<float>() + place * rowSize;
    const auto begin = static_cast<std::size_t>(row * rowSize);
    const auto size = static_cast<std::size_t>(count * rowSize);
    if (m_File)
    {
      m_File->Write(begin, values, size);
    }
    else
    {
      std::copy_n(values, size, m_Memory.data() + begin);
    }
  });
}

} // namespace hud
