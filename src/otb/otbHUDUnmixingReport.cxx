// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDUnmixingReport.h"

#include "hud/core/Error.h"
#include "hud/core/LeastSquares.h"
#include "hud/core/Version.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <iomanip>
#include <sstream>

namespace otb
{

namespace
{

bool SumsToOne(const std::string& encoder)
{
  const hud::EncoderKind kind = hud::ParseEncoderKind(encoder);
  return kind == hud::EncoderKind::Fcls || kind == hud::EncoderKind::Linear;
}

// A share with three digits.
std::string Percent(double share)
{
  std::ostringstream text;
  text << std::setprecision(3) << 100. * share << " %";
  return text.str();
}

} // namespace

void HUDUnmixingReport::SetLimits(const hud::SceneStatistics& statistics, Eigen::Index endmembers)
{
  // Of a scene of that rank, rounding in single precision is left.
  const double rounding = 1e-6 * std::sqrt(statistics.Power() / static_cast<double>(statistics.m_Mean.size()));
  const double affine = AffineRankLimit(statistics, endmembers - 1);
  const double linear = LinearRankLimit(statistics, endmembers);
  m_AffineLimit = affine > rounding ? affine : 0.;
  m_LinearLimit = linear > rounding ? linear : 0.;
}

const std::optional<double>& HUDUnmixingReport::Limit() const
{
  return SumsToOne(m_Encoder) ? m_AffineLimit : m_LinearLimit;
}

std::vector<std::string> HUDUnmixingReport::Lines() const
{
  const Eigen::Index d = m_Summary.m_Largest.size();
  const double rmse = m_Summary.DecodeRmse(m_Bands);
  std::vector<std::string> lines;
  std::ostringstream decode;
  decode << "Decode error of " << d << " endmembers: " << rmse << " RMSE over " << m_Summary.m_Pixels
         << " valid pixels, " << Percent(m_Summary.RelativeDecodeError()) << " of the scene's RMS";
  lines.push_back(decode.str());
  if (Limit())
  {
    std::ostringstream line;
    line << "No mixture of as many endmembers can be below " << *Limit();
    if (SumsToOne(m_Encoder))
    {
      line << ", or " << *m_LinearLimit << " without sum-to-one";
    }
    if (*Limit() > 0.)
    {
      line << ": this is " << std::setprecision(4) << rmse / *Limit() << " times that limit";
    }
    lines.push_back(line.str());
  }
  lines.push_back("Unconstrained least squares would make " + Percent(m_Summary.NegativeShare()) +
                  " of the abundances negative");
  for (Eigen::Index k = 0; k < d; ++k)
  {
    std::ostringstream line;
    line << "Endmember " << k + 1 << ": most of " << m_Summary.m_Largest(k) << " pixels, at least "
         << Percent(hud::UnmixingSummary::kPureAbundance) << " of " << m_Summary.m_Pure(k) << ", on average "
         << Percent(m_Summary.m_Abundance(k) / static_cast<double>(m_Summary.m_Pixels));
    lines.push_back(line.str());
  }
  return lines;
}

void HUDUnmixingReport::Write(const std::string& path) const
{
  const Eigen::Index d = m_Summary.m_Largest.size();
  const double rmse = m_Summary.DecodeRmse(m_Bands);
  nlohmann::ordered_json json;
  json["format"] = "hud-unmixing-report";
  json["formatVersion"] = 1;
  json["programVersion"] = hud::Version();
  json["scene"] = m_Scene;
  if (!m_Method.empty())
  {
    json["method"] = m_Method;
  }
  json["encoder"] = m_Encoder;
  json["bands"] = m_Bands;
  json["endmembers"] = d;
  json["validPixels"] = m_Summary.m_Pixels;
  json["decodeRmse"] = rmse;
  json["relativeDecodeError"] = m_Summary.RelativeDecodeError();
  if (Limit())
  {
    json["affineRankLimit"] = *m_AffineLimit;
    json["linearRankLimit"] = *m_LinearLimit;
    // A scene of that rank has no error to compare with.
    json["decodeRmseOverLimit"] = *Limit() > 0. ? nlohmann::ordered_json(rmse / *Limit()) : nlohmann::ordered_json();
  }
  json["negativeShareOfUnconstrained"] = m_Summary.NegativeShare();
  json["pixelsLeftOut"] = {{"masked", m_NoDataPixels.m_Masked},
                           {"notFinite", m_NoDataPixels.m_NotFinite},
                           {"noDataValue", m_NoDataPixels.m_NoDataValue},
                           {"allBandsZero", m_NoDataPixels.m_Zero}};
  json["emptyBands"] = nlohmann::ordered_json::array();
  for (const Eigen::Index band : m_EmptyBands)
  {
    json["emptyBands"].push_back(band + 1);
  }
  for (Eigen::Index k = 0; k < d; ++k)
  {
    json["perEndmember"].push_back(
        {{"largestIn", m_Summary.m_Largest(k)},
         {"pureIn", m_Summary.m_Pure(k)},
         {"meanAbundance", m_Summary.m_Abundance(k) / static_cast<double>(m_Summary.m_Pixels)}});
  }
  std::ofstream file(path);
  // A file's name may hold any bytes; JSON may not.
  file << json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
  file.close();
  if (!file)
  {
    throw hud::FileError(path + ": cannot be written");
  }
}

} // namespace otb
