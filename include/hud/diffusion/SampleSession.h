// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/core/AbundanceMap.h"
#include "hud/diffusion/DiffusionOptions.h"
#include "hud/diffusion/ModelInfo.h"
#include "hud/diffusion/Sampler.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace hud
{

/// How the canvas of a sample is filled.
enum class SampleLayout
{
  Scene,  ///< one seamless image
  Patches ///< independent patches side by side, without gaps
};

/// Returns the layout of that name: scene or patches.
/// @throws InvalidOption that lists the known names
SampleLayout ParseSampleLayout(const std::string& name);

/// Settings of one sample.
struct SampleOptions
{
  Eigen::Index m_Width = 128;
  Eigen::Index m_Height = 128;
  SampleLayout m_Layout = SampleLayout::Scene;
  SamplerOptions m_Sampler;
  std::string m_Label;    ///< one of the model's, see SceneInfo; empty: like all that the model was trained on
  double m_Guidance = 1.; ///< how much the label counts: 0 not at all, 1 as in training, beyond it is exaggerated
  std::uint64_t m_Seed = 0;
  double m_Strength = 0.5; ///< of PixelRole::Vary, 0 to 1
  int m_PlaceLevel =
      0; ///< of the cascade, on which an existing place is: its pixels are means of 2^l x 2^l of the sample's
  double m_CoarseNoise =
      0.1; ///< deviation of the noise that a coarser level is blurred with before the next one sees it, 0 to TrainingOptions::m_CoarseNoise
  std::size_t m_LargestMemory = std::size_t(512) << 20; ///< bytes; larger canvases are kept in a scratch file

  /// @param model what it was trained with
  /// @throws InvalidOption
  void Check(const TrainingOptions& model) const;
};

/// Returns the level of the cascade that a coarse map of a scene is of, from 1 on.
/// @param model what it was trained with
/// @param width, height of the map
/// @param size width and height of the scene: a power of two times the map's; none: the coarsest level is taken
/// @throws InvalidOption when the model has no level for it; it says which sizes there are
int FindPlaceLevel(const TrainingOptions& model, Eigen::Index width, Eigen::Index height,
                   const std::optional<std::pair<Eigen::Index, Eigen::Index>>& size);

/// What a sample does with a pixel of an existing place.
enum class PixelRole : std::uint8_t
{
  Make, ///< make it anew, as its surroundings suggest
  Vary, ///< make another realisation of it: noise it up to timestep strength * T and denoise it (SDEdit, arXiv 2108.01073)
  Keep ///< keep it
};

/// Writes a row of an existing place, called from the first row to the last. The place has the sample's size over 2^level, see
/// SampleOptions::m_PlaceLevel.
/// @param abundances [d x width of the place], on the simplex where the role is not Make
/// @param roles [width of the place]
using PlaceReader =
    std::function<void(Eigen::Index row, Eigen::Ref<Eigen::MatrixXf> abundances, std::vector<PixelRole>& roles)>;

/// The abundances of a sample. They are read row by row, because they may be too many for the memory.
class SampledScene
{
public:
  SampledScene(SampledScene&&) noexcept;
  SampledScene& operator=(SampledScene&&) noexcept;
  ~SampledScene();

  Eigen::Index Width() const;
  Eigen::Index Height() const;
  Eigen::Index Endmembers() const;

  /// Writes the abundances of rows, non-negative with sum one. Thread-safe.
  /// @param abundances X, [d x width * rows], pixels row by row
  /// @throws FileError when the scratch file cannot be read
  void ReadRows(Eigen::Index first, Eigen::Index rows, Eigen::Ref<Eigen::MatrixXf> abundances) const;

  /// Returns all of them.
  AbundanceMap ReadAll() const;

private:
  friend class SampleSession;
  struct Implementation;
  explicit SampledScene(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> m_Implementation;
};

/// Draws abundance maps from a trained model.
class SampleSession
{
public:
  /// @throws FileError as ReadModelInfo, InvalidOption (device)
  SampleSession(const std::string& modelPath, const ExecutionOptions& execution);

  ~SampleSession();
  SampleSession(SampleSession&&) noexcept;
  SampleSession& operator=(SampleSession&&) noexcept;

  /// Returns abundances on the simplex. The same options and seed give the same map. Scenes larger than a patch are
  /// sampled through windows of the patch size: non-overlapping ones that are shifted at random at every step
  /// (SpotDiffusion, arXiv 2407.15507), and half-overlapping ones blended with a Hann weight in the last steps
  /// (after MultiDiffusion, arXiv 2302.08113), so that no window border is left. What is held in memory or in the scratch file grows
  /// with the number of pixels; all else with the width.
  /// @param proceed called with the fraction done; returning false ends the work with an Error; may be empty
  /// @throws InvalidOption as SampleOptions::Check and SceneInfo::FindLabel, FileError (scratch file)
  SampledScene Sample(const SampleOptions& options, const std::function<bool(double)>& proceed = {}) const;

  /// Returns another realisation of an existing place, or a repaired one: pixels that are to be kept or varied are known to the
  /// network, noised as much as the others, until they are let go (Keep: never).
  /// @param options whose layout is Scene
  /// @throws InvalidOption as above
  SampledScene SamplePlace(const SampleOptions& options, const PlaceReader& place,
                           const std::function<bool(double)>& proceed = {}) const;

  const ModelInfo& Info() const;

  /// Returns the device in words, such as "CPU, 2 threads".
  std::string DeviceDescription() const;

private:
  struct Implementation;
  std::unique_ptr<Implementation> m_Implementation;
};

} // namespace hud
