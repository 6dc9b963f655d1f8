// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <string>
#include <utility>

namespace otb
{

/// Returns the EPSG code of a place's UTM zone on WGS84, without the exceptions around Norway and Svalbard.
/// @param latitude, longitude degree
int HUDUtmEpsg(double latitude, double longitude);

/// Returns the description (WKT) of a coordinate reference system.
/// @throws hud::FileError when the PROJ database does not have it
std::string HUDProjectionText(int epsg);

/// Returns eastings and northings in metre.
/// @param latitude, longitude degree, WGS84; NaN stays NaN
/// @param epsg of a projected system
/// @throws hud::FileError when the PROJ database does not have it
std::pair<Eigen::MatrixXd, Eigen::MatrixXd> HUDToMap(const Eigen::MatrixXd& latitude, const Eigen::MatrixXd& longitude,
                                                     int epsg);

} // namespace otb
