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

Eigen::MatrixXf SampleSpectra(const SpectraSource& source, Eigen::Index pixels, Eigen::Index maximum,
                              std::uint64_t seed)
{
  const Random random(seed, RandomStream::PixelSample);
  const Eigen::Index count = std::min(pixels, maximum);
  Eigen::MatrixXf sample(source.Bands(), count);
  Eigen::Index next = 0; // column of the sample to fill next
  Eigen::Index seen = 0;
  source.Visit([&](const Eigen::Ref<const Eigen::MatrixXf>& spectra) {
    for (; next < count; ++next)
    {
      // Drawn, because equal steps through an image may all fall into a few of its columns.
      const std::uint32_t word = random.Words(static_cast<std::uint32_t>(next), 0, 0)[0];
      const double position = static_cast<double>(next) + static_cast<double>(word) * 0x1p-32;
      const auto pixel = static_cast<Eigen::Index>(position * static_cast<double>(pixels) / static_cast<double>(count));
      if (pixel >= seen + spectra.cols())
      {
        break;
      }
      sample.col(next) = spectra.col(pixel - seen);
    }
    seen += spectra.cols();
  });
  if (next != count)
  {
    throw InvalidData("the scene has " + std::to_string(seen) + " valid pixels, expected " + std::to_string(pixels));
  }
  return sample;
}

} // namespace hud
