// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "Safetensors.h"

#include "hud/core/NamedValue.h"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <system_error>

namespace hud
{

namespace
{

static_assert(std::numeric_limits<float>::is_iec559, "safetensors holds IEEE 754 numbers");

constexpr std::array<NamedValue<torch::ScalarType>, 3> kTypes = {
    {{"F32", torch::kFloat32}, {"F64", torch::kFloat64}, {"I64", torch::kInt64}}};

/// Removes the file unless Commit was called.
class IncompleteFile
{
public:
  /// A link is followed: what it points to is replaced, not the link.
  explicit IncompleteFile(const std::string& target)
    : m_Target(std::filesystem::weakly_canonical(target).string()), m_Path(m_Target + ".incomplete")
  {
  }

  ~IncompleteFile()
  {
    std::error_code ignored;
    std::filesystem::remove(m_Path, ignored);
  }

  IncompleteFile(const IncompleteFile&) = delete;
  IncompleteFile& operator=(const IncompleteFile&) = delete;

  const std::string& Path() const
  {
    return m_Path;
  }

  void Commit()
  {
    std::error_code error;
    std::filesystem::rename(m_Path, m_Target, error);
    if (error)
    {
      throw FileError("cannot write " + m_Target + ": " + error.message());
    }
  }

private:
  std::string m_Target;
  std::string m_Path;
};

} // namespace

void WriteSafetensors(const std::string& path, const TensorMap& tensors,
                      const std::map<std::string, std::string>& metadata)
{
  nlohmann::json header;
  header["__metadata__"] = metadata;
  std::vector<torch::Tensor> contents;
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors)
  {
    contents.push_back(tensor.detach().to(torch::kCPU).contiguous());
    const std::uint64_t end = offset + contents.back().nbytes();
    header[name] = {{"dtype", NameOf(kTypes, tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' '); // tensors begin at a multiple of 8
  const std::uint64_t length = text.size();

  IncompleteFile file(path);
  std::ofstream stream(file.Path(), std::ios::binary | std::ios::trunc);
  stream.write(reinterpret_cast<const char*>(&length), sizeof(length));
  stream.write(text.data(), static_cast<std::streamsize>(text.size()));
  for (const torch::Tensor& tensor : contents)
  {
    stream.write(static_cast<const char*>(tensor.data_ptr()), static_cast<std::streamsize>(tensor.nbytes()));
  }
  stream.close();
  if (!stream)
  {
    throw FileError("cannot write " + path + ": " + std::strerror(errno));
  }
  file.Commit();
}

SafetensorsReader::SafetensorsReader(const std::string& path) : m_Path(path), m_Stream(path, std::ios::binary)
{
  if (!m_Stream)
  {
    throw FileError("cannot open " + path + ": " + std::strerror(errno));
  }
  m_Stream.seekg(0, std::ios::end);
  const std::streamoff end = m_Stream.tellg();
  m_Stream.seekg(0);
  const std::uint64_t fileBytes = end > 0 ? static_cast<std::uint64_t>(end) : 0;
  std::uint64_t length = 0;
  if (fileBytes < sizeof(length) || !m_Stream.read(reinterpret_cast<char*>(&length), sizeof(length)) ||
      length > fileBytes - sizeof(length))
  {
    throw FileError(path + " is not a safetensors file, or it is cut: found " + std::to_string(fileBytes) + " bytes");
  }
  std::string text(length, ' ');
  m_Stream.read(text.data(), static_cast<std::streamsize>(length));
  const std::uint64_t first = sizeof(length) + length;
  std::uint64_t dataBytes = 0;
  std::uint64_t tensorBytes = 0;
  try
  {
    const nlohmann::json header = nlohmann::json::parse(text);
    for (const auto& [name, entry] : header.items())
    {
      if (name == "__metadata__")
      {
        m_Metadata = entry.get<std::map<std::string, std::string>>();
        continue;
      }
      const auto offsets = entry.at("data_offsets").get<std::array<std::uint64_t, 2>>();
      const auto shape = entry.at("shape").get<std::vector<std::uint64_t>>();
      const auto type = ParseNamedValue(kTypes, entry.at("dtype").get<std::string>(), "tensor type");
      std::uint64_t bytes = torch::elementSize(type);
      for (const std::uint64_t size : shape)
      {
        if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        {
          throw FileError("tensor " + name + " has an impossible shape");
        }
        if (size != 0 && bytes > fileBytes / size)
        {
          bytes = fileBytes + 1; // more than the file can hold, without overflow
          break;
        }
        bytes *= size;
      }
      if (offsets[0] > offsets[1] || offsets[1] - offsets[0] != bytes)
      {
        throw FileError("tensor " + name + " has inconsistent sizes");
      }
      dataBytes = std::max(dataBytes, offsets[1]);
      tensorBytes += bytes;
      m_Entries[name] = {type, {shape.begin(), shape.end()}, first + offsets[0], bytes};
    }
  }
  catch (const std::exception& error)
  {
    throw FileError(path + " is not a safetensors file: its header cannot be read (" + error.what() + ")");
  }
  if (dataBytes > fileBytes - first)
  {
    throw FileError(path + " is cut: found " + std::to_string(fileBytes) + " bytes, expected " +
                    std::to_string(first + dataBytes));
  }
  if (tensorBytes != dataBytes)
  {
    // Else a small file could ask for a lot of memory.
    throw FileError(path + " is not a safetensors file: its tensors overlap or have gaps between them");
  }
}

const std::map<std::string, std::string>& SafetensorsReader::Metadata() const
{
  return m_Metadata;
}

std::vector<std::string> SafetensorsReader::Names(const std::string& prefix) const
{
  std::vector<std::string> names;
  for (auto entry = m_Entries.lower_bound(prefix);
       entry != m_Entries.end() && entry->first.compare(0, prefix.size(), prefix) == 0; ++entry)
  {
    names.push_back(entry->first);
  }
  return names;
}

torch::Tensor SafetensorsReader::Read(const std::string& name)
{
  const auto found = m_Entries.find(name);
  if (found == m_Entries.end())
  {
    throw FileError(m_Path + " holds no tensor '" + name + "'");
  }
  const Entry& entry = found->second;
  torch::Tensor tensor = torch::empty(entry.m_Shape, entry.m_Type);
  m_Stream.seekg(static_cast<std::streamoff>(entry.m_Begin));
  m_Stream.read(static_cast<char*>(tensor.data_ptr()), static_cast<std::streamsize>(entry.m_Bytes));
  if (!m_Stream)
  {
    throw FileError("cannot read tensor '" + name + "' of " + m_Path);
  }
  return tensor;
}

} // namespace hud
