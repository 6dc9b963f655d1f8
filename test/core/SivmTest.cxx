// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/Sivm.h"

#include "ErrorMessage.h"
#include "RandomMatrix.h"
#include "hud/core/Error.h"
#include "hud/core/SyntheticScene.h"

#include <Eigen/Eigenvalues>
#include <Eigen/LU>

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace
{

using hud::ExtractSivm;
using hud::InMemorySpectra;
using hud::SivmResult;
using hud::test::MessageOf;
using hud::test::Says;
using hud::test::UniformMatrix;

SivmResult Sivm(const Eigen::MatrixXf& spectra, Eigen::Index endmembers, Eigen::Index blockPixels = 4096)
{
  const InMemorySpectra source(spectra, blockPixels);
  return ExtractSivm(source, ComputeSceneStatistics(source), endmembers);
}

double SquaredVolume(const Eigen::MatrixXd& vertices)
{
  const Eigen::MatrixXd edges = vertices.rightCols(vertices.cols() - 1).colwise() - vertices.col(0);
  return (edges.transpose() * edges).determinant();
}

} // namespace

// The corners (0, 0), (10, 0), (0, 6) of a triangle in the first two bands, and pixels inside. (10, 0) is farthest from the
// mean, (0, 6) from it, and (0, 0) from the line through both.
TEST(Sivm, TakesTheCornersOfATriangleInTheirOrder)
{
  Eigen::MatrixXf spectra(4, 7);
  spectra << 2.f, 0.f, 1.f, 10.f, 3.f, 0.f, 4.f, //
      1.f, 0.f, 2.f, 0.f, 2.f, 6.f, 1.f,         //
      5.f, 5.f, 5.f, 5.f, 5.f, 5.f, 5.f,         //
      0.f, 0.f, 0.f, 0.f, 0.f, 0.f, 0.f;
  const SivmResult result = Sivm(spectra, 3);
  EXPECT_EQ(result.m_Pixels, (std::vector<Eigen::Index>{3, 5, 1}));
  ASSERT_EQ(result.m_Endmembers.rows(), 4);
  ASSERT_EQ(result.m_Endmembers.cols(), 3);
  for (Eigen::Index k = 0; k < 3; ++k)
  {
    EXPECT_TRUE(result.m_Endmembers.col(k).isApprox(
        spectra.col(result.m_Pixels[static_cast<std::size_t>(k)]).cast<double>(), 1e-5));
  }
}

TEST(Sivm, EachPixelMakesTheLargestVolumeWithThoseBefore)
{
  const Eigen::MatrixXf spectra = UniformMatrix(6, 203, 1).cast<float>();
  const SivmResult result = Sivm(spectra, 4);
  const Eigen::MatrixXd pixels = spectra.cast<double>();
  const Eigen::MatrixXd centred = pixels.colwise() - pixels.rowwise().mean();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(centred * centred.transpose());
  const Eigen::MatrixXd reduced = solver.eigenvectors().rightCols(3).transpose() * centred;
  for (Eigen::Index found = 1; found < 4; ++found)
  {
    Eigen::MatrixXd vertices(3, found + 1);
    for (Eigen::Index k = 0; k <= found; ++k)
    {
      vertices.col(k) = reduced.col(result.m_Pixels[static_cast<std::size_t>(k)]);
    }
    const double volume = SquaredVolume(vertices);
    for (Eigen::Index pixel = 0; pixel < reduced.cols(); ++pixel)
    {
      vertices.col(found) = reduced.col(pixel);
      ASSERT_LE(SquaredVolume(vertices), volume * (1. + 1e-4)) << found << ", " << pixel;
    }
  }
}

TEST(Sivm, FindsPurePixels)
{
  for (const Eigen::Index endmembers : {2, 4, 7})
  {
    hud::SyntheticSceneOptions options;
    options.m_Bands = 45;
    options.m_Pixels = 1203;
    options.m_Endmembers = endmembers;
    options.m_SnrDecibel = std::numeric_limits<double>::infinity();
    options.m_Seed = 2;
    const hud::SyntheticScene scene = MakeSyntheticScene(options);
    std::vector<Eigen::Index> pixels = Sivm(scene.m_Spectra, endmembers).m_Pixels;
    std::sort(pixels.begin(), pixels.end());
    for (Eigen::Index k = 0; k < endmembers; ++k)
    {
      EXPECT_EQ(pixels[static_cast<std::size_t>(k)], k); // the scene's first pixels are pure
    }
  }
}

TEST(Sivm, DoesNotDependOnBlocks)
{
  const Eigen::MatrixXf spectra = UniformMatrix(9, 311, 3).cast<float>();
  const SivmResult whole = Sivm(spectra, 5);
  for (const Eigen::Index block : {1, 7, 310})
  {
    const SivmResult blocks = Sivm(spectra, 5, block);
    EXPECT_EQ(blocks.m_Pixels, whole.m_Pixels) << block;
    EXPECT_TRUE(blocks.m_Endmembers.isApprox(whole.m_Endmembers, 1e-5)) << block;
  }
}

TEST(Sivm, ShowsTheBlocksAndCanBeStopped)
{
  const InMemorySpectra source(UniformMatrix(6, 50, 4).cast<float>(), 20);
  Eigen::Index seen = 0;
  ExtractSivm(source, ComputeSceneStatistics(source), 3,
              [&](const Eigen::Ref<const Eigen::MatrixXf>& spectra) { seen += spectra.cols(); });
  EXPECT_EQ(seen, 50);
  EXPECT_THROW(ExtractSivm(source, ComputeSceneStatistics(source), 3, {}, [] { throw std::runtime_error("stop"); }),
               std::runtime_error);
}

TEST(Sivm, ASceneOfTooFewDimensionsIsRefused)
{
  // A line: two endmembers, not four.
  const Eigen::MatrixXf spectra = (UniformMatrix(6, 1, 5) * UniformMatrix(1, 40, 6)).cast<float>();
  const std::string message = MessageOf<hud::InvalidData>([&] { Sivm(spectra, 4); });
  EXPECT_TRUE(Says(message, "fewer than the 4 dimensions")) << message;
}
