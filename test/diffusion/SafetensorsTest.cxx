// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "Safetensors.h"

#include "TemporaryFolder.h"

#include "hud/core/Error.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace
{

using hud::test::ReadText;
using hud::test::WriteText;

/// A header of that text with `data` bytes behind it.
std::string MakeFile(const std::string& header, std::size_t data)
{
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + header + std::string(data, 'x');
}

class Safetensors : public testing::Test
{
protected:
  void SetUp() override
  {
    m_Tensors["a.float"] = torch::arange(12, torch::kFloat32).view({3, 4});
    m_Tensors["a.double"] = torch::arange(5, torch::kFloat64) / 7.;
    m_Tensors["b.count"] = torch::tensor({1000000000000}, torch::kInt64);
    hud::WriteSafetensors(Path(), m_Tensors, {{"format", "test"}, {"text", "\"quoted\" \n text"}});
  }

  std::string Path(const std::string& name = "t.safetensors") const
  {
    return (m_Folder / name).string();
  }

  hud::test::TemporaryFolder m_Folder;
  hud::TensorMap m_Tensors;
};

TEST_F(Safetensors, ReturnsWhatWasWritten)
{
  hud::SafetensorsReader reader(Path());
  EXPECT_EQ(reader.Metadata().at("format"), "test");
  EXPECT_EQ(reader.Metadata().at("text"), "\"quoted\" \n text");
  EXPECT_EQ(reader.Names("a."), (std::vector<std::string>{"a.double", "a.float"}));
  for (const auto& [name, tensor] : m_Tensors)
  {
    const torch::Tensor read = reader.Read(name);
    EXPECT_EQ(read.scalar_type(), tensor.scalar_type());
    EXPECT_TRUE(torch::equal(read, tensor)) << name;
  }
  EXPECT_THROW(reader.Read("c"), hud::FileError);
}

TEST_F(Safetensors, RefusesAFileThatIsCutAnywhere)
{
  const std::string whole = ReadText(Path());
  for (std::size_t size = 0; size < whole.size(); size += 11)
  {
    WriteText(Path("cut"), whole.substr(0, size));
    EXPECT_THROW(hud::SafetensorsReader reader(Path("cut")), hud::FileError) << size;
  }
}

TEST_F(Safetensors, RefusesHeadersThatLie)
{
  const std::vector<std::string> files = {
      MakeFile("no json", 0),
      MakeFile("[1, 2]", 0),
      MakeFile(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 8),
      MakeFile(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8),
      MakeFile(R"({"t":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8),
      MakeFile(R"({"t":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 8),
      MakeFile(R"({"t":{"dtype":"F8","shape":[2],"data_offsets":[0,2]}})", 8),
      MakeFile(R"({"t":{"shape":[2],"data_offsets":[0,8]}})", 8),
      MakeFile(R"({"t":{"dtype":"F32","shape":[200],"data_offsets":[0,800]}})", 8),
      MakeFile(
          R"({"s":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
          8),
      MakeFile(
          R"({"s":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"t":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
          12),
      std::string(8, '\xff') + "{}",
  };
  for (const std::string& file : files)
  {
    WriteText(Path("lie"), file);
    EXPECT_THROW(hud::SafetensorsReader reader(Path("lie")), hud::FileError) << file;
  }
}

TEST_F(Safetensors, WhatAKilledWriteLeftDoesNotStay)
{
  const std::string before = ReadText(Path());
  WriteText(Path() + ".incomplete", std::string(2 * before.size(), 'x'));
  SetUp();
  EXPECT_EQ(ReadText(Path()), before);
  EXPECT_EQ(m_Folder.Names(), (std::set<std::string>{"t.safetensors"}));
}

TEST_F(Safetensors, AFailedWriteKeepsTheEarlierFile)
{
  const std::string before = ReadText(Path());
  EXPECT_THROW(hud::WriteSafetensors(Path("missing/folder/t"), m_Tensors, {}), hud::FileError);
  m_Tensors["c.half"] = torch::zeros({3}, torch::kFloat16);
  EXPECT_THROW(hud::WriteSafetensors(Path(), m_Tensors, {}), hud::Error);
  EXPECT_EQ(ReadText(Path()), before);
  EXPECT_EQ(m_Folder.Names(), (std::set<std::string>{"t.safetensors"}));
}

TEST_F(Safetensors, NamesTheMissingFile)
{
  try
  {
    hud::SafetensorsReader reader(Path("nothing"));
    FAIL() << "no error";
  }
  catch (const hud::FileError& error)
  {
    EXPECT_NE(std::string(error.what()).find("nothing"), std::string::npos);
  }
}

} // namespace
