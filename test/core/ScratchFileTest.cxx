// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/ScratchFile.h"

#include "hud/core/Error.h"

#include "FullDisk.h"

#include <gtest/gtest.h>

#include <numeric>
#include <utility>
#include <vector>

namespace
{

std::vector<float> Read(const hud::ScratchFile& file, std::size_t first, std::size_t count)
{
  std::vector<float> values(count, -1.f);
  file.Read(first, values.data(), count);
  return values;
}

TEST(ScratchFile, KeepsWhatIsWrittenAtAnyPlace)
{
  hud::ScratchFile file;
  std::vector<float> values(100);
  std::iota(values.begin(), values.end(), 1.f);
  file.Write(500, values.data(), values.size());
  file.Write(0, values.data(), 3);
  EXPECT_EQ(Read(file, 500, 100), values);
  EXPECT_EQ(Read(file, 1, 4), (std::vector<float>{2.f, 3.f, 0.f, 0.f}));

  const hud::ScratchFile moved = std::move(file);
  EXPECT_EQ(Read(moved, 599, 1).front(), 100.f);
}

TEST(ScratchFile, ReadingBehindTheEndIsAnError)
{
  hud::ScratchFile file;
  const float value = 1.f;
  file.Write(0, &value, 1);
  EXPECT_THROW(Read(file, 0, 2), hud::FileError);
}

TEST(ScratchFile, AFullDiskIsAnError)
{
  hud::ScratchFile file;
  const std::vector<float> values(10000, 1.f);
  const hud::test::FullDisk disk(8192);
  EXPECT_THROW(file.Write(0, values.data(), values.size()), hud::FileError);
}

} // namespace
