// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "GaussianDiffusion.h"
#include "UNet.h"

#include "hud/core/AbundanceMap.h"
#include "hud/diffusion/ModelInfo.h"
#include "hud/diffusion/Sampler.h"

#include <cstdint>
#include <vector>

namespace hud
{

/// Returns independent patches that a network in memory draws, side by side without gaps, [columns * patch x rows * patch]
/// pixels. The noise of a line of the whole depends on the seed and the line only.
/// @param diffusion on the network's device
/// @param info options, endmembers and normalisation of the network
/// @param plan the sampler's steps from T to 0
AbundanceMap SamplePatches(UNet& network, const GaussianDiffusion& diffusion, const ModelInfo& info,
                           const std::vector<SamplerStep>& plan, Eigen::Index columns, Eigen::Index rows,
                           std::uint64_t seed);

} // namespace hud
