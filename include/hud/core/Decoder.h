// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

namespace hud
{

/// The decoder of the unmixing autoencoder: abundances to spectra, Y = A X (the linear mixing model, eq. 1). Thread-safe.
class Decoder
{
public:
  /// @param endmembers A, [bands x d], finite
  explicit Decoder(const Eigen::MatrixXd& endmembers);

  Eigen::Index Bands() const;
  Eigen::Index Endmembers() const;

  /// Writes the spectra of the abundances.
  /// @param abundances X, [d x pixels]
  /// @param spectra Y, [bands x pixels]
  /// @throws InvalidData when the shapes do not fit
  void Decode(const Eigen::Ref<const Eigen::MatrixXf>& abundances, Eigen::Ref<Eigen::MatrixXf> spectra) const;

private:
  Eigen::MatrixXf m_Endmembers;
};

/// Returns the root mean square of Y - A X over all samples, in the unit of the spectra.
/// @param spectra Y, [bands x pixels]
/// @param endmembers A, [bands x d]
/// @param abundances X, [d x pixels]
/// @throws InvalidData when the shapes do not fit
double DecodeRmse(const Eigen::Ref<const Eigen::MatrixXf>& spectra, const Eigen::MatrixXd& endmembers,
                  const Eigen::Ref<const Eigen::MatrixXf>& abundances);

} // namespace hud
