// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <cstddef>

namespace hud
{

/// Numbers that are too many for the memory, in a file without a name in the folder for temporary files (TMPDIR). The
/// system frees it when the object ends, however the program ends. Read and Write may run in several threads.
class ScratchFile
{
public:
  /// @throws FileError when there is no room for a file
  ScratchFile();

  ~ScratchFile();
  ScratchFile(ScratchFile&& other) noexcept;
  ScratchFile& operator=(ScratchFile&& other) noexcept;

  /// Writes `count` values to the places from `first` on.
  /// @throws FileError when the disk is full
  void Write(std::size_t first, const float* values, std::size_t count);

  /// Reads `count` values from the places from `first` on, all of which were written or lie before one that was; what was
  /// never written is 0.
  /// @throws FileError
  void Read(std::size_t first, float* values, std::size_t count) const;

private:
  int m_Descriptor = -1;
};

} // namespace hud
