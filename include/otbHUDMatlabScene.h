// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <cstddef>
#include <memory>
#include <string>

namespace otb
{

/// A scene in a MATLAB file of version 5 or 7.3: an array of rows, columns and bands, as MATLAB shows it.
class HUDMatlabScene
{
public:
  /// Returns whether an HDF5 file is one of MATLAB's: behind a header of 512 bytes, unless it has the groups of a product
  /// (HDFEOS); or, as other programs write it, without the header but with arrays of MATLAB's.
  static bool IsHdf5Scene(const std::string& path);

  /// Opens the array of that name, or, without a name, the only real, numeric array of three dimensions.
  /// @param memory bytes that ReadRows may use; it reads parts of what is asked for when that is less
  /// @throws hud::FileError, hud::InvalidData, hud::InvalidOption that name the file and its arrays
  HUDMatlabScene(const std::string& path, const std::string& name, std::size_t memory);
  ~HUDMatlabScene();

  HUDMatlabScene(const HUDMatlabScene&) = delete;
  HUDMatlabScene& operator=(const HUDMatlabScene&) = delete;

  /// Returns the name of the array.
  const std::string& Name() const;

  Eigen::Index Width() const;
  Eigen::Index Height() const;
  Eigen::Index Bands() const;

  /// Reads rows. Numbers of any type become the nearest float; what is not finite then is kHUDNoDataValue.
  /// @param row of the first, counted from 0
  /// @param pixels [bands x width * rows]
  /// @throws hud::FileError that names the file
  void ReadRows(Eigen::Index row, Eigen::Ref<Eigen::MatrixXf> pixels) const;

private:
  struct Implementation;
  std::unique_ptr<Implementation> m_Implementation;
};

} // namespace otb
