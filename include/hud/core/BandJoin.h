// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/NamedValue.h"

#include <Eigen/Core>

#include <array>
#include <string>
#include <vector>

namespace hud
{

/// Which bands are kept where the ranges of two spectrometers, VNIR and SWIR, overlap.
enum class BandJoin
{
  Swir,  ///< those of the SWIR: VNIR bands from its shortest wavelength on are dropped
  Vnir,  ///< those of the VNIR: SWIR bands up to its longest wavelength are dropped
  Sorted ///< all
};

constexpr std::array<NamedValue<BandJoin>, 3> kBandJoins = {
    {{"swir", BandJoin::Swir}, {"vnir", BandJoin::Vnir}, {"sorted", BandJoin::Sorted}}};

/// A band of a spectrometer.
struct SpectrometerBand
{
  double m_Wavelength = 0.; ///< of the centre, nanometre
  double m_Width = 0.;      ///< full width at half maximum, nanometre
  Eigen::Index m_Slot = 0;  ///< where the product stores it
  bool m_Swir = false;
};

/// Wavelengths from the first to the last, both included, in nanometre.
struct WavelengthRange
{
  double m_First = 0.;
  double m_Last = 0.;
};

/// Returns the ranges of a text such as "1350-1450 1800-1950"; none of an empty one. Between two ranges stands a blank, a
/// comma or a semicolon. A single number is no range.
/// @throws InvalidOption that quotes what is no range
std::vector<WavelengthRange> ParseWavelengthRanges(const std::string& text);

/// Returns the bands of both spectrometers by ascending wavelength, less those that `join` drops and those in an excluded
/// range. What `join` drops does not depend on the ranges.
/// @param vnir, swir in any order; may be empty
/// @throws InvalidOption when none is left
std::vector<SpectrometerBand> JoinBands(const std::vector<SpectrometerBand>& vnir,
                                        const std::vector<SpectrometerBand>& swir, BandJoin join,
                                        const std::vector<WavelengthRange>& excluded);

/// Throws InvalidData that names both bands unless the wavelengths only rise or only fall, as a spectrometer's do.
/// @param what whose they are, for the message
void CheckMonotonic(const std::vector<SpectrometerBand>& bands, const std::string& what);

} // namespace hud
