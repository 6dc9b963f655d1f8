// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "Safetensors.h"

#include "hud/diffusion/ModelInfo.h"

#include <torch/torch.h>

#include <string>

namespace hud
{

/// Prefixes of the tensors in a model file; the rest of a name is the network's parameter.
constexpr const char* kWeightsPrefix = "network.";
constexpr const char* kAveragePrefix = "ema.";
constexpr const char* kFirstMomentPrefix = "adam.exp_avg.";
constexpr const char* kSecondMomentPrefix = "adam.exp_avg_sq.";

/// Writes a model file: the description and the given tensors.
/// @throws FileError
void WriteModelFile(const std::string& path, const ModelInfo& info, TensorMap tensors);

/// A model file that is open for reading.
class ModelFileReader
{
public:
  /// @throws FileError when the file is missing, cut, foreign or of a newer format
  explicit ModelFileReader(const std::string& path);

  const ModelInfo& Info() const;

  /// Call before building the network: a file may describe one that is larger than memory.
  /// @throws FileError when the file lacks the weights of the network's levels, or they have another shape
  void CheckNetwork();

  /// Copies the tensors of that prefix into the tensors that `parameters` names, without gradients.
  /// @throws FileError when one is missing or has another shape
  void ReadInto(const std::string& prefix, const torch::OrderedDict<std::string, torch::Tensor>& parameters);

private:
  std::string m_Path;
  SafetensorsReader m_Reader;
  ModelInfo m_Info;
};

} // namespace hud
