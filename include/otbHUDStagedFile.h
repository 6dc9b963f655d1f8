// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <filesystem>

namespace otb
{

/// An output file that appears whole or not at all. It is written into the folder `.NAME.incomplete` beside its target and
/// moved from there; without Commit nothing remains of it, and an earlier file stays as it was. The file has its final name
/// in the folder, so files that a driver writes along with it (an ENVI header, .aux.xml) move too.
class HUDStagedFile
{
public:
  /// Makes the folder, which shows that the target can be written; a folder left by a run that was killed is replaced.
  /// @param target file; the target of a link, if it is one
  /// @throws hud::FileError when the folder cannot be made, or the target exists and is not a writable, regular file
  explicit HUDStagedFile(const std::filesystem::path& target);
  ~HUDStagedFile();

  HUDStagedFile(HUDStagedFile&& other) noexcept;
  HUDStagedFile(const HUDStagedFile&) = delete;
  HUDStagedFile& operator=(const HUDStagedFile&) = delete;
  HUDStagedFile& operator=(HUDStagedFile&&) = delete;

  const std::filesystem::path& Target() const;

  /// Returns where to write the file.
  std::filesystem::path StagedPath() const;

  /// Moves every file of the folder beside the target, over earlier ones, and removes what belonged to those: statistics,
  /// overviews and masks (.aux.xml, .ovr, .msk) that were not written anew.
  /// @throws hud::FileError when the staged file is missing or a file cannot be moved
  void Commit();

private:
  void Remove() noexcept;

  std::filesystem::path m_Target;
  std::filesystem::path m_Folder; ///< empty: committed or moved from
};

} // namespace otb
