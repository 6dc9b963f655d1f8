// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/Random.h"

#include <Random123/philox.h>

#include <algorithm>
#include <cmath>

namespace hud
{

namespace
{

constexpr double kTwoPi = 6.283185307179586;

/// Maps a word to the open interval (0, 1).
double ToUnit(std::uint32_t word)
{
  return (static_cast<double>(word) + 0.5) * 0x1p-32;
}

/// Calls `fill` with four consecutive words at a time and copies what fits.
template <typename Convert>
void FillByFour(const Random& random, std::uint32_t a, std::uint32_t b, float* values, std::size_t count,
                const Convert& convert)
{
  for (std::size_t first = 0; first < count; first += 4)
  {
    const std::array<float, 4> four = convert(random.Words(a, b, static_cast<std::uint32_t>(first / 4)));
    std::copy_n(four.begin(), std::min<std::size_t>(4, count - first), values + first);
  }
}

} // namespace

Random::Random(std::uint64_t seed, RandomStream stream) : m_Seed(seed), m_Stream(static_cast<std::uint32_t>(stream)) {}

std::array<std::uint32_t, 4> Random::Words(std::uint32_t a, std::uint32_t b, std::uint32_t c) const
{
  const r123::Philox4x32::ctr_type counter = {{c, a, b, m_Stream}};
  const r123::Philox4x32::key_type key = {
      {static_cast<std::uint32_t>(m_Seed & 0xffffffffu), static_cast<std::uint32_t>(m_Seed >> 32)}};
  const auto words = r123::Philox4x32()(counter, key);
  return {words[0], words[1], words[2], words[3]};
}

void Random::FillNormal(std::uint32_t a, std::uint32_t b, float* values, std::size_t count) const
{
  // Box and Muller: two uniform values give two independent normal ones.
  FillByFour(*this, a, b, values, count, [](const std::array<std::uint32_t, 4>& words) {
    std::array<float, 4> normal;
    for (std::size_t pair = 0; pair < 4; pair += 2)
    {
      const double radius = std::sqrt(-2. * std::log(ToUnit(words[pair])));
      const double angle = kTwoPi * ToUnit(words[pair + 1]);
      normal[pair] = static_cast<float>(radius * std::cos(angle));
      normal[pair + 1] = static_cast<float>(radius * std::sin(angle));
    }
    return normal;
  });
}

void Random::FillUniform(std::uint32_t a, std::uint32_t b, float* values, std::size_t count) const
{
  // 23 bits: the largest value must not round to 1 in single precision.
  FillByFour(*this, a, b, values, count, [](const std::array<std::uint32_t, 4>& words) {
    std::array<float, 4> uniform;
    std::transform(words.begin(), words.end(), uniform.begin(),
                   [](std::uint32_t word) { return (static_cast<float>(word >> 9) + 0.5f) * 0x1p-23f; });
    return uniform;
  });
}

} // namespace hud
