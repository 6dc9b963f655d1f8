// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "SpectralRaster.h"

#include "hud/core/Error.h"
#include "hud/core/Random.h"
#include "hud/diffusion/PatchClassifier.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace
{

constexpr const char* kUsage =
    "usage: hud_test_usefulness TRAINING ITS_ABUNDANCES TEST ITS_ABUNDANCES SYNTHETIC ITS_ABUNDANCES [TRAINING_LABELS "
    "TEST_LABELS]\n"
    "Prints how well classifiers that were trained on real data, on synthetic data or on both do on real data that they did "
    "not see, and the one of real data on synthetic data. All are rasters. A pixel's class is its largest abundance, or, "
    "with label rasters (0: none), the label; that of a synthetic pixel is then the most frequent label of the training "
    "pixels with the same largest abundance. Seven seeds: mean and standard deviation.\n";

constexpr Eigen::Index kPatch = 4;
constexpr std::size_t kPatches = 1024;
constexpr int kSeeds = 7;

/// Spectra and classes of an image.
struct Labelled
{
  hud::SpectralImage m_Image;
  std::vector<int> m_Classes; ///< of the pixels; -1: none
};

/// Patches and classes.
struct Examples
{
  Eigen::MatrixXf m_Patches;
  std::vector<int> m_Labels;
};

std::vector<int> LargestEndmembers(const hud::AbundanceMap& map)
{
  std::vector<int> classes;
  for (Eigen::Index pixel = 0; pixel < map.m_Abundances.cols(); ++pixel)
  {
    Eigen::Index largest = 0;
    map.m_Abundances.col(pixel).maxCoeff(&largest);
    classes.push_back(map.m_Valid[static_cast<std::size_t>(pixel)] != 0 ? static_cast<int>(largest) : -1);
  }
  return classes;
}

/// Returns the labels of a raster of one band.
std::vector<int> ReadLabels(const std::string& path, std::size_t pixels)
{
  const hud::AbundanceMap map = hud::bench::ReadAbundanceRaster(path);
  std::vector<int> labels;
  for (Eigen::Index pixel = 0; pixel < map.m_Abundances.cols(); ++pixel)
  {
    const int value = static_cast<int>(map.m_Abundances(0, pixel));
    labels.push_back(value == 0 ? -1 : value);
  }
  if (labels.size() != pixels)
  {
    throw hud::InvalidData(path + " holds " + std::to_string(labels.size()) + " pixels, expected " +
                           std::to_string(pixels));
  }
  return labels;
}

/// Replaces each endmember's number by the label that it has most often; -1 where it has none.
std::vector<int> Translate(const std::vector<int>& classes, const std::vector<int>& endmembers,
                           const std::vector<int>& labels)
{
  const int d = *std::max_element(endmembers.begin(), endmembers.end()) + 1;
  const int most = *std::max_element(labels.begin(), labels.end()) + 1;
  Eigen::MatrixXi counts = Eigen::MatrixXi::Zero(d, most);
  for (std::size_t pixel = 0; pixel < labels.size(); ++pixel)
  {
    if (labels[pixel] >= 0 && endmembers[pixel] >= 0)
    {
      ++counts(endmembers[pixel], labels[pixel]);
    }
  }
  std::vector<int> translated;
  for (const int endmember : classes)
  {
    Eigen::Index label = -1;
    if (endmember >= 0 && endmember < d && counts.row(endmember).maxCoeff(&label) == 0)
    {
      label = -1;
    }
    translated.push_back(static_cast<int>(label));
  }
  return translated;
}

/// Numbers the classes of all images anew, from 0.
int Renumber(const std::vector<Labelled*>& images)
{
  std::vector<int> values;
  for (const Labelled* const image : images)
  {
    values.insert(values.end(), image->m_Classes.begin(), image->m_Classes.end());
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  values.erase(std::remove(values.begin(), values.end(), -1), values.end());
  for (Labelled* const image : images)
  {
    for (int& value : image->m_Classes)
    {
      value = value < 0 ? -1 : static_cast<int>(std::lower_bound(values.begin(), values.end(), value) - values.begin());
    }
  }
  return static_cast<int>(values.size());
}

/// Returns patches drawn from an image, each of the class of the pixel at its centre.
Examples Draw(const Labelled& image, std::uint32_t set, std::uint64_t seed)
{
  const hud::Random random(seed, hud::RandomStream::EvaluationCrop);
  const Eigen::Index across = image.m_Image.m_Width - kPatch + 1;
  const Eigen::Index places = across * (image.m_Image.m_Height - kPatch + 1);
  std::vector<Eigen::Index> pixels;
  Examples examples;
  for (std::uint32_t i = 0; examples.m_Labels.size() < kPatches && i < 100 * kPatches; ++i)
  {
    const auto place = static_cast<Eigen::Index>(random.Words(set, i, 0)[0]) % places;
    const Eigen::Index corner = place / across * image.m_Image.m_Width + place % across;
    const Eigen::Index centre = corner + (kPatch / 2) * (image.m_Image.m_Width + 1);
    if (image.m_Classes[static_cast<std::size_t>(centre)] >= 0)
    {
      examples.m_Labels.push_back(image.m_Classes[static_cast<std::size_t>(centre)]);
      for (Eigen::Index pixel = 0; pixel < kPatch * kPatch; ++pixel)
      {
        pixels.push_back(corner + pixel / kPatch * image.m_Image.m_Width + pixel % kPatch);
      }
    }
  }
  examples.m_Patches = image.m_Image.m_Spectra(Eigen::all, pixels);
  return examples;
}

Examples Join(const Examples& first, const Examples& second)
{
  Examples both = first;
  both.m_Patches.conservativeResize(Eigen::NoChange, first.m_Patches.cols() + second.m_Patches.cols());
  both.m_Patches.rightCols(second.m_Patches.cols()) = second.m_Patches;
  both.m_Labels.insert(both.m_Labels.end(), second.m_Labels.begin(), second.m_Labels.end());
  return both;
}

hud::PatchClassifier Train(const Examples& examples, int classes, std::uint64_t seed)
{
  hud::PatchClassifierOptions options;
  options.m_Patch = kPatch;
  options.m_Seed = seed;
  return hud::PatchClassifier(examples.m_Patches, examples.m_Labels, classes, options, hud::ExecutionOptions());
}

void Print(const char* what, const Eigen::VectorXd& accuracies)
{
  const double mean = accuracies.mean();
  const double deviation = std::sqrt((accuracies.array() - mean).square().sum() / (kSeeds - 1));
  std::printf("%s: %.3f +- %.3f\n", what, mean, deviation);
}

void Test(const std::vector<std::string>& paths)
{
  Labelled images[3];
  for (std::size_t i = 0; i < 3; ++i)
  {
    images[i].m_Image = hud::bench::ReadSpectralRaster(paths[2 * i]);
    images[i].m_Classes = LargestEndmembers(hud::bench::ReadAbundanceRaster(paths[2 * i + 1]));
  }
  auto& [training, test, synthetic] = images;
  if (paths.size() == 8)
  {
    const std::vector<int> labels = ReadLabels(paths[6], training.m_Classes.size());
    synthetic.m_Classes = Translate(synthetic.m_Classes, training.m_Classes, labels);
    training.m_Classes = labels;
    test.m_Classes = ReadLabels(paths[7], test.m_Classes.size());
  }
  const int classes = Renumber({&training, &test, &synthetic});
  Eigen::VectorXd real(kSeeds);
  Eigen::VectorXd made(kSeeds);
  Eigen::VectorXd both(kSeeds);
  Eigen::VectorXd reverse(kSeeds);
  for (int seed = 0; seed < kSeeds; ++seed)
  {
    const auto number = static_cast<std::uint64_t>(seed);
    const Examples realExamples = Draw(training, 0, number);
    const Examples unseen = Draw(test, 1, number);
    const Examples madeExamples = Draw(synthetic, 2, number);
    const hud::PatchClassifier ofReal = Train(realExamples, classes, number);
    real[seed] = ofReal.Accuracy(unseen.m_Patches, unseen.m_Labels);
    reverse[seed] = ofReal.Accuracy(madeExamples.m_Patches, madeExamples.m_Labels);
    made[seed] = Train(madeExamples, classes, number).Accuracy(unseen.m_Patches, unseen.m_Labels);
    both[seed] = Train(Join(realExamples, madeExamples), classes, number).Accuracy(unseen.m_Patches, unseen.m_Labels);
  }
  std::printf("classes: %d\n", classes);
  Print("trained on real, tested on unseen real", real);
  Print("trained on synthetic, tested on unseen real", made);
  Print("trained on both, tested on unseen real", both);
  Print("trained on real, tested on synthetic", reverse);
}

} // namespace

int main(int count, char** values)
{
  const std::vector<std::string> arguments(values + 1, values + count);
  if (arguments.size() != 6 && arguments.size() != 8)
  {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try
  {
    Test(arguments);
  }
  catch (const std::exception& error)
  {
    std::fprintf(stderr, "hud_test_usefulness: %s\n", error.what());
    return 1;
  }
  return 0;
}
