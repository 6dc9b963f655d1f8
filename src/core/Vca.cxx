// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/Vca.h"

#include "SpectraProduct.h"
#include "VcaDirection.h"

#include "hud/core/Error.h"
#include "hud/core/ScratchFile.h"

#include <Eigen/Eigenvalues>

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
  VertexSearch(const VcaOptions& options, std::uint32_t run)
    : m_Seed(options.m_Seed), m_Run(run), m_Vertices(FirstVcaVertices(options.m_Endmembers))
  {
  }

  /// Draws a direction orthogonal to the vertices found so far.
  void Begin()
  {
    m_Direction = DrawVcaDirection(m_Vertices, static_cast<Eigen::Index>(m_Pixels.size()), m_Seed, m_Run);
    m_Largest = -1.;
  }

  /// Looks for the pixel farthest along the direction.
  /// @param distances of the block's pixels from the origin along the direction
  void Consider(const Eigen::Ref<const Eigen::RowVectorXd>& distances, const Eigen::MatrixXd& coordinates,
                const Eigen::Ref<const Eigen::MatrixXf>& reduced, Eigen::Index firstPixel)
  {
    Eigen::Index farthest = 0;
    const double distance = distances.maxCoeff(&farthest);
    if (distance > m_Largest)
    {
      m_Largest = distance;
      m_Pixel = firstPixel + farthest;
      m_Vertex = coordinates.col(farthest);
      m_ReducedPixel = reduced.col(farthest);
    }
  }

  /// Takes the farthest pixel as the next vertex.
  void End()
  {
    m_Vertices.col(static_cast<Eigen::Index>(m_Pixels.size())) = m_Vertex;
    m_Reduced.push_back(m_ReducedPixel);
    m_Pixels.push_back(m_Pixel);
  }

  const Eigen::VectorXd& Direction() const
  {
    return m_Direction;
  }

  VcaResult Result(const VcaProjection& projection) const
  {
    VcaResult result;
    result.m_Pixels = m_Pixels;
    result.m_Branch = projection.Branch();
    result.m_Endmembers.resize(projection.Bands(), m_Vertices.cols());
    for (std::size_t k = 0; k < m_Reduced.size(); ++k)
    {
      result.m_Endmembers.col(static_cast<Eigen::Index>(k)) = projection.Restore(m_Reduced[k]);
    }
    return result;
  }

private:
  std::uint64_t m_Seed;
  std::uint32_t m_Run;
  Eigen::MatrixXd m_Vertices;             ///< [d x d], coordinates
  std::vector<Eigen::VectorXf> m_Reduced; ///< reduced pixel of each vertex
  std::vector<Eigen::Index> m_Pixels;
  Eigen::VectorXd m_Direction;
  double m_Largest = -1.;
  Eigen::Index m_Pixel = 0;
  Eigen::VectorXd m_Vertex;
  Eigen::VectorXf m_ReducedPixel;
};

/// The searches of one branch, which share its coordinates.
class BranchSearch
{
public:
  /// @param firstRow of the branch in the blocks of reduced pixels
  BranchSearch(const VcaRuns& runs, const VcaOptions& options, Eigen::Index firstRow)
    : m_Projection(runs.m_Projection), m_FirstRow(firstRow), m_Directions(runs.m_Numbers.size(), options.m_Endmembers)
  {
    for (const std::uint32_t run : runs.m_Numbers)
    {
      m_Searches.emplace_back(options, run);
    }
  }

  /// Reduces spectra into the branch's rows of a block.
  void Reduce(const Eigen::Ref<const Eigen::MatrixXf>& spectra, Eigen::MatrixXf& block)
  {
    const Eigen::MatrixXf reduced = m_Projection.Reduce(spectra);
    m_LargestNorm = std::max(m_LargestNorm, reduced.cast<double>().colwise().norm().maxCoeff());
    block.middleRows(m_FirstRow, reduced.rows()) = reduced;
  }

  void Begin()
  {
    m_FirstPixel = 0;
    for (std::size_t i = 0; i < m_Searches.size(); ++i)
    {
      m_Searches[i].Begin();
      m_Directions.row(static_cast<Eigen::Index>(i)) = m_Searches[i].Direction().transpose();
    }
  }

  void Consider(const Eigen::MatrixXf& block)
  {
    const auto reduced = block.middleRows(m_FirstRow, m_Projection.Dimension());
    const Eigen::MatrixXd coordinates = m_Projection.Project(reduced, m_LargestNorm);
    const RowMajor distances = (m_Directions * coordinates).cwiseAbs();
    for (std::size_t i = 0; i < m_Searches.size(); ++i)
    {
      m_Searches[i].Consider(distances.row(static_cast<Eigen::Index>(i)), coordinates, reduced, m_FirstPixel);
    }
    m_FirstPixel += block.cols();
  }

  void End()
  {
    for (VertexSearch& search : m_Searches)
    {
      search.End();
    }
  }

  void AddResults(std::vector<VcaResult>& results) const
  {
    for (const VertexSearch& search : m_Searches)
    {
      results.push_back(search.Result(m_Projection));
    }
  }

private:
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  const VcaProjection& m_Projection;
  Eigen::Index m_FirstRow;
  Eigen::MatrixXd m_Directions; ///< [runs x d]
  std::vector<VertexSearch> m_Searches;
  double m_LargestNorm = 0.;
  Eigen::Index m_FirstPixel = 0;
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

VcaBranch ChooseVcaBranch(double snr, Eigen::Index endmembers)
{
  return snr > VcaSnrThreshold(endmembers) ? VcaBranch::Projective : VcaBranch::Orthogonal;
}

VcaProjection::VcaProjection(const SceneStatistics& statistics, Eigen::Index endmembers, VcaBranch branch)
  : m_Branch(branch)
{
  const bool projective = branch == VcaBranch::Projective;
  const Eigenpairs leading = projective ? LeadingEigenvectors(statistics.m_Correlation, endmembers)
                                        : LeadingEigenvectors(statistics.Covariance(), endmembers - 1);
  CheckRank(leading, statistics.Power(), endmembers);
  m_Basis = leading.m_Vectors;
  m_Product = std::make_shared<SpectraProduct>(m_Basis.transpose());
  m_Origin = projective ? Eigen::VectorXd::Zero(statistics.m_Mean.size()) : statistics.m_Mean;
  m_ReducedOrigin = m_Basis.transpose() * m_Origin;
  m_Mean = m_Basis.transpose() * statistics.m_Mean;
}

VcaBranch VcaProjection::Branch() const
{
  return m_Branch;
}

Eigen::Index VcaProjection::Bands() const
{
  return m_Basis.rows();
}

Eigen::Index VcaProjection::Dimension() const
{
  return m_Basis.cols();
}

Eigen::MatrixXf VcaProjection::Reduce(const Eigen::Ref<const Eigen::MatrixXf>& spectra) const
{
  Eigen::MatrixXd reduced(m_Basis.cols(), spectra.cols());
  m_Product->Multiply(spectra, reduced);
  return (reduced.colwise() - m_ReducedOrigin).cast<float>();
}

Eigen::MatrixXd VcaProjection::Project(const Eigen::Ref<const Eigen::MatrixXf>& reduced, double largestNorm) const
{
  if (m_Branch == VcaBranch::Orthogonal)
  {
    Eigen::MatrixXd coordinates(reduced.rows() + 1, reduced.cols());
    coordinates.topRows(reduced.rows()) = reduced.cast<double>();
    coordinates.bottomRows(1).setConstant(largestNorm);
    return coordinates;
  }
  Eigen::MatrixXd coordinates = reduced.cast<double>();
  const Eigen::RowVectorXd scale = m_Mean.transpose() * coordinates;
  // A pixel orthogonal to the mean has no projection onto the plane; it can be no vertex.
  const double smallest = 1e-12 * m_Mean.squaredNorm();
  const Eigen::RowVectorXd factor = (scale.array().abs() > smallest).select(scale.cwiseInverse(), 0.);
  return coordinates.array().rowwise() * factor.array();
}

Eigen::VectorXd VcaProjection::Restore(const Eigen::VectorXf& reduced) const
{
  return m_Basis * reduced.cast<double>() + m_Origin;
}

VcaResult ExtractVca(const SpectraSource& source, const VcaOptions& options)
{
  const SceneStatistics statistics = ComputeSceneStatistics(source);
  const Eigen::Index d = options.m_Endmembers;
  options.Check(source.Bands(), statistics.m_Pixels);
  const VcaBranch branch = options.m_Branch ? *options.m_Branch : ChooseVcaBranch(EstimateSnr(statistics, d), d);
  return ExtractVcaRuns(source, options, {{VcaProjection(statistics, d, branch), {0}}}).front();
}

std::vector<VcaResult> ExtractVcaRuns(const SpectraSource& source, const VcaOptions& options,
                                      const std::vector<VcaRuns>& branches, const SpectraSource::Visitor& also,
                                      const std::function<void()>& checkIn)
{
  std::vector<BranchSearch> searches;
  Eigen::Index rows = 0;
  for (const VcaRuns& runs : branches)
  {
    searches.emplace_back(runs, options, rows);
    rows += runs.m_Projection.Dimension();
  }

  ScratchFile scratch;
  std::vector<Eigen::Index> blocks; // pixels of each
  std::size_t written = 0;
  source.Visit([&](const Eigen::Ref<const Eigen::MatrixXf>& spectra) {
    Eigen::MatrixXf block(rows, spectra.cols());
    for (BranchSearch& search : searches)
    {
      search.Reduce(spectra, block);
    }
    scratch.Write(written, block.data(), static_cast<std::size_t>(block.size()));
    written += static_cast<std::size_t>(block.size());
    blocks.push_back(block.cols());
    if (also)
    {
      also(spectra);
    }
  });

  for (Eigen::Index vertex = 0; vertex < options.m_Endmembers; ++vertex)
  {
    for (BranchSearch& search : searches)
    {
      search.Begin();
    }
    std::size_t read = 0;
    for (const Eigen::Index pixels : blocks)
    {
      if (checkIn)
      {
        checkIn();
      }
      Eigen::MatrixXf block(rows, pixels);
      scratch.Read(read, block.data(), static_cast<std::size_t>(block.size()));
      read += static_cast<std::size_t>(block.size());
      for (BranchSearch& search : searches)
      {
        search.Consider(block);
      }
    }
    for (BranchSearch& search : searches)
    {
      search.End();
    }
  }

  std::vector<VcaResult> results;
  for (const BranchSearch& search : searches)
  {
    search.AddResults(results);
  }
  return results;
}

} // namespace hud
