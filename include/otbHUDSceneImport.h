// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDPrismaProduct.h"
#include "otbHUDRowImageSource.h"
#include "otbHUDSceneMetadata.h"

#include "hud/core/BandJoin.h"

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace otb
{

/// On which grid an imported image lies.
enum class HUDImportGrid
{
  Native, ///< that of the product: UTM for L2D, else its own pixels with ground control points
  Utm     ///< UTM, 30 m, each pixel taken from the nearest one of the product
};

constexpr std::array<hud::NamedValue<HUDImportGrid>, 2> kHUDImportGrids = {
    {{"native", HUDImportGrid::Native}, {"utm", HUDImportGrid::Utm}}};

/// How to import a scene.
struct HUDImportOptions
{
  hud::BandJoin m_Join = hud::BandJoin::Swir;
  std::string m_Exclude; ///< as in hud::ParseWavelengthRanges
  HUDFlaggedSamples m_Flagged = HUDFlaggedSamples::NoData;
  double m_MaxFlagged = 100.; ///< percent; bands in which more of the pixels are flagged are left out
  HUDImportGrid m_Grid = HUDImportGrid::Native;
  std::string m_Variable;     ///< array of a MATLAB file; empty: the only one of three dimensions
  std::size_t m_Memory = 256; ///< MB

  /// @throws hud::InvalidOption
  void Check() const;
};

/// What the pixels of an imported image turned out to be.
struct HUDImportCounts
{
  std::size_t m_Pixels = 0;
  std::size_t m_Empty = 0;                   ///< no band holds data
  std::size_t m_Flagged = 0;                 ///< some bands hold data
  std::vector<std::size_t> m_FlaggedOfBands; ///< those of m_Flagged in which a band holds none; empty: none in any
};

/// An image that reads a product region by region, and what is known of it.
struct HUDImportedScene
{
  HUDRowImageSource::Pointer m_Source;
  HUDSceneMetadata m_Metadata;
  std::vector<std::string> m_Messages; ///< for the log
  std::vector<std::string> m_Warnings;
  std::shared_ptr<HUDImportCounts> m_Counts; ///< complete when each pixel was read once
};

/// Returns how many bands, and which, are no-data in more than that percentage of the pixels with data; empty when none is,
/// or their wavelengths are unknown.
std::string HUDDescribeFlaggedBands(const HUDImportedScene& scene, double percent);

/// Opens a PRISMA product or a MATLAB file; which one it is, its first bytes and its arrays tell.
/// @throws hud::FileError, hud::InvalidData, hud::InvalidOption that name the file
HUDImportedScene HUDImportScene(const std::string& path, const HUDImportOptions& options);

} // namespace otb
