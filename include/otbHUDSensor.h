// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDEndmemberFile.h"

#include "hud/core/NamedValue.h"

#include <array>
#include <string>
#include <vector>

namespace otb
{

/// The bands of a sensor, whose responses are Gaussian.
struct HUDSensor
{
  std::string m_Name;
  std::vector<double> m_Wavelengths;    ///< centres, nanometre
  std::vector<double> m_Widths;         ///< full widths at half maximum, nanometre
  std::vector<std::string> m_BandNames; ///< empty: unnamed
  std::vector<double> m_Ratios;         ///< of signal to noise; empty: unknown
};

/// What becomes of a sensor's bands that the endmembers do not cover.
enum class HUDUncoveredBands
{
  Refuse, ///< an error
  Drop    ///< they are left out
};

constexpr std::array<hud::NamedValue<HUDUncoveredBands>, 2> kHUDUncoveredBands = {
    {{"refuse", HUDUncoveredBands::Refuse}, {"drop", HUDUncoveredBands::Drop}}};

/// Returns a sensor of the tables in data/sensors.
/// @param name prisma, enmap or sentinel2
/// @throws hud::InvalidOption that lists the known names
HUDSensor HUDKnownSensor(const std::string& name);

/// Returns the sensor of a table: a row for each band; comma, semicolon, tab or space between the columns. The first row names
/// them: `wavelength` and `fwhm` (with a unit, as `wavelength_um` or `fwhm (nm)`; without one, wavelengths below 100 are
/// micrometres), and, not needed, `name` and `snr` (ratio of signal to noise). Others are not used. Without names the columns
/// are wavelength and width. What begins with `#` is a comment.
/// @throws hud::FileError when the file cannot be opened, hud::InvalidData when it holds anything else; both name the file
HUDSensor HUDReadSensorFile(const std::string& path);

/// Returns the ratios of signal to noise of a text such as "100" or "100 80 120".
/// @throws hud::InvalidOption that quotes what is no finite number above 0
std::vector<double> HUDParseRatios(const std::string& text);

/// Endmembers as another sensor sees them.
struct HUDResampledEndmembers
{
  HUDEndmemberTable m_Table;
  std::vector<double> m_Ratios;        ///< of signal to noise in its bands; empty: unknown
  std::vector<std::string> m_Messages; ///< what to tell the user
};

/// Returns the endmembers in the bands of a sensor, see hud::ComputeBandResampling. Bands that are 0 in all endmembers hold no
/// data and are left out. Where their bands have scales or offsets
/// that differ, the result holds the values in their unit.
/// @throws hud::InvalidData when their wavelengths are unknown, no band is covered, or one is not and is to be refused: it
/// names the band and the range
HUDResampledEndmembers HUDResampleEndmembers(const HUDEndmemberTable& table, const HUDSensor& sensor,
                                             HUDUncoveredBands uncovered);

/// Scales the signal of endmembers, which is scale * value + offset.
/// @param factor above 0, at most 1e6
/// @throws hud::InvalidOption when it is not
void HUDScaleSignal(HUDEndmemberTable& endmembers, double factor);

/// Returns the standard deviation of the noise of a scene of these endmembers in each band, see hud::NoiseDeviations; the
/// signal is scale * value + offset.
/// @param abundances [d], mean of the scene
/// @param ratios of signal to noise: one, or one for each band
/// @throws hud::InvalidOption when there are others
Eigen::VectorXd HUDNoiseDeviations(const HUDEndmemberTable& endmembers,
                                   const Eigen::Ref<const Eigen::VectorXd>& abundances, std::vector<double> ratios);

/// Returns what is odd in the names of endmembers beside those of the abundances' bands, empty when nothing is. Names that only
/// count, such as "endmember 2", are none, and case does not matter.
/// @throws hud::InvalidData when a name of one stands at another place in the other, as in another order
std::string HUDCompareEndmemberNames(const std::vector<std::string>& endmembers,
                                     const std::vector<std::string>& abundances);

} // namespace otb
