// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/Version.h"

namespace hud
{

std::string Version()
{
  return HUD_VERSION;
}

} // namespace hud
