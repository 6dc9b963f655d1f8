// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <vector>

namespace hud
{

/// The product M Y of a small matrix and many spectra, summed in double precision and in the order of the bands, so that a
/// pixel's result does not depend on the pixels beside it. Thread-safe, and without threads of its own: filters call it in
/// several.
class SpectraProduct
{
public:
  /// @param matrix M, [rows x bands]
  explicit SpectraProduct(const Eigen::Ref<const Eigen::MatrixXd>& matrix);

  /// Writes M Y; allocates nothing.
  /// @param spectra Y, [bands x pixels]
  /// @param result [rows x pixels]
  /// @throws InvalidData when the shapes do not fit
  void Multiply(const Eigen::Ref<const Eigen::MatrixXf>& spectra, Eigen::Ref<Eigen::MatrixXd> result) const;

private:
  Eigen::Index m_Rows;
  Eigen::Index m_Bands;
  std::vector<double> m_Packed; ///< groups of rows, padded with zeros: [group][band][row of the group]
};

} // namespace hud
