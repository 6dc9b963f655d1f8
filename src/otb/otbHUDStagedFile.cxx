// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDStagedFile.h"

#include "hud/core/Error.h"

#include <algorithm>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace otb
{

namespace fs = std::filesystem;

namespace
{

fs::path ParentFolder(const fs::path& file)
{
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

} // namespace

HUDStagedFile::HUDStagedFile(const fs::path& target) : m_Target(target)
{
  if (!m_Target.has_filename())
  {
    throw hud::FileError("\"" + m_Target.string() + "\" names no file");
  }
  std::error_code error;
  if (fs::is_symlink(m_Target, error))
  {
    m_Target = fs::weakly_canonical(m_Target, error);
  }
  const fs::file_status status = fs::status(m_Target, error);
  if (fs::exists(status))
  {
    if (!fs::is_regular_file(status))
    {
      throw hud::FileError(m_Target.string() + " exists and is not a regular file");
    }
    if ((status.permissions() & fs::perms::owner_write) == fs::perms::none)
    {
      throw hud::FileError(m_Target.string() + " is write-protected");
    }
  }
  const fs::path folder = ParentFolder(m_Target) / ("." + m_Target.filename().string() + ".incomplete");
  if (fs::is_directory(folder, error))
  {
    fs::remove_all(folder, error);
  }
  if (!fs::create_directory(folder, error))
  {
    const std::string reason = error ? error.message() : folder.string() + " is in the way";
    throw hud::FileError("cannot write into folder " + ParentFolder(m_Target).string() + ": " + reason);
  }
  m_Folder = folder;
}

HUDStagedFile::~HUDStagedFile()
{
  Remove();
}

HUDStagedFile::HUDStagedFile(HUDStagedFile&& other) noexcept
  : m_Target(std::move(other.m_Target)), m_Folder(std::exchange(other.m_Folder, fs::path()))
{
}

const fs::path& HUDStagedFile::Target() const
{
  return m_Target;
}

fs::path HUDStagedFile::StagedPath() const
{
  return m_Folder / m_Target.filename();
}

void HUDStagedFile::Commit()
{
  std::error_code error;
  if (!fs::is_regular_file(StagedPath(), error))
  {
    throw hud::FileError(m_Target.string() + " was not written");
  }
  std::set<fs::path> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(m_Folder))
  {
    const fs::path name = entry.path().filename();
    if (fs::is_directory(ParentFolder(m_Target) / name, error))
    {
      throw hud::FileError((ParentFolder(m_Target) / name).string() + " is a folder");
    }
    names.insert(name);
  }
  // The file itself last: until then the earlier one stands.
  std::vector<fs::path> order(names.begin(), names.end());
  order.erase(std::remove(order.begin(), order.end(), m_Target.filename()), order.end());
  order.push_back(m_Target.filename());
  for (const fs::path& name : order)
  {
    fs::rename(m_Folder / name, ParentFolder(m_Target) / name, error);
    if (error)
    {
      throw hud::FileError("cannot write " + (ParentFolder(m_Target) / name).string() + ": " + error.message());
    }
  }
  for (const fs::path& name : names)
  {
    for (const char* suffix : {".aux.xml", ".ovr", ".msk"})
    {
      const fs::path companion = name.string() + suffix;
      if (names.count(companion) == 0)
      {
        fs::remove(ParentFolder(m_Target) / companion, error);
      }
    }
  }
  Remove();
}

void HUDStagedFile::Remove() noexcept
{
  if (!m_Folder.empty())
  {
    std::error_code error;
    fs::remove_all(m_Folder, error);
    m_Folder.clear();
  }
}

} // namespace otb
