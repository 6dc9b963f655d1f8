// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "otbHUDEvaluationReport.h"

#include "otbHUDPreview.h"
#include "otbHUDReportPage.h"

#include "hud/core/Error.h"
#include "hud/core/Version.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <numeric>
#include <sstream>

namespace otb
{

namespace
{

using Eigen::Index;
using Json = nlohmann::ordered_json;

/// Longest edge of a picture of a scene; pixels between are left out.
constexpr Index kPictureEdge = 512;

/// Spectra of which the density is drawn.
constexpr Index kDensitySpectra = 4000;
constexpr int kDensityWidth = 480;
constexpr int kDensityHeight = 240;

constexpr Index kHistogramBins = 50;
constexpr std::size_t kNeighbours = 8;

/// Returns the value that such a share of the values is below; 0 when there are none.
float Quantile(std::vector<float> values, double share)
{
  if (values.empty())
  {
    return 0.f;
  }
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

/// How an image is made smaller: every `m_Step`-th pixel of every `m_Step`-th line.
struct Thinning
{
  explicit Thinning(const hud::SpectralRows& image)
    : m_Step((std::max(image.Width(), image.Height()) + kPictureEdge - 1) / kPictureEdge),
      m_Width((image.Width() + m_Step - 1) / m_Step), m_Height((image.Height() + m_Step - 1) / m_Step)
  {
  }

  Index m_Step;
  Index m_Width;
  Index m_Height;
};

/// Returns three bands of an image, thinned, [3 x pixels].
Eigen::MatrixXf ReadColours(const hud::SpectralRows& image, const std::array<Index, 3>& bands)
{
  const Thinning thin(image);
  Eigen::MatrixXf colours(3, thin.m_Width * thin.m_Height);
  Eigen::MatrixXf line(image.Bands(), image.Width());
  std::vector<std::uint8_t> valid(static_cast<std::size_t>(image.Width()));
  for (Index row = 0; row < thin.m_Height; ++row)
  {
    image.Read(row * thin.m_Step, line, valid.data());
    for (Index column = 0; column < thin.m_Width; ++column)
    {
      for (Index i = 0; i < 3; ++i)
      {
        colours(i, row * thin.m_Width + column) = line(bands[static_cast<std::size_t>(i)], column * thin.m_Step);
      }
    }
  }
  return colours;
}

/// Returns the values that are shown as white: the 98 % quantile of each band.
Eigen::Vector3f WhiteLevels(const Eigen::MatrixXf& colours)
{
  Eigen::Vector3f levels;
  for (Index i = 0; i < 3; ++i)
  {
    std::vector<float> values;
    std::copy_if(colours.row(i).begin(), colours.row(i).end(), std::back_inserter(values),
                 [](float value) { return value != 0.f; });
    const float level = Quantile(std::move(values), 0.98);
    levels[i] = level > 0.f ? level : 1.f;
  }
  return levels;
}

HUDPicture ColourPicture(const Eigen::MatrixXf& colours, const Eigen::Vector3f& white, Index width)
{
  HUDPicture picture;
  picture.m_Width = static_cast<int>(width);
  picture.m_Height = static_cast<int>(colours.cols() / width);
  for (Index pixel = 0; pixel < colours.cols(); ++pixel)
  {
    for (Index i = 0; i < 3; ++i)
    {
      picture.m_Bytes.push_back(HUDDisplayByte(colours(i, pixel) / white[i]));
    }
  }
  return picture;
}

/// Real and generated scene in three bands and in one stretch.
struct Quicklooks
{
  HUDPicture m_Real;
  HUDPicture m_Generated;
};

Quicklooks MakeQuicklooks(const HUDEvaluationReport& report)
{
  const std::array<Index, 3> bands = HUDDisplayBands(report.m_Wavelengths, report.m_Endmembers.rows());
  const Eigen::MatrixXf real = ReadColours(*report.m_Real.m_Spectra, bands);
  const Eigen::Vector3f white = WhiteLevels(real);
  return {ColourPicture(real, white, Thinning(*report.m_Real.m_Spectra).m_Width),
          ColourPicture(ReadColours(*report.m_Generated.m_Spectra, bands), white,
                        Thinning(*report.m_Generated.m_Spectra).m_Width)};
}

Json PictureOf(const std::string& title, const HUDPicture& picture)
{
  return {
      {"title", title}, {"png", HUDPictureAddress(picture)}, {"width", picture.m_Width}, {"height", picture.m_Height}};
}

/// Returns some valid spectra, evenly spread, [bands x n].
Eigen::MatrixXf SampleSpectra(const HUDEvaluationReport::Scene& scene)
{
  const hud::AbundanceMap& map = *scene.m_Abundances;
  const Index pixels = map.m_Width * map.m_Height;
  const Index step = std::max<Index>(1, pixels / kDensitySpectra);
  std::vector<Index> chosen;
  for (Index pixel = 0; pixel < pixels; pixel += step)
  {
    // A step that does not come by the same columns again and again.
    const Index shifted = std::min(pixels - 1, pixel + pixel / step * 7 % step);
    if (map.m_Valid.empty() || map.m_Valid[static_cast<std::size_t>(shifted)] != 0)
    {
      chosen.push_back(shifted);
    }
  }
  return hud::GatherPixels(*scene.m_Spectra, chosen);
}

/// Where bands are drawn.
struct BandAxis
{
  std::vector<double> m_Places; ///< of the bands: wavelengths or numbers
  std::string m_Title;
  double m_First = 0.;
  double m_Last = 0.;
  double m_Gap = 0.; ///< farther from a band than this there is none
};

BandAxis MakeBandAxis(const HUDEvaluationReport& report)
{
  BandAxis axis;
  axis.m_Places = report.m_Wavelengths;
  axis.m_Title = "Wavelength (nm)";
  if (axis.m_Places.empty())
  {
    axis.m_Places.resize(static_cast<std::size_t>(report.m_Endmembers.rows()));
    std::iota(axis.m_Places.begin(), axis.m_Places.end(), 1.);
    axis.m_Title = "Band";
  }
  std::vector<double> sorted = axis.m_Places;
  std::sort(sorted.begin(), sorted.end());
  axis.m_First = sorted.front();
  axis.m_Last = sorted.back();
  std::vector<double> steps;
  for (std::size_t i = 1; i < sorted.size(); ++i)
  {
    steps.push_back(sorted[i] - sorted[i - 1]);
  }
  if (!steps.empty())
  {
    std::nth_element(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2), steps.end());
    axis.m_Gap = 2. * steps[steps.size() / 2];
  }
  return axis;
}

/// Returns the band that is drawn at each column of a density; -1 where there is none.
std::vector<Index> BandsOfColumns(const BandAxis& axis, const std::vector<Index>& emptyBands)
{
  std::vector<Index> bands;
  for (int column = 0; column < kDensityWidth; ++column)
  {
    const double place = axis.m_First + (axis.m_Last - axis.m_First) * (column + 0.5) / kDensityWidth;
    const auto nearest = std::min_element(axis.m_Places.begin(), axis.m_Places.end(), [&](double a, double b) {
      return std::abs(a - place) < std::abs(b - place);
    });
    const Index band = nearest - axis.m_Places.begin();
    const bool isEmpty = std::find(emptyBands.begin(), emptyBands.end(), band) != emptyBands.end();
    bands.push_back(isEmpty || std::abs(*nearest - place) > axis.m_Gap ? -1 : band);
  }
  return bands;
}

/// Returns how many spectra pass each wavelength and value: dark where there are many.
HUDPicture DensityPicture(const Eigen::MatrixXf& spectra, const std::vector<Index>& bands, float low, float high)
{
  HUDPicture picture;
  picture.m_Width = kDensityWidth;
  picture.m_Height = kDensityHeight;
  picture.m_Channels = 1;
  Eigen::MatrixXf counts = Eigen::MatrixXf::Zero(kDensityHeight, kDensityWidth);
  for (Index column = 0; column < kDensityWidth; ++column)
  {
    const Index band = bands[static_cast<std::size_t>(column)];
    for (Index spectrum = 0; band >= 0 && spectrum < spectra.cols(); ++spectrum)
    {
      const float place = (spectra(band, spectrum) - low) / (high - low);
      const auto row = static_cast<Index>(std::floor((1.f - place) * kDensityHeight));
      if (row >= 0 && row < kDensityHeight)
      {
        counts(row, column) += 1.f;
      }
    }
  }
  // A few places that all spectra pass, as over water, must not pale the others.
  std::vector<float> passed;
  std::copy_if(counts.reshaped().begin(), counts.reshaped().end(), std::back_inserter(passed),
               [](float count) { return count > 0.f; });
  const float black = std::max(1.f, Quantile(std::move(passed), 0.98));
  for (Index row = 0; row < kDensityHeight; ++row)
  {
    for (Index column = 0; column < kDensityWidth; ++column)
    {
      const float share = std::pow(std::min(1.f, counts(row, column) / black), 0.5f); // rare spectra are to be seen too
      picture.m_Bytes.push_back(static_cast<std::uint8_t>(std::lround(255.f * (1.f - share))));
    }
  }
  return picture;
}

void AddDensities(const HUDEvaluationReport& report, Json& figures)
{
  const BandAxis axis = MakeBandAxis(report);
  const std::vector<Index> bands = BandsOfColumns(axis, report.m_EmptyBands);
  const Eigen::MatrixXf real = SampleSpectra(report.m_Real);
  const Eigen::MatrixXf generated = SampleSpectra(report.m_Generated);
  std::vector<float> values(real.data(), real.data() + real.size());
  const float low = std::min(0.f, Quantile(values, 0.001));
  const float high = 1.1f * Quantile(values, 0.999);
  if (!(high > low))
  {
    return;
  }
  for (const auto& [title, spectra] : {std::pair("Real", &real), std::pair("Generated", &generated)})
  {
    figures["density"].push_back({{"title", title},
                                  {"png", HUDPictureAddress(DensityPicture(*spectra, bands, low, high))},
                                  {"x", {axis.m_First, axis.m_Last}},
                                  {"y", {low, high}}});
  }
  figures["densityXTitle"] = axis.m_Title;
  figures["densityYTitle"] = report.m_Units.empty() ? "Value" : report.m_Units;
}

/// Returns an abundance map in grey, thinned.
HUDPicture AbundancePicture(const HUDEvaluationReport::Scene& scene, Index endmember)
{
  const hud::AbundanceMap& map = *scene.m_Abundances;
  const Thinning thin(*scene.m_Spectra);
  HUDPicture picture;
  picture.m_Width = static_cast<int>(thin.m_Width);
  picture.m_Height = static_cast<int>(thin.m_Height);
  picture.m_Channels = 1;
  for (Index row = 0; row < thin.m_Height; ++row)
  {
    for (Index column = 0; column < thin.m_Width; ++column)
    {
      const float value = map.m_Abundances(endmember, row * thin.m_Step * map.m_Width + column * thin.m_Step);
      picture.m_Bytes.push_back(static_cast<std::uint8_t>(std::lround(255.f * std::clamp(value, 0.f, 1.f))));
    }
  }
  return picture;
}

/// Returns the density of an endmember's abundances over the valid pixels, [bins].
std::vector<double> Histogram(const hud::AbundanceMap& map, Index endmember)
{
  std::vector<double> density(static_cast<std::size_t>(kHistogramBins), 0.);
  double pixels = 0.;
  for (Index pixel = 0; pixel < map.m_Abundances.cols(); ++pixel)
  {
    if (map.m_Valid.empty() || map.m_Valid[static_cast<std::size_t>(pixel)] != 0)
    {
      const auto bin = static_cast<Index>(map.m_Abundances(endmember, pixel) * static_cast<float>(kHistogramBins));
      density[static_cast<std::size_t>(std::clamp<Index>(bin, 0, kHistogramBins - 1))] += 1.;
      pixels += 1.;
    }
  }
  for (double& value : density)
  {
    value *= static_cast<double>(kHistogramBins) / pixels;
  }
  return density;
}

std::vector<double> ToList(const Eigen::VectorXd& values)
{
  return {values.begin(), values.end()};
}

std::string EndmemberTitle(Index endmember)
{
  return "Endmember " + std::to_string(endmember + 1);
}

void AddPerEndmember(const HUDEvaluationReport& report, Json& figures)
{
  std::vector<double> centres;
  for (Index bin = 0; bin < kHistogramBins; ++bin)
  {
    centres.push_back((static_cast<double>(bin) + 0.5) / static_cast<double>(kHistogramBins));
  }
  const hud::ArrangementCurves& curves = report.m_Evaluation.m_Curves;
  std::vector<int> steps(static_cast<std::size_t>(curves.m_RealSpectrum.rows()));
  std::iota(steps.begin(), steps.end(), 1);
  for (Index k = 0; k < report.m_Endmembers.cols(); ++k)
  {
    const std::string title = EndmemberTitle(k);
    figures["abundances"].push_back({{"title", title},
                                     {"real", HUDPictureAddress(AbundancePicture(report.m_Real, k))},
                                     {"generated", HUDPictureAddress(AbundancePicture(report.m_Generated, k))}});
    figures["histograms"].push_back({{"title", title},
                                     {"x", centres},
                                     {"real", Histogram(*report.m_Real.m_Abundances, k)},
                                     {"generated", Histogram(*report.m_Generated.m_Abundances, k)}});
    figures["powerSpectra"].push_back({{"title", title},
                                       {"x", steps},
                                       {"real", ToList(curves.m_RealSpectrum.col(k))},
                                       {"generated", ToList(curves.m_GeneratedSpectrum.col(k))}});
    figures["variograms"].push_back({{"title", title},
                                     {"x", steps},
                                     {"real", ToList(curves.m_RealVariogram.col(k))},
                                     {"generated", ToList(curves.m_GeneratedVariogram.col(k))}});
  }
}

void AddEndmembers(const HUDEvaluationReport& report, Json& figures)
{
  const BandAxis axis = MakeBandAxis(report);
  // A line goes from one wavelength to the next, whatever the order of the bands is.
  std::vector<Index> order(axis.m_Places.size());
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) {
    return axis.m_Places[static_cast<std::size_t>(a)] < axis.m_Places[static_cast<std::size_t>(b)];
  });
  Json& endmembers = figures["endmembers"];
  endmembers["xTitle"] = axis.m_Title;
  endmembers["yTitle"] = report.m_Units.empty() ? "Value" : report.m_Units;
  for (const Index band : order)
  {
    endmembers["x"].push_back(axis.m_Places[static_cast<std::size_t>(band)]);
  }
  for (Index k = 0; k < report.m_Endmembers.cols(); ++k)
  {
    Json spectrum = {{"title", EndmemberTitle(k)}, {"y", Json::array()}};
    for (const Index band : order)
    {
      const bool isEmpty =
          std::find(report.m_EmptyBands.begin(), report.m_EmptyBands.end(), band) != report.m_EmptyBands.end();
      spectrum["y"].push_back(isEmpty ? Json() : Json(report.m_Endmembers(band, k)));
    }
    endmembers["spectra"].push_back(std::move(spectrum));
  }
}

/// Says how a real crop was turned to resemble a block.
std::string DescribeTurn(int turn)
{
  constexpr const char* kQuarters[] = {"", ", turned by 90 degrees", ", turned by 180 degrees",
                                       ", turned by 270 degrees"};
  return std::string(kQuarters[turn / 2]) + (turn % 2 != 0 ? ", mirrored" : "");
}

/// Adds the generated blocks that are nearest to real crops, with these.
void AddNeighbours(const HUDEvaluationReport& report, Json& figures)
{
  const Index patch = report.m_Options.m_Patch;
  const hud::Memorisation& copies = report.m_Evaluation.m_Memorisation;
  const HUDPreview preview(report.m_Endmembers, report.m_Wavelengths, {*report.m_Real.m_Abundances});
  const auto draw = [&](const Eigen::MatrixXf& pixels) {
    return HUDPictureAddress(preview.Draw({patch, patch, pixels, {}}));
  };
  std::vector<std::size_t> order(copies.m_Nearest.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return copies.m_Distances[a] < copies.m_Distances[b]; });
  order.resize(std::min(order.size(), kNeighbours));
  for (const std::size_t i : order)
  {
    const hud::NearestCrop& crop = copies.m_Nearest[i];
    const hud::PatchCorner& block = copies.m_Blocks[i];
    const Eigen::MatrixXf real =
        CutPatches(*report.m_Real.m_Abundances, patch, {hud::PatchCorner{crop.m_Column, crop.m_Row}});
    figures["neighbours"].push_back(
        {{"title", "Column " + std::to_string(block.m_Column) + ", row " + std::to_string(block.m_Row)},
         {"generated", draw(CutPatches(*report.m_Generated.m_Abundances, patch, {block}))},
         {"real", draw(hud::TurnPatch(real, patch, crop.m_Turn))},
         {"distance", copies.m_Distances[i]},
         {"note", "real column " + std::to_string(crop.m_Column) + ", row " + std::to_string(crop.m_Row) +
                      DescribeTurn(crop.m_Turn)}});
  }
}

Json Figures(const HUDEvaluationReport& report)
{
  Json figures;
  const Quicklooks quicklooks = MakeQuicklooks(report);
  figures["quicklooks"] = {PictureOf("Real", quicklooks.m_Real), PictureOf("Generated", quicklooks.m_Generated)};
  AddDensities(report, figures);
  AddPerEndmember(report, figures);
  AddEndmembers(report, figures);
  AddNeighbours(report, figures);
  return figures;
}

const char* Name(hud::Better better)
{
  switch (better)
  {
  case hud::Better::Higher:
    return "higher";
  case hud::Better::Lower:
    return "lower";
  case hud::Better::NearOracle:
  default:
    return "near the oracle";
  }
}

Json Number(const std::optional<double>& value)
{
  return value ? Json(*value) : Json();
}

Json MetricToJson(const hud::Metric& metric)
{
  Json json = {{"name", metric.m_Name},       {"title", metric.m_Title},           {"group", metric.m_Group},
               {"meaning", metric.m_Meaning}, {"better", Name(metric.m_Better)},   {"value", Number(metric.m_Value)},
               {"interval", nullptr},         {"oracle", Number(metric.m_Oracle)}, {"verdict", metric.Verdict()}};
  if (metric.m_Interval)
  {
    json["interval"] = {metric.m_Interval->m_Low, metric.m_Interval->m_High};
  }
  for (std::size_t i = 0; i < hud::kBaselines; ++i)
  {
    json["baselines"][hud::BaselineTexts()[i].m_Name] = Number(metric.m_Baselines[i]);
  }
  return json;
}

Json SceneToJson(const HUDEvaluationReport::Scene& scene)
{
  const Index pixels = scene.m_Spectra->Width() * scene.m_Spectra->Height();
  return {{"file", scene.m_File},
          {"width", scene.m_Spectra->Width()},
          {"height", scene.m_Spectra->Height()},
          {"bands", scene.m_Spectra->Bands()},
          {"validPixels", pixels - static_cast<Index>(scene.m_NoDataPixels.Total())},
          {"pixelsLeftOut",
           {{"masked", scene.m_NoDataPixels.m_Masked},
            {"notFinite", scene.m_NoDataPixels.m_NotFinite},
            {"noDataValue", scene.m_NoDataPixels.m_NoDataValue},
            {"allBandsZero", scene.m_NoDataPixels.m_Zero}}}};
}

Json ToJson(const HUDEvaluationReport& report)
{
  Json json;
  json["format"] = "hud-evaluation";
  json["formatVersion"] = 1;
  json["programVersion"] = hud::Version();
  json["real"] = SceneToJson(report.m_Real);
  json["generated"] = SceneToJson(report.m_Generated);
  json["patch"] = report.m_Options.m_Patch;
  json["blocks"] = report.m_Evaluation.m_Fidelity.m_Blocks;
  json["setBlocks"] = report.m_Evaluation.m_SetBlocks;
  json["seed"] = report.m_Options.m_Seed;
  json["endmembers"] = report.m_Endmembers.cols();
  json["warnings"] = report.Warnings();
  const hud::Memorisation& copies = report.m_Evaluation.m_Memorisation;
  json["memorisation"] = {{"alarm", copies.m_Copies > 0},
                          {"copies", copies.m_Copies},
                          {"limit", copies.m_Limit},
                          {"text", report.DescribeCopies()}};
  json["classifier"] = nullptr;
  if (report.m_Classifier)
  {
    json["classifier"] = {{"labels", report.m_Classifier->m_Labels},
                          {"classes", report.m_Classifier->m_Classes},
                          {"accuracy", Number(report.m_Classifier->m_Accuracy)}};
  }
  for (const hud::Metric& metric : report.m_Evaluation.m_Metrics)
  {
    json["metrics"].push_back(MetricToJson(metric));
  }
  for (const hud::BaselineText& text : hud::BaselineTexts())
  {
    json["baselines"].push_back({{"name", text.m_Name}, {"title", text.m_Title}, {"meaning", text.m_Meaning}});
  }
  return json;
}

/// A file's name may hold any bytes; JSON may not.
std::string Dump(const Json& json, int indent)
{
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

void WriteText(const std::string& path, const std::string& text)
{
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file)
  {
    throw hud::FileError(path + ": cannot be written");
  }
}

} // namespace

std::vector<std::string> HUDEvaluationReport::Lines() const
{
  std::vector<std::string> lines;
  for (const hud::Metric& metric : m_Evaluation.m_Metrics)
  {
    if (metric.m_Value)
    {
      std::ostringstream line;
      line << std::setprecision(4) << metric.m_Title << ": " << *metric.m_Value;
      if (metric.m_Oracle)
      {
        line << ", real data " << *metric.m_Oracle << ": " << metric.Verdict();
      }
      lines.push_back(line.str());
    }
  }
  return lines;
}

std::vector<std::string> HUDEvaluationReport::Warnings() const
{
  constexpr Index kFewBlocks = 16;
  constexpr double kPoorAccuracy = 0.7;
  std::vector<std::string> warnings;
  if (m_Options.m_MaximumBlocks > 0 && m_Evaluation.m_Fidelity.m_Blocks == m_Options.m_MaximumBlocks)
  {
    warnings.push_back("Point fidelity, block diversity, spectral angle and relative error are estimates from " +
                       std::to_string(m_Evaluation.m_Fidelity.m_Blocks) + " blocks, as asked for");
  }
  if (m_Evaluation.m_SetBlocks < kFewBlocks)
  {
    warnings.push_back("There are " + std::to_string(m_Evaluation.m_SetBlocks) +
                       " blocks to compare distributions on: their figures are rough. Smaller patches give more");
  }
  const Index pixels = 2 * m_Evaluation.m_SetBlocks * m_Options.m_Patch * m_Options.m_Patch;
  if (pixels > m_Real.m_Spectra->Width() * m_Real.m_Spectra->Height())
  {
    warnings.push_back(
        "The sets of real crops overlap, as the real scene is small: they are more alike than new data of the "
        "same kind would be, and the figures of blocks and abundances stricter");
  }
  if (m_Classifier && m_Classifier->m_Accuracy && *m_Classifier->m_Accuracy < kPoorAccuracy)
  {
    std::ostringstream warning;
    warning << std::setprecision(2) << "The classifier is right on " << 100. * *m_Classifier->m_Accuracy
            << " % of held-out patches: Inception Score and Frechet Inception Distance say little";
    warnings.push_back(warning.str());
  }
  return warnings;
}

std::string HUDEvaluationReport::DescribeCopies() const
{
  const hud::Memorisation& copies = m_Evaluation.m_Memorisation;
  std::ostringstream text;
  text << std::setprecision(3);
  if (copies.m_Limit <= 0.)
  {
    text
        << copies.m_Copies << " of " << copies.m_Nearest.size()
        << " generated blocks equal a real crop; the real scene is too small or too even to say of others whether they are "
           "copies";
  }
  else
  {
    text << copies.m_Copies << " of " << copies.m_Nearest.size() << " generated blocks are nearer to a real crop than "
         << copies.m_Limit
         << " of their own contrast: half of what one in twenty real blocks comes near to the other half of its scene";
  }
  return text.str();
}

void HUDEvaluationReport::WriteJson(const std::string& path) const
{
  WriteText(path, Dump(ToJson(*this), 2) + "\n");
}

void HUDEvaluationReport::WritePage(const std::string& path) const
{
  Json json = ToJson(*this);
  json["figures"] = Figures(*this);
  WriteText(path, HUDReportPage(Dump(json, -1)));
}

HUDPicture HUDEvaluationReport::Quicklook() const
{
  constexpr int kGap = 8;
  const Quicklooks both = MakeQuicklooks(*this);
  HUDPicture picture;
  picture.m_Width = both.m_Real.m_Width + kGap + both.m_Generated.m_Width;
  picture.m_Height = std::max(both.m_Real.m_Height, both.m_Generated.m_Height);
  picture.m_Bytes.assign(
      std::size_t{3} * static_cast<std::size_t>(picture.m_Width) * static_cast<std::size_t>(picture.m_Height), 255);
  const auto paste = [&](const HUDPicture& part, int left) {
    for (int row = 0; row < part.m_Height; ++row)
    {
      std::copy_n(part.m_Bytes.begin() + row * part.m_Width * 3, part.m_Width * 3,
                  picture.m_Bytes.begin() + (row * picture.m_Width + left) * 3);
    }
  };
  paste(both.m_Real, 0);
  paste(both.m_Generated, both.m_Real.m_Width + kGap);
  return picture;
}

} // namespace otb
