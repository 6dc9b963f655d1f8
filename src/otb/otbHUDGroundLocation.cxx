// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDGroundLocation.h"

#include "hud/core/Error.h"

#include <cpl_conv.h>
#include <ogr_spatialref.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

namespace otb
{

namespace
{

OGRSpatialReference Import(int epsg)
{
  OGRSpatialReference system;
  if (system.importFromEPSG(epsg) != OGRERR_NONE)
  {
    throw hud::FileError("EPSG:" + std::to_string(epsg) + " is not in the PROJ database: " + CPLGetLastErrorMsg());
  }
  system.SetAxisMappingStrategy(OAMS_TRADITIONAL_GIS_ORDER);
  return system;
}

} // namespace

int HUDUtmEpsg(double latitude, double longitude)
{
  const int zone = std::clamp(static_cast<int>(std::floor((longitude + 180.) / 6.)) + 1, 1, 60);
  return (latitude < 0. ? 32700 : 32600) + zone;
}

std::string HUDProjectionText(int epsg)
{
  char* text = nullptr;
  Import(epsg).exportToWkt(&text);
  std::string result = text == nullptr ? "" : text;
  CPLFree(text);
  return result;
}

std::pair<Eigen::MatrixXd, Eigen::MatrixXd> HUDToMap(const Eigen::MatrixXd& latitude, const Eigen::MatrixXd& longitude,
                                                     int epsg)
{
  const OGRSpatialReference geographic = Import(4326);
  const OGRSpatialReference projected = Import(epsg);
  const std::unique_ptr<OGRCoordinateTransformation> transformation(
      OGRCreateCoordinateTransformation(&geographic, &projected));
  if (!transformation)
  {
    throw hud::FileError("there is no way from WGS84 to EPSG:" + std::to_string(epsg) + ": " + CPLGetLastErrorMsg());
  }
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  Eigen::MatrixXd x = longitude;
  Eigen::MatrixXd y = latitude;
  std::vector<int> success(static_cast<std::size_t>(x.rows()), 0);
  for (Eigen::Index column = 0; column < x.cols(); ++column)
  {
    for (Eigen::Index i = 0; i < x.rows(); ++i)
    {
      // PROJ takes infinity for what is unknown.
      const bool known = std::isfinite(x(i, column)) && std::isfinite(y(i, column));
      x(i, column) = known ? x(i, column) : HUGE_VAL;
      y(i, column) = known ? y(i, column) : HUGE_VAL;
    }
    transformation->Transform(static_cast<int>(x.rows()), x.col(column).data(), y.col(column).data(), nullptr,
                              success.data());
    for (Eigen::Index i = 0; i < x.rows(); ++i)
    {
      const bool known =
          success[static_cast<std::size_t>(i)] != 0 && std::isfinite(x(i, column)) && std::isfinite(y(i, column));
      x(i, column) = known ? x(i, column) : kUnknown;
      y(i, column) = known ? y(i, column) : kUnknown;
    }
  }
  return {std::move(x), std::move(y)};
}

} // namespace otb
