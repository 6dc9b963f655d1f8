// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/EndmemberExtraction.h"

#include "hud/core/Decoder.h"
#include "hud/core/Error.h"
#include "hud/core/LeastSquares.h"

#include <cmath>
#include <exception>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace hud
{

namespace
{

/// Returns the FCLS decode error of the endmembers, infinite when no encoder can be built on them.
double FclsRmse(const Eigen::MatrixXf& spectra, const Eigen::MatrixXd& endmembers)
{
  Eigen::MatrixXf abundances(endmembers.cols(), spectra.cols());
  try
  {
    Encoder(endmembers, EncoderKind::Fcls).Encode(spectra, abundances);
  }
  catch (const InvalidData&)
  {
    return std::numeric_limits<double>::infinity();
  }
  return DecodeRmse(spectra, endmembers, abundances);
}

/// Returns the VCA runs to do: one in the branch that the SNR asks for, or several that alternate between the branches, so
/// that plain VCA is always among them. A scene may have the rank that one branch needs and not the other's.
std::vector<VcaRuns> PlanRuns(const SceneStatistics& statistics, double snr, const ExtractionOptions& options)
{
  const VcaBranch preferred = ChooseVcaBranch(snr, options.m_Endmembers);
  const VcaBranch other = preferred == VcaBranch::Projective ? VcaBranch::Orthogonal : VcaBranch::Projective;
  if (options.m_Restarts == 1)
  {
    return {{VcaProjection(statistics, options.m_Endmembers, preferred), {0}}};
  }
  std::vector<VcaRuns> branches;
  std::exception_ptr refusal;
  for (const auto& [branch, first] : {std::pair(preferred, 0u), std::pair(other, 1u)})
  {
    std::vector<std::uint32_t> numbers;
    for (std::uint32_t number = first; number < static_cast<std::uint32_t>(options.m_Restarts); number += 2)
    {
      numbers.push_back(number);
    }
    try
    {
      branches.push_back({VcaProjection(statistics, options.m_Endmembers, branch), std::move(numbers)});
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

} // namespace

void ExtractionOptions::Check(Eigen::Index bands, Eigen::Index pixels) const
{
  VcaOptions vca;
  vca.m_Endmembers = m_Endmembers;
  vca.Check(bands, pixels);
  m_Refinement.Check();
  if (m_Restarts < 1 || m_Restarts > 10000)
  {
    throw InvalidOption("the number of restarts is " + std::to_string(m_Restarts) + ", expected 1 to 10000");
  }
  if (m_SamplePixels < m_Endmembers)
  {
    throw InvalidOption("the sample holds " + std::to_string(m_SamplePixels) + " pixels, expected at least one per " +
                        "endmember, " + std::to_string(m_Endmembers));
  }
}

Extraction ExtractEndmembers(const SpectraSource& source, const ExtractionOptions& options)
{
  Extraction extraction;
  extraction.m_Statistics = ComputeSceneStatistics(source);
  options.Check(source.Bands(), extraction.m_Statistics.m_Pixels);
  extraction.m_RankLimit = AffineRankLimit(extraction.m_Statistics, options.m_Endmembers - 1);

  extraction.m_Snr = EstimateSnr(extraction.m_Statistics, options.m_Endmembers);

  VcaOptions vca;
  vca.m_Endmembers = options.m_Endmembers;
  vca.m_Seed = options.m_Seed;
  SpectraSampler sampler(source.Bands(), extraction.m_Statistics.m_Pixels, options.m_SamplePixels, options.m_Seed);
  const std::vector<VcaResult> runs =
      ExtractVcaRuns(source, vca, PlanRuns(extraction.m_Statistics, extraction.m_Snr, options),
                     [&](const Eigen::Ref<const Eigen::MatrixXf>& spectra) { sampler.Add(spectra); });
  const Eigen::MatrixXf& sample = sampler.Sample();
  extraction.m_Rmse = std::numeric_limits<double>::infinity();
  for (const VcaResult& run : runs)
  {
    const double rmse = FclsRmse(sample, run.m_Endmembers);
    if (rmse < extraction.m_Rmse)
    {
      extraction.m_Rmse = rmse;
      extraction.m_Endmembers = run.m_Endmembers;
    }
  }
  if (!std::isfinite(extraction.m_Rmse))
  {
    throw InvalidData("no VCA run found " + std::to_string(options.m_Endmembers) +
                      " endmembers that are independent; ask for fewer endmembers");
  }
  if (options.m_Refinement.m_Iterations > 0)
  {
    extraction.m_Endmembers = RefineEndmembers(sample, extraction.m_Endmembers, options.m_Refinement);
    extraction.m_Rmse = FclsRmse(sample, extraction.m_Endmembers);
  }
  return extraction;
}

} // namespace hud
