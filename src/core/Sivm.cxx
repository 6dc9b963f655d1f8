// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/Sivm.h"

#include "hud/core/ScratchFile.h"
#include "hud/core/Vca.h"

#include <cstddef>

namespace hud
{

SivmResult ExtractSivm(const SpectraSource& source, const SceneStatistics& statistics, Eigen::Index endmembers,
                       const SpectraSource::Visitor& also, const std::function<void()>& checkIn)
{
  const VcaProjection projection(statistics, endmembers, VcaBranch::Orthogonal);
  const Eigen::Index dimension = projection.Dimension();
  ScratchFile scratch;
  std::vector<Eigen::Index> blocks; // pixels of each
  std::size_t written = 0;
  source.Visit([&](const Eigen::Ref<const Eigen::MatrixXf>& spectra) {
    const Eigen::MatrixXf reduced = projection.Reduce(spectra);
    scratch.Write(written, reduced.data(), static_cast<std::size_t>(reduced.size()));
    written += static_cast<std::size_t>(reduced.size());
    blocks.push_back(reduced.cols());
    if (also)
    {
      also(spectra);
    }
  });

  SivmResult result;
  result.m_Endmembers.resize(source.Bands(), endmembers);
  // The volume grows by the height above the plane through the vertices: the origin, at first the mean, and directions.
  Eigen::VectorXd origin = Eigen::VectorXd::Zero(dimension);
  Eigen::MatrixXd directions(dimension, 0); // orthonormal
  for (Eigen::Index found = 0; found < endmembers; ++found)
  {
    double largest = -1.;
    Eigen::Index farthest = 0;
    Eigen::VectorXf vertex;
    Eigen::Index firstPixel = 0;
    std::size_t read = 0;
    for (const Eigen::Index pixels : blocks)
    {
      if (checkIn)
      {
        checkIn();
      }
      Eigen::MatrixXf reduced(dimension, pixels);
      scratch.Read(read, reduced.data(), static_cast<std::size_t>(reduced.size()));
      read += static_cast<std::size_t>(reduced.size());
      Eigen::MatrixXd above = reduced.cast<double>().colwise() - origin;
      above -= directions * (directions.transpose() * above).eval();
      Eigen::Index pixel = 0;
      const double height = above.colwise().squaredNorm().maxCoeff(&pixel);
      if (height > largest)
      {
        largest = height;
        farthest = firstPixel + pixel;
        vertex = reduced.col(pixel);
      }
      firstPixel += pixels;
    }
    result.m_Pixels.push_back(farthest);
    result.m_Endmembers.col(found) = projection.Restore(vertex);
    if (found == 0)
    {
      origin = vertex.cast<double>();
      continue;
    }
    Eigen::VectorXd direction = vertex.cast<double>() - origin;
    for (int pass = 0; pass < 2; ++pass) // once leaves rounding errors
    {
      direction -= directions * (directions.transpose() * direction).eval();
    }
    directions.conservativeResize(Eigen::NoChange, found);
    directions.col(found - 1) = direction.normalized();
  }
  return result;
}

} // namespace hud
