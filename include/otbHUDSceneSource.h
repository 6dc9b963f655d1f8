// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDImageType.h"
#include "otbHUDNoData.h"

#include "hud/core/SpectraSource.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace otb
{

/// The valid pixels of one image or several, read through their pipelines strip by strip within a budget of memory. Pixels
/// come row by row, image by image, in blocks of `kBlockPixels` (the last may be smaller) whatever the budget is, so
/// results do not depend on it. A band that holds no data in any pixel, as sensors' overlaps and absorption bands do in
/// some products, does not make every pixel no-data: it is left out, and comes as 0. Usable inside a filter's GenerateData
/// and on a reader's output.
/// The test is test/otb/otbHUDSceneSourceTest.cxx.
class HUDSceneSource : public hud::SpectraSource
{
public:
  static constexpr Eigen::Index kBlockPixels = 4096;

  /// @param images at least one, all with the same number of bands
  /// @param ram MB for a strip and what is made of it; 0: what OTB is configured to use. Not all of it is taken where
  /// smaller strips are faster.
  /// @param names of the images in messages; where there is none, "image 1" and so on
  /// @throws hud::InvalidData when there is no image, or when one has other bands than the first
  HUDSceneSource(const std::vector<HUDImageType*>& images, unsigned int ram, std::vector<std::string> names = {});

  Eigen::Index Bands() const override;

  /// Has each Visit call this with the fraction of the images' lines that are read.
  void SetProgress(std::function<void(double)> progress);

  /// Calls `visit` from another thread than the caller's, one block at a time.
  /// @throws hud::InvalidData when no pixel is valid, hud::Error "interrupted" when HUDInterrupt::Requested(), and whatever
  /// the pipelines or `visit` throw
  void Visit(const Visitor& visit) const override;

  /// Returns how many pixels have data; 0 before the first complete Visit.
  Eigen::Index ValidPixels() const;

  /// Returns how many pixels are no-data by HUDNoData; none before the first complete Visit.
  const HUDNoDataCounts& NoDataPixels() const;

  /// Returns the bands that hold no data in any pixel, counted from 0. The first call, or the first Visit, reads the images
  /// up to the first valid pixel for that.
  const std::vector<Eigen::Index>& EmptyBands() const;

  /// Spares the search for them where they are known.
  void SetEmptyBands(std::vector<Eigen::Index> bands);

  /// Returns the lines of a strip that fits the budget: at least 1, at most `height`, whole rows of tiles where they fit.
  /// @param tileHeight lines of the file's blocks, 1 if unknown
  static std::size_t StripLines(std::size_t width, std::size_t height, std::size_t bands, std::size_t tileHeight,
                                unsigned int ram);

private:
  class Packer;

  /// Receives the pixels of a line, [bands x pixels]; the reading goes on while it returns true.
  using LineVisitor = std::function<bool(const HUDNoData& noData, const float* spectra, std::size_t pixels)>;

  void ReadLines(const std::vector<Eigen::Index>& ignoredBands, const LineVisitor& visit) const;
  std::vector<Eigen::Index> FindEmptyBands() const;

  std::vector<HUDImageType::Pointer> m_Images;
  Eigen::Index m_Bands = 0;
  std::size_t m_Lines = 0; ///< of all images
  unsigned int m_Ram = 0;
  std::function<void(double)> m_Progress;
  mutable Eigen::Index m_ValidPixels = 0;
  mutable HUDNoDataCounts m_NoDataPixels;
  mutable std::optional<std::vector<Eigen::Index>> m_EmptyBands;
};

} // namespace otb
