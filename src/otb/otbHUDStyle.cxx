// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDStyle.h"

#include "otbHUDPreview.h"

#include "hud/core/Error.h"

#include <cpl_minixml.h>
#include <gdal_priv.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <memory>
#include <utility>
#include <vector>

namespace otb
{

namespace fs = std::filesystem;

namespace
{

// What tells a style from one that somebody made; QGIS drops it when it saves one.
constexpr const char* kMark = " HUD wrote this style, and replaces it with the image ";

struct Range
{
  double m_Lowest = 0.;
  double m_Highest = 1.;
};

// Whether a file holds all bands of a pixel together, so that one is read with all.
bool IsInterleavedByPixel(GDALDataset& dataset)
{
  const char* const interleave = dataset.GetMetadataItem("INTERLEAVE", "IMAGE_STRUCTURE");
  return interleave != nullptr && EQUAL(interleave, "PIXEL");
}

// Finite values of the bands that are not no-data, from blocks that are spread over the image: few enough for the time that
// reading them takes not to matter.
std::vector<std::vector<float>> SampleBands(GDALDataset& dataset, const std::vector<int>& bands)
{
  constexpr GIntBig kLargestRead = 64 << 20;
  constexpr GIntBig kFewestBlocks = 4;
  constexpr GIntBig kMostBlocks = 256;
  constexpr GIntBig kMostValues = 200000;
  GDALRasterBand& first = *dataset.GetRasterBand(bands.front());
  int blockWidth = 0;
  int blockHeight = 0;
  first.GetBlockSize(&blockWidth, &blockHeight);
  const GIntBig columns = (first.GetXSize() + blockWidth - 1) / blockWidth;
  const GIntBig blocks = columns * ((first.GetYSize() + blockHeight - 1) / blockHeight);
  const GIntBig pixels = GIntBig{blockWidth} * blockHeight;
  const GIntBig bytes = pixels * GDALGetDataTypeSizeBytes(first.GetRasterDataType()) *
                        (IsInterleavedByPixel(dataset) ? dataset.GetRasterCount() : 1);
  const GIntBig count = std::min(blocks, std::clamp(kLargestRead / bytes, kFewestBlocks, kMostBlocks));
  const auto stride = static_cast<std::size_t>(std::max(GIntBig{1}, pixels * count / kMostValues));

  std::vector<std::vector<float>> samples(bands.size());
  std::vector<float> values;
  for (GIntBig i = 0; i < count; ++i)
  {
    const GIntBig block = i * blocks / count;
    const int left = static_cast<int>(block % columns) * blockWidth;
    const int top = static_cast<int>(block / columns) * blockHeight;
    const int width = std::min(blockWidth, first.GetXSize() - left);
    const int height = std::min(blockHeight, first.GetYSize() - top);
    values.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    for (std::size_t j = 0; j < bands.size(); ++j)
    {
      GDALRasterBand& band = *dataset.GetRasterBand(bands[j]);
      if (band.RasterIO(GF_Read, left, top, width, height, values.data(), width, height, GDT_Float32, 0, 0, nullptr) !=
          CE_None)
      {
        throw hud::FileError(std::string(dataset.GetDescription()) +
                             ": cannot be read for its style: " + CPLGetLastErrorMsg());
      }
      int hasNoData = 0;
      const auto noData = static_cast<float>(band.GetNoDataValue(&hasNoData));
      for (std::size_t value = 0; value < values.size(); value += stride)
      {
        if (std::isfinite(values[value]) && (hasNoData == 0 || values[value] != noData))
        {
          samples[j].push_back(values[value]);
        }
      }
    }
  }
  return samples;
}

std::vector<Range> Stretch(GDALDataset& dataset, const std::vector<int>& bands)
{
  std::vector<std::vector<float>> samples = SampleBands(dataset, bands);
  std::vector<Range> ranges;
  for (std::size_t i = 0; i < bands.size(); ++i)
  {
    Range range;
    if (!samples[i].empty())
    {
      // QGIS scales the values before it stretches them.
      GDALRasterBand& band = *dataset.GetRasterBand(bands[i]);
      const auto scaled = [&](double value) { return band.GetScale() * value + band.GetOffset(); };
      range.m_Lowest = scaled(HUDQuantile(samples[i], 0.02));
      range.m_Highest = scaled(HUDQuantile(samples[i], 0.98));
      if (range.m_Lowest > range.m_Highest)
      {
        std::swap(range.m_Lowest, range.m_Highest);
      }
      if (range.m_Lowest == range.m_Highest)
      {
        range.m_Highest += 1.;
      }
    }
    ranges.push_back(range);
  }
  return ranges;
}

CPLXMLNode* AddElement(CPLXMLNode* parent, const char* name,
                       const std::vector<std::pair<const char*, std::string>>& attributes = {})
{
  CPLXMLNode* const element = CPLCreateXMLNode(parent, CXT_Element, name);
  for (const auto& [attribute, value] : attributes)
  {
    CPLAddXMLAttributeAndValue(element, attribute, value.c_str());
  }
  return element;
}

void AddStretch(CPLXMLNode* renderer, const std::string& name, const Range& range)
{
  CPLXMLNode* const stretch = AddElement(renderer, name.c_str());
  CPLCreateXMLElementAndValue(stretch, "minValue", CPLSPrintf("%.9g", range.m_Lowest));
  CPLCreateXMLElementAndValue(stretch, "maxValue", CPLSPrintf("%.9g", range.m_Highest));
  CPLCreateXMLElementAndValue(stretch, "algorithm", "StretchToMinimumMaximum");
}

// @param bands counted from 1: red, green and blue, or one
std::string StyleText(const std::vector<int>& bands, const std::vector<Range>& ranges)
{
  const std::unique_ptr<CPLXMLNode, void (*)(CPLXMLNode*)> root(AddElement(nullptr, "qgis", {{"version", "3.22.0"}}),
                                                                CPLDestroyXMLNode);
  CPLCreateXMLNode(root.get(), CXT_Comment, kMark);
  CPLXMLNode* const pipe = AddElement(root.get(), "pipe");
  if (bands.size() == 3)
  {
    CPLXMLNode* const renderer = AddElement(pipe, "rasterrenderer",
                                            {{"type", "multibandcolor"},
                                             {"redBand", std::to_string(bands[0])},
                                             {"greenBand", std::to_string(bands[1])},
                                             {"blueBand", std::to_string(bands[2])},
                                             {"alphaBand", "-1"},
                                             {"opacity", "1"}});
    AddStretch(renderer, "redContrastEnhancement", ranges[0]);
    AddStretch(renderer, "greenContrastEnhancement", ranges[1]);
    AddStretch(renderer, "blueContrastEnhancement", ranges[2]);
  }
  else
  {
    CPLXMLNode* const renderer = AddElement(pipe, "rasterrenderer",
                                            {{"type", "singlebandgray"},
                                             {"grayBand", std::to_string(bands[0])},
                                             {"gradient", "BlackToWhite"},
                                             {"alphaBand", "-1"},
                                             {"opacity", "1"}});
    AddStretch(renderer, "contrastEnhancement", ranges[0]);
  }
  const std::unique_ptr<char, void (*)(void*)> text(CPLSerializeXMLTree(root.get()), VSIFree);
  return std::string("<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n") + text.get();
}

} // namespace

fs::path HUDStylePath(const fs::path& raster)
{
  return fs::path(raster).replace_extension(".qml");
}

bool HUDIsOwnStyle(const fs::path& style)
{
  std::ifstream file(style, std::ios::binary);
  std::string begin(1024, '\0');
  file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return begin.find(kMark) != std::string::npos;
}

void HUDWriteStyle(const std::string& raster, const HUDSceneMetadata& metadata, const fs::path& style)
{
  GDALAllRegister();
  const CPLErrorHandlerPusher quiet(CPLQuietErrorHandler);
  CPLErrorReset();
  const GDALDatasetUniquePtr dataset(GDALDataset::Open(raster.c_str(), GDAL_OF_RASTER));
  if (!dataset || dataset->GetRasterCount() == 0)
  {
    throw hud::FileError(raster + ": cannot be opened: " + CPLGetLastErrorMsg());
  }
  std::vector<int> bands = {1};
  if (dataset->GetRasterCount() >= 3)
  {
    const auto shown = HUDShownBands(metadata, static_cast<std::size_t>(dataset->GetRasterCount()));
    bands.resize(shown.size());
    std::transform(shown.begin(), shown.end(), bands.begin(),
                   [](std::size_t band) { return static_cast<int>(band) + 1; });
  }
  const std::vector<Range> ranges =
      metadata.m_Content == HUDImageContent::Abundances ? std::vector<Range>(bands.size()) : Stretch(*dataset, bands);
  std::ofstream file(style, std::ios::binary);
  file << StyleText(bands, ranges);
  file.close();
  if (!file)
  {
    throw hud::FileError("cannot write " + style.string());
  }
}

} // namespace otb
