// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <functional>

namespace hud
{

/// A scene that is read block by block, as often as an algorithm asks for it, so that no more than a few blocks are in
/// memory at a time.
class SpectraSource
{
public:
  /// Receives a block of spectra, [bands x pixels].
  using Visitor = std::function<void(const Eigen::Ref<const Eigen::MatrixXf>& spectra)>;

  virtual ~SpectraSource() = default;

  /// Returns the number of bands.
  virtual Eigen::Index Bands() const = 0;

  /// Calls `visit` for one block after the other: all valid pixels once, no other pixels, in an order that is the same
  /// at every call. All values are finite. `visit` may be called from another thread, one block at a time.
  virtual void Visit(const Visitor& visit) const = 0;
};

/// Spectra that are in memory already.
class InMemorySpectra : public SpectraSource
{
public:
  /// @param spectra [bands x pixels], finite
  /// @param blockPixels pixels handed out at a time, at least 1
  explicit InMemorySpectra(Eigen::MatrixXf spectra, Eigen::Index blockPixels = 4096);

  Eigen::Index Bands() const override;
  void Visit(const Visitor& visit) const override;

private:
  Eigen::MatrixXf m_Spectra;
  Eigen::Index m_BlockPixels;
};

/// Draws spectra from a scene while it is read: its pixels are cut into stretches of equal length, and one pixel of each
/// is drawn. The same seed gives the same sample, whatever the blocks are.
class SpectraSampler
{
public:
  /// @param pixels of the scene
  /// @param maximum of spectra to draw; all when the scene has no more
  SpectraSampler(Eigen::Index bands, Eigen::Index pixels, Eigen::Index maximum, std::uint64_t seed);

  /// Draws from the next block, [bands x pixels].
  void Add(const Eigen::Ref<const Eigen::MatrixXf>& spectra);

  /// Returns the sample, [bands x n].
  /// @throws InvalidData when the scene had more or fewer spectra than `pixels`
  const Eigen::MatrixXf& Sample() const;

private:
  std::uint64_t m_Seed;
  Eigen::Index m_Pixels;
  Eigen::MatrixXf m_Sample;
  Eigen::Index m_Next = 0; ///< column of the sample to fill next
  Eigen::Index m_Seen = 0;
};

} // namespace hud
