// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDLabelImage.h"

#include "otbHUDImageRows.h"

#include "hud/core/Error.h"

#include <cmath>
#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace otb
{

hud::LabelMap HUDReadLabels(HUDImageType& image, unsigned int ram)
{
  constexpr std::size_t kMostClasses = 1000;
  const HUDImageRows rows(image, ram);
  if (rows.Bands() != 1)
  {
    throw hud::InvalidData("found " + std::to_string(rows.Bands()) + " bands, expected one, of classes");
  }
  std::map<float, int> classes; // by their values
  std::vector<float> values;
  Eigen::MatrixXf line(1, rows.Width());
  std::vector<std::uint8_t> valid(static_cast<std::size_t>(rows.Width()));
  for (Eigen::Index row = 0; row < rows.Height(); ++row)
  {
    rows.Read(row, line, valid.data()); // what is no-data becomes 0
    for (const float value : line.reshaped())
    {
      values.push_back(value);
      if (value != 0.f)
      {
        classes[value] = 0;
      }
      if (value != std::floor(value) || classes.size() > kMostClasses)
      {
        std::ostringstream message;
        message << "found the value " << value << " among " << classes.size() << " different ones, expected whole "
                << "numbers of at most " << kMostClasses << " classes";
        throw hud::InvalidData(message.str());
      }
    }
  }
  hud::LabelMap labels;
  for (auto& [value, number] : classes)
  {
    number = labels.m_Classes++;
  }
  for (const float value : values)
  {
    labels.m_Labels.push_back(value == 0.f ? -1 : classes[value]);
  }
  return labels;
}

} // namespace otb
