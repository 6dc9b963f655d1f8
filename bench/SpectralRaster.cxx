// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "SpectralRaster.h"

#include "hud/core/Error.h"

#include <cpl_error.h>
#include <gdal_priv.h>

namespace hud::bench
{

namespace
{

/// Sets the bands that hold no-data in all pixels to 0, and returns the number of no-data pixels in the others.
Eigen::Index ClearNoData(GDALDataset& dataset, Eigen::MatrixXf& spectra)
{
  using Flags = Eigen::Array<bool, 1, Eigen::Dynamic>;
  Flags missing = Flags::Constant(spectra.cols(), false);
  for (Eigen::Index band = 0; band < spectra.rows(); ++band)
  {
    int declared = 0;
    const double value = dataset.GetRasterBand(static_cast<int>(band) + 1)->GetNoDataValue(&declared);
    if (declared == 0)
    {
      continue;
    }
    const Flags missingInBand = spectra.row(band).array() == static_cast<float>(value);
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

} // namespace

SpectralImage ReadSpectralRaster(const std::string& path)
{
  GDALAllRegister();
  CPLPushErrorHandler(CPLQuietErrorHandler);
  CPLErrorReset();
  const GDALDatasetUniquePtr dataset(
      GDALDataset::Open(path.c_str(), GDAL_OF_RASTER | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR));
  CPLPopErrorHandler();
  if (!dataset)
  {
    throw FileError(path + " cannot be opened: " + CPLGetLastErrorMsg());
  }
  const int width = dataset->GetRasterXSize();
  const int height = dataset->GetRasterYSize();
  const int bands = dataset->GetRasterCount();
  if (bands < 1)
  {
    throw FileError(path + " has no band");
  }

  SpectralImage image;
  image.m_Width = width;
  image.m_Height = height;
  image.m_Spectra.resize(bands, image.m_Width * image.m_Height);
  const auto pixelBytes = static_cast<GSpacing>(sizeof(float)) * bands;
  const CPLErr status =
      dataset->RasterIO(GF_Read, 0, 0, width, height, image.m_Spectra.data(), width, height, GDT_Float32, bands,
                        nullptr, pixelBytes, pixelBytes * width, static_cast<GSpacing>(sizeof(float)), nullptr);
  if (status != CE_None)
  {
    throw FileError(path + " cannot be read: " + CPLGetLastErrorMsg());
  }
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

} // namespace hud::bench
