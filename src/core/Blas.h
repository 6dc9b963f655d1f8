// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

namespace hud
{

/// Keeps OpenBLAS from starting threads of its own, while it lives; does nothing for another BLAS, or without one.
class SerialBlas
{
public:
  SerialBlas();
  ~SerialBlas();
  SerialBlas(const SerialBlas&) = delete;
  SerialBlas& operator=(const SerialBlas&) = delete;

private:
  int m_Threads = 0;
};

/// Adds y y^T of each column to the lower triangle of a matrix, with BLAS where there is one.
/// @param columns [n x any], stored without gaps
/// @param sum [n x n], stored without gaps
void AddSelfProducts(const Eigen::MatrixXd& columns, Eigen::MatrixXd& sum);

/// Writes first^T second, with BLAS where there is one. Thread-safe while a SerialBlas lives.
/// @param first [n x a], stored without gaps, as the others
/// @param second [n x b]
/// @param product [a x b]
void MultiplyTransposed(const Eigen::Ref<const Eigen::MatrixXf>& first, const Eigen::Ref<const Eigen::MatrixXf>& second,
                        Eigen::Ref<Eigen::MatrixXf> product);

} // namespace hud
