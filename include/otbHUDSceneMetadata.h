// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace otb
{

/// What the bands of an image are.
enum class HUDImageContent
{
  Spectra,
  Abundances
};

/// What an image says of its bands and of itself, beyond the grid and the no-data value, which OTB's image carries. The lists
/// have one element for each band, or are empty: unknown.
struct HUDSceneMetadata
{
  std::vector<double> m_Wavelengths;          ///< centres, nanometre
  std::vector<double> m_Widths;               ///< full widths at half maximum, nanometre
  std::vector<std::string> m_BandNames;       ///< without the wavelength; one may be empty
  std::string m_Units;                        ///< of the scaled values; empty: unknown
  std::vector<double> m_Scales;               ///< value in the unit = scale * stored value + offset; empty: 1
  std::vector<double> m_Offsets;              ///< empty: 0
  std::map<std::string, std::string> m_Items; ///< of the dataset, such as `acquisition_time`; empty: taken out if there
  HUDImageContent m_Content = HUDImageContent::Spectra;
  bool m_IsKnown =
      false; ///< whether a file said so; one that names no scale has scale 1, an image in memory may have any

  /// Returns the metadata of some of the bands, in that order.
  /// @param bands counted from 0
  /// @throws hud::InvalidOption "there are 2 wavelengths for 6 bands" when a list is neither empty nor of that length
  HUDSceneMetadata Select(const std::vector<std::size_t>& bands, std::size_t count) const;
};

/// Returns metadata with what they lack of others: lists, unit and items. Unit, scales and offsets say what the numbers are, and
/// go together: those of others only where metadata know none of them and are of no file.
HUDSceneMetadata HUDCompleteSceneMetadata(HUDSceneMetadata metadata, const HUDSceneMetadata& others);

/// Returns the metadata of endmembers: of the scene, completed by their own, but their own unit, scales and offsets, if they are
/// of a file.
HUDSceneMetadata HUDEndmemberMetadata(const HUDSceneMetadata& endmembers, const HUDSceneMetadata& scene);

/// Returns the metadata of abundances: the items of the scene, no wavelengths and no unit.
/// @param names of the endmembers; empty: "endmember 1" and so on
HUDSceneMetadata HUDAbundanceMetadata(const HUDSceneMetadata& scene, std::size_t endmembers,
                                      const std::vector<std::string>& names = {});

/// Returns a text in UTF-8; one that is not is taken to be in ISO 8859-1.
std::string HUDToUtf8(const std::string& text);

/// Returns a text as an element of a list in an ENVI header: `_` instead of the characters that end it.
std::string HUDEnviListElement(std::string text);

/// Returns a wavelength in nanometre, or nothing when it is not positive or the unit is not one of length.
/// @param unit `nm`, `Micrometers` and the like; empty: a value below 100 is in micrometre, any other in nanometre
std::optional<double> HUDToNanometres(double wavelength, const std::string& unit);

/// Returns what a file says, nothing when it cannot be opened.
///
/// A band's wavelength is its item `wavelength` (unit in `wavelength_units`; without one, values below 100 are micrometres),
/// or `CENTRAL_WAVELENGTH_UM` of the domain IMAGERY, or in its description, such as "399.37 nm" or
/// "band 1 (0.41824 Micrometers)"; its width the item `fwhm`, in the same unit, or `FWHM_UM`, or in the list `fwhm` of the
/// domain ENVI. Either is unknown when that of one band is. A scale that is 0 or not finite, or an offset that is not, is none.
/// What describes the file or its bands, not the scene, is left out of the items. Texts are in UTF-8.
/// @param path anything GDAL opens; of OTB's extended filenames `bands` is taken into account
HUDSceneMetadata HUDReadSceneMetadata(const std::string& path);

/// Writes metadata into a file that is complete: in each band the items `wavelength`, `wavelength_units` (Nanometers) and
/// `fwhm`, the description, the unit, scale and offset; in an ENVI file the header's lists, among them the bands of
/// HUDShownBands. What is unknown is left as it is.
/// @param path of a raster that GDAL opens
/// @throws hud::InvalidOption when the number of bands differs, hud::FileError when the file cannot be opened or written
void HUDWriteSceneMetadata(const std::string& path, const HUDSceneMetadata& metadata);

/// Returns the no-data value of the first band, if the file declares one.
/// @param path of an image, may be an OTB extended filename
std::optional<double> HUDReadNoDataValue(const std::string& path);

} // namespace otb
