// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "SpectralRaster.h"

#include "hud/core/Error.h"

#include <cpl_error.h>
#include <gdal_priv.h>

#include <algorithm>
#include <cstdint>

namespace hud::bench
{

namespace
{

using Flags = Eigen::Array<bool, 1, Eigen::Dynamic>;

/// Returns where a band, counted from 0, holds the no-data value that it declares, [pixels].
Flags FindNoData(GDALDataset& dataset, Eigen::Index band, const Eigen::MatrixXf& pixels)
{
  int declared = 0;
  const double value = dataset.GetRasterBand(static_cast<int>(band) + 1)->GetNoDataValue(&declared);
  if (declared == 0)
  {
    return Flags::Constant(pixels.cols(), false);
  }
  return pixels.row(band).array() == static_cast<float>(value);
}

/// Sets the bands that hold no-data in all pixels to 0, and returns the number of no-data pixels in the others.
Eigen::Index ClearNoData(GDALDataset& dataset, Eigen::MatrixXf& spectra)
{
  Flags missing = Flags::Constant(spectra.cols(), false);
  for (Eigen::Index band = 0; band < spectra.rows(); ++band)
  {
    const Flags missingInBand = FindNoData(dataset, band, spectra);
    if (missingInBand.all())
    {
      spectra.row(band).setZero();
    }
    else
    {
      missing = missing || missingInBand;
    }
  }
  return missing.count();
}

/// Opens a raster that has a band.
/// @throws FileError
GDALDatasetUniquePtr OpenRaster(const std::string& path)
{
  GDALAllRegister();
  CPLPushErrorHandler(CPLQuietErrorHandler);
  CPLErrorReset();
  GDALDatasetUniquePtr dataset(
      GDALDataset::Open(path.c_str(), GDAL_OF_RASTER | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR));
  CPLPopErrorHandler();
  if (!dataset)
  {
    throw FileError(path + " cannot be opened: " + CPLGetLastErrorMsg());
  }
  if (dataset->GetRasterCount() < 1)
  {
    throw FileError(path + " has no band");
  }
  return dataset;
}

/// Returns all pixels row by row, [bands x pixels].
/// @throws FileError
Eigen::MatrixXf ReadPixels(GDALDataset& dataset, const std::string& path)
{
  const int width = dataset.GetRasterXSize();
  const int height = dataset.GetRasterYSize();
  const int bands = dataset.GetRasterCount();
  Eigen::MatrixXf pixels(bands, static_cast<Eigen::Index>(width) * height);
  const auto pixelBytes = static_cast<GSpacing>(sizeof(float)) * bands;
  const CPLErr status =
      dataset.RasterIO(GF_Read, 0, 0, width, height, pixels.data(), width, height, GDT_Float32, bands, nullptr,
                       pixelBytes, pixelBytes * width, static_cast<GSpacing>(sizeof(float)), nullptr);
  if (status != CE_None)
  {
    throw FileError(path + " cannot be read: " + CPLGetLastErrorMsg());
  }
  return pixels;
}

} // namespace

SpectralImage ReadSpectralRaster(const std::string& path)
{
  const GDALDatasetUniquePtr dataset = OpenRaster(path);
  SpectralImage image{dataset->GetRasterXSize(), dataset->GetRasterYSize(), ReadPixels(*dataset, path)};
  if (!image.m_Spectra.allFinite())
  {
    throw InvalidData(path + " holds values that are not finite");
  }
  const Eigen::Index missing = ClearNoData(*dataset, image.m_Spectra);
  if (missing > 0)
  {
    throw InvalidData(path + " holds " + std::to_string(missing) + " no-data pixels, expected none");
  }
  return image;
}

AbundanceMap ReadAbundanceRaster(const std::string& path)
{
  const GDALDatasetUniquePtr dataset = OpenRaster(path);
  AbundanceMap map{dataset->GetRasterXSize(), dataset->GetRasterYSize(), ReadPixels(*dataset, path), {}};
  const Eigen::MatrixXf& pixels = map.m_Abundances;
  Flags missing = !pixels.array().isFinite().colwise().all() || (pixels.array() == 0.f).colwise().all();
  for (Eigen::Index band = 0; band < pixels.rows(); ++band)
  {
    missing = missing || FindNoData(*dataset, band, pixels);
  }
  map.m_Valid.resize(static_cast<std::size_t>(pixels.cols()));
  std::transform(missing.begin(), missing.end(), map.m_Valid.begin(),
                 [](bool isMissing) { return static_cast<std::uint8_t>(!isMissing); });
  return map;
}

} // namespace hud::bench
