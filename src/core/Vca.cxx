// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/Vca.h"

#include "hud/core/Error.h"
#include "hud/core/Random.h"

#include <Eigen/Eigenvalues>
#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace hud
{

namespace
{

/// Eigenvalues in descending order with their eigenvectors.
struct Eigenpairs
{
  Eigen::VectorXd m_Values;
  Eigen::MatrixXd m_Vectors;
};

Eigenpairs LeadingEigenvectors(const Eigen::MatrixXd& symmetric, Eigen::Index count)
{
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(symmetric);
  Eigenpairs leading;
  leading.m_Values = solver.eigenvalues().tail(count).reverse();
  leading.m_Vectors = solver.eigenvectors().rightCols(count).rowwise().reverse();
  return leading;
}

/// @throws InvalidData when the last of the d leading directions holds no more than rounding noise
/// @param power of the scene, to tell rounding in the covariance of a constant scene from signal
void CheckRank(const Eigenpairs& leading, double power, Eigen::Index endmembers)
{
  if (leading.m_Values.tail(1).value() <= std::max(1e-12 * leading.m_Values(0), 1e-14 * power))
  {
    throw InvalidData("the scene's spectra span fewer than the " + std::to_string(endmembers) +
                      " dimensions that as many endmembers need; ask for fewer endmembers");
  }
}

/// One run's search for vertices.
class VertexSearch
{
public:
  VertexSearch(Eigen::Index endmembers, Eigen::Index bands, const VcaOptions& options, std::uint32_t run)
    : m_Seed(options.m_Seed), m_Run(run), m_Vertices(Eigen::MatrixXd::Zero(endmembers, endmembers)),
      m_Spectra(bands, endmembers)
  {
    m_Vertices(endmembers - 1, 0) = 1.; // the first direction is orthogonal to the last axis, as published
  }

  /// Draws a direction orthogonal to the vertices found so far.
  void Begin()
  {
    const Eigen::Index d = m_Vertices.rows();
    Eigen::VectorXf normal(d);
    Random(m_Seed, RandomStream::VcaDirection)
        .FillNormal(m_Run, static_cast<std::uint32_t>(m_Pixels.size()), normal.data(), static_cast<std::size_t>(d));
    const Eigen::Index found = std::max<Eigen::Index>(static_cast<Eigen::Index>(m_Pixels.size()), 1);
    const Eigen::MatrixXd vertices = m_Vertices.leftCols(found);
    m_Direction = normal.cast<double>();
    m_Direction -= vertices * vertices.completeOrthogonalDecomposition().solve(m_Direction);
    m_Direction.normalize();
    m_Largest = -1.;
  }

  /// Looks for the pixel farthest along the direction.
  void Consider(const Eigen::MatrixXd& coordinates, const Eigen::Ref<const Eigen::MatrixXf>& spectra,
                Eigen::Index firstPixel)
  {
    Eigen::Index farthest = 0;
    const double distance = (m_Direction.transpose() * coordinates).cwiseAbs().maxCoeff(&farthest);
    if (distance > m_Largest)
    {
      m_Largest = distance;
      m_Pixel = firstPixel + farthest;
      m_Vertex = coordinates.col(farthest);
      m_Spectrum = spectra.col(farthest).cast<double>();
    }
  }

  /// Takes the farthest pixel as the next vertex.
  void End()
  {
    const auto found = static_cast<Eigen::Index>(m_Pixels.size());
    m_Vertices.col(found) = m_Vertex;
    m_Spectra.col(found) = m_Spectrum;
    m_Pixels.push_back(m_Pixel);
  }

  const std::vector<Eigen::Index>& Pixels() const
  {
    return m_Pixels;
  }

  const Eigen::MatrixXd& Spectra() const
  {
    return m_Spectra;
  }

private:
  std::uint64_t m_Seed;
  std::uint32_t m_Run;
  Eigen::MatrixXd m_Vertices; ///< [d x d], coordinates
  Eigen::MatrixXd m_Spectra;  ///< [bands x d]
  std::vector<Eigen::Index> m_Pixels;
  Eigen::VectorXd m_Direction;
  double m_Largest = -1.;
  Eigen::Index m_Pixel = 0;
  Eigen::VectorXd m_Vertex;
  Eigen::VectorXd m_Spectrum;
};

} // namespace

void VcaOptions::Check(Eigen::Index bands, Eigen::Index pixels) const
{
  const std::string found = "the number of endmembers is " + std::to_string(m_Endmembers) + ", expected ";
  if (m_Endmembers < 2)
  {
    throw InvalidOption(found + "at least 2");
  }
  if (m_Endmembers > bands)
  {
    throw InvalidOption(found + "at most the number of bands, " + std::to_string(bands));
  }
  if (m_Endmembers > pixels)
  {
    throw InvalidOption(found + "at most the number of valid pixels, " + std::to_string(pixels));
  }
}

double EstimateSnr(const SceneStatistics& statistics, Eigen::Index endmembers)
{
  const double power = statistics.Power();
  const double signal =
      LeadingEigenvectors(statistics.Covariance(), endmembers).m_Values.sum() + statistics.m_Mean.squaredNorm();
  const double share = static_cast<double>(endmembers) / static_cast<double>(statistics.m_Mean.size());
  if (power - signal <= 1e-14 * power)
  {
    return std::numeric_limits<double>::infinity();
  }
  // Noise fills all bands, so d of them hide a share of it inside the signal subspace.
  const double ratio = (signal - share * power) / (power - signal);
  return ratio > 0. ? 10. * std::log10(ratio) : -std::numeric_limits<double>::infinity();
}

double VcaSnrThreshold(Eigen::Index endmembers)
{
  return 15. + 10. * std::log10(static_cast<double>(endmembers));
}

VcaProjection::VcaProjection(const SpectraSource& source, const SceneStatistics& statistics, Eigen::Index endmembers,
                             VcaBranch branch)
  : m_Branch(branch)
{
  if (branch == VcaBranch::Projective)
  {
    const Eigenpairs leading = LeadingEigenvectors(statistics.m_Correlation, endmembers);
    CheckRank(leading, statistics.Power(), endmembers);
    m_Basis = leading.m_Vectors;
    m_Origin = Eigen::VectorXd::Zero(statistics.m_Mean.size());
    m_Mean = m_Basis.transpose() * statistics.m_Mean;
    return;
  }
  const Eigenpairs leading = LeadingEigenvectors(statistics.Covariance(), endmembers - 1);
  CheckRank(leading, statistics.Power(), endmembers);
  m_Basis = leading.m_Vectors;
  m_Origin = statistics.m_Mean;
  source.Visit([this](const Eigen::Ref<const Eigen::MatrixXf>& spectra) {
    const Eigen::MatrixXd scores = m_Basis.transpose() * (spectra.cast<double>().colwise() - m_Origin);
    m_Constant = std::max(m_Constant, scores.colwise().norm().maxCoeff());
  });
}

Eigen::MatrixXd VcaProjection::Project(const Eigen::Ref<const Eigen::MatrixXf>& spectra) const
{
  if (m_Branch == VcaBranch::Orthogonal)
  {
    Eigen::MatrixXd coordinates(m_Basis.cols() + 1, spectra.cols());
    coordinates.topRows(m_Basis.cols()).noalias() = m_Basis.transpose() * (spectra.cast<double>().colwise() - m_Origin);
    coordinates.bottomRows(1).setConstant(m_Constant);
    return coordinates;
  }
  Eigen::MatrixXd coordinates = m_Basis.transpose() * spectra.cast<double>();
  const Eigen::VectorXd scale = coordinates.transpose() * m_Mean;
  // A pixel orthogonal to the mean has no projection onto the plane; it can be no vertex.
  const double smallest = 1e-12 * m_Mean.squaredNorm();
  for (Eigen::Index pixel = 0; pixel < coordinates.cols(); ++pixel)
  {
    if (std::abs(scale(pixel)) > smallest)
    {
      coordinates.col(pixel) /= scale(pixel);
    }
    else
    {
      coordinates.col(pixel).setZero();
    }
  }
  return coordinates;
}

Eigen::VectorXd VcaProjection::Denoise(const Eigen::VectorXd& spectrum) const
{
  return m_Basis * (m_Basis.transpose() * (spectrum - m_Origin)) + m_Origin;
}

VcaResult ExtractVca(const SpectraSource& source, const VcaOptions& options)
{
  return ExtractVcaRuns(source, ComputeSceneStatistics(source), options, {0}).front();
}

std::vector<VcaResult> ExtractVcaRuns(const SpectraSource& source, const SceneStatistics& statistics,
                                      const VcaOptions& options, const std::vector<std::uint32_t>& runs)
{
  const Eigen::Index d = options.m_Endmembers;
  options.Check(source.Bands(), statistics.m_Pixels);
  const double snr = EstimateSnr(statistics, d);
  const VcaBranch branch =
      options.m_Branch.value_or(snr > VcaSnrThreshold(d) ? VcaBranch::Projective : VcaBranch::Orthogonal);
  const VcaProjection projection(source, statistics, d, branch);

  std::vector<VertexSearch> searches;
  for (const std::uint32_t run : runs)
  {
    searches.emplace_back(d, source.Bands(), options, run);
  }
  for (Eigen::Index vertex = 0; vertex < d; ++vertex)
  {
    for (VertexSearch& search : searches)
    {
      search.Begin();
    }
    Eigen::Index firstPixel = 0;
    source.Visit([&](const Eigen::Ref<const Eigen::MatrixXf>& spectra) {
      const Eigen::MatrixXd coordinates = projection.Project(spectra);
      for (VertexSearch& search : searches)
      {
        search.Consider(coordinates, spectra, firstPixel);
      }
      firstPixel += spectra.cols();
    });
    for (VertexSearch& search : searches)
    {
      search.End();
    }
  }

  std::vector<VcaResult> results;
  for (const VertexSearch& search : searches)
  {
    VcaResult result;
    result.m_Pixels = search.Pixels();
    result.m_Branch = branch;
    result.m_Snr = snr;
    result.m_Endmembers.resize(source.Bands(), d);
    for (Eigen::Index k = 0; k < d; ++k)
    {
      result.m_Endmembers.col(k) = projection.Denoise(search.Spectra().col(k));
    }
    results.push_back(std::move(result));
  }
  return results;
}

} // namespace hud
