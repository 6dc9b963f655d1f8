// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <string>

namespace hud::test
{

/// Returns the message of the `Kind` of error that the action throws, "no error" when it throws none. Other kinds pass.
template <class Kind, class Action>
std::string MessageOf(Action&& action)
{
  try
  {
    action();
  }
  catch (const Kind& error)
  {
    return error.what();
  }
  return "no error";
}

/// True when the message contains the text.
inline bool Says(const std::string& message, const std::string& text)
{
  return message.find(text) != std::string::npos;
}

/// True when the message contains a number.
inline bool NamesANumber(const std::string& message)
{
  return message.find_first_of("0123456789") != std::string::npos;
}

} // namespace hud::test
