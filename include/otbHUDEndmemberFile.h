// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDSceneMetadata.h"

#include <Eigen/Core>

#include <string>
#include <vector>

namespace otb
{

/// Endmembers with what a file says about them.
struct HUDEndmemberTable
{
  Eigen::MatrixXd m_Endmembers;     ///< A, [bands x d]
  HUDSceneMetadata m_Metadata;      ///< of the bands
  std::vector<std::string> m_Names; ///< one for each endmember; empty: unnamed
};

/// Returns whether a file is for HUDReadEndmemberFile rather than an image: its name ends in `.csv`, or GDAL opens no image
/// and it ends in `.sli` or has the header of an ENVI spectral library.
bool HUDIsEndmemberFile(const std::string& path);

/// Returns the endmembers of a table or a spectral library, in single precision as those of an image.
///
/// CSV: a row for each band, a column for each endmember; comma, semicolon, tab or space between them. A first row without
/// numbers is a header. What it calls so in the first columns is no endmember: wavelengths (`wavelength`, `wavelength_nm`,
/// `Wavelength (um)`) and then, in any order, `fwhm` (in their unit), `scale`, `offset` and `units`.
/// ENVI spectral library: a line for each endmember, header NAME.hdr or NAME.sli.hdr.
/// @param bands of the scene; 0: any
/// @throws hud::FileError when the file or its header cannot be opened, hud::InvalidData when it holds anything else; both
/// name the file
HUDEndmemberTable HUDReadEndmemberFile(const std::string& path, Eigen::Index bands = 0);

/// Throws unless HUDWriteEndmemberFile can write a file of that name: hud::InvalidOption when it ends neither in `.csv` nor in
/// `.sli`, hud::FileError when the header that NAME.sli needs, NAME.hdr, is there for another file.
/// @param key of the parameter, for messages
void HUDCheckEndmemberFileName(const std::string& key, const std::string& path);

/// Writes endmembers in single precision: as CSV, or as an ENVI spectral library and its header NAME.hdr when the path ends in
/// `.sli`. Endmembers without names are numbered. Names of bands and items are not written.
/// @throws hud::InvalidOption for another ending, or when the metadata are those of another number of bands; hud::FileError
/// when the file cannot be written
void HUDWriteEndmemberFile(const std::string& path, const HUDEndmemberTable& table);

} // namespace otb
