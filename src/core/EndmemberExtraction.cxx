// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/EndmemberExtraction.h"

#include "FclsFit.h"

#include "hud/core/ArchetypalAnalysis.h"
#include "hud/core/Error.h"
#include "hud/core/LeastSquares.h"
#include "hud/core/NamedValue.h"
#include "hud/core/Sisal.h"
#include "hud/core/Sivm.h"
#include "hud/core/SmoothedVca.h"

#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <exception>
#include <functional>
#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace hud
{

namespace
{

constexpr std::array<NamedValue<EndmemberCriterion>, 2> kCriteria = {
    {{"error", EndmemberCriterion::DecodeError}, {"volume", EndmemberCriterion::Volume}}};

/// Share of the pixels that mixtures with shade reach. Not all: the rest may be outliers.
constexpr double kBrightShare = 0.99;

/// Returns the logarithm of the volume of the simplex between the endmembers, up to a constant.
double LogVolume(const Eigen::MatrixXd& endmembers)
{
  const Eigen::MatrixXd edges = endmembers.rightCols(endmembers.cols() - 1).colwise() - endmembers.col(0);
  return edges.householderQr().matrixQR().diagonal().array().abs().log().sum();
}

/// Endmembers with their FCLS decode error.
struct Candidate
{
  Eigen::MatrixXd m_Endmembers;
  double m_Rmse = std::numeric_limits<double>::infinity();
};

/// Keeps the best of the sets of endmembers that it is shown.
class Selection
{
public:
  /// @param atStep called at each set, and each iteration of the refinement
  Selection(const Eigen::MatrixXf& sample, const ExtractionOptions& options, const std::function<void()>& atStep)
    : m_Sample(sample), m_Options(options), m_AtStep(atStep)
  {
  }

  /// @param materials [bands x materials]; shade is added where it is asked for
  void Consider(const Eigen::MatrixXd& materials)
  {
    m_AtStep();
    Candidate candidate;
    try
    {
      candidate.m_Endmembers = m_Options.m_Refinement.m_Shade ? WithShade(materials) : materials;
      candidate.m_Rmse = FitFcls(m_Sample, candidate.m_Endmembers).m_Rmse;
    }
    catch (const InvalidData&)
    {
      return; // a run that found a material twice
    }
    const double badness = m_Options.m_Criterion == EndmemberCriterion::DecodeError
                               ? candidate.m_Rmse
                               : -LogVolume(candidate.m_Endmembers);
    if (badness < m_Badness)
    {
      m_Badness = badness;
      m_Best = std::move(candidate);
    }
  }

  /// Returns the best, refined; of infinite error when there was none.
  Candidate Refined() const
  {
    if (!std::isfinite(m_Best.m_Rmse) || m_Options.m_Refinement.m_Iterations == 0)
    {
      return m_Best;
    }
    try
    {
      Candidate refined;
      refined.m_Endmembers = RefineEndmembers(m_Sample, m_Best.m_Endmembers, m_Options.m_Refinement, m_AtStep);
      refined.m_Rmse = FitFcls(m_Sample, refined.m_Endmembers).m_Rmse;
      // It starts without negative values, which costs where spectra have some.
      return refined.m_Rmse < m_Best.m_Rmse ? refined : m_Best;
    }
    catch (const InvalidData&)
    {
      return m_Best; // without their negative values the endmembers are dependent
    }
  }

private:
  /// Appends the zero spectrum, and makes the materials so bright that mixtures with it reach nearly every pixel: VCA in the
  /// projective branch finds directions of any brightness.
  Eigen::MatrixXd WithShade(const Eigen::MatrixXd& materials) const
  {
    Eigen::MatrixXd endmembers = Eigen::MatrixXd::Zero(materials.rows(), materials.cols() + 1);
    Eigen::MatrixXf amounts(materials.cols(), m_Sample.cols());
    Encoder(materials, EncoderKind::Nnls).Encode(m_Sample, amounts);
    Eigen::RowVectorXf brightness = amounts.colwise().sum();
    float* const bright =
        brightness.data() + static_cast<Eigen::Index>(kBrightShare * static_cast<double>(brightness.size() - 1));
    std::nth_element(brightness.data(), bright, brightness.data() + brightness.size());
    endmembers.leftCols(materials.cols()) = static_cast<double>(*bright) * materials;
    return endmembers;
  }

  const Eigen::MatrixXf& m_Sample;
  const ExtractionOptions& m_Options;
  const std::function<void()>& m_AtStep;
  Candidate m_Best;
  double m_Badness = std::numeric_limits<double>::infinity();
};

/// Returns the VCA runs to do: one in the branch that the SNR asks for, or several that alternate between the branches, so
/// that plain VCA is always among them. A scene may have the rank that one branch needs and not the other's.
std::vector<VcaRuns> PlanRuns(const SceneStatistics& statistics, const VcaOptions& vca, double snr, int restarts)
{
  const VcaBranch preferred = ChooseVcaBranch(snr, vca.m_Endmembers);
  const VcaBranch other = preferred == VcaBranch::Projective ? VcaBranch::Orthogonal : VcaBranch::Projective;
  if (restarts == 1)
  {
    return {{VcaProjection(statistics, vca.m_Endmembers, preferred), {0}}};
  }
  std::vector<VcaRuns> branches;
  std::exception_ptr refusal;
  for (const auto& [branch, first] : {std::pair(preferred, 0u), std::pair(other, 1u)})
  {
    std::vector<std::uint32_t> numbers;
    for (std::uint32_t number = first; number < static_cast<std::uint32_t>(restarts); number += 2)
    {
      numbers.push_back(number);
    }
    try
    {
      branches.push_back({VcaProjection(statistics, vca.m_Endmembers, branch), std::move(numbers)});
    }
    catch (const InvalidData&)
    {
      refusal = std::current_exception();
    }
  }
  if (branches.empty())
  {
    std::rethrow_exception(refusal);
  }
  return branches;
}

/// Returns the number of endmembers that VCA looks for.
Eigen::Index VcaEndmembers(const ExtractionOptions& options)
{
  return options.m_Refinement.m_Shade ? options.m_Endmembers - 1 : options.m_Endmembers;
}

/// Returns the options for VCA: those that were asked for, or those of the start of another method.
ExtractionOptions VcaSettings(const ExtractionOptions& options)
{
  ExtractionOptions settings = options;
  if (options.m_Method != UnmixingMethod::Vca)
  {
    settings.m_Refinement.m_Iterations = 0;
    settings.m_SmoothedShare = 0.;
  }
  return settings;
}

/// True when there are runs of Smoothed VCA.
bool IsSmoothed(const ExtractionOptions& options)
{
  return options.m_Restarts > 1 && options.m_SmoothedShare > 0.;
}

/// True when there are runs of plain VCA.
bool IsPlain(const ExtractionOptions& options)
{
  return !IsSmoothed(options) || options.m_Refinement.m_Iterations > 0;
}

RefinementOptions FactorisationOptions()
{
  RefinementOptions options;
  options.m_Penalty = VolumePenalty::LogDeterminant;
  // 1 would be right for errors that do not depend on those of other bands. They do, so that they say less.
  options.m_Volume = 2.;
  options.m_Iterations = 100;
  return options;
}

/// The progress of what follows the passes over the scene.
class Steps
{
public:
  Steps(const ExtractionOptions& options, const std::function<void(double)>& progress)
    : m_CheckIn([progress] {
        if (progress)
        {
          progress(0.);
        }
      })
  {
    const ExtractionOptions vca = VcaSettings(options);
    const int kinds = (IsPlain(vca) ? 1 : 0) + (IsSmoothed(vca) ? 1 : 0);
    int count = kinds * (vca.m_Restarts + vca.m_Refinement.m_Iterations);
    switch (options.m_Method)
    {
    case UnmixingMethod::Vca:
      break;
    case UnmixingMethod::Sivm:
      count = 1;
      break;
    case UnmixingMethod::Sisal:
      count += SisalOptions().m_Iterations;
      break;
    case UnmixingMethod::Nmf:
      count += FactorisationOptions().m_Iterations;
      break;
    case UnmixingMethod::Edaa:
      count = options.m_Restarts;
      break;
    }
    m_AtStep = [progress, count, step = 0]() mutable {
      ++step;
      if (progress)
      {
        progress(std::min(1., static_cast<double>(step) / count));
      }
    };
  }

  std::function<void()> m_CheckIn; ///< no step is done
  std::function<void()> m_AtStep;
};

/// @param sampler is shown the scene
Candidate FindBySivm(const SpectraSource& source, const SceneStatistics& statistics, const ExtractionOptions& options,
                     SpectraSampler& sampler, const Steps& steps)
{
  const SivmResult found = ExtractSivm(
      source, statistics, options.m_Endmembers,
      [&](const Eigen::Ref<const Eigen::MatrixXf>& spectra) { sampler.Add(spectra); }, steps.m_CheckIn);
  Selection one(sampler.Sample(), options, steps.m_AtStep);
  one.Consider(found.m_Endmembers);
  return one.Refined();
}

/// Returns the endmembers that `find(bands)` finds in the bands that hold data; they are 0 in the others.
/// @throws InvalidData when it finds none that are independent
template <typename Find>
Candidate FindInFilledBands(const Eigen::MatrixXf& sample, const SceneStatistics& statistics,
                            const ExtractionOptions& options, const Find& find)
{
  std::vector<Eigen::Index> filled;
  for (Eigen::Index band = 0; band < sample.rows(); ++band)
  {
    if (statistics.m_Correlation(band, band) != 0.)
    {
      filled.push_back(band);
    }
  }
  try
  {
    Candidate found;
    found.m_Endmembers = Eigen::MatrixXd::Zero(sample.rows(), options.m_Endmembers);
    found.m_Endmembers(filled, Eigen::all) = find(filled);
    found.m_Rmse = FitFcls(sample, found.m_Endmembers).m_Rmse;
    return found;
  }
  catch (const InvalidData& error)
  {
    throw InvalidData(ToString(options.m_Method) + " did not find " + std::to_string(options.m_Endmembers) +
                      " endmembers that are independent (" + error.what() +
                      "); ask for fewer endmembers or another method");
  }
}

/// @param sampler is shown the scene
Candidate FindByEdaa(const SpectraSource& source, const SceneStatistics& statistics, const ExtractionOptions& options,
                     SpectraSampler& sampler, const Steps& steps)
{
  source.Visit([&](const Eigen::Ref<const Eigen::MatrixXf>& spectra) { sampler.Add(spectra); });
  ArchetypalAnalysisOptions analysis;
  analysis.m_Endmembers = options.m_Endmembers;
  analysis.m_Restarts = options.m_Restarts;
  analysis.m_Seed = options.m_Seed;
  analysis.m_Threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const Eigen::MatrixXf& sample = sampler.Sample();
  return FindInFilledBands(sample, statistics, options, [&](const std::vector<Eigen::Index>& bands) {
    const Eigen::MatrixXf filled = sample(bands, Eigen::all);
    return AnalyseArchetypes(filled, analysis, steps.m_AtStep).m_Endmembers;
  });
}

/// @param scene what is known of the source
/// @param sampler is shown the scene
Candidate FindByVca(const SpectraSource& source, const Extraction& scene, const ExtractionOptions& options,
                    SpectraSampler& sampler, const Steps& steps)
{
  VcaOptions vca;
  vca.m_Endmembers = VcaEndmembers(options);
  vca.m_Seed = options.m_Seed;
  const std::vector<VcaRuns> runs = PlanRuns(scene.m_Statistics, vca, scene.m_Snr, options.m_Restarts);
  const auto draw = [&](const Eigen::Ref<const Eigen::MatrixXf>& spectra) { sampler.Add(spectra); };
  std::vector<VcaResult> found;
  if (IsPlain(options))
  {
    found = ExtractVcaRuns(source, vca, runs, draw, steps.m_CheckIn);
  }
  else
  {
    source.Visit(draw);
  }
  const Eigen::MatrixXf& sample = sampler.Sample();
  Selection plainRuns(sample, options, steps.m_AtStep);
  for (const VcaResult& result : found)
  {
    plainRuns.Consider(result.m_Endmembers);
  }
  Candidate best = plainRuns.Refined();
  if (IsSmoothed(options))
  {
    Selection smoothedRuns(sample, options, steps.m_AtStep);
    const auto share = static_cast<Eigen::Index>(options.m_SmoothedShare * static_cast<double>(sample.cols()));
    for (const VcaRuns& branch : runs)
    {
      for (const Eigen::MatrixXd& endmembers :
           ExtractSmoothedVcaRuns(sample, vca, branch, std::max<Eigen::Index>(share, 1), steps.m_CheckIn))
      {
        smoothedRuns.Consider(endmembers);
      }
    }
    Candidate smoothed = smoothedRuns.Refined();
    if (smoothed.m_Rmse < best.m_Rmse)
    {
      best = std::move(smoothed);
    }
  }
  return best;
}

/// Returns what Sisal or Nmf find from a start.
/// @throws InvalidData as FindInFilledBands
Candidate FindFrom(const Candidate& start, const Eigen::MatrixXf& sample, const SceneStatistics& statistics,
                   const ExtractionOptions& options, const Steps& steps)
{
  return FindInFilledBands(sample, statistics, options, [&](const std::vector<Eigen::Index>& bands) {
    const Eigen::MatrixXf filled = sample(bands, Eigen::all);
    const Eigen::MatrixXd first = start.m_Endmembers(bands, Eigen::all);
    return options.m_Method == UnmixingMethod::Sisal
               ? ExtractSisal(filled, first, SisalOptions(), steps.m_AtStep)
               : RefineEndmembers(filled, first, FactorisationOptions(), steps.m_AtStep);
  });
}

} // namespace

EndmemberCriterion ParseEndmemberCriterion(const std::string& name)
{
  return ParseNamedValue(kCriteria, name, "criterion");
}

void ExtractionOptions::Check(Eigen::Index bands, Eigen::Index pixels) const
{
  VcaOptions vca;
  vca.m_Endmembers = m_Endmembers;
  vca.Check(bands, pixels);
  m_Refinement.Check();
  if (m_Refinement.m_Shade && m_Method != UnmixingMethod::Vca)
  {
    throw InvalidOption("the unmixing method is " + ToString(m_Method) +
                        ", expected vca when one of the endmembers is shade");
  }
  if (m_Refinement.m_Shade && m_Endmembers < 3)
  {
    throw InvalidOption("the number of endmembers is " + std::to_string(m_Endmembers) +
                        ", expected at least 3 when one of them is shade");
  }
  if (m_Restarts < 1 || m_Restarts > 10000)
  {
    throw InvalidOption("the number of restarts is " + std::to_string(m_Restarts) + ", expected 1 to 10000");
  }
  if (!(m_SmoothedShare >= 0. && m_SmoothedShare <= 0.5))
  {
    std::ostringstream message;
    message << "the share of the pixels for a median is " << 100. * m_SmoothedShare << " %, expected 0 to 50 %";
    throw InvalidOption(message.str());
  }
  if (m_SamplePixels < m_Endmembers)
  {
    throw InvalidOption("the sample holds " + std::to_string(m_SamplePixels) + " pixels, expected at least one per " +
                        "endmember, " + std::to_string(m_Endmembers));
  }
}

Extraction ExtractEndmembers(const SpectraSource& source, const ExtractionOptions& options,
                             const std::function<void(double)>& progress)
{
  options.Check(source.Bands(), std::numeric_limits<Eigen::Index>::max()); // what needs no look at the scene
  Extraction extraction;
  extraction.m_Statistics = ComputeSceneStatistics(source);
  const SceneStatistics& statistics = extraction.m_Statistics;
  options.Check(source.Bands(), statistics.m_Pixels);
  extraction.m_RankLimit = AffineRankLimit(statistics, options.m_Endmembers - 1);
  extraction.m_Snr = EstimateSnr(statistics, VcaEndmembers(options));

  SpectraSampler sampler(source.Bands(), statistics.m_Pixels, options.m_SamplePixels, options.m_Seed);
  const Steps steps(options, progress);
  const ExtractionOptions settings = VcaSettings(options);
  Candidate best;
  switch (options.m_Method)
  {
  case UnmixingMethod::Sivm:
    best = FindBySivm(source, statistics, settings, sampler, steps);
    break;
  case UnmixingMethod::Edaa:
    best = FindByEdaa(source, statistics, settings, sampler, steps);
    break;
  default:
    best = FindByVca(source, extraction, settings, sampler, steps);
    break;
  }
  if (!std::isfinite(best.m_Rmse))
  {
    throw InvalidData((options.m_Method == UnmixingMethod::Sivm ? "sivm did not find " : "no VCA run found ") +
                      std::to_string(options.m_Endmembers) +
                      " endmembers that are independent; ask for fewer endmembers");
  }
  if (options.m_Method == UnmixingMethod::Sisal || options.m_Method == UnmixingMethod::Nmf)
  {
    best = FindFrom(best, sampler.Sample(), statistics, options, steps);
  }
  extraction.m_Endmembers = std::move(best.m_Endmembers);
  // Medians and projections leave rounding errors where all pixels are 0.
  for (Eigen::Index band = 0; band < source.Bands(); ++band)
  {
    if (statistics.m_Correlation(band, band) == 0.)
    {
      extraction.m_Endmembers.row(band).setZero();
    }
  }
  extraction.m_Rmse = best.m_Rmse;
  return extraction;
}

} // namespace hud
