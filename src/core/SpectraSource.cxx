// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/SpectraSource.h"

#include "hud/core/Error.h"
#include "hud/core/Random.h"

#include <algorithm>
#include <utility>

namespace hud
{

InMemorySpectra::InMemorySpectra(Eigen::MatrixXf spectra, Eigen::Index blockPixels)
  : m_Spectra(std::move(spectra)), m_BlockPixels(blockPixels)
{
  if (blockPixels < 1)
  {
    throw InvalidOption("block size is " + std::to_string(blockPixels) + " pixels, expected at least 1");
  }
  if (!m_Spectra.allFinite())
  {
    throw InvalidData("spectra hold values that are not finite");
  }
}

Eigen::Index InMemorySpectra::Bands() const
{
  return m_Spectra.rows();
}

void InMemorySpectra::Visit(const Visitor& visit) const
{
  for (Eigen::Index first = 0; first < m_Spectra.cols(); first += m_BlockPixels)
  {
    visit(m_Spectra.middleCols(first, std::min(m_BlockPixels, m_Spectra.cols() - first)));
  }
}

SpectraSampler::SpectraSampler(Eigen::Index bands, Eigen::Index pixels, Eigen::Index maximum, std::uint64_t seed)
  : m_Seed(seed), m_Pixels(pixels), m_Sample(bands, std::min(pixels, maximum))
{
}

void SpectraSampler::Add(const Eigen::Ref<const Eigen::MatrixXf>& spectra)
{
  const Random random(m_Seed, RandomStream::PixelSample);
  const double stretch = static_cast<double>(m_Pixels) / static_cast<double>(m_Sample.cols());
  for (; m_Next < m_Sample.cols(); ++m_Next)
  {
    // Drawn, because equal steps through an image may all fall into a few of its columns.
    const std::uint32_t word = random.Words(static_cast<std::uint32_t>(m_Next), 0, 0)[0];
    const double position = static_cast<double>(m_Next) + static_cast<double>(word) * 0x1p-32;
    const Eigen::Index pixel = std::min(static_cast<Eigen::Index>(position * stretch), m_Pixels - 1);
    if (pixel >= m_Seen + spectra.cols())
    {
      break;
    }
    m_Sample.col(m_Next) = spectra.col(pixel - m_Seen);
  }
  m_Seen += spectra.cols();
}

const Eigen::MatrixXf& SpectraSampler::Sample() const
{
  if (m_Seen != m_Pixels)
  {
    throw InvalidData("the scene has " + std::to_string(m_Seen) + " valid pixels, expected " +
                      std::to_string(m_Pixels));
  }
  return m_Sample;
}

} // namespace hud
