// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/Decoder.h"

#include "RandomMatrix.h"

#include <gtest/gtest.h>

#include <cmath>

namespace
{

using hud::Decoder;

constexpr Eigen::Index kBands = 103;
constexpr Eigen::Index kEndmembers = 9;
constexpr Eigen::Index kPixels = 5003; // more than any block size, a multiple of none

class DecoderTest : public testing::Test
{
protected:
  const Eigen::MatrixXd m_Endmembers = hud::test::UniformMatrix(kBands, kEndmembers, 11);
  const Eigen::MatrixXf m_Abundances = hud::test::UniformAbundances(kEndmembers, kPixels, 12).cast<float>();
  const Eigen::MatrixXd m_Truth = m_Endmembers * m_Abundances.cast<double>();
};

} // namespace

TEST_F(DecoderTest, IsTheProductInDoublePrecision)
{
  const Decoder decoder(m_Endmembers);
  EXPECT_EQ(decoder.Bands(), kBands);
  EXPECT_EQ(decoder.Endmembers(), kEndmembers);
  Eigen::MatrixXf spectra(kBands, kPixels);
  decoder.Decode(m_Abundances, spectra);
  ASSERT_TRUE(spectra.allFinite());
  EXPECT_LT((spectra.cast<double>() - m_Truth).cwiseAbs().maxCoeff(), 1e-6);
}

TEST_F(DecoderTest, ReturnsTheEndmembersForPureAbundances)
{
  Eigen::MatrixXf spectra(kBands, kEndmembers);
  Decoder(m_Endmembers).Decode(Eigen::MatrixXf::Identity(kEndmembers, kEndmembers), spectra);
  EXPECT_EQ(spectra, m_Endmembers.cast<float>());
}

TEST_F(DecoderTest, WritesIntoPartOfAMatrix)
{
  Eigen::MatrixXf larger = Eigen::MatrixXf::Constant(kBands + 5, 40, -77.f);
  Decoder(m_Endmembers).Decode(m_Abundances.middleCols(100, 20), larger.block(2, 7, kBands, 20));
  const Eigen::MatrixXd written = larger.block(2, 7, kBands, 20).cast<double>();
  EXPECT_LT((written - m_Truth.middleCols(100, 20)).cwiseAbs().maxCoeff(), 1e-6);
  larger.block(2, 7, kBands, 20).setConstant(-77.f);
  EXPECT_TRUE(larger.isApproxToConstant(-77.f));
}

TEST_F(DecoderTest, RmseIsTheRootOfTheMeanSquareOverAllSamples)
{
  for (const double size : {1e-5, 1e-3, 0.3})
  {
    const Eigen::MatrixXd error = hud::test::UniformMatrix(kBands, kPixels, 13, -size, size);
    const Eigen::MatrixXf spectra = (m_Truth + error).cast<float>();
    const double truth =
        std::sqrt((spectra.cast<double>() - m_Truth).squaredNorm() / static_cast<double>(kBands * kPixels));
    EXPECT_NEAR(hud::DecodeRmse(spectra, m_Endmembers, m_Abundances), truth, 1e-3 * truth) << size;
  }
}

TEST_F(DecoderTest, RmseWeighsEveryPixelAlikeWhereverItIs)
{
  const Eigen::MatrixXf clean = m_Truth.cast<float>();
  for (const Eigen::Index pixel : {Eigen::Index{0}, kPixels / 2, kPixels - 1})
  {
    Eigen::MatrixXf spectra = clean;
    spectra(kBands - 1, pixel) += 100.f;
    const double truth = 100. / std::sqrt(static_cast<double>(kBands * kPixels));
    EXPECT_NEAR(hud::DecodeRmse(spectra, m_Endmembers, m_Abundances), truth, 1e-4 * truth) << pixel;
  }
}
