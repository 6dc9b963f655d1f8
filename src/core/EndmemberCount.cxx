// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/EndmemberCount.h"

#include "hud/core/Error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>

namespace hud
{

void EndmemberCountOptions::Check() const
{
  if (!(m_LargestError > 0. && m_LargestError < 1.))
  {
    std::ostringstream message;
    message << "the largest decode error is " << 100. * m_LargestError
            << " % of the scene's root mean square, expected more than 0 % and less than 100 %";
    throw InvalidOption(message.str());
  }
  if (m_MostEndmembers < 2)
  {
    throw InvalidOption("the largest number of endmembers is " + std::to_string(m_MostEndmembers) +
                        ", expected at least 2");
  }
}

Eigen::Index CountEndmembers(const SpectraSource& source, const EndmemberCountOptions& options,
                             const std::function<void(Eigen::Index endmembers, double error)>& report,
                             const std::function<void(double)>& progress)
{
  options.Check();
  ExtractionOptions extraction = options.m_Extraction;
  extraction.m_Endmembers = extraction.m_Refinement.m_Shade ? 3 : 2;
  extraction.Check(source.Bands(), std::numeric_limits<Eigen::Index>::max());
  const SceneStatistics statistics = ComputeSceneStatistics(source);
  const double scale = std::sqrt(statistics.Power() / static_cast<double>(source.Bands()));
  SpectraSampler sampler(source.Bands(), statistics.m_Pixels, extraction.m_SamplePixels, extraction.m_Seed);
  source.Visit([&](const Eigen::Ref<const Eigen::MatrixXf>& spectra) { sampler.Add(spectra); });
  const InMemorySpectra sample(sampler.Sample());

  const Eigen::Index most = std::min({options.m_MostEndmembers, source.Bands(), statistics.m_Pixels});
  if (most < extraction.m_Endmembers)
  {
    throw InvalidData("the scene has " + std::to_string(statistics.m_Pixels) + " valid pixels, expected at least " +
                      std::to_string(extraction.m_Endmembers));
  }
  double smallest = AffineRankLimit(statistics, most - 1) / scale;
  if (smallest <= options.m_LargestError)
  {
    // No mixture beats the plane. The sample may be somewhat easier than the scene.
    Eigen::Index& endmembers = extraction.m_Endmembers;
    while (AffineRankLimit(statistics, endmembers - 1) > 1.2 * options.m_LargestError * scale)
    {
      ++endmembers;
    }
    const double tries = static_cast<double>(most - endmembers + 1);
    smallest = std::numeric_limits<double>::infinity();
    for (double tried = 0.; endmembers <= most; ++endmembers, ++tried)
    {
      const double error = ExtractEndmembers(sample, extraction,
                                             [&](double fraction) {
                                               if (progress)
                                               {
                                                 progress((tried + fraction) / tries);
                                               }
                                             })
                               .m_Rmse /
                           scale;
      if (report)
      {
        report(endmembers, error);
      }
      if (error <= options.m_LargestError)
      {
        return endmembers;
      }
      smallest = std::min(smallest, error);
    }
  }
  std::ostringstream message;
  message << "no number of endmembers up to " << most << " has a decode error of " << 100. * options.m_LargestError
          << " % of the scene's root mean square or less; none is below " << 100. * smallest << " %";
  throw InvalidData(message.str());
}

} // namespace hud
