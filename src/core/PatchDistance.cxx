// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/core/PatchDistance.h"

#include "hud/core/Error.h"

#include <unsupported/Eigen/FFT>

#include <algorithm>
#include <cmath>
#include <complex>
#include <string>

namespace hud
{

namespace
{

/// A power of which a logarithm exists.
constexpr double kLeastPower = 1e-12;

/// @throws InvalidData when a set of pixels is empty or not finite
void CheckValues(const Eigen::Ref<const Eigen::MatrixXf>& values)
{
  if (values.size() == 0)
  {
    throw InvalidData("a set of " + std::to_string(values.cols()) + " pixels of " + std::to_string(values.rows()) +
                      " endmembers, expected at least one of each");
  }
  if (!values.allFinite())
  {
    throw InvalidData("a set of " + std::to_string(values.cols()) + " pixels holds values that are not finite");
  }
}

/// @throws InvalidData when two sets differ in the number of endmembers
void CheckEndmembers(const Eigen::Ref<const Eigen::MatrixXf>& first, const Eigen::Ref<const Eigen::MatrixXf>& second)
{
  if (first.rows() != second.rows())
  {
    throw InvalidData("one set has abundances of " + std::to_string(first.rows()) + " endmembers, the other of " +
                      std::to_string(second.rows()) + ", expected the same number");
  }
}

/// @throws InvalidData when a set is empty, not of whole patches or not finite
void CheckPatches(const Eigen::Ref<const Eigen::MatrixXf>& patches, Eigen::Index patch)
{
  CheckValues(patches);
  if (patch < 2 || patches.cols() % (patch * patch) != 0)
  {
    throw InvalidData("found " + std::to_string(patches.cols()) + " pixels for patches of " + std::to_string(patch) +
                      " x " + std::to_string(patch) + ", expected whole patches of at least 2 x 2");
  }
}

/// Returns an endmember's values in a patch, a row of the patch in each column.
Eigen::MatrixXd PatchValues(const Eigen::Ref<const Eigen::MatrixXf>& patches, Eigen::Index patch, Eigen::Index number,
                            Eigen::Index endmember)
{
  const Eigen::Index pixels = patch * patch;
  const Eigen::VectorXd values = patches.row(endmember).segment(number * pixels, pixels).cast<double>();
  return values.reshaped(patch, patch);
}

/// Returns the root mean square of an endmember's differences of neighbours in rows, and in columns, of a patch.
Eigen::Vector2d NeighbourDifferences(const Eigen::MatrixXd& values)
{
  const Eigen::Index last = values.rows() - 1;
  return {std::sqrt((values.bottomRows(last) - values.topRows(last)).cwiseAbs2().mean()),
          std::sqrt((values.rightCols(last) - values.leftCols(last)).cwiseAbs2().mean())};
}

/// Returns the area between two distribution functions: the mean over all quantiles of how far they are apart.
double WassersteinDistance(Eigen::VectorXf first, Eigen::VectorXf second)
{
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  // Quantiles are counted in shares of 1 / total, of which each value of one set has as many as the other has values.
  const Eigen::Index total = first.size() * second.size();
  double sum = 0.;
  Eigen::Index i = 0;
  Eigen::Index j = 0;
  for (Eigen::Index quantile = 0; quantile < total;)
  {
    const Eigen::Index endOfFirst = (i + 1) * second.size();
    const Eigen::Index endOfSecond = (j + 1) * first.size();
    const Eigen::Index next = std::min(endOfFirst, endOfSecond);
    const double apart = static_cast<double>(first[i]) - static_cast<double>(second[j]);
    sum += std::abs(apart) * static_cast<double>(next - quantile);
    i += next == endOfFirst ? 1 : 0;
    j += next == endOfSecond ? 1 : 0;
    quantile = next;
  }
  return sum / static_cast<double>(total);
}

/// Returns the ring of every pair of frequencies, [patch x patch]: the length of the pair, rounded.
Eigen::MatrixXi Rings(Eigen::Index patch)
{
  const auto frequency = [&](Eigen::Index index) { return static_cast<double>(std::min(index, patch - index)); };
  return Eigen::MatrixXi::NullaryExpr(patch, patch, [&](Eigen::Index u, Eigen::Index v) {
    return static_cast<int>(std::lround(std::hypot(frequency(u), frequency(v))));
  });
}

/// Returns the power of every pair of frequencies of a patch under the unitary transform, [patch x patch].
Eigen::MatrixXd Power(const Eigen::MatrixXd& patch)
{
  const Eigen::Index size = patch.rows();
  Eigen::FFT<double> transform;
  Eigen::MatrixXcd half(size, size);
  for (Eigen::Index i = 0; i < size; ++i)
  {
    transform.fwd(half.col(i).data(), patch.col(i).data(), size);
  }
  half.transposeInPlace();
  Eigen::MatrixXcd whole(size, size);
  for (Eigen::Index i = 0; i < size; ++i)
  {
    transform.fwd(whole.col(i).data(), half.col(i).data(), size);
  }
  return whole.cwiseAbs2() / static_cast<double>(patch.size());
}

Eigen::MatrixXd LogVariogram(const Eigen::Ref<const Eigen::MatrixXf>& patches, Eigen::Index patch)
{
  return (Variogram(patches, patch).array() + kLeastPower).log();
}

} // namespace

Eigen::VectorXd WassersteinDistances(const Eigen::Ref<const Eigen::MatrixXf>& first,
                                     const Eigen::Ref<const Eigen::MatrixXf>& second)
{
  CheckValues(first);
  CheckValues(second);
  CheckEndmembers(first, second);
  Eigen::VectorXd distances(first.rows());
  for (Eigen::Index k = 0; k < first.rows(); ++k)
  {
    distances[k] = WassersteinDistance(first.row(k), second.row(k));
  }
  return distances;
}

Eigen::MatrixXd LogPowerSpectrum(const Eigen::Ref<const Eigen::MatrixXf>& patches, Eigen::Index patch)
{
  CheckPatches(patches, patch);
  const Eigen::Index count = patches.cols() / (patch * patch);
  const Eigen::MatrixXi rings = Rings(patch);
  Eigen::MatrixXd spectrum(patch / 2, patches.rows());
  for (Eigen::Index k = 0; k < patches.rows(); ++k)
  {
    Eigen::MatrixXd power = Eigen::MatrixXd::Zero(patch, patch);
    for (Eigen::Index number = 0; number < count; ++number)
    {
      const Eigen::MatrixXd values = PatchValues(patches, patch, number, k);
      power += Power(values.array() - values.mean());
    }
    power /= static_cast<double>(count);
    for (Eigen::Index row = 0; row < spectrum.rows(); ++row)
    {
      const auto inRing = (rings.array() == static_cast<int>(row + 1)).cast<double>().eval();
      spectrum(row, k) = std::log((power.array() * inRing).sum() / inRing.sum() + kLeastPower);
    }
  }
  return spectrum;
}

Eigen::MatrixXd Variogram(const Eigen::Ref<const Eigen::MatrixXf>& patches, Eigen::Index patch)
{
  CheckPatches(patches, patch);
  const Eigen::Index count = patches.cols() / (patch * patch);
  Eigen::MatrixXd variogram = Eigen::MatrixXd::Zero(patch / 2, patches.rows());
  for (Eigen::Index k = 0; k < patches.rows(); ++k)
  {
    for (Eigen::Index number = 0; number < count; ++number)
    {
      const Eigen::MatrixXd values = PatchValues(patches, patch, number, k);
      for (Eigen::Index lag = 1; lag <= variogram.rows(); ++lag)
      {
        const Eigen::Index rest = patch - lag;
        variogram(lag - 1, k) += ((values.bottomRows(rest) - values.topRows(rest)).cwiseAbs2().mean() +
                                  (values.rightCols(rest) - values.leftCols(rest)).cwiseAbs2().mean()) /
                                 static_cast<double>(4 * count);
      }
    }
  }
  return variogram;
}

Eigen::MatrixXd PatchFeatures(const Eigen::Ref<const Eigen::MatrixXf>& patches, Eigen::Index patch)
{
  CheckPatches(patches, patch);
  Eigen::MatrixXd features(4 * patches.rows(), patches.cols() / (patch * patch));
  for (Eigen::Index number = 0; number < features.cols(); ++number)
  {
    for (Eigen::Index k = 0; k < patches.rows(); ++k)
    {
      const Eigen::MatrixXd values = PatchValues(patches, patch, number, k);
      const double mean = values.mean();
      features(4 * k, number) = mean;
      features(4 * k + 1, number) = std::sqrt((values.array() - mean).square().mean());
      features.col(number).segment<2>(4 * k + 2) = NeighbourDifferences(values);
    }
  }
  return features;
}

PatchDistance ComputePatchDistance(const Eigen::Ref<const Eigen::MatrixXf>& first,
                                   const Eigen::Ref<const Eigen::MatrixXf>& second, Eigen::Index patch)
{
  PatchDistance distance;
  distance.m_Wasserstein = WassersteinDistances(first, second);
  const Eigen::MatrixXd difference = LogPowerSpectrum(first, patch) - LogPowerSpectrum(second, patch);
  distance.m_LogSpectrum = std::sqrt(difference.cwiseAbs2().mean());
  const Eigen::MatrixXd variograms = LogVariogram(first, patch) - LogVariogram(second, patch);
  distance.m_LogVariogram = std::sqrt(variograms.cwiseAbs2().mean());
  return distance;
}

} // namespace hud
