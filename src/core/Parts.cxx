// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "Parts.h"

#include <future>
#include <vector>

namespace hud
{

void ForEachPart(Eigen::Index pixels,
                 const std::function<void(std::size_t part, Eigen::Index begin, Eigen::Index end)>& work)
{
  constexpr auto parts = static_cast<Eigen::Index>(kParts);
  std::vector<std::future<void>> done;
  for (Eigen::Index part = 0; part < parts; ++part)
  {
    done.push_back(std::async(std::launch::async, [&work, part, pixels] {
      work(static_cast<std::size_t>(part), part * pixels / parts, (part + 1) * pixels / parts);
    }));
  }
  for (std::future<void>& each : done)
  {
    each.get();
  }
}

} // namespace hud
