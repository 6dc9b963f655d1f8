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

/// One run of a sampler over a canvas. At every step each band of windows is read, estimated and written back; nothing but
/// the canvases themselves grows with the canvas's height.
class CanvasRun
{
public:
  CanvasRun(Denoiser& denoiser, const ModelInfo& info, const SampleOptions& options, const PlaceReader& place,
            const std::function<bool(double)>& proceed)
    : m_Denoiser(denoiser), m_Options(options), m_Guidance(FindGuidance(info.m_Scene, options)), m_Proceed(proceed),
      m_Schedule(info.m_Options.m_Schedule, info.m_Options.m_Timesteps),
      m_Plan(PlanSampler(m_Schedule, options.m_Sampler)), m_Coordinates(info), m_Patch(info.m_Options.m_Patch),
      m_Channels(m_Coordinates.Channels()), m_Height(CanvasEdge(options.m_Height, static_cast<bool>(place))),
      m_Width(CanvasEdge(options.m_Width, static_cast<bool>(place))),
      m_Seamless(options.m_Layout == SampleLayout::Scene && (m_Height > m_Patch || m_Width > m_Patch)),
      m_InMemory(Bytes(static_cast<bool>(place)) <= options.m_LargestMemory),
      m_Current(m_Channels, m_Height, m_Width, m_InMemory)
  {
    if (NeedsPrevious())
    {
      m_Previous.emplace(m_Channels, m_Height, m_Width, m_InMemory);
    }
    if (place)
    {
      m_Known.emplace(m_Channels + 1, m_Height, m_Width, m_InMemory);
      ReadPlace(place);
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
  /// Around an existing place there is room, because the canvas's opposite edges touch.
  std::int64_t CanvasEdge(std::int64_t edge, bool place) const
  {
    return RoundUp(place ? edge + m_Patch / 2 : edge, m_Patch);
  }

  bool NeedsPrevious() const
  {
    return std::any_of(m_Plan.begin(), m_Plan.end(), [](const SamplerStep& step) { return step.m_Previous != 0.; });
  }

  std::size_t Bytes(bool place) const
  {
    const std::int64_t values = m_Channels * (NeedsPrevious() ? 2 : 1) + (place ? m_Channels + 1 : 0);
    return static_cast<std::size_t>(values * m_Height * m_Width) * sizeof(float);
  }

  /// Stores the place's coordinates and, in one more channel, the timestep below which each pixel is let go.
  void ReadPlace(const PlaceReader& place)
  {
    const auto timesteps = static_cast<float>(m_Schedule.Timesteps());
    const auto until = [&](PixelRole role) {
      switch (role)
      {
      case PixelRole::Keep:
        return 0.f;
      case PixelRole::Vary:
        return static_cast<float>(m_Options.m_Strength) * timesteps;
      default:
        return timesteps;
      }
    };
    const std::int64_t width = m_Options.m_Width;
    Eigen::MatrixXf abundances = Eigen::MatrixXf::Zero(m_Coordinates.Endmembers(), width);
    std::vector<PixelRole> roles;
    for (std::int64_t y = 0; y < m_Height; ++y)
    {
      torch::Tensor row = torch::zeros({1, m_Channels + 1, m_Width}, torch::kFloat32);
      row.narrow(1, m_Channels, 1).fill_(timesteps);
      if (y < m_Options.m_Height)
      {
        roles.assign(static_cast<std::size_t>(width), PixelRole::Make);
        place(y, abundances, roles);
        Eigen::Map<RowMajorMatrix> values(row.data_ptr<float>(), m_Channels + 1, m_Width);
        values.topLeftCorner(m_Channels, width) = m_Coordinates.FromAbundances(abundances);
        std::transform(roles.begin(), roles.end(), values.row(m_Channels).begin(), until);
      }
      m_Known->Write(y, row);
    }
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
        random.FillNormal(static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(y),
                          noise.data_ptr<float>() + row * rowSize, static_cast<std::size_t>(rowSize));
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
      if (m_Known)
      {
        const torch::Tensor known = m_Known->Read(y, m_Patch);
        const double signal = m_Schedule.AlphaBar(m_Schedule.Timesteps());
        const torch::Tensor noised = std::sqrt(signal) * known.narrow(1, 0, m_Channels) + std::sqrt(1. - signal) * rows;
        rows = torch::where(IsHeld(known, 0), noised, rows);
      }
      m_Current.Write(y, rows);
    }
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
    if (m_Known)
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

  torch::Tensor Estimate(const torch::Tensor& windows)
  {
    return m_Denoiser.EstimateClean(windows, m_Plan[m_Step].m_From, m_Guidance);
  }

  /// Returns the estimates of Z_0 for bands, [bands, patch, channels, width], whose windows begin at a column.
  torch::Tensor EstimateBands(const torch::Tensor& bands, const torch::Tensor& isOpen, std::int64_t firstColumn)
  {
    const torch::Tensor windows = CutWindows(bands.roll(-firstColumn, 3));
    torch::Tensor estimate;
    if (isOpen.defined())
    {
      const torch::Tensor open =
          CutWindows(isOpen.roll(-firstColumn, 3)).flatten(1).any(1).nonzero().flatten(); // all else is known
      estimate = torch::zeros_like(windows);
      if (open.numel() > 0)
      {
        estimate.index_copy_(0, open, Estimate(windows.index_select(0, open)));
      }
    }
    else
    {
      estimate = Estimate(windows);
    }
    return JoinWindows(estimate, bands.size(0)).roll(firstColumn, 3);
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
      std::vector<torch::Tensor> read;
      std::vector<torch::Tensor> open;
      for (std::size_t band = first; band < last; ++band)
      {
        read.push_back(m_Current.Read(grid.m_FirstRows[band], m_Patch));
        if (m_Known)
        {
          open.push_back(IsHeld(m_Known->Read(grid.m_FirstRows[band], m_Patch), m_Step).logical_not());
        }
      }
      const torch::Tensor bands = torch::stack(read);
      const torch::Tensor isOpen = open.empty() ? torch::Tensor() : torch::stack(open);
      torch::Tensor estimate;
      if (grid.m_FirstColumns.size() == 1)
      {
        estimate = EstimateBands(bands, isOpen, grid.m_FirstColumns.front());
      }
      else
      {
        const torch::Tensor weights = HannWeights(m_Patch).repeat({m_Width / m_Patch});
        estimate = torch::zeros_like(bands);
        for (const std::int64_t column : grid.m_FirstColumns)
        {
          estimate += weights.roll(column, 0) * EstimateBands(bands, isOpen, column);
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
      const auto words =
          Random(m_Options.m_Seed, RandomStream::WindowShift).Words(static_cast<std::uint32_t>(m_Step), 0, 0);
      shiftY = words[0] % static_cast<std::uint32_t>(m_Patch);
      shiftX = words[1] % static_cast<std::uint32_t>(m_Patch);
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
  }

  void CheckIn() const
  {
    const double done =
        static_cast<double>(m_RowsDone) / static_cast<double>(m_Height) / static_cast<double>(m_Plan.size());
    if (m_Proceed && !m_Proceed(std::min(done, 1.)))
    {
      throw Error("interrupted while sampling");
    }
  }

  Denoiser& m_Denoiser;
  const SampleOptions& m_Options;
  Guidance m_Guidance;
  const std::function<bool(double)>& m_Proceed;
  NoiseSchedule m_Schedule;
  std::vector<SamplerStep> m_Plan;
  NetworkCoordinates m_Coordinates;
  std::int64_t m_Patch;
  std::int64_t m_Channels;
  std::int64_t m_Height; ///< of the canvas, a multiple of the patch
  std::int64_t m_Width;  ///< likewise
  bool m_Seamless;       ///< the canvas is one scene of more than one window
  bool m_InMemory;
  Canvas m_Current;                 ///< Z_t
  std::optional<Canvas> m_Previous; ///< the last step's estimate of Z_0, where the sampler looks at it
  std::optional<Canvas> m_Known;    ///< an existing place: Z_0, and the timestep down to which it holds
  std::size_t m_Step = 0;
  std::int64_t m_RowsDone = 0; ///< over all steps
};

} // namespace

Canvas SampleCanvas(Denoiser& denoiser, const ModelInfo& info, const SampleOptions& options, const PlaceReader& place,
                    const std::function<bool(double)>& proceed)
{
  options.Check(info.m_Options.m_Timesteps);
  return CanvasRun(denoiser, info, options, place, proceed).Run();
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
