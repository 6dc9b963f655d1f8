// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDStagedFile.h"

#include "hud/core/Error.h"

#include "TemporaryFolder.h"
#include "core/ErrorMessage.h"

#include <gtest/gtest.h>

#include <utility>

namespace
{

using hud::test::MessageOf;
using hud::test::ReadText;
using hud::test::Says;
using hud::test::TemporaryFolder;
using hud::test::WriteText;
using otb::HUDStagedFile;

namespace fs = std::filesystem;
using Names = std::set<std::string>;

} // namespace

TEST(HUDStagedFile, AppearsOnlyWhenCommitted)
{
  const TemporaryFolder folder;
  HUDStagedFile file(folder / "model.bin");
  EXPECT_EQ(file.StagedPath(), folder / ".model.bin.incomplete/model.bin");
  WriteText(file.StagedPath(), "new");
  EXPECT_FALSE(fs::exists(folder / "model.bin"));
  file.Commit();
  EXPECT_EQ(ReadText(folder / "model.bin"), "new");
  EXPECT_EQ(folder.Names(), Names{"model.bin"});
}

TEST(HUDStagedFile, WithoutCommitLeavesTheEarlierFileAndNothingElse)
{
  const TemporaryFolder folder;
  WriteText(folder / "model.bin", "old");
  {
    const HUDStagedFile file(folder / "model.bin");
    WriteText(file.StagedPath(), "half");
  }
  EXPECT_EQ(ReadText(folder / "model.bin"), "old");
  EXPECT_EQ(folder.Names(), Names{"model.bin"});
}

TEST(HUDStagedFile, MovesSidecarsAndRemovesStaleOnes)
{
  const TemporaryFolder folder;
  for (const char* name : {"a.tif", "a.tif.aux.xml", "a.tif.ovr", "a.hdr", "b.tif.ovr"})
  {
    WriteText(folder / name, "old");
  }
  HUDStagedFile file(folder / "a.tif");
  WriteText(file.StagedPath(), "new");
  WriteText(file.StagedPath().parent_path() / "a.hdr", "new header");
  file.Commit();
  EXPECT_EQ(folder.Names(), (Names{"a.tif", "a.hdr", "b.tif.ovr"}));
  EXPECT_EQ(ReadText(folder / "a.hdr"), "new header");
  EXPECT_EQ(ReadText(folder / "a.tif"), "new");
}

TEST(HUDStagedFile, KeepsStatisticsThatWereWrittenAnew)
{
  const TemporaryFolder folder;
  HUDStagedFile file(folder / "a.tif");
  WriteText(file.StagedPath(), "new");
  WriteText(file.StagedPath().string() + ".aux.xml", "statistics");
  file.Commit();
  EXPECT_EQ(folder.Names(), (Names{"a.tif", "a.tif.aux.xml"}));
}

TEST(HUDStagedFile, ReplacesTheFolderOfARunThatWasKilled)
{
  const TemporaryFolder folder;
  fs::create_directory(folder / ".a.tif.incomplete");
  WriteText(folder / ".a.tif.incomplete/a.tif.ovr", "stale");
  HUDStagedFile file(folder / "a.tif");
  WriteText(file.StagedPath(), "new");
  file.Commit();
  EXPECT_EQ(folder.Names(), Names{"a.tif"});
}

TEST(HUDStagedFile, MayBeMoved)
{
  const TemporaryFolder folder;
  {
    HUDStagedFile first(folder / "a.bin");
    WriteText(first.StagedPath(), "new");
    HUDStagedFile second(std::move(first));
    EXPECT_EQ(second.StagedPath(), folder / ".a.bin.incomplete/a.bin");
    EXPECT_TRUE(fs::exists(second.StagedPath()));
  }
  EXPECT_EQ(folder.Names(), Names{});
}

TEST(HUDStagedFile, NamesTheFolderThatIsMissing)
{
  const TemporaryFolder folder;
  const std::string message = MessageOf<hud::FileError>([&] { HUDStagedFile(folder / "none/a.tif"); });
  EXPECT_TRUE(Says(message, "cannot write into folder " + (folder / "none").string())) << message;
  EXPECT_TRUE(Says(message, "No such file or directory")) << message;
}

TEST(HUDStagedFile, NamesTheFolderThatIsAFile)
{
  const TemporaryFolder folder;
  WriteText(folder / "file", "");
  const std::string message = MessageOf<hud::FileError>([&] { HUDStagedFile(folder / "file/a.tif"); });
  EXPECT_TRUE(Says(message, (folder / "file").string())) << message;
  EXPECT_TRUE(Says(message, "Not a directory")) << message;
}

TEST(HUDStagedFile, RefusesATargetThatIsNoRegularFile)
{
  const TemporaryFolder folder;
  fs::create_directory(folder / "a.tif");
  EXPECT_TRUE(Says(MessageOf<hud::FileError>([&] { HUDStagedFile(folder / "a.tif"); }), "not a regular file"));
  EXPECT_TRUE(Says(MessageOf<hud::FileError>([] { HUDStagedFile("/dev/null"); }), "not a regular file"));
  EXPECT_THROW(HUDStagedFile(folder.Path() / ""), hud::FileError);
}

TEST(HUDStagedFile, RefusesATargetThatIsWriteProtected)
{
  const TemporaryFolder folder;
  WriteText(folder / "a.tif", "old");
  fs::permissions(folder / "a.tif", fs::perms::owner_read);
  EXPECT_TRUE(Says(MessageOf<hud::FileError>([&] { HUDStagedFile(folder / "a.tif"); }), "write-protected"));
  EXPECT_EQ(folder.Names(), Names{"a.tif"});
}

TEST(HUDStagedFile, WritesTheFileThatALinkPointsTo)
{
  const TemporaryFolder folder;
  fs::create_directory(folder / "data");
  WriteText(folder / "data/real.bin", "old");
  fs::create_symlink("data/real.bin", folder / "link.bin");
  HUDStagedFile file(folder / "link.bin");
  WriteText(file.StagedPath(), "new");
  file.Commit();
  EXPECT_TRUE(fs::is_symlink(folder / "link.bin"));
  EXPECT_EQ(ReadText(folder / "data/real.bin"), "new");
}

TEST(HUDStagedFile, RefusesToCommitWhatWasNotWritten)
{
  const TemporaryFolder folder;
  WriteText(folder / "a.tif", "old");
  {
    HUDStagedFile file(folder / "a.tif");
    EXPECT_TRUE(Says(MessageOf<hud::FileError>([&] { file.Commit(); }), "was not written"));
  }
  EXPECT_EQ(ReadText(folder / "a.tif"), "old");
  EXPECT_EQ(folder.Names(), Names{"a.tif"});
}
