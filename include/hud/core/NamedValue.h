// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/Error.h"

#include <array>
#include <cstddef>
#include <string>

namespace hud
{

/// A value of an enumeration and the name that users write for it.
template <typename Value>
struct NamedValue
{
  const char* m_Name;
  Value m_Value;
};

/// Returns the value of that name.
/// @param what the option, for the message
/// @throws InvalidOption that lists the known names
template <typename Value, std::size_t size>
Value ParseNamedValue(const std::array<NamedValue<Value>, size>& known, const std::string& name, const char* what)
{
  std::string names;
  for (const NamedValue<Value>& entry : known)
  {
    if (name == entry.m_Name)
    {
      return entry.m_Value;
    }
    names += (names.empty() ? "" : ", ") + std::string(entry.m_Name);
  }
  throw InvalidOption(std::string("the ") + what + " is '" + name + "', expected one of: " + names);
}

/// Returns the name of a value.
template <typename Value, std::size_t size>
std::string NameOf(const std::array<NamedValue<Value>, size>& known, Value value)
{
  for (const NamedValue<Value>& entry : known)
  {
    if (value == entry.m_Value)
    {
      return entry.m_Name;
    }
  }
  throw InvalidOption("a value without a name");
}

} // namespace hud
