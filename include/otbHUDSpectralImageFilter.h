// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "otbHUDImageType.h"
#include "otbHUDNoData.h"

#include <Eigen/Core>

#include "itkImageToImageFilter.h"

#include <cstddef>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace otb
{

/// Base of the filters that map each pixel's bands to other bands. It owns the arithmetic of scanlines, no-data pixels and
/// metadata; a concrete filter maps a matrix of valid pixels. The output has the input's grid and projection. No-data
/// pixels (HUDNoData) stay no-data: every band is `kHUDNoDataValue`, which the metadata declare. Works region by region.
/// The test is test/otb/otbHUDSpectralImageFilterTest.cxx.
class HUDSpectralImageFilter : public itk::ImageToImageFilter<HUDImageType, HUDImageType>
{
public:
  using Self = HUDSpectralImageFilter;
  using Superclass = itk::ImageToImageFilter<HUDImageType, HUDImageType>;
  using Pointer = itk::SmartPointer<Self>;
  using ConstPointer = itk::SmartPointer<const Self>;

  itkTypeMacro(HUDSpectralImageFilter, itk::ImageToImageFilter);

  HUDSpectralImageFilter(const Self&) = delete;
  void operator=(const Self&) = delete;

  /// Returns the number of no-data pixels among those computed since the filter last computed the image's first pixel:
  /// once a writer is done, those of the whole image, in however many regions it was written.
  std::size_t GetNoDataPixels() const;

  /// Returns the same by reason.
  HUDNoDataCounts GetNoDataCounts() const;

protected:
  explicit HUDSpectralImageFilter(HUDZeroPixels zeroPixels);
  ~HUDSpectralImageFilter() override = default;

  /// @throws hud::InvalidData when the image's bands do not fit, hud::InvalidOption when an option was not set
  void GenerateOutputInformation() override;
  void BeforeThreadedGenerateData() override;
  void ThreadedGenerateData(const OutputImageRegionType& region, itk::ThreadIdType thread) override;
  void AfterThreadedGenerateData() override;

  /// Throws hud::InvalidData that names both counts when they differ.
  /// @param reference what the expected count belongs to, such as "the endmembers have 7"
  void CheckBands(Eigen::Index bands, Eigen::Index expected, const std::string& reference) const;

  /// Has these bands, counted from 0, be 0 in every pixel and have no say in what is no-data, whatever they hold.
  void SetIgnoredBands(std::vector<Eigen::Index> bands);
  const std::vector<Eigen::Index>& GetIgnoredBands() const;

private:
  /// Prepares for images of that many bands and returns the bands of the output. Called before any pixel is computed.
  virtual Eigen::Index Configure(Eigen::Index bands) = 0;

  /// Called before the image's first pixel is computed, by one thread.
  virtual void StartImage() {}

  /// Maps valid pixels. Called by several threads at a time.
  /// @param input [input bands x pixels], finite
  /// @param output [output bands x pixels]
  virtual void Process(const Eigen::Ref<const Eigen::MatrixXf>& input, Eigen::Ref<Eigen::MatrixXf> output) const = 0;

  /// Sees what Process made of the valid pixels of a line of a region. Called by several threads at a time.
  /// @param first pixel of the line
  virtual void Inspect(const Eigen::Ref<const Eigen::MatrixXf>& /*input*/,
                       const Eigen::Ref<const Eigen::MatrixXf>& /*output*/,
                       const HUDImageType::IndexType& /*first*/) const
  {
  }

  HUDNoDataCounts ProcessScanline(const float* input, float* output, Eigen::Index pixels,
                                  const HUDImageType::IndexType& first) const;

  HUDZeroPixels m_ZeroPixels;
  std::optional<HUDNoData> m_NoData;
  std::vector<Eigen::Index> m_IgnoredBands;
  mutable std::mutex m_Mutex; ///< of what follows
  HUDNoDataCounts m_NoDataCounts;
  std::exception_ptr m_Failure; ///< first exception of a thread: ITK would keep no more than its text
};

} // namespace otb
