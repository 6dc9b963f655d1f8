// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "CropSource.h"

#include "hud/core/Error.h"
#include "hud/core/Random.h"
#include "hud/core/SimplexProjection.h"

#include <cmath>
#include <string>

namespace hud
{

namespace
{

bool IsValid(const AbundanceMap& map, Eigen::Index pixel)
{
  return map.m_Valid.empty() || map.m_Valid[static_cast<std::size_t>(pixel)] != 0;
}

/// Returns the number of no-data pixels above and left of every corner, [(height + 1) * (width + 1)], row by row.
std::vector<std::int64_t> CountInvalid(const AbundanceMap& map)
{
  const Eigen::Index stride = map.m_Width + 1;
  std::vector<std::int64_t> count(static_cast<std::size_t>(stride * (map.m_Height + 1)), 0);
  for (Eigen::Index y = 0; y < map.m_Height; ++y)
  {
    std::int64_t inRow = 0;
    for (Eigen::Index x = 0; x < map.m_Width; ++x)
    {
      inRow += IsValid(map, y * map.m_Width + x) ? 0 : 1;
      count[static_cast<std::size_t>((y + 1) * stride + x + 1)] =
          count[static_cast<std::size_t>(y * stride + x + 1)] + inRow;
    }
  }
  return count;
}

/// Returns a number below `bound` from 64 random bits.
std::size_t Below(std::uint32_t low, std::uint32_t high, std::size_t bound)
{
  return static_cast<std::size_t>((static_cast<std::uint64_t>(high) << 32 | low) % bound);
}

} // namespace

CropSource::CropSource(const std::vector<AbundanceMap>& maps, const TrainingOptions& options) : m_Options(options)
{
  if (maps.empty())
  {
    throw InvalidData("no abundance map to train on, expected at least one");
  }
  const Eigen::Index d = maps.front().m_Abundances.rows();
  const SimplexProjection projection(ProjectionKind::Log, d, options.m_Floor);
  const Eigen::Index patch = options.m_Patch;
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(d);
  Eigen::VectorXd square = Eigen::VectorXd::Zero(d);
  double pixels = 0.;
  for (const AbundanceMap& map : maps)
  {
    if (map.m_Abundances.rows() != d || map.m_Abundances.cols() != map.m_Width * map.m_Height)
    {
      throw InvalidData("an abundance map of " + std::to_string(map.m_Width) + " x " + std::to_string(map.m_Height) +
                        " pixels holds " + std::to_string(map.m_Abundances.cols()) + " pixels of " +
                        std::to_string(map.m_Abundances.rows()) + " endmembers, expected " + std::to_string(d) +
                        " endmembers");
    }
    Eigen::MatrixXf projected(d, map.m_Abundances.cols());
    for (Eigen::Index pixel = 0; pixel < projected.cols(); ++pixel)
    {
      if (!IsValid(map, pixel))
      {
        projected.col(pixel).setZero();
        continue;
      }
      projection.Project(map.m_Abundances.col(pixel), projected.col(pixel));
      const Eigen::VectorXd z = projected.col(pixel).cast<double>();
      sum += z;
      square += z.cwiseAbs2();
      pixels += 1.;
    }
    m_Maps.push_back(torch::from_blob(projected.data(), {map.m_Height, map.m_Width, d}, torch::kFloat32)
                         .permute({2, 0, 1})
                         .clone(at::MemoryFormat::Contiguous));

    const std::vector<std::int64_t> invalid = CountInvalid(map);
    const Eigen::Index stride = map.m_Width + 1;
    const auto at = [&](Eigen::Index x, Eigen::Index y) { return invalid[static_cast<std::size_t>(y * stride + x)]; };
    for (Eigen::Index y = 0; y + patch <= map.m_Height; ++y)
    {
      for (Eigen::Index x = 0; x + patch <= map.m_Width; ++x)
      {
        if (at(x + patch, y + patch) - at(x, y + patch) - at(x + patch, y) + at(x, y) == 0)
        {
          m_Corners.push_back({static_cast<std::uint32_t>(m_Maps.size() - 1), static_cast<std::int32_t>(x),
                               static_cast<std::int32_t>(y)});
        }
      }
    }
  }
  if (m_Corners.empty())
  {
    const AbundanceMap& first = maps.front();
    throw InvalidData("no patch of " + std::to_string(patch) + " x " + std::to_string(patch) +
                      " pixels free of no-data fits into the scene of " + std::to_string(first.m_Width) + " x " +
                      std::to_string(first.m_Height) + " pixels: expected a smaller patch or a larger scene");
  }
  for (Eigen::Index k = 0; k < d; ++k)
  {
    const double mean = sum(k) / pixels;
    const double variance = square(k) / pixels - mean * mean;
    m_Mean.push_back(mean);
    m_Sd.push_back(variance > 1e-8 ? std::sqrt(variance) : 1.);
  }
}

const std::vector<double>& CropSource::ChannelMean() const
{
  return m_Mean;
}

const std::vector<double>& CropSource::ChannelSd() const
{
  return m_Sd;
}

void CropSource::Standardise(const std::vector<double>& mean, const std::vector<double>& sd)
{
  const torch::Tensor meanTensor = torch::tensor(mean, torch::kFloat32).view({-1, 1, 1});
  const torch::Tensor sdTensor = torch::tensor(sd, torch::kFloat32).view({-1, 1, 1});
  for (torch::Tensor& map : m_Maps)
  {
    map = (map - meanTensor) / sdTensor;
  }
}

TrainingBatch CropSource::Batch(std::int64_t iteration) const
{
  const Random crops(m_Options.m_Seed, RandomStream::TrainingCrop);
  const Random noise(m_Options.m_Seed, RandomStream::TrainingNoise);
  const auto address = static_cast<std::uint32_t>(iteration);
  const std::int64_t patch = m_Options.m_Patch;
  const std::int64_t d = m_Maps.front().size(0);
  TrainingBatch batch;
  batch.m_Clean = torch::empty({m_Options.m_Batch, d, patch, patch}, torch::kFloat32);
  batch.m_Noise = torch::empty_like(batch.m_Clean);
  batch.m_Timesteps = torch::empty({m_Options.m_Batch}, torch::kInt64);
  for (int sample = 0; sample < m_Options.m_Batch; ++sample)
  {
    const auto words = crops.Words(address, static_cast<std::uint32_t>(sample), 0);
    const Corner& corner = m_Corners[Below(words[0], words[1], m_Corners.size())];
    torch::Tensor crop = m_Maps[corner.m_Map].narrow(1, corner.m_Y, patch).narrow(2, corner.m_X, patch);
    if (m_Options.m_Augment)
    {
      crop = torch::rot90(crop, static_cast<std::int64_t>(words[2] >> 30), {1, 2});
      crop = (words[2] & 1u) != 0 ? crop.flip(2) : crop;
    }
    batch.m_Clean[sample].copy_(crop);
    batch.m_Timesteps[sample] =
        static_cast<std::int64_t>(words[3] % static_cast<std::uint32_t>(m_Options.m_Timesteps)) + 1;
    noise.FillNormal(address, static_cast<std::uint32_t>(sample), batch.m_Noise[sample].data_ptr<float>(),
                     static_cast<std::size_t>(d * patch * patch));
  }
  return batch;
}

} // namespace hud
