// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/BandJoin.h"
#include "hud/core/NamedValue.h"

#include <Eigen/Core>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace otb
{

/// What becomes of samples that the product's error matrix flags: defective, saturated, negative after the atmospheric
/// correction, and the like.
enum class HUDFlaggedSamples
{
  NoData,      ///< they are no-data, the pixel's other bands keep their values
  NoDataPixel, ///< all bands of the pixel are no-data
  Keep         ///< they keep their values
};

constexpr std::array<hud::NamedValue<HUDFlaggedSamples>, 3> kHUDFlaggedSamples = {
    {{"sample", HUDFlaggedSamples::NoData},
     {"pixel", HUDFlaggedSamples::NoDataPixel},
     {"keep", HUDFlaggedSamples::Keep}}};

/// The UTM grid of a product, pixels of 30 m, north up.
struct HUDUtmGrid
{
  double m_Left = 0.; ///< easting of the centre of the first pixel, metre
  double m_Top = 0.;  ///< northing of the centre of the first pixel, metre
  int m_Epsg = 0;
};

/// Where the pixels of an image are.
struct HUDLocations
{
  Eigen::MatrixXd m_Latitude;  ///< [width x height], degree; NaN: unknown
  Eigen::MatrixXd m_Longitude; ///< likewise
};

/// A hyperspectral product of PRISMA, of level L1, L2B, L2C or L2D (HDF-EOS5), as an image north up. Whether the rows or the
/// columns of the stored arrays go south, and in which direction, is decided from its latitudes and longitudes. The file is
/// only read, and what it is called does not matter.
class HUDPrismaProduct
{
public:
  /// Opens a product and checks all that it says of itself.
  /// @param memory bytes that ReadRows may use; it reads parts of what is asked for when that is less
  /// @throws hud::FileError, hud::InvalidData that name the file and what is missing or wrong
  HUDPrismaProduct(const std::string& path, std::size_t memory);
  ~HUDPrismaProduct();

  HUDPrismaProduct(const HUDPrismaProduct&) = delete;
  HUDPrismaProduct& operator=(const HUDPrismaProduct&) = delete;

  Eigen::Index Width() const;
  Eigen::Index Height() const;

  /// Returns "1", "2B", "2C" or "2D".
  const std::string& Level() const;

  /// Returns the product's name for what it is, such as "PRS_L2D_STD"; empty when it has none.
  const std::string& ProductId() const;

  /// Returns the start of the acquisition, UTC, as in 2020-10-02T19:37:10.216000Z; empty when unknown.
  const std::string& AcquisitionTime() const;

  /// Returns the scene's mean angles in degree, if the product has them.
  std::optional<double> SunZenith() const;
  std::optional<double> SunAzimuth() const;

  /// Returns "W m-2 sr-1 um-1" for radiance (L1, L2B), "reflectance" otherwise.
  std::string Units() const;

  /// Returns the bands that hold data: flagged as used, with a wavelength.
  const std::vector<hud::SpectrometerBand>& VnirBands() const;
  const std::vector<hud::SpectrometerBand>& SwirBands() const;

  /// Returns the grid of an L2D.
  const std::optional<HUDUtmGrid>& Grid() const;

  /// Returns what was odd, but did not keep the product from being read.
  const std::vector<std::string>& Warnings() const;

  /// Reads where the pixels are.
  HUDLocations ReadLocations() const;

  /// Chooses what ReadRows reads.
  /// @param bands of VnirBands and SwirBands, in any order
  void SelectBands(std::vector<hud::SpectrometerBand> bands, HUDFlaggedSamples flagged);

  /// Reads rows of the selected bands in physical units. A pixel whose used bands are all 0 in the product lies beyond the
  /// swath: all its bands are kHUDNoDataValue.
  /// @param row of the first, counted from 0
  /// @param pixels [selected bands x width * rows]
  /// @throws hud::FileError that names the file
  void ReadRows(Eigen::Index row, Eigen::Ref<Eigen::MatrixXf> pixels) const;

  /// Returns for each selected band the share of pixels with data in which it is no-data, 0 to 1, in a sample of the rows.
  std::vector<double> EstimateFlaggedShares() const;

private:
  struct Implementation;
  std::unique_ptr<Implementation> m_Implementation;
};

} // namespace otb
