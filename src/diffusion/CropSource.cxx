// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "CropSource.h"

#include "hud/core/Error.h"
#include "hud/core/Random.h"
#include "hud/core/SimplexProjection.h"

#include <cmath>
#include <string>
#include <utility>

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

CropSource::CropSource(const std::vector<AbundanceMap>& maps, const TrainingOptions& options,
                       std::vector<std::int64_t> labels)
  : m_Options(options), m_Labels(std::move(labels))
{
  if (maps.empty())
  {
    throw InvalidData("no abundance map to train on, expected at least one");
  }
  const Eigen::Index d = maps.front().m_Abundances.rows();
  const SimplexProjection projection(options.m_Projection, d, options.m_Floor);
  const Eigen::Index channels = projection.Channels();
  const Eigen::Index patch = options.m_Patch;
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(channels);
  Eigen::VectorXd square = Eigen::VectorXd::Zero(channels);
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
    Eigen::MatrixXf projected(channels, map.m_Abundances.cols());
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
    m_Maps.push_back(torch::from_blob(projected.data(), {map.m_Height, map.m_Width, channels}, torch::kFloat32)
                         .permute({2, 0, 1})
                         .clone(at::MemoryFormat::Contiguous));

    const std::vector<std::int64_t> invalid = CountInvalid(map);
    const Eigen::Index stride = map.m_Width + 1;
    const auto at = [&](Eigen::Index x, Eigen::Index y) { return invalid[static_cast<std::size_t>(y * stride + x)]; };
    const auto corners = [&](Eigen::Index begin, Eigen::Index end) {
      std::vector<Corner> found;
      for (Eigen::Index y = begin; y + patch <= end; ++y)
      {
        for (Eigen::Index x = 0; x + patch <= map.m_Width; ++x)
        {
          if (at(x + patch, y + patch) - at(x, y + patch) - at(x + patch, y) + at(x, y) == 0)
          {
            found.push_back({static_cast<std::uint32_t>(m_Maps.size() - 1), static_cast<std::int32_t>(x),
                             static_cast<std::int32_t>(y)});
          }
        }
      }
      return found;
    };
    const auto strip = static_cast<Eigen::Index>(options.m_HoldOut * static_cast<double>(map.m_Height));
    std::vector<Corner> trained = corners(0, map.m_Height - strip);
    const std::vector<Corner> heldOut = corners(map.m_Height - strip, map.m_Height);
    if (trained.empty() || heldOut.empty())
    {
      trained = corners(0, map.m_Height);
    }
    else
    {
      m_HeldOut.insert(m_HeldOut.end(), heldOut.begin(), heldOut.end());
      m_HeldOutLines += strip;
    }
    if (trained.empty())
    {
      throw InvalidData("no patch of " + std::to_string(patch) + " x " + std::to_string(patch) +
                        " pixels free of no-data fits into map " + std::to_string(m_Maps.size()) + " of " +
                        std::to_string(maps.size()) + ", of " + std::to_string(map.m_Width) + " x " +
                        std::to_string(map.m_Height) + " pixels: expected a smaller patch or a larger scene");
    }
    m_Corners.insert(m_Corners.end(), trained.begin(), trained.end());
  }
  for (Eigen::Index k = 0; k < channels; ++k)
  {
    const double mean = sum(k) / pixels;
    const double variance = square(k) / pixels - mean * mean;
    m_Mean.push_back(mean);
    m_Sd.push_back(variance > 1e-8 ? std::sqrt(variance) : 1.);
  }
}

Eigen::Index CropSource::HeldOutLines() const
{
  return m_HeldOutLines;
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
  TrainingBatch batch = MakeBatch(m_Options.m_Batch);
  for (int sample = 0; sample < m_Options.m_Batch; ++sample)
  {
    const auto words = crops.Words(address, static_cast<std::uint32_t>(sample), 0);
    const Corner& corner = m_Corners[Below(words[0], words[1], m_Corners.size())];
    torch::Tensor crop = Crop(corner);
    if (m_Options.m_Augment)
    {
      crop = torch::rot90(crop, static_cast<std::int64_t>(words[2] >> 30), {1, 2});
      crop = (words[2] & 1u) != 0 ? crop.flip(2) : crop;
    }
    batch.m_Clean[sample].copy_(crop);
    batch.m_Timesteps[sample] =
        static_cast<std::int64_t>(words[3] % static_cast<std::uint32_t>(m_Options.m_Timesteps)) + 1;
    // The bits between those that turn and mirror.
    const double chance = static_cast<double>(words[2] >> 1 & 0x1fffffffu) / 0x20000000;
    batch.m_Labels[sample] = chance < m_Options.m_LabelDropout ? 0 : Label(corner);
    noise.FillNormal(address, static_cast<std::uint32_t>(sample), batch.m_Noise[sample].data_ptr<float>(),
                     static_cast<std::size_t>(crop.numel()));
  }
  return batch;
}

TrainingBatch CropSource::ValidationBatch(bool heldOut) const
{
  const Random crops(m_Options.m_Seed, RandomStream::ValidationCrop);
  const Random noise(m_Options.m_Seed, RandomStream::ValidationNoise);
  const std::vector<Corner>& corners = heldOut ? m_HeldOut : m_Corners;
  TrainingBatch batch = MakeBatch(kValidationCrops);
  for (int sample = 0; sample < kValidationCrops; ++sample)
  {
    const auto words = crops.Words(heldOut ? 0 : 1, static_cast<std::uint32_t>(sample), 0);
    const Corner& corner = corners[Below(words[0], words[1], corners.size())];
    const torch::Tensor crop = Crop(corner);
    batch.m_Clean[sample].copy_(crop);
    batch.m_Labels[sample] = Label(corner);
    batch.m_Timesteps[sample] = 1 + m_Options.m_Timesteps * (2 * std::int64_t(sample) + 1) / (2 * kValidationCrops);
    noise.FillNormal(0, static_cast<std::uint32_t>(sample), batch.m_Noise[sample].data_ptr<float>(),
                     static_cast<std::size_t>(crop.numel()));
  }
  return batch;
}

TrainingBatch CropSource::MakeBatch(int crops) const
{
  TrainingBatch batch;
  batch.m_Clean = torch::empty({crops, m_Maps.front().size(0), m_Options.m_Patch, m_Options.m_Patch}, torch::kFloat32);
  batch.m_Noise = torch::empty_like(batch.m_Clean);
  batch.m_Timesteps = torch::empty({crops}, torch::kInt64);
  batch.m_Labels = torch::zeros({crops}, torch::kInt64);
  return batch;
}

std::int64_t CropSource::Label(const Corner& corner) const
{
  return m_Labels.empty() ? 0 : m_Labels[corner.m_Map];
}

torch::Tensor CropSource::Crop(const Corner& corner) const
{
  return m_Maps[corner.m_Map].narrow(1, corner.m_Y, m_Options.m_Patch).narrow(2, corner.m_X, m_Options.m_Patch);
}

} // namespace hud
