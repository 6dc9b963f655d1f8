// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <cstddef>
#include <functional>

namespace hud
{

/// Stretches of pixels that are worked on at the same time. Their number is fixed, so that sums over them do not depend on
/// the processor.
constexpr std::size_t kParts = 4;

/// Calls `work` for each part of so many pixels, in threads of their own, and returns when all are done.
/// @param work called with the part's number, its first pixel and the one after its last; throws out of here
void ForEachPart(Eigen::Index pixels,
                 const std::function<void(std::size_t part, Eigen::Index begin, Eigen::Index end)>& work);

} // namespace hud
