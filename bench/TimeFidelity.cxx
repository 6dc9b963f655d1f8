// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "Argument.h"

#include "hud/core/Fidelity.h"
#include "hud/core/Random.h"

#include <cblas.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>

namespace
{

constexpr const char* kUsage = "usage: hud_time_fidelity REAL GENERATED BANDS MEGABYTES\n"
                               "Prints the time that F_p and D_b take between images of REAL x REAL and GENERATED x "
                               "GENERATED pixels, in blocks of 32 x 32 and that memory, and the rate of their matrix "
                               "products, all else included, beside that of a large product of single precision.\n";

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begin)
{
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// An image of random spectra that takes no memory.
class RandomRows : public hud::SpectralRows
{
public:
  RandomRows(Eigen::Index bands, Eigen::Index edge, std::uint64_t seed)
    : m_Bands(bands), m_Edge(edge), m_Random(seed, hud::RandomStream::SyntheticScene)
  {
  }

  Eigen::Index Bands() const override
  {
    return m_Bands;
  }

  Eigen::Index Width() const override
  {
    return m_Edge;
  }

  Eigen::Index Height() const override
  {
    return m_Edge;
  }

  void Read(Eigen::Index first, Eigen::Ref<Eigen::MatrixXf> spectra, std::uint8_t* valid) const override
  {
    for (Eigen::Index row = 0; row * m_Edge < spectra.cols(); ++row)
    {
      m_Random.FillUniform(static_cast<std::uint32_t>(first + row), 0, spectra.col(row * m_Edge).data(),
                           static_cast<std::size_t>(m_Edge * m_Bands));
    }
    std::fill_n(valid, spectra.cols(), std::uint8_t{1});
  }

private:
  Eigen::Index m_Bands;
  Eigen::Index m_Edge;
  hud::Random m_Random;
};

/// Returns the rate of a large product in 1e9 operations a second: the best of three, with the threads that BLAS takes.
double ProductRate()
{
  constexpr int kSize = 3000;
  const Eigen::MatrixXf first = Eigen::MatrixXf::Constant(kSize, kSize, 0.5f);
  Eigen::MatrixXf product(kSize, kSize);
  double best = 0.;
  for (int round = 0; round < 3; ++round)
  {
    const Clock::time_point begin = Clock::now();
    cblas_sgemm(CblasColMajor, CblasTrans, CblasNoTrans, kSize, kSize, kSize, 1.f, first.data(), kSize, first.data(),
                kSize, 0.f, product.data(), kSize);
    best = std::max(best, 2e-9 * kSize * kSize * kSize / SecondsSince(begin));
  }
  return best;
}

void Time(Eigen::Index real, Eigen::Index generated, Eigen::Index bands, Eigen::Index megabytes)
{
  const double rate = ProductRate();
  hud::FidelityOptions options;
  options.m_MemoryBytes = static_cast<std::size_t>(megabytes) << 20;
  const Clock::time_point begin = Clock::now();
  const hud::FidelityScore score =
      hud::ScoreFidelity(RandomRows(bands, real, 1), RandomRows(bands, generated, 2), options);
  const double seconds = SecondsSince(begin);
  const double operations =
      2e-9 * static_cast<double>(real * real) * static_cast<double>(generated * generated) * static_cast<double>(bands);
  std::printf("F_p and D_b: %.4f and %.4f\n", score.m_PointFidelity, score.m_BlockDiversity);
  std::printf("time: %.1f s\n", seconds);
  std::printf("rate: %.1f GFLOP/s\n", operations / seconds);
  std::printf("rate of a plain product: %.1f GFLOP/s\n", rate);
  std::printf("ratio: %.3f\n", operations / seconds / rate);
}

} // namespace

int main(int count, char** values)
{
  if (count != 5)
  {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try
  {
    Time(hud::bench::ParseWholeNumber("REAL", values[1]), hud::bench::ParseWholeNumber("GENERATED", values[2]),
         hud::bench::ParseWholeNumber("BANDS", values[3]), hud::bench::ParseWholeNumber("MEGABYTES", values[4]));
  }
  catch (const std::exception& error)
  {
    std::fprintf(stderr, "hud_time_fidelity: %s\n", error.what());
    return 1;
  }
  return 0;
}
