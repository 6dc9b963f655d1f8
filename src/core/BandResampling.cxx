// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/BandResampling.h"

#include "hud/core/Error.h"
#include "hud/core/Message.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hud
{

namespace
{

/// Wavelengths nearer to each other than this, nanometre, are one.
constexpr double kSame = 1e-6;

/// Below this the integral of a response is rounding.
constexpr double kLeastSum = 1e-12;

/// Bands were cut out between wavelengths that are further apart than this many usual distances.
constexpr double kGap = 3.;

/// What is usual is the median of so many distances about one.
constexpr std::size_t kNeighbours = 5;

void CheckBands(const std::vector<double>& wavelengths, const std::vector<double>& widths, const char* what)
{
  if (wavelengths.empty() || (!widths.empty() && widths.size() != wavelengths.size()))
  {
    throw InvalidData(Compose("the ", what, " has ", wavelengths.size(), " wavelengths and ", widths.size(),
                              " widths, expected the same number, at least 1"));
  }
  const auto isPositive = [](double value) { return std::isfinite(value) && value > 0.; };
  for (std::size_t band = 0; band < wavelengths.size(); ++band)
  {
    if (!isPositive(wavelengths[band]) || (!widths.empty() && !isPositive(widths[band])))
    {
      throw InvalidData(Compose("band ", band + 1, " of the ", what, " has wavelength ", wavelengths[band],
                                widths.empty() ? "" : Compose(" and width ", widths[band]),
                                ", expected finite numbers above 0"));
    }
  }
}

/// A wavelength of the source with the bands that have it.
struct Node
{
  double m_Wavelength = 0.;
  double m_HalfBand = 0.;
  std::vector<std::size_t> m_Bands;
};

std::vector<Node> SortedNodes(const std::vector<double>& wavelengths)
{
  std::vector<std::size_t> order(wavelengths.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return wavelengths[a] < wavelengths[b]; });
  std::vector<Node> nodes;
  for (const std::size_t band : order)
  {
    if (nodes.empty() || wavelengths[band] - nodes.back().m_Wavelength > kSame)
    {
      nodes.push_back({wavelengths[band], 0., {}});
    }
    nodes.back().m_Bands.push_back(band);
  }
  return nodes;
}

/// Returns the median of the distances about the one from node i to the next; the last node has that of the one before.
double UsualDistance(const std::vector<Node>& nodes, std::size_t i)
{
  if (nodes.size() < 2)
  {
    return 0.;
  }
  const std::size_t count = std::min(kNeighbours, nodes.size() - 1);
  const std::size_t first = std::min(i - std::min(i, count / 2), nodes.size() - 1 - count);
  std::vector<double> distances;
  for (std::size_t k = first; k < first + count; ++k)
  {
    distances.push_back(nodes[k + 1].m_Wavelength - nodes[k].m_Wavelength);
  }
  const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(distances.begin(), middle, distances.end());
  return *middle;
}

/// A Gaussian response whose integral is 1.
class Response
{
public:
  Response(double centre, double width) : m_Centre(centre), m_Sigma(width / std::sqrt(8. * std::log(2.))) {}

  /// Returns its integral from a to b.
  double Integral(double a, double b) const
  {
    return 0.5 * (std::erf((b - m_Centre) / (m_Sigma * std::sqrt(2.))) -
                  std::erf((a - m_Centre) / (m_Sigma * std::sqrt(2.))));
  }

  /// Returns the integral of (x - a) times it from a to b.
  double Moment(double a, double b) const
  {
    return (m_Centre - a) * Integral(a, b) +
           m_Sigma * (Density((a - m_Centre) / m_Sigma) - Density((b - m_Centre) / m_Sigma));
  }

private:
  static double Density(double x)
  {
    return std::exp(-0.5 * x * x) / std::sqrt(2. * std::acos(-1.));
  }

  double m_Centre;
  double m_Sigma;
};

} // namespace

bool BandResampling::IsCovered(Eigen::Index band) const
{
  return m_Outside[band] + m_InGaps[band] <= kLargestUncovered;
}

BandResampling ComputeBandResampling(const std::vector<double>& wavelengths, const std::vector<double>& widths,
                                     const std::vector<double>& targetWavelengths,
                                     const std::vector<double>& targetWidths)
{
  CheckBands(wavelengths, widths, "source");
  CheckBands(targetWavelengths, targetWidths, "target");
  if (targetWidths.empty())
  {
    throw InvalidData("the target has no widths, expected one for each band");
  }
  std::vector<Node> nodes = SortedNodes(wavelengths);
  for (std::size_t i = 0; i < nodes.size(); ++i)
  {
    Node& node = nodes[i];
    node.m_HalfBand = 0.5 * UsualDistance(nodes, i);
    for (const std::size_t band : node.m_Bands)
    {
      node.m_HalfBand = std::max(node.m_HalfBand, widths.empty() ? 0. : 0.5 * widths[band]);
    }
  }
  if (nodes.front().m_HalfBand == 0.)
  {
    throw InvalidData(Compose("the source has one wavelength, ", wavelengths.front(),
                              " nm, of unknown width, expected at least 2, or the width"));
  }

  const auto targets = static_cast<Eigen::Index>(targetWavelengths.size());
  BandResampling resampling;
  resampling.m_First = nodes.front().m_Wavelength - nodes.front().m_HalfBand;
  resampling.m_Last = nodes.back().m_Wavelength + nodes.back().m_HalfBand;
  resampling.m_Weights = Eigen::MatrixXd::Zero(targets, static_cast<Eigen::Index>(wavelengths.size()));
  resampling.m_Outside.resize(targets);
  resampling.m_InGaps = Eigen::VectorXd::Zero(targets);
  for (Eigen::Index target = 0; target < targets; ++target)
  {
    const Response response(targetWavelengths[static_cast<std::size_t>(target)],
                            targetWidths[static_cast<std::size_t>(target)]);
    std::vector<double> weights(nodes.size(), 0.);
    for (std::size_t i = 1; i < nodes.size(); ++i)
    {
      const double a = nodes[i - 1].m_Wavelength;
      const double b = nodes[i].m_Wavelength;
      // The hat of b is (x - a) / (b - a), that of a the rest.
      const double whole = response.Integral(a, b);
      const double upper = std::clamp(response.Moment(a, b) / (b - a), 0., whole);
      weights[i] += upper;
      weights[i - 1] += whole - upper;
      const double gapBegin = a + nodes[i - 1].m_HalfBand;
      const double gapEnd = b - nodes[i].m_HalfBand;
      if (b - a > kGap * UsualDistance(nodes, i - 1) && gapBegin < gapEnd)
      {
        resampling.m_InGaps[target] += response.Integral(gapBegin, gapEnd);
      }
    }
    double sum = std::accumulate(weights.begin(), weights.end(), 0.);
    if (sum < kLeastSum)
    {
      // The limit of a narrow band beyond the first or last wavelength.
      const bool isFirst = targetWavelengths[static_cast<std::size_t>(target)] < nodes.front().m_Wavelength;
      std::fill(weights.begin(), weights.end(), 0.);
      (isFirst ? weights.front() : weights.back()) = 1.;
      sum = 1.;
    }
    resampling.m_Outside[target] = 1. - response.Integral(resampling.m_First, resampling.m_Last);
    for (std::size_t i = 0; i < nodes.size(); ++i)
    {
      for (const std::size_t band : nodes[i].m_Bands)
      {
        resampling.m_Weights(target, static_cast<Eigen::Index>(band)) =
            weights[i] / (sum * static_cast<double>(nodes[i].m_Bands.size()));
      }
    }
  }
  return resampling;
}

} // namespace hud
