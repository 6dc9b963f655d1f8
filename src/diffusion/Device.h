// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/diffusion/DiffusionOptions.h"

#include <torch/torch.h>

#include <string>

namespace hud
{

/// Returns the device that the options ask for, after setting LibTorch's number of threads and asking it for
/// reproducible algorithms.
/// @throws InvalidOption when the name is unknown or no CUDA GPU is there
torch::Device SelectDevice(const ExecutionOptions& options);

/// Returns the device in words, such as "CPU, 2 threads" or "CUDA GPU 0".
std::string DescribeDevice(const torch::Device& device);

} // namespace hud
