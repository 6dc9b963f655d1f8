// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/SimplexProjection.h"

#include "hud/core/Error.h"
#include "hud/core/NamedValue.h"

#include <cmath>

namespace hud
{

namespace
{

constexpr std::array<NamedValue<ProjectionKind>, 3> kProjections = {
    {{"log", ProjectionKind::Log}, {"clr", ProjectionKind::Clr}, {"ilr", ProjectionKind::Ilr}}};

/// Single precision rounds abundances, so that a ratio of them can lie outside its bounds by less than this share.
constexpr double kRoom = 1. + 1e-6;

/// Returns Helmert's basis of the vectors of sum 0, [d x d-1].
Eigen::MatrixXd HelmertBasis(Eigen::Index d)
{
  Eigen::MatrixXd basis = Eigen::MatrixXd::Zero(d, d - 1);
  for (Eigen::Index column = 0; column < d - 1; ++column)
  {
    const double j = static_cast<double>(column + 1);
    const double scale = std::sqrt(j / (j + 1.));
    basis.col(column).head(column + 1).setConstant(scale / j);
    basis(column + 1, column) = -scale;
  }
  return basis;
}

} // namespace

ProjectionKind ParseProjectionKind(const std::string& name)
{
  return ParseNamedValue(kProjections, name, "projection");
}

std::string ToString(ProjectionKind kind)
{
  return NameOf(kProjections, kind);
}

SimplexProjection::SimplexProjection(ProjectionKind kind, Eigen::Index endmembers, double floor)
  : m_Kind(kind), m_Endmembers(endmembers), m_Offset(std::exp(-floor) / static_cast<double>(endmembers))
{
  if (endmembers < 2)
  {
    throw InvalidOption("the number of endmembers is " + std::to_string(endmembers) + ", expected at least 2");
  }
  if (!(floor >= 1. && floor <= 20.))
  {
    throw InvalidOption("the projection's floor is " + std::to_string(floor) + ", expected 1 to 20");
  }
  if (kind == ProjectionKind::Ilr)
  {
    m_Basis = HelmertBasis(endmembers);
  }
}

Eigen::Index SimplexProjection::Endmembers() const
{
  return m_Endmembers;
}

Eigen::Index SimplexProjection::Channels() const
{
  return m_Kind == ProjectionKind::Ilr ? m_Endmembers - 1 : m_Endmembers;
}

void SimplexProjection::CheckShapes(const Eigen::Ref<const Eigen::MatrixXf>& abundances,
                                    const Eigen::Ref<const Eigen::MatrixXf>& projected) const
{
  if (abundances.rows() != m_Endmembers || projected.rows() != Channels() || abundances.cols() != projected.cols())
  {
    const auto text = [](const Eigen::Ref<const Eigen::MatrixXf>& matrix, const char* rows) {
      return std::to_string(matrix.rows()) + rows + std::to_string(matrix.cols()) + " pixels";
    };
    throw InvalidData("found abundances of " + text(abundances, " endmembers, ") + ", and coordinates of " +
                      text(projected, " channels, ") + ", expected " + std::to_string(m_Endmembers) + " endmembers, " +
                      std::to_string(Channels()) + " channels and the same pixels");
  }
}

void SimplexProjection::Project(const Eigen::Ref<const Eigen::MatrixXf>& abundances,
                                Eigen::Ref<Eigen::MatrixXf> projected) const
{
  CheckShapes(abundances, projected);
  if (m_Kind == ProjectionKind::Log)
  {
    projected = (abundances.cast<double>().array() + m_Offset).log().cast<float>();
    return;
  }
  for (Eigen::Index pixel = 0; pixel < projected.cols(); ++pixel)
  {
    projected.col(pixel) = FromLogarithms((abundances.col(pixel).cast<double>().array() + m_Offset).log());
  }
}

Eigen::VectorXf SimplexProjection::FromLogarithms(const Eigen::VectorXd& logarithms) const
{
  switch (m_Kind)
  {
  case ProjectionKind::Clr:
    return (logarithms.array() - logarithms.mean()).cast<float>();
  case ProjectionKind::Ilr:
    return (m_Basis.transpose() * logarithms).cast<float>();
  default:
    return logarithms.cast<float>();
  }
}

Eigen::ArrayXd SimplexProjection::Softmax(const Eigen::Ref<const Eigen::VectorXf>& projected) const
{
  Eigen::VectorXd z = projected.cast<double>();
  if (m_Kind == ProjectionKind::Ilr)
  {
    z = m_Basis * z;
  }
  const Eigen::ArrayXd exponential = (z.array() - z.maxCoeff()).exp(); // without overflow
  return exponential / exponential.sum();
}

void SimplexProjection::Unproject(const Eigen::Ref<const Eigen::MatrixXf>& projected,
                                  Eigen::Ref<Eigen::MatrixXf> abundances) const
{
  CheckShapes(abundances, projected);
  for (Eigen::Index pixel = 0; pixel < projected.cols(); ++pixel)
  {
    abundances.col(pixel) = Softmax(projected.col(pixel)).matrix().cast<float>();
  }
}

void SimplexProjection::UnprojectExactly(const Eigen::Ref<const Eigen::MatrixXf>& projected,
                                         Eigen::Ref<Eigen::MatrixXf> abundances) const
{
  CheckShapes(abundances, projected);
  const double total = 1. + m_Offset * static_cast<double>(m_Endmembers);
  for (Eigen::Index pixel = 0; pixel < projected.cols(); ++pixel)
  {
    // At least one value is above 1/d, so the sum is positive.
    const Eigen::ArrayXd unbiased = (Softmax(projected.col(pixel)) * total - m_Offset).max(0.);
    abundances.col(pixel) = (unbiased / unbiased.sum()).matrix().cast<float>();
  }
}

void SimplexProjection::MatchMean(Eigen::Ref<Eigen::MatrixXf> projected,
                                  const Eigen::Ref<const Eigen::VectorXf>& mean) const
{
  constexpr int kRounds = 5;
  if (projected.rows() != Channels() || projected.cols() == 0 || mean.size() != m_Endmembers)
  {
    throw InvalidData("found coordinates of " + std::to_string(projected.rows()) + " channels and " +
                      std::to_string(projected.cols()) + " pixels, and " + std::to_string(mean.size()) +
                      " mean abundances, expected " + std::to_string(Channels()) + " channels, at least 1 pixel and " +
                      std::to_string(m_Endmembers) + " means");
  }
  // Shares are (X + floor) over their sum, so that none is 0, and their mean is that of X likewise.
  const double total = 1. + m_Offset * static_cast<double>(m_Endmembers);
  const Eigen::ArrayXd target = (mean.cast<double>().array() + m_Offset) / total;
  Eigen::ArrayXXd shares(m_Endmembers, projected.cols());
  for (Eigen::Index pixel = 0; pixel < projected.cols(); ++pixel)
  {
    shares.col(pixel) = Softmax(projected.col(pixel)).max(1e-30); // as a share that underflows could not be scaled
  }
  for (int round = 0; round < kRounds; ++round)
  {
    shares.colwise() *= (target / shares.rowwise().mean()).eval();
    shares.rowwise() /= shares.colwise().sum().eval();
  }
  for (Eigen::Index pixel = 0; pixel < projected.cols(); ++pixel)
  {
    projected.col(pixel) = FromLogarithms((shares.col(pixel) * total).log());
  }
}

Eigen::VectorXd SimplexProjection::LowerBounds() const
{
  const double logZero = std::log(m_Offset);
  if (m_Kind == ProjectionKind::Log)
  {
    return Eigen::VectorXd::Constant(Channels(), logZero);
  }
  if (m_Kind == ProjectionKind::Clr)
  {
    // No share of this endmember, the same of all others: their logarithms have the largest sum.
    const double others = static_cast<double>(m_Endmembers - 1);
    const double mean = (logZero + others * std::log(1. / others + m_Offset)) / static_cast<double>(m_Endmembers);
    return Eigen::VectorXd::Constant(Channels(), kRoom * (logZero - mean));
  }
  // All of endmember j + 1, and sqrt(j / (j + 1)) is on the basis.
  return kRoom * (std::log(1. + m_Offset) - logZero) * m_Basis.diagonal<-1>();
}

Eigen::VectorXd SimplexProjection::UpperBounds() const
{
  const double logZero = std::log(m_Offset);
  const double logOne = std::log(1. + m_Offset); // as Project rounds it
  if (m_Kind == ProjectionKind::Log)
  {
    return Eigen::VectorXd::Constant(Channels(), logOne);
  }
  if (m_Kind == ProjectionKind::Clr)
  {
    // All of this endmember.
    const double d = static_cast<double>(m_Endmembers);
    return Eigen::VectorXd::Constant(Channels(), kRoom * (logOne - (logOne + (d - 1.) * logZero) / d));
  }
  // The same share of the endmembers 1 to j, none of j + 1.
  const Eigen::ArrayXd j = Eigen::ArrayXd::LinSpaced(Channels(), 1., static_cast<double>(Channels()));
  return kRoom * (j / (j + 1.)).sqrt() * ((j.inverse() + m_Offset).log() - logZero);
}

} // namespace hud
