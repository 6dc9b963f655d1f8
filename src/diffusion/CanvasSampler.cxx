// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "CanvasSampler.h"

#include "NetworkCoordinates.h"

#include "hud/core/Error.h"
#include "hud/core/Random.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

namespace hud
{

namespace
{

/// The last steps, in which a scene's windows overlap and are blended.
constexpr std::size_t kBlendedSteps = 3;

using RowMajorMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

std::int64_t RoundUp(std::int64_t value, std::int64_t multiple)
{
  return (value + multiple - 1) / multiple * multiple;
}

/// Returns the Hann weights of the pixels along a window, [patch]. Those of two windows half a patch apart sum to one.
torch::Tensor HannWeights(std::int64_t patch)
{
  const torch::Tensor position = torch::arange(patch, torch::TensorOptions(torch::kFloat64)) + 0.5;
  return torch::sin(position * (3.14159265358979323846 / static_cast<double>(patch))).square().to(torch::kFloat32);
}

/// Cuts bands of a canvas, [bands, patch, channels, width], into windows, [bands * width / patch, channels, patch, patch].
torch::Tensor CutWindows(const torch::Tensor& bands)
{
  const auto patch = bands.size(1);
  const auto channels = bands.size(2);
  return bands.reshape({bands.size(0), patch, channels, bands.size(3) / patch, patch})
      .permute({0, 3, 2, 1, 4})
      .reshape({-1, channels, patch, patch});
}

/// Puts the windows of CutWindows together again.
torch::Tensor JoinWindows(const torch::Tensor& windows, std::int64_t bands)
{
  const auto channels = windows.size(1);
  const auto patch = windows.size(2);
  return windows.reshape({bands, -1, channels, patch, patch})
      .permute({0, 3, 2, 1, 4})
      .reshape({bands, patch, channels, -1});
}

/// The windows that cover a canvas at one step. They come in bands, the rows of one window.
struct WindowGrid
{
  std::vector<std::int64_t> m_FirstRows;    ///< of the bands, in the order in which they are estimated; may be negative
  std::vector<std::int64_t> m_FirstColumns; ///< of the windows of a band; more than one: the windows are blended
};

/// @throws InvalidOption when the model does not know the label
Guidance FindGuidance(const SceneInfo& scene, const SampleOptions& options)
{
  if (options.m_Label.empty())
  {
    return {};
  }
  return {static_cast<std::int64_t>(scene.FindLabel(options.m_Label)) + 1, options.m_Guidance};
}

/// Returns the edges of the canvases of each level, from the scene's own on. Each is a whole number of windows, and as large
/// as the finer one asks for. Windows go around a canvas; where that would join what does not fit together, there is room for
/// half a window: beside an existing place, and where the coarser canvases would not be exactly a half, a quarter, ...
/// @param edge of the scene
std::vector<std::int64_t> CanvasEdges(std::int64_t edge, std::size_t levels, std::int64_t patch, bool hasPlace)
{
  std::vector<std::int64_t> edges;
  for (std::size_t coarser = levels; coarser-- > 0;)
  {
    const bool fits = RoundUp(edge, patch) % (patch << coarser) == 0;
    edges.push_back(RoundUp(hasPlace || !fits ? edge + patch / 2 : edge, patch));
    edge = edges.back() / 2;
  }
  return edges;
}

/// The canvases of a sample.
struct CanvasPlan
{
  std::vector<std::int64_t> m_Heights; ///< of each level, from the scene's own on
  std::vector<std::int64_t> m_Widths;  ///< likewise
  bool m_InMemory = true;

  std::int64_t Pixels(std::size_t level) const
  {
    return m_Heights[level] * m_Widths[level];
  }
};

bool NeedsPrevious(const std::vector<SamplerStep>& steps)
{
  return std::any_of(steps.begin(), steps.end(), [](const SamplerStep& step) { return step.m_Previous != 0.; });
}

/// Returns the canvases of a sample. There are no more levels than it takes for the coarsest to be a single window, but for
/// the room around an existing place.
CanvasPlan PlanCanvases(const ModelInfo& info, const SampleOptions& options, bool hasPlace)
{
  const std::int64_t patch = info.m_Options.m_Patch;
  const auto placeLevel = static_cast<std::size_t>(hasPlace ? options.m_PlaceLevel : 0);
  std::size_t levels = placeLevel + 1;
  for (std::int64_t edge = (std::max(options.m_Width, options.m_Height) - 1) >> placeLevel;
       edge >= patch && static_cast<int>(levels) < info.m_Options.m_Levels && options.m_Layout == SampleLayout::Scene;
       edge /= 2)
  {
    ++levels;
  }
  CanvasPlan plan;
  plan.m_Heights = CanvasEdges(options.m_Height, levels, patch, hasPlace);
  plan.m_Widths = CanvasEdges(options.m_Width, levels, patch, hasPlace);

  // What is known of a place is kept for all levels; the rest is of one level, and of the coarser one as it is seen.
  const NetworkCoordinates coordinates(info);
  const NoiseSchedule schedule(info.m_Options.m_Schedule, info.m_Options.m_Timesteps);
  const std::int64_t live = coordinates.Channels() * (NeedsPrevious(PlanSampler(schedule, options.m_Sampler)) ? 2 : 1);
  std::int64_t known = 0;
  std::int64_t most = 0;
  for (std::size_t level = 0; level < levels; ++level)
  {
    const std::int64_t seen = level + 1 < levels ? coordinates.Channels() + coordinates.Endmembers() : 0;
    known += hasPlace && level >= placeLevel ? (coordinates.Channels() + 1) * plan.Pixels(level) : 0;
    most = std::max(most, live * plan.Pixels(level) + seen * plan.Pixels(level) / 4);
  }
  plan.m_InMemory = static_cast<std::size_t>(known + most) * sizeof(float) <= options.m_LargestMemory;
  return plan;
}

/// Returns the deviation of the noise with which a coarser level is seen.
double CoarseNoise(const ModelInfo& info, const SampleOptions& options)
{
  return std::min(options.m_CoarseNoise, info.m_Options.m_CoarseNoise);
}

/// Throws when the user wants the work to end.
void Report(const std::function<bool(double)>& proceed, double done)
{
  if (proceed && !proceed(done))
  {
    throw Error("interrupted while sampling");
  }
}

/// Writes the mean abundances of 2 x 2 pixels of a level, and the timestep down to which they are held: as long as all four.
/// What lies beyond the finer canvas is free.
/// @param free the timestep of what is free
Canvas CoarserPlace(const Canvas& fine, const NetworkCoordinates& coordinates, std::int64_t height, std::int64_t width,
                    bool inMemory, float free, const std::function<bool(double)>& proceed)
{
  const std::int64_t channels = coordinates.Channels();
  Canvas coarse(channels + 1, height, width, inMemory);
  Eigen::MatrixXf pair(coordinates.Endmembers(), 2 * fine.Width());
  Eigen::MatrixXf mean(coordinates.Endmembers(), fine.Width() / 2);
  for (std::int64_t y = 0; y < height; ++y)
  {
    Report(proceed, 0.);
    torch::Tensor row = torch::zeros({1, channels + 1, width}, torch::kFloat32);
    row.narrow(1, channels, 1).fill_(free);
    if (2 * y < fine.Height())
    {
      const torch::Tensor rows = fine.Read(2 * y, 2);
      for (std::int64_t which = 0; which < 2; ++which)
      {
        const Eigen::Map<const RowMajorMatrix> pixels(rows[which].data_ptr<float>(), channels + 1, fine.Width());
        coordinates.ToAbundances(pixels.topRows(channels), pair.middleCols(which * fine.Width(), fine.Width()));
      }
      for (std::int64_t x = 0; x < mean.cols(); ++x)
      {
        mean.col(x) =
            (pair.middleCols(2 * x, 2).rowwise().sum() + pair.middleCols(fine.Width() + 2 * x, 2).rowwise().sum()) /
            4.f;
      }
      Eigen::Map<RowMajorMatrix> values(row.data_ptr<float>(), channels + 1, width);
      values.topLeftCorner(channels, mean.cols()) = coordinates.FromAbundances(mean);
      const torch::Tensor held = rows.select(1, channels).amax(0).view({-1, 2}).amax(1);
      row[0][channels].narrow(0, 0, held.size(0)).copy_(held);
    }
    coarse.Write(y, row);
  }
  return coarse;
}

/// Returns an existing place on each level from options.m_PlaceLevel on: coordinates and, in one more channel, the timestep
/// down to which each pixel is held.
std::vector<Canvas> ReadPlace(const ModelInfo& info, const SampleOptions& options, const CanvasPlan& plan,
                              const PlaceReader& place, const std::function<bool(double)>& proceed)
{
  const NetworkCoordinates coordinates(info);
  const std::int64_t channels = coordinates.Channels();
  const auto timesteps = static_cast<float>(info.m_Options.m_Timesteps);
  const auto until = [&](PixelRole role) {
    switch (role)
    {
    case PixelRole::Keep:
      return 0.f;
    case PixelRole::Vary:
      return static_cast<float>(options.m_Strength) * timesteps;
    default:
      return timesteps;
    }
  };
  const auto first = static_cast<std::size_t>(options.m_PlaceLevel);
  const std::int64_t scale = std::int64_t(1) << first;
  const std::int64_t height = (options.m_Height + scale - 1) / scale;
  const std::int64_t width = (options.m_Width + scale - 1) / scale;
  std::vector<Canvas> levels;
  levels.emplace_back(channels + 1, plan.m_Heights[first], plan.m_Widths[first], plan.m_InMemory);
  Eigen::MatrixXf abundances = Eigen::MatrixXf::Zero(coordinates.Endmembers(), width);
  std::vector<PixelRole> roles;
  for (std::int64_t y = 0; y < levels.front().Height(); ++y)
  {
    torch::Tensor row = torch::zeros({1, channels + 1, levels.front().Width()}, torch::kFloat32);
    row.narrow(1, channels, 1).fill_(timesteps);
    if (y < height)
    {
      roles.assign(static_cast<std::size_t>(width), PixelRole::Make);
      place(y, abundances, roles);
      Eigen::Map<RowMajorMatrix> values(row.data_ptr<float>(), channels + 1, levels.front().Width());
      values.topLeftCorner(channels, width) = coordinates.FromAbundances(abundances);
      std::transform(roles.begin(), roles.end(), values.row(channels).begin(), until);
    }
    levels.front().Write(y, row);
  }
  for (std::size_t level = first + 1; level < plan.m_Heights.size(); ++level)
  {
    levels.push_back(CoarserPlace(levels.back(), coordinates, plan.m_Heights[level], plan.m_Widths[level],
                                  plan.m_InMemory, timesteps, proceed));
  }
  return levels;
}

/// A finished level as the next one sees it, half its size.
struct CoarseLevel
{
  Canvas m_Seen;                 ///< coordinates, with noise
  std::optional<Canvas> m_Means; ///< abundances, [d], if the next level is to have them on average
};

/// Returns a finished level as the next one sees it.
/// @param deviation of the noise
/// @param isGiven whether the next level is to have its abundances on average
CoarseLevel MakeCoarse(const Canvas& canvas, const NetworkCoordinates& coordinates, const SampleOptions& options,
                       const CanvasPlan& plan, std::size_t level, double deviation, bool isGiven,
                       const std::function<void()>& checkIn)
{
  const std::int64_t height = plan.m_Heights[level - 1] / 2;
  const std::int64_t width = plan.m_Widths[level - 1] / 2;
  const Random random(options.m_Seed, RandomStream::CoarseNoise);
  CoarseLevel coarse = {Canvas(canvas.Channels(), height, width, plan.m_InMemory), std::nullopt};
  if (isGiven)
  {
    coarse.m_Means.emplace(coordinates.Endmembers(), height, width, plan.m_InMemory);
  }
  Eigen::MatrixXf abundances(coordinates.Endmembers(), width);
  for (std::int64_t y = 0; y < height; ++y)
  {
    checkIn();
    // A pixel's noise depends on its place only, not on the width.
    torch::Tensor noise = torch::empty({1, width, canvas.Channels()}, torch::kFloat32);
    random.FillNormal(static_cast<std::uint32_t>(level), static_cast<std::uint32_t>(y), noise.data_ptr<float>(),
                      static_cast<std::size_t>(noise.numel()));
    coarse.m_Seen.Write(y, canvas.Read(y, 1).narrow(2, 0, width) + deviation * noise.permute({0, 2, 1}));
    if (isGiven)
    {
      ReadAbundances(canvas, coordinates, width, y, 1, abundances);
      coarse.m_Means->Write(y, torch::from_blob(abundances.data(), {1, width, abundances.rows()}).permute({0, 2, 1}));
    }
  }
  return coarse;
}

/// One run of a sampler over the canvas of a level. At every step each band of windows is read, estimated and written back;
/// nothing but the canvases themselves grows with the canvas's height.
class CanvasRun
{
public:
  /// @param level of the cascade
  /// @param known the place's coordinates and, in one more channel, the timestep down to which it is held; may be null
  /// @param coarse the coarser level; may be null
  CanvasRun(Denoiser& denoiser, const ModelInfo& info, const SampleOptions& options, const CanvasPlan& plan, int level,
            const Canvas* known, const CoarseLevel* coarse, const std::function<bool(double)>& proceed)
    : m_Denoiser(denoiser), m_Options(options), m_Guidance(FindGuidance(info.m_Scene, options)), m_Proceed(proceed),
      m_Schedule(info.m_Options.m_Schedule, info.m_Options.m_Timesteps),
      m_Plan(PlanSampler(m_Schedule, options.m_Sampler)), m_Coordinates(info), m_Level(level),
      m_Patch(info.m_Options.m_Patch), m_Channels(m_Coordinates.Channels()),
      m_Height(plan.m_Heights[static_cast<std::size_t>(level)]),
      m_Width(plan.m_Widths[static_cast<std::size_t>(level)]),
      m_Seamless(options.m_Layout == SampleLayout::Scene && (m_Height > m_Patch || m_Width > m_Patch)),
      m_Current(m_Channels, m_Height, m_Width, plan.m_InMemory), m_Known(known), m_Coarse(coarse),
      m_CoarseNoise(CoarseNoise(info, options))
  {
    if (NeedsPrevious(m_Plan))
    {
      m_Previous.emplace(m_Channels, m_Height, m_Width, plan.m_InMemory);
    }
  }

  Canvas Run()
  {
    const torch::NoGradGuard noGradient;
    Begin();
    for (m_Step = 0; m_Step < m_Plan.size(); ++m_Step)
    {
      const bool blended = m_Seamless && m_Step + kBlendedSteps >= m_Plan.size();
      blended ? BlendedStep() : PlainStep();
    }
    return std::move(m_Current);
  }

private:
  /// Returns the address of a step's random numbers. Each level has its own.
  std::uint32_t Address(std::size_t step) const
  {
    return static_cast<std::uint32_t>(m_Level) << 24 | static_cast<std::uint32_t>(step);
  }

  /// Returns normal noise for rows, [rows, channels, width]; a pixel's noise depends on its place and the step only.
  torch::Tensor Noise(RandomStream stream, std::size_t step, std::int64_t first, std::int64_t rows) const
  {
    const Random random(m_Options.m_Seed, stream);
    torch::Tensor noise = torch::empty({rows, m_Width, m_Channels}, torch::kFloat32);
    const std::int64_t rowSize = m_Width * m_Channels;
    at::parallel_for(0, rows, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row)
      {
        const std::int64_t y = (first + row + m_Height) % m_Height;
        random.FillNormal(Address(step), static_cast<std::uint32_t>(y), noise.data_ptr<float>() + row * rowSize,
                          static_cast<std::size_t>(rowSize));
      }
    });
    return noise.permute({0, 2, 1}).contiguous();
  }

  /// Returns where rows of an existing place are still known at a step, [rows, 1, width].
  /// @param known the rows of m_Known
  torch::Tensor IsHeld(const torch::Tensor& known, std::size_t step) const
  {
    return known.narrow(1, m_Channels, 1) < static_cast<double>(m_Plan[step].m_From);
  }

  /// Writes Z_T.
  void Begin()
  {
    for (std::int64_t y = 0; y < m_Height; y += m_Patch)
    {
      torch::Tensor rows = Noise(RandomStream::InitialNoise, 0, y, m_Patch);
      if (m_Known != nullptr)
      {
        const torch::Tensor known = m_Known->Read(y, m_Patch);
        const double signal = m_Schedule.AlphaBar(m_Schedule.Timesteps());
        const torch::Tensor noised = std::sqrt(signal) * known.narrow(1, 0, m_Channels) + std::sqrt(1. - signal) * rows;
        rows = torch::where(IsHeld(known, 0), noised, rows);
      }
      m_Current.Write(y, rows);
    }
  }

  /// Returns estimates of rows, [rows, channels, width], whose means of 2 x 2 pixels are those of the coarser level.
  torch::Tensor MatchMeans(std::int64_t first, const torch::Tensor& clean) const
  {
    torch::Tensor matched = clean.contiguous().clone();
    const torch::Tensor means = m_Coarse->m_Means->Read(first / 2, clean.size(0) / 2);
    auto values = matched.accessor<float, 3>();
    const auto given = means.accessor<float, 3>();
    at::parallel_for(0, means.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
      Eigen::MatrixXf four(m_Channels, 4);
      Eigen::VectorXf mean(m_Coordinates.Endmembers());
      const Eigen::MatrixXf lower = m_Coordinates.LowerBounds().matrix().replicate(1, 4);
      const Eigen::MatrixXf upper = m_Coordinates.UpperBounds().matrix().replicate(1, 4);
      for (std::int64_t y = begin; y < end; ++y)
      {
        for (std::int64_t x = 0; x < means.size(2); ++x)
        {
          for (std::int64_t k = 0; k < mean.size(); ++k)
          {
            mean(k) = given[y][k][x];
          }
          for (std::int64_t i = 0; i < 4 * m_Channels; ++i)
          {
            four(i / 4, i % 4) = values[2 * y + i % 4 / 2][i / 4][2 * x + i % 2];
          }
          m_Coordinates.MatchMean(four, mean);
          four = four.cwiseMax(lower).cwiseMin(upper);
          for (std::int64_t i = 0; i < 4 * m_Channels; ++i)
          {
            values[2 * y + i % 4 / 2][i / 4][2 * x + i % 2] = four(i / 4, i % 4);
          }
        }
      }
    });
    return matched;
  }

  /// Takes the step for rows whose estimate of Z_0 is complete, [rows, channels, width].
  void Update(std::int64_t first, torch::Tensor clean)
  {
    const SamplerStep& step = m_Plan[m_Step];
    const std::int64_t rows = clean.size(0);
    torch::Tensor previous;
    if (step.m_Previous != 0.)
    {
      previous = m_Previous->Read(first, rows);
    }
    if (m_Coarse != nullptr && m_Coarse->m_Means)
    {
      clean = MatchMeans(first, clean);
    }
    if (m_Known != nullptr)
    {
      const torch::Tensor known = m_Known->Read(first, rows);
      clean = torch::where(IsHeld(known, m_Step), known.narrow(1, 0, m_Channels), clean);
      if (previous.defined())
      {
        // What was known till now says nothing of how the network's estimate changes: the first free step is first order.
        previous = torch::where(IsHeld(known, m_Step - 1), clean, previous);
      }
    }
    torch::Tensor next = m_Current.Read(first, rows).mul_(step.m_Current).add_(clean, step.m_Clean);
    if (previous.defined())
    {
      next.add_(previous, step.m_Previous);
    }
    if (step.m_Noise > 0.)
    {
      next.add_(Noise(RandomStream::SamplerNoise, m_Step, first, rows), step.m_Noise);
    }
    m_Current.Write(first, next);
    if (m_Step + 1 < m_Plan.size() && m_Plan[m_Step + 1].m_Previous != 0.)
    {
      m_Previous->Write(first, clean);
    }
    m_RowsDone += rows;
  }

  /// Bands of windows that are estimated together.
  struct Bands
  {
    torch::Tensor m_Current; ///< Z_t, [bands, patch, channels, width]
    torch::Tensor m_IsOpen;  ///< which pixels are not known, [bands, patch, 1, width]; undefined: all
    torch::Tensor m_Coarse;  ///< the coarser level, [bands, patch / 2, channels, width / 2]; may be undefined
  };

  /// Returns the bands that begin at those rows.
  Bands ReadBands(const std::vector<std::int64_t>& firstRows) const
  {
    std::vector<torch::Tensor> current;
    std::vector<torch::Tensor> open;
    std::vector<torch::Tensor> coarse;
    for (const std::int64_t row : firstRows)
    {
      current.push_back(m_Current.Read(row, m_Patch));
      if (m_Known != nullptr)
      {
        open.push_back(IsHeld(m_Known->Read(row, m_Patch), m_Step).logical_not());
      }
      if (m_Coarse != nullptr)
      {
        coarse.push_back(m_Coarse->m_Seen.Read(row / 2, m_Patch / 2));
      }
    }
    const auto stack = [](const std::vector<torch::Tensor>& bands) {
      return bands.empty() ? torch::Tensor() : torch::stack(bands);
    };
    return {stack(current), stack(open), stack(coarse)};
  }

  /// Returns the estimates of Z_0 for bands, [bands, patch, channels, width], whose windows begin at a column.
  torch::Tensor EstimateBands(const Bands& bands, std::int64_t firstColumn)
  {
    torch::Tensor windows = CutWindows(bands.m_Current.roll(-firstColumn, 3));
    WindowLevel level;
    level.m_Level = m_Level;
    level.m_CoarseNoise = m_CoarseNoise;
    if (bands.m_Coarse.defined())
    {
      level.m_Coarse = CutWindows(bands.m_Coarse.roll(-firstColumn / 2, 3));
    }
    torch::Tensor estimate = torch::zeros_like(windows);
    if (bands.m_IsOpen.defined())
    {
      const torch::Tensor open =
          CutWindows(bands.m_IsOpen.roll(-firstColumn, 3)).flatten(1).any(1).nonzero().flatten(); // all else is known
      if (open.numel() > 0)
      {
        level.m_Coarse = level.m_Coarse.defined() ? level.m_Coarse.index_select(0, open) : torch::Tensor();
        estimate.index_copy_(0, open, Estimate(windows.index_select(0, open), level));
      }
    }
    else
    {
      estimate = Estimate(windows, level);
    }
    return JoinWindows(estimate, bands.m_Current.size(0)).roll(firstColumn, 3);
  }

  torch::Tensor Estimate(const torch::Tensor& windows, const WindowLevel& level)
  {
    return m_Denoiser.EstimateClean(windows, m_Plan[m_Step].m_From, m_Guidance, level);
  }

  /// Estimates the grid's bands in turn, and calls visit(first row, estimate [patch, channels, width]) for each. As many
  /// bands are estimated together as the network takes, before any of them is visited.
  template <typename Visit>
  void VisitEstimates(const WindowGrid& grid, const Visit& visit)
  {
    const auto bandsAtOnce = static_cast<std::size_t>(std::max<std::int64_t>(
        1, m_Denoiser.WindowsAtOnce() * m_Patch / (m_Width * static_cast<std::int64_t>(grid.m_FirstColumns.size()))));
    for (std::size_t first = 0; first < grid.m_FirstRows.size(); first += bandsAtOnce)
    {
      const std::size_t last = std::min(first + bandsAtOnce, grid.m_FirstRows.size());
      const Bands bands = ReadBands({grid.m_FirstRows.begin() + static_cast<std::ptrdiff_t>(first),
                                     grid.m_FirstRows.begin() + static_cast<std::ptrdiff_t>(last)});
      torch::Tensor estimate;
      if (grid.m_FirstColumns.size() == 1)
      {
        estimate = EstimateBands(bands, grid.m_FirstColumns.front());
      }
      else
      {
        const torch::Tensor weights = HannWeights(m_Patch).repeat({m_Width / m_Patch});
        estimate = torch::zeros_like(bands.m_Current);
        for (const std::int64_t column : grid.m_FirstColumns)
        {
          estimate += weights.roll(column, 0) * EstimateBands(bands, column);
        }
      }
      for (std::size_t band = first; band < last; ++band)
      {
        visit(grid.m_FirstRows[band], estimate[static_cast<std::int64_t>(band - first)]);
      }
      CheckIn();
    }
  }

  /// A step through windows that do not overlap, at a random shift in a seamless canvas.
  void PlainStep()
  {
    WindowGrid grid;
    std::int64_t shiftY = 0;
    std::int64_t shiftX = 0;
    if (m_Seamless)
    {
      const auto words = Random(m_Options.m_Seed, RandomStream::WindowShift).Words(Address(m_Step), 0, 0);
      shiftY = words[0] % static_cast<std::uint32_t>(m_Patch);
      shiftX = words[1] % static_cast<std::uint32_t>(m_Patch);
      if (m_Coarse != nullptr)
      {
        // As in training, a window begins where a pixel of the coarser level does.
        shiftY -= shiftY % 2;
        shiftX -= shiftX % 2;
      }
    }
    grid.m_FirstColumns = {shiftX};
    for (std::int64_t y = 0; y < m_Height; y += m_Patch)
    {
      grid.m_FirstRows.push_back((y + shiftY) % m_Height);
    }
    VisitEstimates(grid, [&](std::int64_t row, const torch::Tensor& estimate) { Update(row, estimate); });
  }

  /// A step through windows half a patch apart. A half of a band is complete, and written, when both bands that cover it are
  /// estimated; no band that is still to be estimated reaches it then.
  void BlendedStep()
  {
    const std::int64_t half = m_Patch / 2;
    WindowGrid grid;
    grid.m_FirstColumns = {0, half};
    for (std::int64_t y = -half; y + half < m_Height; y += half)
    {
      grid.m_FirstRows.push_back(y);
    }
    const torch::Tensor weights = HannWeights(m_Patch).view({-1, 1, 1});
    torch::Tensor lowest; // what the first band, which goes around, gives to the canvas's last rows
    torch::Tensor open;   // what the band before gives to the upper half of this one
    VisitEstimates(grid, [&](std::int64_t row, const torch::Tensor& estimate) {
      const torch::Tensor weighted = weights * estimate;
      const torch::Tensor upper = weighted.narrow(0, 0, half);
      if (row < 0)
      {
        lowest = upper;
      }
      else
      {
        Update(row, open + upper);
      }
      open = weighted.narrow(0, half, half);
    });
    Update(m_Height - half, open + lowest);
    CheckIn();
  }

  void CheckIn() const
  {
    const double done =
        static_cast<double>(m_RowsDone) / static_cast<double>(m_Height) / static_cast<double>(m_Plan.size());
    Report(m_Proceed, std::min(done, 1.));
  }

  Denoiser& m_Denoiser;
  const SampleOptions& m_Options;
  Guidance m_Guidance;
  const std::function<bool(double)>& m_Proceed;
  NoiseSchedule m_Schedule;
  std::vector<SamplerStep> m_Plan;
  NetworkCoordinates m_Coordinates;
  int m_Level;
  std::int64_t m_Patch;
  std::int64_t m_Channels;
  std::int64_t m_Height;            ///< of the canvas, a multiple of the patch
  std::int64_t m_Width;             ///< likewise
  bool m_Seamless;                  ///< the canvas is one scene of more than one window
  Canvas m_Current;                 ///< Z_t
  std::optional<Canvas> m_Previous; ///< the last step's estimate of Z_0, where the sampler looks at it
  const Canvas* m_Known;            ///< an existing place: Z_0, and the timestep down to which it holds
  const CoarseLevel* m_Coarse;
  double m_CoarseNoise;
  std::size_t m_Step = 0;
  std::int64_t m_RowsDone = 0; ///< over all steps
};

} // namespace

Canvas SampleCanvas(Denoiser& denoiser, const ModelInfo& info, const SampleOptions& options, const PlaceReader& place,
                    const std::function<bool(double)>& proceed)
{
  options.Check(info.m_Options);
  const CanvasPlan plan = PlanCanvases(info, options, static_cast<bool>(place));
  const std::vector<Canvas> known = place ? ReadPlace(info, options, plan, place, proceed) : std::vector<Canvas>();
  const auto placeLevel = static_cast<std::size_t>(options.m_PlaceLevel);
  std::int64_t pixels = 0;
  for (std::size_t level = 0; level < plan.m_Heights.size(); ++level)
  {
    pixels += plan.Pixels(level);
  }
  std::int64_t pixelsDone = 0;
  std::optional<CoarseLevel> coarse;
  for (std::size_t level = plan.m_Heights.size() - 1;; --level)
  {
    const auto report = [&](double done) {
      return !proceed || proceed((static_cast<double>(pixelsDone) + done * static_cast<double>(plan.Pixels(level))) /
                                 static_cast<double>(pixels));
    };
    const bool isKnown = place && level >= placeLevel;
    Canvas canvas = CanvasRun(denoiser, info, options, plan, static_cast<int>(level),
                              isKnown ? &known[level - placeLevel] : nullptr, coarse ? &*coarse : nullptr, report)
                        .Run();
    if (level == 0)
    {
      return canvas;
    }
    coarse = MakeCoarse(canvas, NetworkCoordinates(info), options, plan, level, CoarseNoise(info, options),
                        place && level <= placeLevel, [&] { Report(report, 1.); });
    pixelsDone += plan.Pixels(level);
  }
}

void ReadAbundances(const Canvas& canvas, const NetworkCoordinates& coordinates, Eigen::Index width, Eigen::Index first,
                    Eigen::Index rows, Eigen::Ref<Eigen::MatrixXf> abundances)
{
  for (Eigen::Index row = 0; row < rows; ++row)
  {
    const torch::Tensor values = canvas.Read(first + row, 1);
    const Eigen::Map<const RowMajorMatrix> pixels(values.data_ptr<float>(), canvas.Channels(), canvas.Width());
    coordinates.ToAbundances(pixels.leftCols(width), abundances.middleCols(row * width, width));
  }
}

AbundanceMap ReadAbundances(const Canvas& canvas, const NetworkCoordinates& coordinates, Eigen::Index width,
                            Eigen::Index height)
{
  AbundanceMap map;
  map.m_Width = width;
  map.m_Height = height;
  map.m_Abundances.resize(coordinates.Endmembers(), width * height);
  ReadAbundances(canvas, coordinates, width, 0, height, map.m_Abundances);
  return map;
}

} // namespace hud
