// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/AbundanceMap.h"
#include "hud/diffusion/TrainSession.h"

#include <cmath>

namespace hud::test
{

/// Returns smooth abundances of three endmembers that vary in both directions, some of them 0.
inline AbundanceMap MakeToyMap(Eigen::Index width, Eigen::Index height)
{
  AbundanceMap map;
  map.m_Width = width;
  map.m_Height = height;
  map.m_Abundances.resize(3, width * height);
  for (Eigen::Index y = 0; y < height; ++y)
  {
    for (Eigen::Index x = 0; x < width; ++x)
    {
      const float first = 0.5f + 0.5f * std::sin(0.4f * static_cast<float>(x));
      const float second = (1.f - first) * (y % 7 < 3 ? 0.f : 0.8f);
      map.m_Abundances.col(y * width + x) << first, second, 1.f - first - second;
    }
  }
  return map;
}

/// Returns endmembers of four bands and their wavelengths.
inline SceneInfo MakeToyScene()
{
  SceneInfo scene;
  scene.m_Endmembers.resize(4, 3);
  scene.m_Endmembers << 0.1, 0.9, 0.3, 0.2, 0.7, 0.5, 0.4, 0.3, 0.8, 0.6, 0.1, 0.2;
  scene.m_Wavelengths = {450.5, 550., 660.25, 850.};
  scene.m_Units = "reflectance";
  scene.m_NoData = -32768.;
  scene.m_Residual = {Eigen::VectorXd::LinSpaced(4, -1e-3, 2e-3), 1e-4 * Eigen::MatrixXd::Identity(4, 4)};
  return scene;
}

/// Returns options of a network that trains in milliseconds.
inline TrainingOptions MakeToyOptions()
{
  TrainingOptions options;
  options.m_Network.m_Width = 8;
  options.m_Network.m_Multipliers = {1, 2};
  options.m_Network.m_Blocks = 1;
  options.m_Patch = 8;
  options.m_Batch = 3;
  options.m_LearningRate = 2e-3;
  options.m_Projection = ProjectionKind::Log; // a channel for each endmember
  options.m_Seed = 11;
  return options;
}

inline ExecutionOptions OnCpu(int threads = 1)
{
  ExecutionOptions execution;
  execution.m_Device = "cpu";
  execution.m_Threads = threads;
  return execution;
}

} // namespace hud::test
