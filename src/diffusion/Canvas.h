// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/ScratchFile.h"

#include <torch/torch.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace hud
{

/// An image that is read and written by rows, in memory or in a scratch file. Rows go around: the one below the last is
/// the first.
class Canvas
{
public:
  /// @param channels values of a pixel
  /// @throws FileError when a scratch file cannot be made
  Canvas(std::int64_t channels, std::int64_t height, std::int64_t width, bool inMemory);

  /// Returns the rows from `first` on, [count, channels, width], on the CPU.
  /// @param first in -height .. height - 1
  /// @param count at most height
  /// @throws FileError
  torch::Tensor Read(std::int64_t first, std::int64_t count) const;

  /// Writes rows of that shape.
  /// @throws FileError when the disk is full
  void Write(std::int64_t first, const torch::Tensor& rows);

  std::int64_t Channels() const
  {
    return m_Channels;
  }
  std::int64_t Height() const
  {
    return m_Height;
  }
  std::int64_t Width() const
  {
    return m_Width;
  }

private:
  /// Calls `piece(place, row, rows)` for each run of rows that does not go around: `rows` of them begin at `row` of the canvas and
  /// at `place` of the tensor.
  template <typename Piece>
  void ForEachPiece(std::int64_t first, std::int64_t count, const Piece& piece) const;

  std::int64_t m_Channels;
  std::int64_t m_Height;
  std::int64_t m_Width;
  std::vector<float> m_Memory;
  std::optional<ScratchFile> m_File;
};

} // namespace hud
