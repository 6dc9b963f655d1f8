// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/UnmixingMethod.h"

#include "hud/core/NamedValue.h"

#include <array>

namespace hud
{

namespace
{

constexpr std::array<NamedValue<UnmixingMethod>, 5> kMethods = {{{"vca", UnmixingMethod::Vca},
                                                                 {"sivm", UnmixingMethod::Sivm},
                                                                 {"sisal", UnmixingMethod::Sisal},
                                                                 {"nmf", UnmixingMethod::Nmf},
                                                                 {"edaa", UnmixingMethod::Edaa}}};

} // namespace

UnmixingMethod ParseUnmixingMethod(const std::string& name)
{
  return ParseNamedValue(kMethods, name, "unmixing method");
}

std::string ToString(UnmixingMethod method)
{
  return NameOf(kMethods, method);
}

} // namespace hud
