// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "CropSource.h"

#include "hud/core/Error.h"
#include "hud/core/PatchSet.h"
#include "hud/core/Random.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
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

/// Share of the partial crops that are replaced by the nearest whole one: doc/architecture.md, Levels.
constexpr double kReplacedShare = 0.5;

/// Counts no-data pixels of rectangles.
class InvalidCount
{
public:
  explicit InvalidCount(const AbundanceMap& map) : m_Stride(map.m_Width + 1)
  {
    m_Count.assign(static_cast<std::size_t>(m_Stride * (map.m_Height + 1)), 0);
    for (Eigen::Index y = 0; y < map.m_Height; ++y)
    {
      std::int64_t inRow = 0;
      for (Eigen::Index x = 0; x < map.m_Width; ++x)
      {
        inRow += IsValid(map, y * map.m_Width + x) ? 0 : 1;
        m_Count[static_cast<std::size_t>((y + 1) * m_Stride + x + 1)] = At(x + 1, y) + inRow;
      }
    }
  }

  /// Returns the number in a rectangle, which must be in the map.
  std::int64_t In(Eigen::Index x, Eigen::Index y, Eigen::Index width, Eigen::Index height) const
  {
    return At(x + width, y + height) - At(x, y + height) - At(x + width, y) + At(x, y);
  }

private:
  /// Returns the number above and left of a corner.
  std::int64_t At(Eigen::Index x, Eigen::Index y) const
  {
    return m_Count[static_cast<std::size_t>(y * m_Stride + x)];
  }

  Eigen::Index m_Stride;
  std::vector<std::int64_t> m_Count; ///< [(height + 1) * (width + 1)], row by row
};

/// The corners of patches.
struct PatchCorners
{
  std::vector<PatchCorner> m_Whole;
  std::vector<PatchCorner> m_Partial; ///< of those that hang over the edge of the map or over no-data
  std::vector<PatchCorner> m_Nearest; ///< of the whole one nearest to each of these, or its own where none is whole
};

/// The corners of the patches of a level.
struct LevelCorners
{
  PatchCorners m_Trained;
  std::vector<PatchCorner> m_HeldOut;
};

/// The patches of a map, and how many of its lines are held out.
struct MapCorners
{
  std::vector<LevelCorners> m_Levels;
  Eigen::Index m_HeldOutLines = 0;
  double m_TrainedPixels = 0.; ///< valid ones of the other lines
};

/// The places at which patches may begin, row by row.
struct CornerGrid
{
  PatchCorner m_First;
  Eigen::Index m_Step; ///< from one to the next, pixels
  Eigen::Index m_Columns;
  Eigen::Index m_Rows;

  std::size_t Size() const
  {
    return static_cast<std::size_t>(m_Columns * m_Rows);
  }

  std::size_t Place(const PatchCorner& corner) const
  {
    return static_cast<std::size_t>((corner.m_Row - m_First.m_Row) / m_Step * m_Columns +
                                    (corner.m_Column - m_First.m_Column) / m_Step);
  }

  PatchCorner Corner(std::size_t place) const
  {
    const auto number = static_cast<Eigen::Index>(place);
    return {m_First.m_Column + number % m_Columns * m_Step, m_First.m_Row + number / m_Columns * m_Step};
  }
};

/// Finds the whole patch nearest to each partial one by Manhattan distance, the first of several.
void FindNearest(PatchCorners& corners, const CornerGrid& grid)
{
  corners.m_Nearest = corners.m_Partial;
  if (corners.m_Whole.empty() || corners.m_Partial.empty())
  {
    return;
  }
  constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  std::vector<std::uint32_t> nearest(grid.Size(), kNone);
  for (std::size_t whole = 0; whole < corners.m_Whole.size(); ++whole)
  {
    nearest[grid.Place(corners.m_Whole[whole])] = static_cast<std::uint32_t>(whole);
  }
  const auto rank = [&](std::size_t place, std::uint32_t whole) {
    const PatchCorner here = grid.Corner(place);
    const PatchCorner& there = corners.m_Whole[whole];
    return std::pair(std::abs(here.m_Column - there.m_Column) + std::abs(here.m_Row - there.m_Row), whole);
  };
  const auto takeOver = [&](std::size_t place, std::size_t neighbour) {
    const std::uint32_t other = nearest[neighbour];
    if (other != kNone && (nearest[place] == kNone || rank(place, other) < rank(place, nearest[place])))
    {
      nearest[place] = other;
    }
  };
  // A shortest way from a whole patch to a place first goes right or down, as the first sweep does, then left or up.
  const auto columns = static_cast<std::size_t>(grid.m_Columns);
  for (std::size_t place = 1; place < nearest.size(); ++place)
  {
    if (place % columns > 0)
    {
      takeOver(place, place - 1);
    }
    if (place >= columns)
    {
      takeOver(place, place - columns);
    }
  }
  for (std::size_t place = nearest.size() - 1; place-- > 0;)
  {
    if ((place + 1) % columns > 0)
    {
      takeOver(place, place + 1);
    }
    if (place + columns < nearest.size())
    {
      takeOver(place, place + columns);
    }
  }
  for (std::size_t partial = 0; partial < corners.m_Partial.size(); ++partial)
  {
    corners.m_Nearest[partial] = corners.m_Whole[nearest[grid.Place(corners.m_Partial[partial])]];
  }
}

/// Finds the patches of a map. What is held out at level 0 is so at all levels.
MapCorners FindCorners(const AbundanceMap& map, const TrainingOptions& options, int levels)
{
  const InvalidCount invalid(map);
  // Finds the patches of some lines of which at least a share is valid; what lies beyond the lines is not.
  const auto find = [&](int level, Eigen::Index begin, Eigen::Index end, double share) {
    const Eigen::Index edge = static_cast<Eigen::Index>(options.m_Patch) << level;
    // A coarser level that is seen beside a crop is stored at multiples of the crop's pixels; without one crops may be nearer.
    const Eigen::Index step =
        level + 1 < levels || level == 0 ? Eigen::Index(1) << level : Eigen::Index(1) << (level - 1);
    const auto smallest = static_cast<Eigen::Index>(std::ceil(share * static_cast<double>(edge * edge)));
    const Eigen::Index before = smallest < edge * edge ? (edge - 1) / step * step : 0;
    const PatchCorner first = {-before, (begin + step - 1) / step * step - before};
    const CornerGrid grid = {first, step, (map.m_Width - first.m_Column + step - 1) / step,
                             (end - first.m_Row + step - 1) / step};
    PatchCorners found;
    for (std::size_t place = 0; place < grid.Size(); ++place)
    {
      const PatchCorner corner = grid.Corner(place);
      const Eigen::Index left = std::max<Eigen::Index>(corner.m_Column, 0);
      const Eigen::Index top = std::max(corner.m_Row, begin);
      const Eigen::Index columns = std::min(corner.m_Column + edge, map.m_Width) - left;
      const Eigen::Index rows = std::min(corner.m_Row + edge, end) - top;
      const Eigen::Index valid = rows * columns - invalid.In(left, top, columns, rows);
      if (valid >= smallest)
      {
        (valid == edge * edge ? found.m_Whole : found.m_Partial).push_back(corner);
      }
    }
    FindNearest(found, grid);
    return found;
  };
  MapCorners corners;
  corners.m_HeldOutLines = static_cast<Eigen::Index>(options.m_HoldOut * static_cast<double>(map.m_Height));
  if (find(0, 0, map.m_Height - corners.m_HeldOutLines, 1.).m_Whole.empty() ||
      find(0, map.m_Height - corners.m_HeldOutLines, map.m_Height, 1.).m_Whole.empty())
  {
    corners.m_HeldOutLines = 0;
  }
  const Eigen::Index lines = map.m_Height - corners.m_HeldOutLines;
  corners.m_TrainedPixels = static_cast<double>(map.m_Width * lines - invalid.In(0, 0, map.m_Width, lines));
  for (int level = 0; level < levels; ++level)
  {
    corners.m_Levels.push_back(
        {find(level, 0, lines, options.m_ValidShare), find(level, lines, map.m_Height, 1.).m_Whole});
  }
  return corners;
}

/// Returns the mean of four pixels that are `distance` apart, [rows, columns, d], of each `step`-th place; nothing when there
/// is none.
torch::Tensor AverageFour(const torch::Tensor& values, std::int64_t distance, std::int64_t step)
{
  const std::int64_t rows = values.size(0) - distance;
  const std::int64_t columns = values.size(1) - distance;
  if (rows <= 0 || columns <= 0)
  {
    return torch::empty({0, 0, values.size(2)});
  }
  const auto part = [&](std::int64_t y, std::int64_t x) {
    return values.slice(0, y, y + rows, step).slice(1, x, x + columns, step);
  };
  return (part(0, 0) + part(0, distance) + part(distance, 0) + part(distance, distance)) / 4.;
}

/// Returns a number below `bound` from 64 random bits.
std::size_t Below(std::uint32_t low, std::uint32_t high, std::size_t bound)
{
  return static_cast<std::size_t>((static_cast<std::uint64_t>(high) << 32 | low) % bound);
}

/// Returns a number in 0..1 from 32 random bits.
double Share(std::uint32_t word)
{
  return static_cast<double>(word) / 4294967296.;
}

} // namespace

TrainingBatch TrainingBatch::Select(std::int64_t first, std::int64_t count, const torch::Device& device) const
{
  const auto select = [&](const torch::Tensor& values) { return values.narrow(0, first, count).to(device); };
  return {select(m_Clean), select(m_Valid), select(m_Noise), select(m_Timesteps),
          m_Conditions.Select(first, count, device)};
}

int CropSource::CountLevels(const std::vector<AbundanceMap>& maps, const TrainingOptions& options)
{
  constexpr int kMost = 8;
  TrainingOptions whole = options;
  whole.m_ValidShare = 1.;
  const auto hasRoom = [&](int levels) {
    return std::any_of(maps.begin(), maps.end(), [&](const AbundanceMap& map) {
      return !FindCorners(map, whole, levels).m_Levels.back().m_Trained.m_Whole.empty();
    });
  };
  int levels = 1;
  while (levels < kMost && options.m_Patch % 4 == 0 && hasRoom(levels + 1))
  {
    ++levels;
  }
  return levels;
}

CropSource::CropSource(const std::vector<AbundanceMap>& maps, const TrainingOptions& options,
                       std::vector<std::int64_t> labels)
  : m_Options(options), m_Labels(std::move(labels)), m_Levels(static_cast<std::size_t>(options.m_Levels))
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
    const auto number = static_cast<std::uint32_t>(m_Levels.front().m_Maps.size());
    const MapCorners corners = FindCorners(map, options, options.m_Levels);
    if (corners.m_Levels.front().m_Trained.m_Whole.empty())
    {
      throw InvalidData("no patch of " + std::to_string(patch) + " x " + std::to_string(patch) +
                        " pixels free of no-data fits into map " + std::to_string(number + 1) + " of " +
                        std::to_string(maps.size()) + ", of " + std::to_string(map.m_Width) + " x " +
                        std::to_string(map.m_Height) + " pixels: expected a smaller patch or a larger scene");
    }
    m_HeldOutLines += corners.m_HeldOutLines;
    for (std::size_t level = 0; level < m_Levels.size(); ++level)
    {
      const auto add = [number](std::vector<Corner>& all, const std::vector<PatchCorner>& found) {
        for (const PatchCorner& corner : found)
        {
          all.push_back({number, static_cast<std::int32_t>(corner.m_Column), static_cast<std::int32_t>(corner.m_Row)});
        }
      };
      add(m_Levels[level].m_Whole, corners.m_Levels[level].m_Trained.m_Whole);
      add(m_Levels[level].m_Partial, corners.m_Levels[level].m_Trained.m_Partial);
      add(m_Levels[level].m_Nearest, corners.m_Levels[level].m_Trained.m_Nearest);
      add(m_Levels[level].m_HeldOut, corners.m_Levels[level].m_HeldOut);
    }
    AddMap(map, projection, corners.m_HeldOutLines);
    const Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> projected(
        m_Levels.front().m_Maps.back().data_ptr<float>(), channels, map.m_Abundances.cols());
    for (Eigen::Index pixel = 0; pixel < projected.cols(); ++pixel)
    {
      if (IsValid(map, pixel))
      {
        const Eigen::VectorXd z = projected.col(pixel).cast<double>();
        sum += z;
        square += z.cwiseAbs2();
        pixels += 1.;
      }
    }
    m_TrainedPixels.push_back(corners.m_TrainedPixels);
  }
  for (int level = 1; level < m_Options.m_Levels; ++level)
  {
    if (HasLevel(level))
    {
      m_CoarseLevels.push_back(level);
    }
  }
  for (Eigen::Index k = 0; k < channels; ++k)
  {
    const double mean = sum(k) / pixels;
    const double variance = square(k) / pixels - mean * mean;
    m_Mean.push_back(mean);
    m_Sd.push_back(variance > 1e-8 ? std::sqrt(variance) : 1.);
  }
}

std::int64_t CropSource::Stride(int level)
{
  return level == 0 ? 1 : std::int64_t(1) << (level - 1);
}

void CropSource::AddMap(const AbundanceMap& map, const SimplexProjection& projection, Eigen::Index heldOutLines)
{
  Eigen::MatrixXf abundances = map.m_Abundances;
  const Eigen::Index d = abundances.rows();
  torch::Tensor valid = torch::ones({map.m_Height, map.m_Width, 1}, torch::kFloat32);
  for (Eigen::Index pixel = 0; pixel < abundances.cols(); ++pixel)
  {
    if (!IsValid(map, pixel))
    {
      abundances.col(pixel).setConstant(1.f / static_cast<float>(d)); // unseen, but what is projected must be finite
      valid.data_ptr<float>()[pixel] = 0.f;
    }
  }
  valid.narrow(0, map.m_Height - heldOutLines, heldOutLines).zero_();
  torch::Tensor values = torch::from_blob(abundances.data(), {map.m_Height, map.m_Width, d}, torch::kFloat32);
  for (int level = 0; level < m_Options.m_Levels; ++level)
  {
    if (level > 0)
    {
      // The squares of the level before are stored at half their edge, so that the next one is two places off.
      const std::int64_t distance = level == 1 ? 1 : 2;
      values = AverageFour(values, distance, distance).contiguous();
      valid = AverageFour(valid, distance, distance).eq(1.f).to(torch::kFloat32);
    }
    m_Levels[static_cast<std::size_t>(level)].m_Trained.push_back(valid.permute({2, 0, 1}).contiguous());
    const Eigen::Map<const Eigen::MatrixXf> mixed(values.data_ptr<float>(), d, values.numel() / d);
    Eigen::MatrixXf projected(projection.Channels(), mixed.cols());
    for (Eigen::Index pixel = 0; pixel < mixed.cols(); ++pixel)
    {
      projection.Project(mixed.col(pixel), projected.col(pixel));
    }
    m_Levels[static_cast<std::size_t>(level)].m_Maps.push_back(
        torch::from_blob(projected.data(), {values.size(0), values.size(1), projected.rows()}, torch::kFloat32)
            .permute({2, 0, 1})
            .clone(at::MemoryFormat::Contiguous));
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
  for (Level& level : m_Levels)
  {
    for (torch::Tensor& map : level.m_Maps)
    {
      map = (map - meanTensor) / sdTensor;
    }
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
    const auto which = static_cast<std::uint32_t>(sample);
    const auto words = crops.Words(address, which, 0);
    const auto levelWords = crops.Words(address, which, 1);
    const int level = DrawLevel(levelWords[0]);
    const Level& from = m_Levels[static_cast<std::size_t>(level)];
    const Corner& corner = Draw(from, words[0], words[1], Share(levelWords[3]) < kReplacedShare);
    const auto turn = [&](torch::Tensor crop) {
      if (m_Options.m_Augment)
      {
        crop = torch::rot90(crop, static_cast<std::int64_t>(words[2] >> 30), {1, 2});
        crop = (words[2] & 1u) != 0 ? crop.flip(2) : crop;
      }
      return crop;
    };
    batch.m_Valid[sample].copy_(turn(Crop(from.m_Trained, corner, level, m_Options.m_Patch)));
    batch.m_Clean[sample].copy_(turn(Crop(from.m_Maps, corner, level, m_Options.m_Patch))).mul_(batch.m_Valid[sample]);
    batch.m_Timesteps[sample] =
        static_cast<std::int64_t>(words[3] % static_cast<std::uint32_t>(m_Options.m_Timesteps)) + 1;
    // The bits between those that turn and mirror.
    const double chance = static_cast<double>(words[2] >> 1 & 0x1fffffffu) / 0x20000000;
    batch.m_Conditions.m_Labels[sample] = chance < m_Options.m_LabelDropout ? 0 : Label(corner);
    noise.FillNormal(address, which, batch.m_Noise[sample].data_ptr<float>(),
                     static_cast<std::size_t>(batch.m_Noise[sample].numel()));
    batch.m_Noise[sample].mul_(batch.m_Valid[sample]);
    if (m_Options.m_Levels > 1)
    {
      batch.m_Conditions.m_Levels[sample] = level;
      if (level + 1 < m_Options.m_Levels && Share(levelWords[1]) >= m_Options.m_CoarseDropout)
      {
        const double deviation = m_Options.m_CoarseNoise * Share(levelWords[2]);
        torch::Tensor coarse = batch.m_Conditions.m_Coarse[sample];
        Random(m_Options.m_Seed, RandomStream::TrainingCoarseNoise)
            .FillNormal(address, which, coarse.data_ptr<float>(), static_cast<std::size_t>(coarse.numel()));
        const Level& coarser = m_Levels[static_cast<std::size_t>(level) + 1];
        coarse.mul_(deviation).add_(turn(Crop(coarser.m_Maps, corner, level + 1, m_Options.m_Patch / 2)));
        coarse.mul_(turn(Crop(coarser.m_Trained, corner, level + 1, m_Options.m_Patch / 2)));
        batch.m_Conditions.m_CoarseNoise[sample] = deviation;
      }
    }
  }
  return batch;
}

const CropSource::Corner& CropSource::Draw(const Level& from, std::uint32_t low, std::uint32_t high, bool isReplaced)
{
  const std::size_t index = Below(low, high, from.m_Whole.size() + from.m_Partial.size());
  if (index < from.m_Whole.size())
  {
    return from.m_Whole[index];
  }
  return (isReplaced ? from.m_Nearest : from.m_Partial)[index - from.m_Whole.size()];
}

int CropSource::DrawLevel(std::uint32_t word) const
{
  const double share = 2. * Share(word) - 1.;
  return share < 0. || m_CoarseLevels.empty()
             ? 0
             : m_CoarseLevels[static_cast<std::size_t>(share * static_cast<double>(m_CoarseLevels.size()))];
}

bool CropSource::HasLevel(int level) const
{
  return !m_Levels[static_cast<std::size_t>(level)].m_Whole.empty();
}

bool CropSource::CanValidate(int level) const
{
  return !m_Levels[static_cast<std::size_t>(level)].m_HeldOut.empty();
}

double CropSource::IndependentPatches(int level) const
{
  std::set<std::uint32_t> maps;
  for (const Corner& corner : m_Levels[static_cast<std::size_t>(level)].m_Whole)
  {
    maps.insert(corner.m_Map);
  }
  std::map<std::int64_t, double> pixels; // by label: other maps of one scene show nothing new of its structure
  for (const std::uint32_t map : maps)
  {
    pixels[m_Labels.empty() ? 0 : m_Labels[map]] += m_TrainedPixels[map];
  }
  double most = 0.;
  for (const auto& [label, count] : pixels)
  {
    most = std::max(most, count);
  }
  return most / std::pow(static_cast<double>(m_Options.m_Patch << level), 2.);
}

TrainingBatch CropSource::ValidationBatch(bool heldOut, int level) const
{
  const Random crops(m_Options.m_Seed, RandomStream::ValidationCrop);
  const Random noise(m_Options.m_Seed, RandomStream::ValidationNoise);
  const Level& from = m_Levels[static_cast<std::size_t>(level)];
  const std::vector<Corner>& corners = heldOut ? from.m_HeldOut : from.m_Whole;
  TrainingBatch batch = MakeBatch(kValidationCrops);
  for (int sample = 0; sample < kValidationCrops; ++sample)
  {
    const auto words =
        crops.Words(heldOut ? 0 : 1, static_cast<std::uint32_t>(sample), static_cast<std::uint32_t>(level));
    const Corner& corner = corners[Below(words[0], words[1], corners.size())];
    batch.m_Clean[sample].copy_(Crop(from.m_Maps, corner, level, m_Options.m_Patch));
    batch.m_Conditions.m_Labels[sample] = Label(corner);
    batch.m_Timesteps[sample] = 1 + m_Options.m_Timesteps * (2 * std::int64_t(sample) + 1) / (2 * kValidationCrops);
    noise.FillNormal(0, static_cast<std::uint32_t>(sample), batch.m_Noise[sample].data_ptr<float>(),
                     static_cast<std::size_t>(batch.m_Noise[sample].numel()));
    if (m_Options.m_Levels > 1)
    {
      batch.m_Conditions.m_Levels[sample] = level;
      if (level + 1 < m_Options.m_Levels)
      {
        const Level& coarser = m_Levels[static_cast<std::size_t>(level) + 1];
        batch.m_Conditions.m_Coarse[sample].copy_(Crop(coarser.m_Maps, corner, level + 1, m_Options.m_Patch / 2));
        batch.m_Conditions.m_CoarseNoise[sample] = 0.;
      }
    }
  }
  return batch;
}

TrainingBatch CropSource::MakeBatch(int crops) const
{
  const std::int64_t channels = m_Levels.front().m_Maps.front().size(0);
  TrainingBatch batch;
  batch.m_Clean = torch::empty({crops, channels, m_Options.m_Patch, m_Options.m_Patch}, torch::kFloat32);
  batch.m_Valid = torch::ones({crops, 1, m_Options.m_Patch, m_Options.m_Patch}, torch::kFloat32);
  batch.m_Noise = torch::empty_like(batch.m_Clean);
  batch.m_Timesteps = torch::empty({crops}, torch::kInt64);
  batch.m_Conditions.m_Labels = torch::zeros({crops}, torch::kInt64);
  if (m_Options.m_Levels > 1)
  {
    batch.m_Conditions.m_Levels = torch::zeros({crops}, torch::kInt64);
    batch.m_Conditions.m_Coarse = torch::zeros({crops, channels, m_Options.m_Patch / 2, m_Options.m_Patch / 2});
    batch.m_Conditions.m_CoarseNoise = torch::full({crops}, Conditions::kNoCoarse, torch::kFloat32);
  }
  return batch;
}

std::int64_t CropSource::Label(const Corner& corner) const
{
  return m_Labels.empty() ? 0 : m_Labels[corner.m_Map];
}

torch::Tensor CropSource::Crop(const std::vector<torch::Tensor>& maps, const Corner& corner, int level,
                               std::int64_t size)
{
  const std::int64_t stride = Stride(level);
  const std::int64_t step = (std::int64_t(1) << level) / stride;
  torch::Tensor map = maps[corner.m_Map];
  torch::Tensor crop = torch::zeros({map.size(0), size, size}, torch::kFloat32);
  torch::Tensor inside = crop;
  for (const auto& [dimension, begin] : {std::pair(1, corner.m_Y / stride), std::pair(2, corner.m_X / stride)})
  {
    const std::int64_t first = begin < 0 ? (step - 1 - begin) / step : 0;
    const std::int64_t end = std::min(size, (map.size(dimension) - begin + step - 1) / step);
    if (end <= first)
    {
      return crop;
    }
    inside = inside.slice(dimension, first, end);
    map = map.slice(dimension, begin + step * first, begin + step * (end - 1) + 1, step);
  }
  inside.copy_(map);
  return crop;
}

} // namespace hud
