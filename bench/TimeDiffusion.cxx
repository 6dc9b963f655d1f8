// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "Argument.h"

#include "hud/core/SyntheticScene.h"
#include "hud/diffusion/SampleSession.h"
#include "hud/diffusion/TrainSession.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace
{

constexpr const char* kUsage = "usage: hud_time_diffusion MODEL ENDMEMBERS ITERATIONS\n"
                               "Prints the times of a training step and of 64 patches in 20 steps with default "
                               "settings, and writes the file MODEL.\n";

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begin)
{
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Returns abundances without any structure: the time does not depend on them.
hud::AbundanceMap MakeMap(Eigen::Index endmembers)
{
  constexpr Eigen::Index kEdge = 128;
  hud::SyntheticSceneOptions options;
  options.m_Endmembers = endmembers;
  options.m_Bands = endmembers;
  options.m_Pixels = kEdge * kEdge;
  hud::AbundanceMap map;
  map.m_Width = kEdge;
  map.m_Height = kEdge;
  map.m_Abundances = hud::MakeSyntheticScene(options).m_Abundances;
  return map;
}

void Time(const std::string& model, Eigen::Index endmembers, std::int64_t iterations)
{
  hud::SceneInfo scene;
  scene.m_Endmembers = Eigen::MatrixXd::Identity(endmembers, endmembers);
  hud::TrainSession training({MakeMap(endmembers)}, scene, hud::TrainingOptions(), hud::ExecutionOptions());
  std::vector<double> steps;
  Clock::time_point begin = Clock::now();
  training.Run(iterations, [&](const hud::TrainProgress&) {
    steps.push_back(SecondsSince(begin));
    begin = Clock::now();
    return true;
  });
  std::nth_element(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2), steps.end());
  std::printf("training step: %.5f s\n", steps[steps.size() / 2]);
  training.Save(model);

  const hud::SampleSession session(model, hud::ExecutionOptions());
  hud::SampleOptions options;
  options.m_Layout = hud::SampleLayout::Patches;
  options.m_Width = 256;
  options.m_Height = 256;
  begin = Clock::now();
  session.Sample(options).ReadAll();
  std::printf("64 patches in 20 steps: %.5f s\n", SecondsSince(begin));
}

} // namespace

int main(int count, char** values)
{
  if (count != 4)
  {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try
  {
    Time(values[1], hud::bench::ParseWholeNumber("ENDMEMBERS", values[2]),
         hud::bench::ParseWholeNumber("ITERATIONS", values[3]));
  }
  catch (const std::exception& error)
  {
    std::fprintf(stderr, "hud_time_diffusion: %s\n", error.what());
    return 1;
  }
  return 0;
}
