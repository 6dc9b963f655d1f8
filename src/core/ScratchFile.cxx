// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/ScratchFile.h"

#include "hud/core/Error.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace hud
{

namespace
{

std::string Folder()
{
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::temp_directory_path(error);
  if (error)
  {
    throw FileError("there is no folder for temporary files (" + error.message() + "); set TMPDIR to one");
  }
  return folder.string();
}

/// @param reason an errno
[[noreturn]] void Fail(const std::string& what, int reason)
{
  throw FileError("the temporary file in " + Folder() + " cannot be " + what + " (" + std::strerror(reason) +
                  "); set TMPDIR to a folder with room");
}

/// Calls transfer(bytes, offset, done) until `count` values are through.
template <typename Transfer>
void TransferAll(std::size_t first, std::size_t count, const char* what, const Transfer& transfer)
{
  const std::size_t bytes = count * sizeof(float);
  for (std::size_t done = 0; done < bytes;)
  {
    const ssize_t moved = transfer(bytes - done, static_cast<off_t>(first * sizeof(float) + done), done);
    if (moved < 0 && errno == EINTR)
    {
      continue;
    }
    if (moved <= 0)
    {
      Fail(what, moved == 0 ? EIO : errno);
    }
    done += static_cast<std::size_t>(moved);
  }
}

} // namespace

ScratchFile::ScratchFile()
{
  std::string name = Folder() + "/hud-XXXXXX";
  m_Descriptor = mkstemp(name.data());
  if (m_Descriptor < 0)
  {
    Fail("made", errno);
  }
  unlink(name.c_str());
}

ScratchFile::~ScratchFile()
{
  if (m_Descriptor >= 0)
  {
    close(m_Descriptor);
  }
}

ScratchFile::ScratchFile(ScratchFile&& other) noexcept : m_Descriptor(std::exchange(other.m_Descriptor, -1)) {}

ScratchFile& ScratchFile::operator=(ScratchFile&& other) noexcept
{
  std::swap(m_Descriptor, other.m_Descriptor);
  return *this;
}

void ScratchFile::Write(std::size_t first, const float* values, std::size_t count)
{
  const char* const bytes = reinterpret_cast<const char*>(values);
  TransferAll(first, count, "written", [&](std::size_t size, off_t offset, std::size_t done) {
    return pwrite(m_Descriptor, bytes + done, size, offset);
  });
}

void ScratchFile::Read(std::size_t first, float* values, std::size_t count) const
{
  char* const bytes = reinterpret_cast<char*>(values);
  TransferAll(first, count, "read back", [&](std::size_t size, off_t offset, std::size_t done) {
    return pread(m_Descriptor, bytes + done, size, offset);
  });
}

} // namespace hud
