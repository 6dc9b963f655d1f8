// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "ScratchFile.h"

#include "hud/core/Error.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <unistd.h>

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

[[noreturn]] void Fail(const std::string& what)
{
  const std::string reason = std::strerror(errno);
  throw FileError("the temporary file in " + Folder() + " cannot be " + what + " (" + reason +
                  "); set TMPDIR to a folder with room");
}

/// Opens a file that has no name.
std::FILE* OpenNameless()
{
  std::string name = Folder() + "/hud-XXXXXX";
  const int descriptor = mkstemp(name.data());
  if (descriptor < 0)
  {
    Fail("made");
  }
  unlink(name.c_str());
  std::FILE* const file = fdopen(descriptor, "w+b");
  if (file == nullptr)
  {
    close(descriptor);
    throw FileError("a temporary file in " + Folder() + " cannot be opened");
  }
  return file;
}

} // namespace

ScratchFile::ScratchFile() : m_File(OpenNameless(), std::fclose) {}

void ScratchFile::Append(const Eigen::MatrixXf& matrix)
{
  const std::size_t samples = static_cast<std::size_t>(matrix.size());
  if (std::fwrite(matrix.data(), sizeof(float), samples, m_File.get()) != samples)
  {
    Fail("written");
  }
  m_Shapes.push_back({matrix.rows(), matrix.cols()});
}

void ScratchFile::Visit(const std::function<void(const Eigen::MatrixXf&)>& visit)
{
  // The flush is where a full disk may show.
  if (std::fflush(m_File.get()) != 0)
  {
    Fail("written");
  }
  std::rewind(m_File.get());
  Eigen::MatrixXf matrix;
  for (const Shape& shape : m_Shapes)
  {
    matrix.resize(shape.m_Rows, shape.m_Cols);
    const std::size_t samples = static_cast<std::size_t>(matrix.size());
    if (std::fread(matrix.data(), sizeof(float), samples, m_File.get()) != samples)
    {
      throw FileError("a temporary file in " + Folder() + " cannot be read back");
    }
    visit(matrix);
  }
}

} // namespace hud
