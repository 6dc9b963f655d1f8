// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/BandJoin.h"

#include <algorithm>
#include <cstddef>
#include <locale>
#include <optional>
#include <sstream>

namespace hud
{

namespace
{

bool ByWavelength(const SpectrometerBand& left, const SpectrometerBand& right)
{
  return left.m_Wavelength < right.m_Wavelength;
}

// A number without a sign, whatever the locale; nothing when the text is something else.
std::optional<double> PositiveNumber(const std::string& text)
{
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string::npos)
  {
    return std::nullopt;
  }
  std::istringstream stream(text);
  stream.imbue(std::locale::classic());
  double value = 0.;
  stream >> value;
  return stream && stream.peek() == std::istringstream::traits_type::eof() && value > 0. ? std::optional<double>(value)
                                                                                         : std::nullopt;
}

WavelengthRange ParseRange(const std::string& text)
{
  const std::size_t dash = text.find('-');
  const std::optional<double> first = PositiveNumber(text.substr(0, dash));
  const std::optional<double> last = dash == std::string::npos ? std::nullopt : PositiveNumber(text.substr(dash + 1));
  if (!first || !last || *first > *last)
  {
    throw InvalidOption("found '" + text +
                        "', expected ranges of wavelengths in nanometre such as 1350-1450 1800-1950, without blanks "
                        "around the dash");
  }
  return {*first, *last};
}

} // namespace

std::vector<WavelengthRange> ParseWavelengthRanges(const std::string& text)
{
  std::string separated = text;
  for (char& character : separated)
  {
    character = character == ',' || character == ';' ? ' ' : character;
  }
  std::vector<WavelengthRange> ranges;
  std::istringstream words(separated);
  for (std::string word; words >> word;)
  {
    ranges.push_back(ParseRange(word));
  }
  return ranges;
}

std::vector<SpectrometerBand> JoinBands(const std::vector<SpectrometerBand>& vnir,
                                        const std::vector<SpectrometerBand>& swir, BandJoin join,
                                        const std::vector<WavelengthRange>& excluded)
{
  std::vector<SpectrometerBand> joined = vnir;
  joined.insert(joined.end(), swir.begin(), swir.end());
  const auto drop = [&joined](const auto& dropped) {
    joined.erase(std::remove_if(joined.begin(), joined.end(), dropped), joined.end());
  };
  if (join == BandJoin::Swir && !swir.empty())
  {
    const double first = std::min_element(swir.begin(), swir.end(), ByWavelength)->m_Wavelength;
    drop([first](const SpectrometerBand& band) { return !band.m_Swir && band.m_Wavelength >= first; });
  }
  if (join == BandJoin::Vnir && !vnir.empty())
  {
    const double last = std::max_element(vnir.begin(), vnir.end(), ByWavelength)->m_Wavelength;
    drop([last](const SpectrometerBand& band) { return band.m_Swir && band.m_Wavelength <= last; });
  }
  const std::size_t before = joined.size();
  for (const WavelengthRange& range : excluded)
  {
    drop([&range](const SpectrometerBand& band) {
      return band.m_Wavelength >= range.m_First && band.m_Wavelength <= range.m_Last;
    });
  }
  if (joined.empty())
  {
    throw InvalidOption("all " + std::to_string(before) + " bands are excluded, expected at least one that is not");
  }
  std::stable_sort(joined.begin(), joined.end(), ByWavelength);
  return joined;
}

void CheckMonotonic(const std::vector<SpectrometerBand>& bands, const std::string& what)
{
  for (std::size_t i = 1; i < bands.size(); ++i)
  {
    const double before = bands[i - 1].m_Wavelength;
    const double here = bands[i].m_Wavelength;
    const bool falls = bands[1].m_Wavelength < bands[0].m_Wavelength;
    if (!(falls ? here < before : here > before))
    {
      std::ostringstream message;
      message << what << ": the wavelengths are not monotonic: found " << before << " nm in band "
              << bands[i - 1].m_Slot << " and " << here << " nm in band " << bands[i].m_Slot << ", expected them to "
              << (falls ? "fall" : "rise") << " from band to band";
      throw InvalidData(message.str());
    }
  }
}

} // namespace hud
