// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <cstdint>

namespace hud
{

/// Settings of a synthetic scene with known truth.
struct SyntheticSceneOptions
{
  Eigen::Index m_Bands = 50;
  Eigen::Index m_Pixels = 1000;
  Eigen::Index m_Endmembers = 4;
  double m_SnrDecibel = 40.; ///< infinite: no noise
  bool m_PurePixels = true;  ///< the first d pixels hold one endmember each
  std::uint64_t m_Seed = 0;

  /// @throws InvalidOption
  void Check() const;
};

/// A scene made by the linear mixing model, with its truth.
struct SyntheticScene
{
  Eigen::MatrixXd m_Endmembers; ///< A, [bands x d], smooth, in 0.05..0.95
  Eigen::MatrixXf m_Abundances; ///< X, [d x pixels], uniform on the simplex
  Eigen::MatrixXf m_Spectra;    ///< Y, [bands x pixels]: A X plus white noise
};

/// Returns a synthetic scene; the same options give the same scene.
SyntheticScene MakeSyntheticScene(const SyntheticSceneOptions& options);

/// Returns the spectral angle between two spectra in radian, 0 to pi; pi/2 when one is zero, 0 when both are.
double SpectralAngle(const Eigen::VectorXd& first, const Eigen::VectorXd& second);

} // namespace hud
