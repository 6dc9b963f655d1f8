// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <string>

namespace otb
{

/// Returns the page of an evaluation, as HTML that needs no other file and no network: tables and figures, drawn by the
/// browser. Whatever texts the data holds, they stay data.
/// @param json of the format hud-evaluation, UTF-8
std::string HUDReportPage(const std::string& json);

} // namespace otb
