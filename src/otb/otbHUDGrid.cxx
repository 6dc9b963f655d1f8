// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDGrid.h"

#include "hud/core/Error.h"

#include "otbExtendedFilenameToReaderOptions.h"

#include <gdal_priv.h>

#include <array>

namespace otb
{

void HUDCopyGrid(const std::string& source, const std::string& target, double column, double row, double scale)
{
  const auto options = ExtendedFilenameToReaderOptions::New();
  options->SetExtendedFileName(source);
  if (options->GetSkipCarto() || options->GetSkipGeom() || options->GetResolutionFactor() != 0)
  {
    return;
  }
  GDALAllRegister();
  const CPLErrorHandlerPusher quiet(CPLQuietErrorHandler);
  const GDALDatasetUniquePtr from(GDALDataset::Open(options->GetSimpleFileName(), GDAL_OF_RASTER));
  std::array<double, 6> transform = {};
  const bool hasTransform = from && from->GetGeoTransform(transform.data()) == CE_None;
  const int points = from ? from->GetGCPCount() : 0;
  if (!hasTransform && points == 0)
  {
    return;
  }
  CPLErrorReset();
  GDALDatasetUniquePtr to(GDALDataset::Open(target.c_str(), GDAL_OF_RASTER | GDAL_OF_UPDATE));
  if (!to)
  {
    // A format without update keeps the grid in the file's .aux.xml.
    CPLErrorReset();
    to.reset(GDALDataset::Open(target.c_str(), GDAL_OF_RASTER));
  }
  if (!to)
  {
    throw hud::FileError(target + ": cannot be opened: " + CPLGetLastErrorMsg());
  }
  if (hasTransform)
  {
    transform[0] += column * transform[1] + row * transform[2];
    transform[3] += column * transform[4] + row * transform[5];
    for (const std::size_t step : {1, 2, 4, 5})
    {
      transform[step] /= scale;
    }
    to->SetGeoTransform(transform.data());
    if (from->GetSpatialRef() != nullptr)
    {
      to->SetSpatialRef(from->GetSpatialRef());
    }
  }
  else
  {
    GDAL_GCP* const moved = GDALDuplicateGCPs(points, from->GetGCPs());
    for (int i = 0; i < points; ++i)
    {
      moved[i].dfGCPPixel = (moved[i].dfGCPPixel - column) * scale;
      moved[i].dfGCPLine = (moved[i].dfGCPLine - row) * scale;
    }
    to->SetGCPs(points, moved, from->GetGCPSpatialRef());
    GDALDeinitGCPs(points, moved);
    CPLFree(moved);
  }
  to.reset();
  if (CPLGetLastErrorType() >= CE_Failure && CPLGetLastErrorNo() != CPLE_NotSupported)
  {
    throw hud::FileError(target + ": the grid cannot be written: " + CPLGetLastErrorMsg());
  }
}

} // namespace otb
