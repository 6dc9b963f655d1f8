// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDHdf5File.h"

#include "hud/core/Error.h"

#include <cpl_error.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace otb
{

namespace
{

// A header of HDF5 stands in front, or behind a block of 512 bytes, such as MATLAB's.
constexpr std::array<std::uint64_t, 2> kPositions = {0, 512};

// Reads up to 64 bytes of a header. Returns whether it is one.
bool ReadHead(std::ifstream& file, std::uint64_t position, std::array<unsigned char, 64>& head)
{
  const std::array<unsigned char, 8> signature = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  file.clear();
  file.seekg(static_cast<std::streamoff>(position));
  file.read(reinterpret_cast<char*>(head.data()), static_cast<std::streamsize>(head.size()));
  return file.gcount() >= static_cast<std::streamsize>(signature.size()) &&
         std::memcmp(head.data(), signature.data(), signature.size()) == 0;
}

// The length that the header at that position gives, 0 when there is none. What it says of addresses holds for all files
// that have addresses of 8 bytes, which is what programs write.
std::uint64_t DeclaredLength(std::ifstream& file, std::uint64_t position)
{
  std::array<unsigned char, 64> head = {};
  if (!ReadHead(file, position, head) || !file)
  {
    return 0;
  }
  // Where the address of the end stands depends on the version of the header.
  const unsigned int version = head[8];
  const std::size_t end = version == 0 ? 40 : version == 1 ? 44 : version <= 3 ? 28 : 0;
  if (end == 0 || head[version <= 1 ? 13 : 9] != 8)
  {
    return 0;
  }
  std::uint64_t length = 0;
  for (std::size_t i = 8; i-- > 0;)
  {
    length = (length << 8) | head[end + i];
  }
  return length;
}

} // namespace

std::optional<std::uint64_t> HUDFindHdf5(const std::string& path)
{
  std::ifstream file(path, std::ios::binary);
  std::array<unsigned char, 64> head = {};
  for (const std::uint64_t position : kPositions)
  {
    if (ReadHead(file, position, head))
    {
      return position;
    }
  }
  return std::nullopt;
}

void HUDCheckHdf5Length(const std::string& path)
{
  std::ifstream file(path, std::ios::binary);
  std::error_code error;
  const std::uintmax_t found = std::filesystem::file_size(path, error);
  for (const std::uint64_t position : kPositions)
  {
    const std::uint64_t expected = error ? 0 : DeclaredLength(file, position);
    if (found < expected)
    {
      throw hud::FileError(path + ": the file is cut off: found " + std::to_string(found) + " bytes, expected " +
                           std::to_string(expected));
    }
  }
}

std::string HUDReadFailure()
{
  const std::string reason = CPLGetLastErrorMsg();
  return reason.empty() ? "the file may be damaged" : reason;
}

} // namespace otb
