// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <sstream>
#include <string>

namespace hud
{

/// Returns the values one after the other, as a stream writes them.
template <typename... Values>
std::string Compose(const Values&... values)
{
  std::ostringstream text;
  (text << ... << values);
  return text.str();
}

} // namespace hud
