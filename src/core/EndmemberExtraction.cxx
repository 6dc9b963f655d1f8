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

/// Returns the VCA runs: one in the branch that the SNR asks for, or several that alternate between the branches, so that
/// plain VCA is always among them. A scene may have the rank that one branch needs and not the other's.
std::vector<VcaResult> RunVca(const SpectraSource& source, const SceneStatistics& statistics,
                              const ExtractionOptions& options)
{
  VcaOptions vca;
  vca.m_Endmembers = options.m_Endmembers;
  vca.m_Seed = options.m_Seed;
  if (options.m_Restarts == 1)
  {
    return ExtractVcaRuns(source, statistics, vca, {0});
  }
  const bool projective = EstimateSnr(statistics, options.m_Endmembers) > VcaSnrThreshold(options.m_Endmembers);
  std::vector<VcaResult> results;
  std::exception_ptr refusal;
  for (const std::uint32_t first : {0u, 1u})
  {
    std::vector<std::uint32_t> runs;
    for (std::uint32_t run = first; run < static_cast<std::uint32_t>(options.m_Restarts); run += 2)
    {
      runs.push_back(run);
    }
    vca.m_Branch = projective == (first == 0) ? VcaBranch::Projective : VcaBranch::Orthogonal;
    try
    {
      for (VcaResult& result : ExtractVcaRuns(source, statistics, vca, runs))
      {
        results.push_back(std::move(result));
      }
    }
    catch (const InvalidData&)
    {
      refusal = std::current_exception();
    }
  }
  if (results.empty())
  {
    std::rethrow_exception(refusal);
  }
  return results;
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

  const Eigen::MatrixXf sample =
      SampleSpectra(source, extraction.m_Statistics.m_Pixels, options.m_SamplePixels, options.m_Seed);
  extraction.m_Rmse = std::numeric_limits<double>::infinity();
  for (const VcaResult& result : RunVca(source, extraction.m_Statistics, options))
  {
    const double rmse = FclsRmse(sample, result.m_Endmembers);
    if (rmse < extraction.m_Rmse || extraction.m_Endmembers.size() == 0)
    {
      extraction.m_Rmse = rmse;
      extraction.m_Endmembers = result.m_Endmembers;
      extraction.m_Snr = result.m_Snr;
    }
  }
  if (!std::isfinite(extraction.m_Rmse))
  {
    throw InvalidData("no VCA run found " + std::to_string(options.m_Endmembers) +
                      " endmembers that are independent; ask for fewer endmembers");
  }
  extraction.m_Endmembers = RefineEndmembers(sample, extraction.m_Endmembers, options.m_Refinement);
  extraction.m_Rmse = FclsRmse(sample, extraction.m_Endmembers);
  return extraction;
}

} // namespace hud
