// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace hud
{

/// What a random number is for. Every purpose is an independent stream of the same seed. The numbers are part of
/// the reproducibility of saved models: never reuse or renumber one.
enum class RandomStream : std::uint32_t
{
  VcaDirection = 1,
  SyntheticScene = 2,
  TrainingCrop = 3,
  TrainingNoise = 4,
  InitialNoise = 5,
  SamplerNoise = 6,
  WindowShift = 7,
  NetworkWeights = 8,
  PixelSample = 9,
  ResidualNoise = 10,
  ValidationCrop = 11,
  ValidationNoise = 12,
  ClassifierWeights = 13,
  ClassifierBatch = 14,
  EvaluationBlock = 15,
  EvaluationCrop = 16,
  EvaluationBaseline = 17,
  Bootstrap = 18,
  ArchetypalAnalysis = 19,
  SensorNoise = 20,
  Dropout = 21,
  TrainingCoarseNoise = 22,
  CoarseNoise = 23
};

/// Random numbers that are a pure function of (seed, stream, address): Philox4x32-10 (Salmon et al., "Parallel random
/// numbers: as easy as 1, 2, 3", SC 2011). There is no state, so training resumes and scenes tile without carrying
/// a generator along, and any order of evaluation gives the same numbers.
class Random
{
public:
  Random(std::uint64_t seed, RandomStream stream);

  /// Returns four independent words, uniform over 32 bits, at the address (a, b, c).
  std::array<std::uint32_t, 4> Words(std::uint32_t a, std::uint32_t b, std::uint32_t c) const;

  /// Writes `count` independent N(0, 1) values; value i is made of the words at (a, b, i / 4).
  void FillNormal(std::uint32_t a, std::uint32_t b, float* values, std::size_t count) const;

  /// Writes `count` independent values, uniform in (0, 1); value i is made of the words at (a, b, i / 4).
  void FillUniform(std::uint32_t a, std::uint32_t b, float* values, std::size_t count) const;

private:
  std::uint64_t m_Seed;
  std::uint32_t m_Stream;
};

} // namespace hud
