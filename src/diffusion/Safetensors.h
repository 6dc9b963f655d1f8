// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace hud
{

/// Named tensors, in the order of their names.
using TensorMap = std::map<std::string, torch::Tensor>;

/// Writes tensors and text metadata as a safetensors file (https://huggingface.co/docs/safetensors, "Format"). The file
/// replaces an earlier one only once it is complete. Tensors are float32, float64 or int64, on any device.
/// @throws FileError
void WriteSafetensors(const std::string& path, const TensorMap& tensors,
                      const std::map<std::string, std::string>& metadata);

/// Reads a safetensors file. The format holds numbers and text only: nothing in it can be executed. Every size in the
/// file is checked against the file before memory is allocated for it.
class SafetensorsReader
{
public:
  /// Reads the header.
  /// @throws FileError when the file cannot be opened, is cut or is not a safetensors file
  explicit SafetensorsReader(const std::string& path);

  const std::map<std::string, std::string>& Metadata() const;

  /// Returns the names of the tensors that begin with `prefix`, sorted.
  std::vector<std::string> Names(const std::string& prefix) const;

  /// Returns a tensor, on the CPU.
  /// @throws FileError when the file has no such tensor
  torch::Tensor Read(const std::string& name);

private:
  struct Entry
  {
    torch::ScalarType m_Type;
    std::vector<std::int64_t> m_Shape;
    std::uint64_t m_Begin; ///< offset in the file, bytes
    std::uint64_t m_Bytes;
  };

  std::string m_Path;
  std::ifstream m_Stream;
  std::map<std::string, std::string> m_Metadata;
  std::map<std::string, Entry> m_Entries;
};

} // namespace hud
