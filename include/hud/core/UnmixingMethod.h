// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <string>

namespace hud
{

/// How the endmembers of a scene are found, see ExtractEndmembers.
enum class UnmixingMethod
{
  Vca,   ///< the best of several runs of Vertex Component Analysis, refined
  Sivm,  ///< simplex volume maximisation
  Sisal, ///< the smallest simplex about nearly all pixels
  Nmf,   ///< minimum-volume non-negative matrix factorisation
  Edaa   ///< entropic descent archetypal analysis
};

/// Returns the method of that name: vca, sivm, sisal, nmf or edaa.
/// @throws InvalidOption that lists the known names
UnmixingMethod ParseUnmixingMethod(const std::string& name);

/// Returns the name that ParseUnmixingMethod reads.
std::string ToString(UnmixingMethod method);

} // namespace hud
