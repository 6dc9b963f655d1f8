// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <optional>
#include <string>
#include <vector>

namespace otb
{

/// Returns a wavelength in nanometre, or nothing when it is not positive or the unit is not one of length.
/// @param unit `nm`, `Micrometers` and the like; empty: a value below 100 is in micrometre, any other in nanometre
std::optional<double> HUDToNanometres(double wavelength, const std::string& unit);

/// Returns the centre wavelength of every band in nanometre, or nothing when one band's is unknown or the file cannot be
/// opened. From each band's metadata item `wavelength` (unit in `wavelength_units`; without one, values below 100 are
/// micrometres), or else from its description, such as "399.37 nm" or "band 1 (0.41824 Micrometers)".
/// @param path anything GDAL opens; of OTB's extended filenames `bands` is taken into account
std::vector<double> HUDReadWavelengths(const std::string& path);

/// Writes the centre wavelengths into a file that is complete: in each band the items `wavelength` and `wavelength_units`
/// (Nanometers) and the description, in an ENVI file the header's lists.
/// @param path of a raster that GDAL opens
/// @param wavelengths nanometre, one for each band
/// @throws hud::InvalidOption when the number of bands differs, hud::FileError when the file cannot be opened or written
void HUDWriteWavelengths(const std::string& path, const std::vector<double>& wavelengths);

/// Returns the unit of the first band's values, empty when the file names none.
/// @param path of an image, may be an OTB extended filename
std::string HUDReadUnits(const std::string& path);

/// Returns the no-data value of the first band, if the file declares one.
/// @param path of an image, may be an OTB extended filename
std::optional<double> HUDReadNoDataValue(const std::string& path);

} // namespace otb
