// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/Error.h"

#include <string>

namespace hud::bench
{

/// Returns a whole number from a program's arguments.
/// @param name of the argument, for the message
/// @throws InvalidOption unless the text is a whole number from 1 to 30000
inline int ParseWholeNumber(const std::string& name, const std::string& text)
{
  const bool digits = !text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == std::string::npos;
  const int number = digits ? std::stoi(text) : 0;
  if (number < 1 || number > 30000)
  {
    throw InvalidOption(name + " is '" + text + "', expected a whole number from 1 to 30000");
  }
  return number;
}

} // namespace hud::bench
