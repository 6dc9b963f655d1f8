// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/SceneStatistics.h"

#include <string>

namespace otb
{

/// How the number of endmembers of a scene is found.
enum class HUDCountMethod
{
  DecodeError,          ///< hud::CountEndmembers
  EigenvalueLikelihood, ///< otb::EigenvalueLikelihoodMaximisation
  VirtualDimensionality ///< otb::VirtualDimensionality
};

/// Returns the method of that name: error, elm or vd.
/// @throws hud::InvalidOption that lists the known names
HUDCountMethod HUDParseCountMethod(const std::string& name);

/// Returns the number of endmembers that one of OTB's estimators finds, at least 2.
/// @param method EigenvalueLikelihood or VirtualDimensionality
/// @throws hud::InvalidData when it finds fewer than 2
Eigen::Index HUDCountEndmembers(const hud::SceneStatistics& statistics, HUDCountMethod method);

} // namespace otb
