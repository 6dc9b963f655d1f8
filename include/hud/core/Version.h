// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <string>

namespace hud
{

/// Returns the version of the program, "major.minor.patch". It is written into every model file.
std::string Version();

} // namespace hud
