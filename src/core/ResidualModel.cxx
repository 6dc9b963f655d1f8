// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/ResidualModel.h"

#include "SpectraProduct.h"

#include "hud/core/Error.h"
#include "hud/core/LeastSquares.h"
#include "hud/core/Random.h"

#include <Eigen/Eigenvalues>

#include <cmath>
#include <sstream>
#include <string>

namespace hud
{

namespace
{

/// Eigenvalues below this share of the largest one are rounding: single precision does not show their deviation.
constexpr double kLeastEigenvalue = 1e-12;

/// A negative eigenvalue beyond this share of the largest one is no rounding.
constexpr double kLargestNegative = 1e-6;

/// Returns F with F F^T the covariance, [bands x rank], the strongest component first.
/// @throws InvalidData when there is none
Eigen::MatrixXd Factor(const Eigen::MatrixXd& covariance)
{
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance);
  const Eigen::VectorXd& eigenvalues = solver.eigenvalues();
  const double largest = eigenvalues.cwiseAbs().maxCoeff();
  if (eigenvalues.minCoeff() < -kLargestNegative * largest)
  {
    std::ostringstream message;
    message << "the residual's covariance has eigenvalues from " << eigenvalues.minCoeff() << " to "
            << eigenvalues.maxCoeff() << ", expected none below 0";
    throw InvalidData(message.str());
  }
  const Eigen::Index rank = (eigenvalues.array() > kLeastEigenvalue * largest).count();
  return solver.eigenvectors().rightCols(rank).rowwise().reverse() *
         eigenvalues.tail(rank).reverse().cwiseSqrt().asDiagonal();
}

} // namespace

ResidualEstimator::ResidualEstimator(const Eigen::Ref<const Eigen::MatrixXd>& endmembers)
  : m_Endmembers(endmembers), m_Sum(Eigen::VectorXd::Zero(endmembers.rows())),
    m_Products(Eigen::MatrixXd::Zero(endmembers.rows(), endmembers.rows()))
{
  if (!endmembers.allFinite())
  {
    throw InvalidData("the endmembers hold values that are not finite");
  }
}

void ResidualEstimator::Add(const Eigen::Ref<const Eigen::MatrixXf>& spectra,
                            const Eigen::Ref<const Eigen::MatrixXf>& abundances)
{
  if (spectra.rows() != m_Endmembers.rows() || abundances.rows() != m_Endmembers.cols() ||
      spectra.cols() != abundances.cols())
  {
    throw InvalidData("found spectra of " + std::to_string(spectra.rows()) + " bands, " +
                      std::to_string(spectra.cols()) + " pixels, and abundances of " +
                      std::to_string(abundances.rows()) + " endmembers, " + std::to_string(abundances.cols()) +
                      " pixels, expected " + std::to_string(m_Endmembers.rows()) + " bands, " +
                      std::to_string(m_Endmembers.cols()) + " endmembers and the same pixels");
  }
  if (!spectra.allFinite() || !abundances.allFinite())
  {
    throw InvalidData("spectra or abundances of " + std::to_string(spectra.cols()) +
                      " pixels hold values that are not finite");
  }
  const Eigen::MatrixXd residual = spectra.cast<double>() - m_Endmembers * abundances.cast<double>();
  m_Pixels += residual.cols();
  m_Sum += residual.rowwise().sum();
  m_Products.selfadjointView<Eigen::Lower>().rankUpdate(residual);
}

ResidualModel ResidualEstimator::Model() const
{
  if (m_Pixels < 2)
  {
    throw InvalidData("the residual of a scene was asked for after " + std::to_string(m_Pixels) +
                      " pixels, expected at least 2");
  }
  const double pixels = static_cast<double>(m_Pixels);
  ResidualModel model;
  model.m_Mean = m_Sum / pixels;
  model.m_Covariance = m_Products.selfadjointView<Eigen::Lower>();
  model.m_Covariance = (model.m_Covariance - model.m_Mean * m_Sum.transpose()) / (pixels - 1.);
  return model;
}

ResidualModel EstimateResidualModel(const SpectraSource& source, const Eigen::MatrixXd& endmembers)
{
  const Encoder encoder(endmembers, EncoderKind::Fcls);
  ResidualEstimator estimator(endmembers);
  source.Visit([&](const Eigen::Ref<const Eigen::MatrixXf>& spectra) {
    Eigen::MatrixXf abundances(endmembers.cols(), spectra.cols());
    encoder.Encode(spectra, abundances);
    estimator.Add(spectra, abundances);
  });
  return estimator.Model();
}

ResidualNoise::ResidualNoise(const ResidualModel& model, std::uint64_t seed, double amount)
  : m_Seed(seed), m_Mean(amount * model.m_Mean)
{
  const Eigen::Index bands = model.m_Mean.size();
  if (bands < 1 || model.m_Covariance.rows() != bands || model.m_Covariance.cols() != bands)
  {
    throw InvalidData("the residual's mean has " + std::to_string(bands) + " bands and its covariance " +
                      std::to_string(model.m_Covariance.rows()) + " x " + std::to_string(model.m_Covariance.cols()) +
                      ", expected the same number, at least 1");
  }
  if (!model.m_Mean.allFinite() || !model.m_Covariance.allFinite())
  {
    throw InvalidData("the residual's mean or covariance of " + std::to_string(bands) +
                      " bands holds values that are not finite");
  }
  if (!(amount >= 0.) || std::isinf(amount))
  {
    throw InvalidOption("the amount of the residual is " + std::to_string(amount) + ", expected 0 or more");
  }
  const Eigen::MatrixXd factor = amount * Factor(model.m_Covariance);
  m_Rank = factor.cols();
  m_Factor = std::make_shared<SpectraProduct>(factor);
}

void ResidualNoise::Draw(Eigen::Index x, Eigen::Index y, Eigen::Ref<Eigen::MatrixXf> residuals) const
{
  if (residuals.rows() != m_Mean.size())
  {
    throw InvalidData("residuals of " + std::to_string(residuals.rows()) + " bands from a model of " +
                      std::to_string(m_Mean.size()) + " bands");
  }
  const Random random(m_Seed, RandomStream::ResidualNoise);
  Eigen::MatrixXf normal(m_Rank, residuals.cols());
  for (Eigen::Index i = 0; i < normal.cols(); ++i)
  {
    random.FillNormal(static_cast<std::uint32_t>(y), static_cast<std::uint32_t>(x + i), normal.col(i).data(),
                      static_cast<std::size_t>(m_Rank));
  }
  Eigen::MatrixXd sum(residuals.rows(), residuals.cols());
  m_Factor->Multiply(normal, sum);
  residuals = (sum.colwise() + m_Mean).cast<float>();
}

} // namespace hud
