// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/Evaluation.h"

#include "hud/core/Error.h"
#include "hud/core/InceptionScore.h"
#include "hud/core/LeastSquares.h"
#include "hud/core/PatchDistance.h"
#include "hud/core/Random.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

namespace hud
{

namespace
{

using Eigen::Index;

/// Blocks of a set whose distribution is compared.
constexpr std::size_t kSetBlocks = 64;

/// Blocks of each half and each baseline whose fidelity is computed.
constexpr Index kFidelityBlocks = 16;

/// Pairs of sets of real crops that an oracle is the mean of; fewer for baselines, which are far away.
constexpr std::uint32_t kDraws = 20;
constexpr std::uint32_t kBaselineDraws = 5;

constexpr int kResamples = 200;
constexpr Index kNeighbours = 5;

/// Pixels of a block that stand for it where bands are compared.
constexpr Index kBlockPixels = 64;

constexpr float kDarkening = 0.2f;

/// Of the small distances between real blocks, the share below which a block is a copy.
constexpr double kCopyShare = 0.5;

/// Distance over contrast of a block that equals a crop but for rounding.
constexpr double kEqual = 0.005;

/// What a block's abundances must vary by to be told from others.
constexpr double kLeastContrast = 1e-4;

struct MetricText
{
  const char* m_Name;
  const char* m_Title;
  const char* m_Group;
  const char* m_Meaning;
  Better m_Better;
  Yardstick m_Yardstick = Yardstick::Value;
};

constexpr const char* kPaper = "The paper's metrics";
constexpr const char* kSpectra = "Spectra, with their brightness";
constexpr const char* kArrangement = "Abundances and their arrangement";
constexpr const char* kSets = "Sets of blocks";
constexpr const char* kCopies = "Copies";

constexpr MetricText kMetrics[] = {
    {"point_fidelity", "Point fidelity F_p", kPaper,
     "Mean over generated pixels of the largest cosine to a real pixel. Blind to brightness and to place.",
     Better::Higher, Yardstick::FromOne},
    {"block_diversity", "Block diversity D_b", kPaper,
     "Mean over generated blocks of the mean cosine at their best place in the real scene. High for copies, and for "
     "even or noisy blocks of similar spectra.",
     Better::NearOracle, Yardstick::FromOne},
    {"diversity_ratio", "D_b / F_p", kPaper, "The same, less what pixels lose by themselves: 1 for copies.",
     Better::NearOracle, Yardstick::FromOne},
    {"inception_score", "Inception Score", kPaper,
     "How sure a classifier is of each patch, and how many classes it sees: 1 to the number of classes.",
     Better::NearOracle, Yardstick::Logarithms},
    {"frechet_inception_distance", "Frechet Inception Distance", kPaper,
     "Distance between what the classifier sees in generated and in real patches.", Better::Lower},
    {"spectral_angle", "Spectral angle (rad)", kSpectra,
     "Mean over generated pixels of the smallest angle to a real pixel. Blind to brightness.", Better::Lower},
    {"relative_error", "Relative error", kSpectra,
     "Mean over generated pixels of the distance to the nearest real pixel, over the pixel's norm.", Better::Lower},
    {"band_wasserstein", "Wasserstein distance of bands", kSpectra,
     "How far the values of a band must be moved to have the real distribution, in real standard deviations; mean over "
     "bands.",
     Better::Lower},
    {"abundance_wasserstein", "Wasserstein distance of abundances", kArrangement,
     "How far abundances must be moved to have the real distribution; mean over endmembers.", Better::Lower},
    {"log_power_spectrum", "Log power spectrum", kArrangement,
     "Root mean square difference of the natural logarithm of power over spatial frequencies and endmembers.",
     Better::Lower},
    {"log_variogram", "Log variogram", kArrangement,
     "Root mean square difference of the natural logarithm of the variogram over lags and endmembers.", Better::Lower},
    {"frechet_distance", "Frechet distance", kSets,
     "Distance between generated and real blocks in mean, deviation and roughness of each endmember, as normal "
     "distributions.",
     Better::Lower},
    {"kernel_distance", "Kernel distance", kSets,
     "The same without the assumption of normal distributions. Near 0, also below, for the same distribution.",
     Better::Lower},
    {"precision", "Precision", kSets, "Share of generated blocks that lie among real ones.", Better::Higher,
     Yardstick::Share},
    {"recall", "Recall", kSets, "Share of real blocks that lie among generated ones.", Better::Higher,
     Yardstick::Share},
    {"density", "Density", kSets, "How many real blocks a generated one lies among; about 1.", Better::NearOracle,
     Yardstick::Ratio},
    {"coverage", "Coverage", kSets, "Share of real blocks that have a generated one nearby.", Better::Higher,
     Yardstick::Share},
    {"nearest_crop", "Distance to the nearest crop", kCopies,
     "Median over generated blocks of the distance in abundance to the nearest real crop, turned and mirrored as well, "
     "over the block's own contrast.",
     Better::NearOracle},
};

using Figures = std::map<std::string, double>;

/// What is kept of the spectra of a set of blocks, which may be large.
struct SpectraSummary
{
  Eigen::MatrixXf m_BandSample;         ///< some of the pixels
  PatchClassification m_Classification; ///< empty without a judge
};

/// Returns one of the blocks.
auto BlockOf(const Eigen::MatrixXf& blocks, Index number, Index patch)
{
  return blocks.middleCols(number * patch * patch, patch * patch);
}

/// Returns an image of blocks one below the other, which is the order that they are stored in.
InMemoryRows Column(Eigen::MatrixXf blocks, Index patch)
{
  const Index height = blocks.cols() / patch;
  return InMemoryRows({patch, height, std::move(blocks)});
}

/// Returns the pixels that stand for blocks where bands are compared.
Eigen::MatrixXf BandSample(const Eigen::MatrixXf& spectra, Index patch)
{
  // Odd, so that it does not come by the same columns in every row.
  const Index stride = std::max<Index>(1, patch * patch / kBlockPixels) | 1;
  return spectra(Eigen::all, Eigen::seq(stride / 2, spectra.cols() - 1, stride));
}

/// Returns the mean over bands of the Wasserstein distance in standard deviations of the reference.
double BandWasserstein(const Eigen::MatrixXf& reference, const Eigen::MatrixXf& sample)
{
  const Eigen::VectorXd distances = WassersteinDistances(reference, sample);
  double sum = 0.;
  int bands = 0;
  for (Index band = 0; band < reference.rows(); ++band)
  {
    const Eigen::VectorXd values = reference.row(band).cast<double>();
    const double deviation = std::sqrt((values.array() - values.mean()).square().mean());
    if (deviation > 0.)
    {
      sum += distances[band] / deviation;
      ++bands;
    }
  }
  return bands > 0 ? sum / bands : 0.;
}

std::string SizeText(const SpectralRows& image)
{
  return std::to_string(image.Width()) + " x " + std::to_string(image.Height()) + " pixels";
}

double Quantile(std::vector<double> values, double share)
{
  const auto place = values.begin() + std::lround(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

std::vector<double> Finite(std::vector<double> values)
{
  values.erase(std::remove_if(values.begin(), values.end(), [](double value) { return !std::isfinite(value); }),
               values.end());
  return values;
}

void AddFidelity(const FidelityScore& score, Figures& figures)
{
  figures["point_fidelity"] += score.m_PointFidelity;
  figures["block_diversity"] += score.m_BlockDiversity;
  figures["diversity_ratio"] += score.m_BlockDiversity / score.m_PointFidelity;
  figures["spectral_angle"] += score.m_SpectralAngle;
  figures["relative_error"] += score.m_RelativeError;
}

void Divide(Figures& figures, double divisor)
{
  for (auto& [name, value] : figures)
  {
    value /= divisor;
  }
}

/// One part of the real scene, and the part that it is compared with.
struct Halves
{
  std::array<Index, 4> m_First; ///< column, row, width, height
  std::array<Index, 4> m_Second;
};

/// Returns left against right, top against bottom, and the reverse, as far as a block fits.
std::vector<Halves> HalvesOf(const SpectralRows& image, Index patch)
{
  const Index width = image.Width();
  const Index height = image.Height();
  const Index x = width / 2;
  const Index y = height / 2;
  std::vector<Halves> halves;
  if (std::min(x, height) >= patch)
  {
    const std::array<Index, 4> left = {0, 0, x, height};
    const std::array<Index, 4> right = {x, 0, width - x, height};
    halves.push_back({left, right});
    halves.push_back({right, left});
  }
  if (std::min(width, y) >= patch)
  {
    const std::array<Index, 4> top = {0, 0, width, y};
    const std::array<Index, 4> bottom = {0, y, width, height - y};
    halves.push_back({top, bottom});
    halves.push_back({bottom, top});
  }
  return halves;
}

CroppedRows Part(const SpectralRows& image, const std::array<Index, 4>& part)
{
  return CroppedRows(image, part[0], part[1], part[2], part[3]);
}

AbundanceMap Part(const AbundanceMap& map, const std::array<Index, 4>& part)
{
  return CropMap(map, part[0], part[1], part[2], part[3]);
}

/// Returns how far a value is from the best one, over how far the oracle is.
double Ratio(double value, double oracle, Yardstick yardstick)
{
  constexpr double kRounding = 1e-4;
  constexpr double kChance = 0.05;
  const auto over = [](double first, double second, double least) {
    return (std::max(first, 0.) + least) / (std::max(second, 0.) + least);
  };
  const auto either = [&](double first, double second) {
    const double ratio = over(first, second, kRounding);
    return std::max(ratio, 1. / ratio);
  };
  switch (yardstick)
  {
  case Yardstick::FromOne:
    return over(1. - value, 1. - oracle, kRounding);
  case Yardstick::Share:
    return over(1. - value, 1. - oracle, kChance);
  case Yardstick::Ratio:
    return either(value, oracle);
  case Yardstick::Logarithms:
    return either(std::log(value), std::log(oracle));
  case Yardstick::Value:
  default:
    return over(value, oracle, kRounding);
  }
}

/// Reports several pieces of work as one.
class WorkProgress
{
public:
  using Report = std::function<void(double, const std::string&)>;

  WorkProgress(const Report& report, double total) : m_Report(report), m_Total(total) {}

  /// Starts the next piece and returns what to call with the fraction of it that is done.
  std::function<void(double)> Next(const std::string& what, double work)
  {
    m_Done += m_Work;
    m_Work = work;
    const auto advance = [this, what](double fraction) {
      if (m_Report)
      {
        m_Report(std::min(1., (m_Done + fraction * m_Work) / m_Total), what);
      }
    };
    advance(0.);
    m_Again = advance;
    return advance;
  }

  /// Reports the same again, which is where the work can be interrupted.
  void Tick() const
  {
    if (m_Again)
    {
      m_Again(0.);
    }
  }

private:
  const Report& m_Report;
  double m_Total;
  double m_Done = 0.;
  double m_Work = 0.;
  std::function<void(double)> m_Again;
};

/// One evaluation.
class Evaluator
{
public:
  Evaluator(const EvaluatedScene& real, const EvaluatedScene& generated, const Eigen::MatrixXd& endmembers,
            const EvaluationOptions& options, const BlockJudge* judge,
            const std::function<void(double, const std::string&)>& progress)
    : m_Real(real), m_Generated(generated), m_Endmembers(endmembers), m_Encoder(endmembers, EncoderKind::Fcls),
      m_Options(options), m_Judge(judge), m_Patch(options.m_Patch),
      m_CropRandom(options.m_Seed, RandomStream::EvaluationCrop), m_Progress(progress, TotalWork())
  {
    m_RealCorners = FindPatches(real.m_Abundances, m_Patch, 1);
    const std::vector<PatchCorner> blocks = FindPatches(generated.m_Abundances, m_Patch, m_Patch);
    if (m_RealCorners.size() < 2 || blocks.empty())
    {
      throw InvalidData("the real scene of " + SizeText(real.m_Spectra) + " has " +
                        std::to_string(m_RealCorners.size()) + " places for blocks of " + std::to_string(m_Patch) +
                        " x " + std::to_string(m_Patch) + " pixels without no-data pixels, and the generated one of " +
                        SizeText(generated.m_Spectra) + " has " + std::to_string(blocks.size()) +
                        " such blocks, expected at least 2 and 1");
    }
    m_SetBlocks = std::min({kSetBlocks, blocks.size(), m_RealCorners.size() / 2});
    for (const Index block :
         DrawBlocks(static_cast<Index>(blocks.size()), static_cast<Index>(m_SetBlocks), options.m_Seed))
    {
      m_Blocks.push_back(blocks[static_cast<std::size_t>(block)]);
    }
  }

  Evaluation Run()
  {
    Evaluation evaluation;
    evaluation.m_SetBlocks = static_cast<Index>(m_SetBlocks);
    FidelityOptions fidelity = Fidelity();
    fidelity.m_MaximumBlocks = m_Options.m_MaximumBlocks;
    evaluation.m_Fidelity =
        ScoreFidelity(m_Real.m_Spectra, m_Generated.m_Spectra, fidelity,
                      m_Progress.Next("every generated pixel against every real one", FidelityWork(GeneratedPixels())));
    Figures generated;
    AddFidelity(evaluation.m_Fidelity, generated);

    m_Progress.Next("reading blocks", SetWork());
    ReadReference();
    const Eigen::MatrixXf blocks = CutPatches(m_Generated.m_Abundances, m_Patch, m_Blocks);
    ScoreAbundances(blocks, kDraws, generated);
    ScoreSpectra(Summarise(ReadBlocks(m_Generated.m_Spectra, m_Blocks)), generated);
    AddCurves(blocks, evaluation.m_Curves);
    const std::map<std::string, Interval> intervals = Intervals(blocks, evaluation.m_Fidelity.m_BlockScores, generated);

    Figures oracle = FidelityOracle();
    AddSetOracle(oracle);
    evaluation.m_Memorisation = FindCopies(blocks, generated, oracle);

    std::array<Figures, kBaselines> baselines;
    for (std::size_t i = 0; i < kBaselines; ++i)
    {
      baselines[i] = ScoreBaseline(static_cast<Baseline>(i));
    }
    for (const MetricText& text : kMetrics)
    {
      evaluation.m_Metrics.push_back(MakeMetric(text, generated, oracle, baselines, intervals));
    }
    m_Progress.Next("done", 0.);
    return evaluation;
  }

private:
  // Work is counted in products of pixels; that of sets of blocks is an estimate in the same unit.
  double RealPixels() const
  {
    return static_cast<double>(m_Real.m_Spectra.Width() * m_Real.m_Spectra.Height());
  }

  double GeneratedPixels() const
  {
    const auto pixels = static_cast<double>(m_Generated.m_Spectra.Width() * m_Generated.m_Spectra.Height());
    return m_Options.m_MaximumBlocks > 0
               ? std::min(pixels, static_cast<double>(m_Options.m_MaximumBlocks * m_Patch * m_Patch))
               : pixels;
  }

  double FidelityWork(double pixels) const
  {
    return pixels * RealPixels();
  }

  double SomeBlocksWork() const
  {
    return FidelityWork(static_cast<double>(kFidelityBlocks * m_Patch * m_Patch));
  }

  double SetWork() const
  {
    return 5e9;
  }

  double TotalWork() const
  {
    return FidelityWork(GeneratedPixels()) + 3. * SetWork() + 2. * SomeBlocksWork() +
           static_cast<double>(kBaselines) * (SomeBlocksWork() + SetWork());
  }

  FidelityOptions Fidelity() const
  {
    FidelityOptions fidelity;
    fidelity.m_Patch = m_Patch;
    fidelity.m_MaximumBlocks = kFidelityBlocks;
    fidelity.m_MemoryBytes = m_Options.m_MemoryBytes;
    fidelity.m_Threads = m_Options.m_Threads;
    fidelity.m_Seed = m_Options.m_Seed;
    return fidelity;
  }

  /// Returns the two sets of real crops of a draw, one after the other.
  std::vector<PatchCorner> RealCorners(std::uint32_t draw) const
  {
    return DrawPatches(m_RealCorners, 2 * m_SetBlocks, m_CropRandom, draw);
  }

  Index SetPixels() const
  {
    return static_cast<Index>(m_SetBlocks) * m_Patch * m_Patch;
  }

  Eigen::MatrixXf ReadBlocks(const SpectralRows& image, const std::vector<PatchCorner>& corners) const
  {
    return GatherPixels(image, PatchPixels(image.Width(), m_Patch, corners));
  }

  /// Returns the spectra of the second set of real crops of the first draw, [bands x patch * patch * m_SetBlocks].
  Eigen::MatrixXf ReadOtherReference() const
  {
    const std::vector<PatchCorner> corners = RealCorners(0);
    return ReadBlocks(m_Real.m_Spectra, {corners.begin() + static_cast<std::ptrdiff_t>(m_SetBlocks), corners.end()});
  }

  SpectraSummary Summarise(const Eigen::MatrixXf& spectra) const
  {
    return {BandSample(spectra, m_Patch), m_Judge != nullptr ? m_Judge->Classify(spectra) : PatchClassification()};
  }

  /// Reads the spectra of a set of real crops, and what makes features comparable.
  void ReadReference()
  {
    const std::vector<PatchCorner> corners = RealCorners(0);
    m_Reference = Summarise(
        ReadBlocks(m_Real.m_Spectra, {corners.begin(), corners.begin() + static_cast<std::ptrdiff_t>(m_SetBlocks)}));
    const Eigen::MatrixXd features = PatchFeatures(CutPatches(m_Real.m_Abundances, m_Patch, corners), m_Patch);
    m_FeatureMeans = features.rowwise().mean();
    const Eigen::VectorXd deviations = (features.colwise() - m_FeatureMeans).cwiseAbs2().rowwise().mean().cwiseSqrt();
    // A feature that real blocks share counts as it is.
    m_FeatureScales = (deviations.array() > 1e-6).select(deviations.cwiseInverse(), 1.);
  }

  /// Returns features in real standard deviations.
  Eigen::MatrixXd Features(const Eigen::MatrixXf& abundances) const
  {
    return m_FeatureScales.asDiagonal() * (PatchFeatures(abundances, m_Patch).colwise() - m_FeatureMeans);
  }

  /// Adds the figures of one set of blocks against another, of which there may be several.
  void AddSetFigures(const Eigen::MatrixXf& real, const Eigen::MatrixXf& blocks, Figures& figures) const
  {
    const PatchDistance distance = ComputePatchDistance(real, blocks, m_Patch);
    figures["abundance_wasserstein"] += distance.m_Wasserstein.mean();
    figures["log_power_spectrum"] += distance.m_LogSpectrum;
    figures["log_variogram"] += distance.m_LogVariogram;
    if (m_SetBlocks < 3)
    {
      return; // no distribution
    }
    const Eigen::MatrixXd realFeatures = Features(real);
    const Eigen::MatrixXd features = Features(blocks);
    figures["frechet_distance"] += FrechetDistance(realFeatures, features);
    figures["kernel_distance"] += KernelDistance(realFeatures, features);
    const NeighbourScores scores =
        ScoreNeighbours(realFeatures, features, std::min(kNeighbours, static_cast<Index>(m_SetBlocks) - 1));
    figures["precision"] += scores.m_Precision;
    figures["recall"] += scores.m_Recall;
    figures["density"] += scores.m_Density;
    figures["coverage"] += scores.m_Coverage;
  }

  /// Adds the figures of a set of blocks: the mean over so many sets of real crops.
  /// @param blocks [d x patch * patch * m_SetBlocks]
  void ScoreAbundances(const Eigen::MatrixXf& blocks, std::uint32_t draws, Figures& figures) const
  {
    Figures sums;
    for (std::uint32_t draw = 0; draw < draws; ++draw)
    {
      m_Progress.Tick();
      const Eigen::MatrixXf both = CutPatches(m_Real.m_Abundances, m_Patch, RealCorners(draw));
      AddSetFigures(both.leftCols(SetPixels()), blocks, sums);
    }
    Divide(sums, draws);
    figures.merge(sums);
  }

  void ScoreSpectra(const SpectraSummary& spectra, Figures& figures) const
  {
    figures["band_wasserstein"] = BandWasserstein(m_Reference.m_BandSample, spectra.m_BandSample);
    if (m_Judge == nullptr)
    {
      return;
    }
    const PatchClassification& judged = spectra.m_Classification;
    figures["inception_score"] = InceptionScore(judged.m_Probabilities);
    if (judged.m_Features.cols() >= 2)
    {
      figures["frechet_inception_distance"] =
          FrechetDistance(m_Reference.m_Classification.m_Features, judged.m_Features);
    }
  }

  void AddSetOracle(Figures& oracle)
  {
    m_Progress.Next("real blocks against real blocks", SetWork());
    Figures sums;
    for (std::uint32_t draw = 0; draw < kDraws; ++draw)
    {
      m_Progress.Tick();
      const Eigen::MatrixXf both = CutPatches(m_Real.m_Abundances, m_Patch, RealCorners(draw));
      Figures figures;
      AddSetFigures(both.leftCols(SetPixels()), both.rightCols(SetPixels()), figures);
      for (const auto& [name, value] : figures)
      {
        sums[name] += std::abs(value); // the kernel distance is 0 on average, which would be no yardstick
      }
    }
    Divide(sums, kDraws);
    oracle.merge(sums);
    ScoreSpectra(Summarise(ReadOtherReference()), oracle);
  }

  void AddCurves(const Eigen::MatrixXf& blocks, ArrangementCurves& curves) const
  {
    const Eigen::MatrixXf real = CutPatches(m_Real.m_Abundances, m_Patch, RealCorners(0));
    curves.m_RealSpectrum = LogPowerSpectrum(real, m_Patch);
    curves.m_GeneratedSpectrum = LogPowerSpectrum(blocks, m_Patch);
    curves.m_RealVariogram = Variogram(real, m_Patch);
    curves.m_GeneratedVariogram = Variogram(blocks, m_Patch);
  }

  /// Returns the intervals of figures: as wide as by bootstrap over blocks, around the values.
  std::map<std::string, Interval> Intervals(const Eigen::MatrixXf& blocks, const std::vector<double>& blockScores,
                                            const Figures& figures)
  {
    if (m_SetBlocks < 3)
    {
      return {};
    }
    const Eigen::MatrixXf both = CutPatches(m_Real.m_Abundances, m_Patch, RealCorners(0));
    const Eigen::MatrixXd real = Features(both.leftCols(SetPixels()));
    const Eigen::MatrixXd features = Features(blocks);
    const Eigen::Map<const Eigen::RowVectorXd> scores(blockScores.data(), static_cast<Index>(blockScores.size()));
    const auto meanScore = [](const Eigen::MatrixXd&, const Eigen::MatrixXd& drawn) { return drawn.mean(); };
    std::map<std::string, Interval> intervals;
    const auto add = [&](const char* name, const Eigen::MatrixXd& first, const Eigen::MatrixXd& second,
                         const auto& figure) {
      m_Progress.Tick();
      Interval interval = BootstrapInterval(first, second, kResamples, m_Options.m_Seed, figure);
      // The value is a mean over draws of real crops.
      const double shift = figures.at(name) - figure(first, second);
      interval.m_Low += shift;
      interval.m_High += shift;
      intervals[name] = interval;
    };
    add("frechet_distance", real, features, FrechetDistance);
    add("kernel_distance", real, features, KernelDistance);
    add("block_diversity", scores, scores, meanScore);
    return intervals;
  }

  /// Returns where one half of the real scene stands against the other.
  Figures FidelityOracle()
  {
    const std::vector<Halves> halves = HalvesOf(m_Real.m_Spectra, m_Patch);
    Figures figures;
    double count = 0.;
    for (const Halves& each : halves)
    {
      const auto advance = m_Progress.Next("half of the real scene against the other half", SomeBlocksWork() * 2. / 4.);
      const CroppedRows first = Part(m_Real.m_Spectra, each.m_First);
      const CroppedRows second = Part(m_Real.m_Spectra, each.m_Second);
      if (!FindPatches(Part(m_Real.m_Abundances, each.m_First), m_Patch, m_Patch).empty() &&
          !FindPatches(Part(m_Real.m_Abundances, each.m_Second), m_Patch, 1).empty())
      {
        AddFidelity(ScoreFidelity(second, first, Fidelity(), advance), figures);
        count += 1.;
      }
    }
    Divide(figures, count);
    return figures;
  }

  /// Looks for copies, and adds their metric.
  Memorisation FindCopies(const Eigen::MatrixXf& blocks, Figures& generated, Figures& oracle)
  {
    Memorisation memorisation;
    memorisation.m_Blocks = m_Blocks;
    memorisation.m_Nearest =
        FindNearestCrops(m_Real.m_Abundances, blocks, m_Patch, m_Progress.Next("nearest real crops", SetWork()));
    memorisation.m_Distances = RelativeDistances(blocks, memorisation.m_Nearest);
    if (const std::vector<double> distances = Finite(memorisation.m_Distances); !distances.empty())
    {
      generated["nearest_crop"] = Quantile(distances, 0.5);
    }
    const auto advance = m_Progress.Next("nearest real crops of real blocks", 0.);
    std::vector<double> realDistances;
    for (const Halves& each : HalvesOf(m_Real.m_Spectra, m_Patch))
    {
      const std::vector<double> some =
          RealDistances(Part(m_Real.m_Abundances, each.m_First), Part(m_Real.m_Abundances, each.m_Second), advance);
      realDistances.insert(realDistances.end(), some.begin(), some.end());
    }
    if (realDistances = Finite(realDistances); !realDistances.empty())
    {
      oracle["nearest_crop"] = Quantile(realDistances, 0.5);
      memorisation.m_Limit = kCopyShare * Quantile(realDistances, 0.05);
    }
    const double limit = std::max(memorisation.m_Limit, kEqual);
    memorisation.m_Copies =
        static_cast<std::size_t>(std::count_if(memorisation.m_Distances.begin(), memorisation.m_Distances.end(),
                                               [&](double distance) { return distance < limit; }));
    return memorisation;
  }

  /// Returns the distances to the nearest crops over the contrast of the blocks, which is the root mean square distance from
  /// their means; without blocks that have none.
  std::vector<double> RelativeDistances(const Eigen::MatrixXf& blocks, const std::vector<NearestCrop>& nearest) const
  {
    std::vector<double> distances;
    for (std::size_t i = 0; i < nearest.size(); ++i)
    {
      const Eigen::MatrixXd block = BlockOf(blocks, static_cast<Index>(i), m_Patch).cast<double>();
      const double contrast = std::sqrt((block.colwise() - block.rowwise().mean()).colwise().squaredNorm().mean());
      distances.push_back(contrast > kLeastContrast ? nearest[i].m_Distance / contrast
                                                    : std::numeric_limits<double>::infinity());
    }
    return distances;
  }

  /// Returns how far blocks of one part of the real scene are from their nearest crop in another part, over their contrast.
  std::vector<double> RealDistances(const AbundanceMap& first, const AbundanceMap& second,
                                    const std::function<void(double)>& advance) const
  {
    const std::vector<PatchCorner> all = FindPatches(first, m_Patch, m_Patch);
    if (all.empty() || FindPatches(second, m_Patch, 1).empty())
    {
      return {};
    }
    std::vector<PatchCorner> drawn;
    for (const Index block : DrawBlocks(static_cast<Index>(all.size()), kFidelityBlocks, m_Options.m_Seed))
    {
      drawn.push_back(all[static_cast<std::size_t>(block)]);
    }
    const Eigen::MatrixXf blocks = CutPatches(first, m_Patch, drawn);
    return RelativeDistances(blocks, FindNearestCrops(second, blocks, m_Patch, [&](double) { advance(0.); }));
  }

  /// Returns the numbers of real valid pixels, drawn with repetition.
  std::vector<Index> DrawPixels(Index count, Baseline baseline) const
  {
    const std::vector<std::uint8_t>& valid = m_Real.m_Abundances.m_Valid;
    const Random random(m_Options.m_Seed, RandomStream::EvaluationBaseline);
    const auto pixels = static_cast<std::uint64_t>(m_Real.m_Abundances.m_Abundances.cols());
    std::vector<Index> drawn;
    for (std::uint32_t i = 0; static_cast<Index>(drawn.size()) < count; ++i)
    {
      const auto words = random.Words(static_cast<std::uint32_t>(baseline), i, 0);
      const auto pixel = static_cast<Index>((static_cast<std::uint64_t>(words[0]) << 32 | words[1]) % pixels);
      if (valid.empty() || valid[static_cast<std::size_t>(pixel)] != 0)
      {
        drawn.push_back(pixel);
      }
    }
    return drawn;
  }

  /// Returns mixtures of the endmembers, uniform on the simplex: exponential numbers over their sum.
  Eigen::MatrixXf DrawMixes(Index count) const
  {
    const Random random(m_Options.m_Seed, RandomStream::EvaluationBaseline);
    Eigen::MatrixXf abundances(m_Endmembers.cols(), count);
    random.FillUniform(static_cast<std::uint32_t>(Baseline::Mixes), 0, abundances.data(),
                       static_cast<std::size_t>(abundances.size()));
    abundances = -abundances.array().log();
    abundances.array().rowwise() /= abundances.colwise().sum().array();
    return m_Endmembers.cast<float>() * abundances;
  }

  Eigen::MatrixXf BaselineSpectra(Baseline baseline) const
  {
    switch (baseline)
    {
    case Baseline::Shuffled:
      return GatherPixels(m_Real.m_Spectra, DrawPixels(SetPixels(), baseline));
    case Baseline::Mixes:
      return DrawMixes(SetPixels());
    case Baseline::Repeated:
      return GatherPixels(m_Real.m_Spectra, DrawPixels(1, baseline)).replicate(1, SetPixels());
    case Baseline::Darkened:
    default:
      return ReadOtherReference() * kDarkening;
    }
  }

  Figures ScoreBaseline(Baseline baseline)
  {
    const auto advance =
        m_Progress.Next(BaselineTexts()[static_cast<std::size_t>(baseline)].m_Title, SomeBlocksWork() + SetWork());
    Eigen::MatrixXf spectra = BaselineSpectra(baseline);
    Eigen::MatrixXf abundances(m_Endmembers.cols(), spectra.cols());
    m_Encoder.Encode(spectra, abundances);
    Figures figures;
    ScoreAbundances(abundances, kBaselineDraws, figures);
    ScoreSpectra(Summarise(spectra), figures);
    const InMemoryRows image = Column(std::move(spectra), m_Patch);
    AddFidelity(ScoreFidelity(m_Real.m_Spectra, image, Fidelity(), advance), figures);
    return figures;
  }

  static std::optional<double> Find(const Figures& figures, const char* name)
  {
    const auto found = figures.find(name);
    return found == figures.end() || !std::isfinite(found->second) ? std::nullopt
                                                                   : std::optional<double>(found->second);
  }

  static Metric MakeMetric(const MetricText& text, const Figures& generated, const Figures& oracle,
                           const std::array<Figures, kBaselines>& baselines,
                           const std::map<std::string, Interval>& intervals)
  {
    Metric metric;
    metric.m_Name = text.m_Name;
    metric.m_Title = text.m_Title;
    metric.m_Group = text.m_Group;
    metric.m_Meaning = text.m_Meaning;
    metric.m_Better = text.m_Better;
    metric.m_Yardstick = text.m_Yardstick;
    metric.m_Value = Find(generated, text.m_Name);
    metric.m_Oracle = Find(oracle, text.m_Name);
    for (std::size_t i = 0; i < kBaselines; ++i)
    {
      metric.m_Baselines[i] = Find(baselines[i], text.m_Name);
    }
    const auto interval = intervals.find(text.m_Name);
    if (interval != intervals.end())
    {
      metric.m_Interval = interval->second;
    }
    return metric;
  }

  const EvaluatedScene& m_Real;
  const EvaluatedScene& m_Generated;
  const Eigen::MatrixXd& m_Endmembers;
  Encoder m_Encoder;
  const EvaluationOptions& m_Options;
  const BlockJudge* m_Judge;
  Index m_Patch;
  Random m_CropRandom;
  WorkProgress m_Progress;
  std::vector<PatchCorner> m_RealCorners;
  std::vector<PatchCorner> m_Blocks; ///< of the generated scene
  std::size_t m_SetBlocks = 0;
  SpectraSummary m_Reference; ///< of real crops
  Eigen::VectorXd m_FeatureMeans;
  Eigen::VectorXd m_FeatureScales;
};

} // namespace

void EvaluationOptions::Check() const
{
  if (m_Patch < 2)
  {
    throw InvalidOption("the edge of a block is " + std::to_string(m_Patch) + " pixels, expected at least 2");
  }
}

const std::array<BaselineText, kBaselines>& BaselineTexts()
{
  static const std::array<BaselineText, kBaselines> texts = {{
      {"shuffled", "Shuffled real pixels",
       "Real pixels in any order: their spectra are right, their arrangement is not."},
      {"mixes", "Random mixtures",
       "Mixtures of the endmembers in any proportions, each pixel for itself: neither abundances nor arrangement are right."},
      {"repeated", "One real pixel", "The same real pixel everywhere: real, but without any diversity."},
      {"darkened", "Darkened real crops",
       "Real crops at a fifth of their brightness: cosines cannot tell them from real ones."},
  }};
  return texts;
}

std::string Metric::Verdict() const
{
  if (!m_Value || !m_Oracle)
  {
    return "";
  }
  const double ratio = Ratio(*m_Value, *m_Oracle, m_Yardstick);
  if (m_Better == Better::NearOracle && ratio < 0.4)
  {
    return "closer than real";
  }
  return ratio <= 1.5 ? "as real" : ratio <= 4. ? "near" : "far";
}

Evaluation Evaluate(const EvaluatedScene& real, const EvaluatedScene& generated, const Eigen::MatrixXd& endmembers,
                    const EvaluationOptions& options, const BlockJudge* judge,
                    const std::function<void(double, const std::string&)>& progress)
{
  options.Check();
  return Evaluator(real, generated, endmembers, options, judge, progress).Run();
}

} // namespace hud
