// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDSceneMetadata.h"

#include "hud/diffusion/ModelInfo.h"

namespace otb
{

/// Returns what a model knows of the bands.
inline HUDSceneMetadata HUDModelBands(const hud::SceneInfo& scene)
{
  HUDSceneMetadata metadata;
  metadata.m_Wavelengths = scene.m_Wavelengths;
  metadata.m_Widths = scene.m_Widths;
  metadata.m_BandNames = scene.m_BandNames;
  metadata.m_Units = scene.m_Units;
  metadata.m_Scales = scene.m_Scales;
  metadata.m_Offsets = scene.m_Offsets;
  metadata.m_IsKnown = true;
  return metadata;
}

/// Has a model know what metadata say of the bands.
inline void HUDSetModelBands(hud::SceneInfo& scene, const HUDSceneMetadata& metadata)
{
  scene.m_Wavelengths = metadata.m_Wavelengths;
  scene.m_Widths = metadata.m_Widths;
  scene.m_BandNames = metadata.m_BandNames;
  scene.m_Units = metadata.m_Units;
  scene.m_Scales = metadata.m_Scales;
  scene.m_Offsets = metadata.m_Offsets;
}

} // namespace otb
