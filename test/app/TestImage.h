// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <gdal_priv.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace hud::test
{

/// An image as GDAL sees it.
struct TestImage
{
  int m_Width = 0;
  int m_Height = 0;
  Eigen::MatrixXf m_Pixels; ///< [bands x width * height], row by row
  std::optional<double> m_NoData;
};

using Dataset = std::unique_ptr<GDALDataset, void (*)(GDALDataset*)>;

inline void WriteImage(const std::filesystem::path& path, const TestImage& image,
                       const std::vector<double>& wavelengths = {}, GDALDataType type = GDT_Float32)
{
  GDALAllRegister();
  const int bands = static_cast<int>(image.m_Pixels.rows());
  const char* options[] = {"INTERLEAVE=PIXEL", nullptr};
  Dataset dataset(GetGDALDriverManager()->GetDriverByName("GTiff")->Create(path.c_str(), image.m_Width, image.m_Height,
                                                                           bands, type, const_cast<char**>(options)),
                  [](GDALDataset* open) { GDALClose(open); });
  for (int band = 0; band < bands; ++band)
  {
    if (image.m_NoData)
    {
      dataset->GetRasterBand(band + 1)->SetNoDataValue(*image.m_NoData);
    }
    if (!wavelengths.empty())
    {
      const std::string text = std::to_string(wavelengths[static_cast<std::size_t>(band)]);
      dataset->GetRasterBand(band + 1)->SetMetadataItem("wavelength", text.c_str());
    }
  }
  if (dataset->RasterIO(GF_Write, 0, 0, image.m_Width, image.m_Height, const_cast<float*>(image.m_Pixels.data()),
                        image.m_Width, image.m_Height, GDT_Float32, bands, nullptr, 4 * bands,
                        GSpacing(4) * bands * image.m_Width, 4, nullptr) != CE_None)
  {
    throw std::runtime_error("cannot write " + path.string());
  }
}

inline Dataset OpenImage(const std::filesystem::path& path)
{
  GDALAllRegister();
  Dataset dataset(GDALDataset::Open(path.c_str(), GDAL_OF_RASTER), [](GDALDataset* open) { GDALClose(open); });
  if (!dataset)
  {
    throw std::runtime_error("cannot open " + path.string());
  }
  return dataset;
}

inline TestImage ReadImage(const std::filesystem::path& path)
{
  const Dataset dataset = OpenImage(path);
  const int bands = dataset->GetRasterCount();
  TestImage image;
  image.m_Width = dataset->GetRasterXSize();
  image.m_Height = dataset->GetRasterYSize();
  image.m_Pixels.resize(bands, Eigen::Index(image.m_Width) * image.m_Height);
  int hasNoData = 0;
  const double noData = dataset->GetRasterBand(1)->GetNoDataValue(&hasNoData);
  if (hasNoData != 0)
  {
    image.m_NoData = noData;
  }
  if (dataset->RasterIO(GF_Read, 0, 0, image.m_Width, image.m_Height, image.m_Pixels.data(), image.m_Width,
                        image.m_Height, GDT_Float32, bands, nullptr, 4 * bands, GSpacing(4) * bands * image.m_Width, 4,
                        nullptr) != CE_None)
  {
    throw std::runtime_error("cannot read " + path.string());
  }
  return image;
}

} // namespace hud::test
