// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "Blas.h"

#ifdef HUD_USE_BLAS
#include <cblas.h>
#endif

namespace hud
{

#ifdef HUD_USE_BLAS

namespace
{

extern "C" {
// OpenBLAS's own; absent in another BLAS.
__attribute__((weak)) int openblas_get_num_threads();
__attribute__((weak)) void openblas_set_num_threads(int);
}

} // namespace

SerialBlas::SerialBlas()
{
  if (openblas_get_num_threads != nullptr && openblas_set_num_threads != nullptr)
  {
    m_Threads = openblas_get_num_threads();
    openblas_set_num_threads(1);
  }
}

SerialBlas::~SerialBlas()
{
  if (m_Threads > 0)
  {
    openblas_set_num_threads(m_Threads);
  }
}

void AddSelfProducts(const Eigen::MatrixXd& columns, Eigen::MatrixXd& sum)
{
  const auto rows = static_cast<int>(columns.rows());
  cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, rows, static_cast<int>(columns.cols()), 1., columns.data(), rows,
              1., sum.data(), rows);
}

void MultiplyTransposed(const Eigen::Ref<const Eigen::MatrixXf>& first, const Eigen::Ref<const Eigen::MatrixXf>& second,
                        Eigen::Ref<Eigen::MatrixXf> product)
{
  const auto inner = static_cast<int>(first.rows());
  cblas_sgemm(CblasColMajor, CblasTrans, CblasNoTrans, static_cast<int>(first.cols()), static_cast<int>(second.cols()),
              inner, 1.f, first.data(), inner, second.data(), inner, 0.f, product.data(),
              static_cast<int>(product.outerStride()));
}

#else

SerialBlas::SerialBlas() = default;
SerialBlas::~SerialBlas() = default;

void AddSelfProducts(const Eigen::MatrixXd& columns, Eigen::MatrixXd& sum)
{
  sum.selfadjointView<Eigen::Lower>().rankUpdate(columns);
}

void MultiplyTransposed(const Eigen::Ref<const Eigen::MatrixXf>& first, const Eigen::Ref<const Eigen::MatrixXf>& second,
                        Eigen::Ref<Eigen::MatrixXf> product)
{
  product.noalias() = first.transpose() * second;
}

#endif

} // namespace hud
