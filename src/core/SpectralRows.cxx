// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/SpectralRows.h"

#include "hud/core/Error.h"
#include "hud/core/Random.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <utility>

namespace hud
{

namespace
{

std::string SizeText(Eigen::Index width, Eigen::Index height)
{
  return std::to_string(width) + " x " + std::to_string(height) + " pixels";
}

} // namespace

InMemoryRows::InMemoryRows(SpectralImage image) : m_Image(std::move(image))
{
  if (m_Image.m_Spectra.size() == 0 || m_Image.m_Spectra.cols() != m_Image.m_Width * m_Image.m_Height)
  {
    throw InvalidData("an image claims " + SizeText(m_Image.m_Width, m_Image.m_Height) + " but holds " +
                      std::to_string(m_Image.m_Spectra.cols()) + " of " + std::to_string(m_Image.m_Spectra.rows()) +
                      " bands");
  }
  if (!m_Image.m_Spectra.allFinite())
  {
    throw InvalidData("an image of " + SizeText(m_Image.m_Width, m_Image.m_Height) +
                      " holds values that are not finite");
  }
}

Eigen::Index InMemoryRows::Bands() const
{
  return m_Image.m_Spectra.rows();
}

Eigen::Index InMemoryRows::Width() const
{
  return m_Image.m_Width;
}

Eigen::Index InMemoryRows::Height() const
{
  return m_Image.m_Height;
}

void InMemoryRows::Read(Eigen::Index first, Eigen::Ref<Eigen::MatrixXf> spectra, std::uint8_t* valid) const
{
  spectra = m_Image.m_Spectra.middleCols(first * m_Image.m_Width, spectra.cols());
  for (Eigen::Index pixel = 0; pixel < spectra.cols(); ++pixel)
  {
    valid[pixel] = spectra.col(pixel).isZero(0.f) ? 0 : 1;
  }
}

CroppedRows::CroppedRows(const SpectralRows& rows, Eigen::Index column, Eigen::Index row, Eigen::Index width,
                         Eigen::Index height)
  : m_Rows(rows), m_Column(column), m_Row(row), m_Width(width), m_Height(height)
{
  if (column < 0 || row < 0 || width < 1 || height < 1 || column + width > rows.Width() || row + height > rows.Height())
  {
    throw InvalidData("found a rectangle of " + SizeText(width, height) + " at column " + std::to_string(column) +
                      " and row " + std::to_string(row) + ", expected one within an image of " +
                      SizeText(rows.Width(), rows.Height()));
  }
}

Eigen::Index CroppedRows::Bands() const
{
  return m_Rows.Bands();
}

Eigen::Index CroppedRows::Width() const
{
  return m_Width;
}

Eigen::Index CroppedRows::Height() const
{
  return m_Height;
}

void CroppedRows::Read(Eigen::Index first, Eigen::Ref<Eigen::MatrixXf> spectra, std::uint8_t* valid) const
{
  const Eigen::Index rows = spectra.cols() / m_Width;
  Eigen::MatrixXf whole(m_Rows.Bands(), m_Rows.Width() * rows);
  std::vector<std::uint8_t> wholeValid(static_cast<std::size_t>(whole.cols()));
  m_Rows.Read(m_Row + first, whole, wholeValid.data());
  for (Eigen::Index row = 0; row < rows; ++row)
  {
    const Eigen::Index start = row * m_Rows.Width() + m_Column;
    spectra.middleCols(row * m_Width, m_Width) = whole.middleCols(start, m_Width);
    std::copy_n(wholeValid.begin() + start, m_Width, valid + row * m_Width);
  }
}

Eigen::MatrixXf GatherPixels(const SpectralRows& image, const std::vector<Eigen::Index>& pixels)
{
  std::vector<std::size_t> order(pixels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return pixels[a] < pixels[b]; });
  Eigen::MatrixXf spectra(image.Bands(), static_cast<Eigen::Index>(pixels.size()));
  Eigen::MatrixXf line(image.Bands(), image.Width());
  std::vector<std::uint8_t> valid(static_cast<std::size_t>(image.Width()));
  Eigen::Index row = -1;
  for (const std::size_t i : order)
  {
    if (pixels[i] / image.Width() != row)
    {
      row = pixels[i] / image.Width();
      image.Read(row, line, valid.data());
    }
    spectra.col(static_cast<Eigen::Index>(i)) = line.col(pixels[i] % image.Width());
  }
  return spectra;
}

BlockGrid BlocksOf(const SpectralRows& image, Eigen::Index patch)
{
  return {image.Width() / patch, image.Height() / patch};
}

std::vector<Eigen::Index> DrawBlocks(Eigen::Index blocks, Eigen::Index maximum, std::uint64_t seed)
{
  const Random random(seed, RandomStream::EvaluationBlock);
  const Eigen::Index count = std::min(blocks, maximum);
  std::vector<Eigen::Index> drawn;
  for (Eigen::Index i = 0; i < count; ++i)
  {
    const Eigen::Index first = i * blocks / count;
    const Eigen::Index stretch = (i + 1) * blocks / count - first;
    drawn.push_back(first + static_cast<Eigen::Index>(random.Words(static_cast<std::uint32_t>(i), 0, 0)[0]) % stretch);
  }
  return drawn;
}

} // namespace hud
