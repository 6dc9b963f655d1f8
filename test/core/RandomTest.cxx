// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/Random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

namespace
{

using hud::Random;
using hud::RandomStream;
using Block = std::array<std::uint32_t, 4>;

constexpr std::size_t kCount = 1'000'003;
const double kSqrtN = std::sqrt(static_cast<double>(kCount));

std::vector<float> Normals(const Random& random, std::uint32_t a, std::uint32_t b, std::size_t count = kCount)
{
  std::vector<float> values(count);
  random.FillNormal(a, b, values.data(), count);
  return values;
}

std::vector<float> Uniforms(const Random& random, std::uint32_t a, std::uint32_t b, std::size_t count = kCount)
{
  std::vector<float> values(count);
  random.FillUniform(a, b, values.data(), count);
  return values;
}

double Moment(const std::vector<float>& values, int order)
{
  double sum = 0.;
  for (const float value : values)
  {
    sum += std::pow(static_cast<double>(value), order);
  }
  return sum / static_cast<double>(values.size());
}

// Mean of f(first[i]) f(second[i + lag]), where f has mean 0 and variance 1.
template <class Function>
double Correlation(const std::vector<float>& first, const std::vector<float>& second, std::size_t lag, Function f)
{
  double sum = 0.;
  for (std::size_t i = 0; i + lag < first.size(); ++i)
  {
    sum += f(static_cast<double>(first[i])) * f(static_cast<double>(second[i + lag]));
  }
  return sum / static_cast<double>(first.size() - lag);
}

// Largest distance between the empirical and the true distribution function (Kolmogorov-Smirnov).
template <class Distribution>
double DistributionDistance(std::vector<float> values, Distribution cdf)
{
  std::sort(values.begin(), values.end());
  double distance = 0.;
  for (std::size_t i = 0; i < values.size(); ++i)
  {
    const double truth = cdf(static_cast<double>(values[i]));
    distance = std::max(distance, std::abs(truth - static_cast<double>(i) / static_cast<double>(kCount)));
    distance = std::max(distance, std::abs(truth - static_cast<double>(i + 1) / static_cast<double>(kCount)));
  }
  return distance;
}

double Itself(double value)
{
  return value;
}

} // namespace

// kat_vectors of Random123 1.14: counter 0..3, key 0..1, output. Here the counter is (c, a, b, stream).
TEST(Random, AgreesWithThePublishedKnownAnswers)
{
  const Random zeros(0, static_cast<RandomStream>(0));
  EXPECT_EQ(zeros.Words(0, 0, 0), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const Random ones(0xffffffffffffffff, static_cast<RandomStream>(0xffffffff));
  EXPECT_EQ(ones.Words(0xffffffff, 0xffffffff, 0xffffffff), (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  const Random pi(0x299f31d0a4093822, static_cast<RandomStream>(0x03707344));
  EXPECT_EQ(pi.Words(0x85a308d3, 0x13198a2e, 0x243f6a88), (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, NumbersOfTheStreamsAreThoseOfSavedModels)
{
  EXPECT_EQ(static_cast<std::uint32_t>(RandomStream::VcaDirection), 1u);
  EXPECT_EQ(static_cast<std::uint32_t>(RandomStream::SyntheticScene), 2u);
  EXPECT_EQ(static_cast<std::uint32_t>(RandomStream::TrainingCrop), 3u);
  EXPECT_EQ(static_cast<std::uint32_t>(RandomStream::TrainingNoise), 4u);
  EXPECT_EQ(static_cast<std::uint32_t>(RandomStream::InitialNoise), 5u);
  EXPECT_EQ(static_cast<std::uint32_t>(RandomStream::SamplerNoise), 6u);
  EXPECT_EQ(static_cast<std::uint32_t>(RandomStream::WindowShift), 7u);
  EXPECT_EQ(static_cast<std::uint32_t>(RandomStream::NetworkWeights), 8u);
  EXPECT_EQ(static_cast<std::uint32_t>(RandomStream::PixelSample), 9u);
  EXPECT_EQ(static_cast<std::uint32_t>(RandomStream::ResidualNoise), 10u);
  EXPECT_EQ(static_cast<std::uint32_t>(RandomStream::ValidationCrop), 11u);
  EXPECT_EQ(static_cast<std::uint32_t>(RandomStream::ValidationNoise), 12u);
  EXPECT_EQ(static_cast<std::uint32_t>(RandomStream::ClassifierWeights), 13u);
  EXPECT_EQ(static_cast<std::uint32_t>(RandomStream::ClassifierBatch), 14u);
  EXPECT_EQ(static_cast<std::uint32_t>(RandomStream::EvaluationBlock), 15u);
  EXPECT_EQ(static_cast<std::uint32_t>(RandomStream::EvaluationCrop), 16u);
  EXPECT_EQ(static_cast<std::uint32_t>(RandomStream::EvaluationBaseline), 17u);
  EXPECT_EQ(static_cast<std::uint32_t>(RandomStream::Bootstrap), 18u);
  EXPECT_EQ(static_cast<std::uint32_t>(RandomStream::ArchetypalAnalysis), 19u);
}

// Addresses at which a word is 0 or 2^32 - 1 (searched with Random123): naive conversions give 0, 1 or infinity there.
TEST(Random, ValuesStayInsideTheirRangeAtTheSmallestAndLargestWords)
{
  const Random random(0, RandomStream::TrainingNoise);
  // clang-format off
  const std::vector<std::array<std::uint32_t, 4>> extremes = { // a, b, index of the word, word
      {545152173, 0, 0, 0}, {1345340796, 2, 1, 0}, {2481007251, 2, 2, 0}, {651074318, 0, 3, 0},
      {890357743, 2, 0, 0xffffffff}, {792350854, 0, 1, 0xffffffff}, {1012666352, 0, 2, 0xffffffff},
      {3827703338, 0, 3, 0xffffffff}};
  // clang-format on
  for (const auto& [a, b, index, word] : extremes)
  {
    ASSERT_EQ(random.Words(a, b, 0)[index], word);
    for (const float value : Uniforms(random, a, b, 4))
    {
      EXPECT_GT(value, 0.f);
      EXPECT_LT(value, 1.f);
    }
    for (const float value : Normals(random, a, b, 4))
    {
      EXPECT_LT(std::abs(value), 7.f) << "NaN or farther out than 32 bits reach";
    }
  }
}

TEST(Random, WordsChangeWithEveryPartOfTheAddress)
{
  std::set<Block> blocks;
  for (const std::uint64_t seed : {0ull, 1ull, 1ull << 32, 1ull << 63})
  {
    for (const RandomStream stream : {RandomStream::TrainingCrop, RandomStream::TrainingNoise})
    {
      for (std::uint32_t address = 0; address < 27; ++address)
      {
        blocks.insert(Random(seed, stream).Words(address % 3, address / 3 % 3, address / 9));
      }
    }
  }
  EXPECT_EQ(blocks.size(), 4u * 2u * 27u);
}

// Bounds are five standard deviations of each statistic.
TEST(Random, NormalsHaveTheMomentsOfTheStandardNormal)
{
  const std::vector<float> values = Normals(Random(5, RandomStream::TrainingNoise), 3, 8);
  ASSERT_TRUE(std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); }));
  EXPECT_NEAR(Moment(values, 1), 0., 5. / kSqrtN);
  EXPECT_NEAR(Moment(values, 2), 1., 5. * std::sqrt(2.) / kSqrtN);
  EXPECT_NEAR(Moment(values, 3), 0., 5. * std::sqrt(15.) / kSqrtN);
  EXPECT_NEAR(Moment(values, 4), 3., 5. * std::sqrt(96.) / kSqrtN);
}

TEST(Random, NormalsFollowTheNormalDistributionIntoItsTails)
{
  const std::vector<float> values = Normals(Random(6, RandomStream::SamplerNoise), 0, 1);
  const auto cdf = [](double value) { return 0.5 * std::erfc(-value / std::sqrt(2.)); };
  EXPECT_LT(DistributionDistance(values, cdf), 2. / kSqrtN);
  const auto beyond = std::count_if(values.begin(), values.end(), [](float value) { return std::abs(value) > 4.f; });
  EXPECT_NEAR(static_cast<double>(beyond), 63.3, 5. * std::sqrt(63.3));
}

TEST(Random, UniformsFollowTheUniformDistribution)
{
  const std::vector<float> values = Uniforms(Random(6, RandomStream::TrainingCrop), 2, 1);
  EXPECT_GT(*std::min_element(values.begin(), values.end()), 0.f);
  EXPECT_LT(*std::max_element(values.begin(), values.end()), 1.f);
  EXPECT_LT(DistributionDistance(values, Itself), 2. / kSqrtN);
}

TEST(Random, NormalsOfOtherStreamsSeedsAndAddressesAreUncorrelated)
{
  const std::vector<float> values = Normals(Random(9, RandomStream::TrainingNoise), 4, 7);
  EXPECT_NEAR(Correlation(values, Normals(Random(9, RandomStream::InitialNoise), 4, 7), 0, Itself), 0., 5. / kSqrtN);
  EXPECT_NEAR(Correlation(values, Normals(Random(10, RandomStream::TrainingNoise), 4, 7), 0, Itself), 0., 5. / kSqrtN);
  EXPECT_NEAR(Correlation(values, Normals(Random(9, RandomStream::TrainingNoise), 5, 7), 0, Itself), 0., 5. / kSqrtN);
  EXPECT_NEAR(Correlation(values, Normals(Random(9, RandomStream::TrainingNoise), 4, 8), 0, Itself), 0., 5. / kSqrtN);
  EXPECT_NEAR(Correlation(values, Normals(Random(9, RandomStream::TrainingNoise), 7, 4), 0, Itself), 0., 5. / kSqrtN);
}

// Values that share a radius are uncorrelated, their squares are not.
TEST(Random, NeighbouringNormalsAreIndependent)
{
  const std::vector<float> values = Normals(Random(2, RandomStream::InitialNoise), 1, 0);
  const auto square = [](double value) { return (value * value - 1.) / std::sqrt(2.); };
  for (const std::size_t lag : {1u, 2u, 3u, 4u, 5u, 8u})
  {
    EXPECT_NEAR(Correlation(values, values, lag, Itself), 0., 5. / kSqrtN) << "lag " << lag;
    EXPECT_NEAR(Correlation(values, values, lag, square), 0., 5. / kSqrtN) << "lag " << lag;
  }
}

TEST(Random, FirstValuesDoNotDependOnTheCount)
{
  const Random random(3, RandomStream::NetworkWeights);
  const std::vector<float> normals = Normals(random, 12, 5, 1000);
  const std::vector<float> uniforms = Uniforms(random, 12, 5, 1000);
  for (const std::size_t count : {0u, 1u, 2u, 3u, 4u, 5u, 6u, 7u, 63u, 999u})
  {
    const std::vector<float> fewNormals = Normals(random, 12, 5, count);
    const std::vector<float> fewUniforms = Uniforms(random, 12, 5, count);
    EXPECT_TRUE(std::equal(fewNormals.begin(), fewNormals.end(), normals.begin())) << count;
    EXPECT_TRUE(std::equal(fewUniforms.begin(), fewUniforms.end(), uniforms.begin())) << count;
  }
}

TEST(Random, WritesNoMoreThanTheCount)
{
  const Random random(3, RandomStream::WindowShift);
  for (std::size_t count = 0; count < 9; ++count)
  {
    std::array<float, 16> values;
    values.fill(-77.f);
    random.FillNormal(1, 2, values.data(), count);
    EXPECT_EQ(std::count(values.begin(), values.end(), -77.f), static_cast<std::ptrdiff_t>(16 - count));
    values.fill(-77.f);
    random.FillUniform(1, 2, values.data(), count);
    EXPECT_EQ(std::count(values.begin(), values.end(), -77.f), static_cast<std::ptrdiff_t>(16 - count));
  }
}
