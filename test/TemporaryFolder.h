// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>

namespace hud::test
{

/// A new, empty folder that is gone at the end.
class TemporaryFolder
{
public:
  TemporaryFolder()
  {
    std::string pattern = (std::filesystem::temp_directory_path() / "hud-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
    {
      throw std::runtime_error("cannot make a temporary folder");
    }
    m_Path = pattern;
  }
  ~TemporaryFolder()
  {
    std::error_code error;
    std::filesystem::remove_all(m_Path, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::filesystem::path operator/(const std::string& name) const
  {
    return m_Path / name;
  }

  const std::filesystem::path& Path() const
  {
    return m_Path;
  }

  /// Returns the names of all that is in the folder, hidden or not.
  std::set<std::string> Names() const
  {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(m_Path))
    {
      names.insert(entry.path().filename().string());
    }
    return names;
  }

private:
  std::filesystem::path m_Path;
};

inline std::string ReadText(const std::filesystem::path& path)
{
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

inline void WriteText(const std::filesystem::path& path, const std::string& text)
{
  std::ofstream(path, std::ios::binary) << text;
}

} // namespace hud::test
