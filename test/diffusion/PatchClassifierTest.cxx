// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/diffusion/PatchClassifier.h"

#include "ToyModel.h"

#include "core/ErrorMessage.h"
#include "core/RandomMatrix.h"
#include "hud/core/Error.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>

namespace
{

using hud::InvalidData;
using hud::InvalidOption;
using hud::PatchClassification;
using hud::PatchClassifierOptions;
using hud::test::MessageOf;
using hud::test::OnCpu;
using hud::test::Says;

constexpr Eigen::Index kPatch = 6;
constexpr Eigen::Index kPixels = kPatch * kPatch;
constexpr Eigen::Index kBands = 20;

struct Labelled
{
  Eigen::MatrixXf m_Patches;
  std::vector<int> m_Labels;
};

// Draws numbers below a bound, the same on every platform.
class Dice
{
public:
  explicit Dice(std::uint64_t seed) : m_Engine(seed) {}

  Eigen::Index Below(Eigen::Index bound)
  {
    return static_cast<Eigen::Index>(m_Engine() % static_cast<std::uint64_t>(bound));
  }

private:
  std::mt19937_64 m_Engine;
};

PatchClassifierOptions MakeOptions(std::int64_t iterations = 120)
{
  PatchClassifierOptions options;
  options.m_Patch = kPatch;
  options.m_Iterations = iterations;
  options.m_Batch = 32;
  options.m_Seed = 7;
  return options;
}

hud::PatchClassifier Train(const Labelled& set, int classes, const PatchClassifierOptions& options = MakeOptions())
{
  return {set.m_Patches, set.m_Labels, classes, options, OnCpu()};
}

// Spectrum k of reflectances that differ by a tenth.
Eigen::VectorXf Spectrum(int k)
{
  const Eigen::ArrayXf band = Eigen::ArrayXf::LinSpaced(kBands, 0.f, 1.f);
  return (0.3f + 0.2f * band + 0.05f * (6.f * band * static_cast<float>(k + 1)).sin()).matrix();
}

Eigen::MatrixXf Noise(Eigen::Index columns, std::uint64_t seed, double amplitude)
{
  return hud::test::UniformMatrix(kBands, columns, seed, -amplitude, amplitude).cast<float>();
}

// Patches whose class is their spectrum, under noise above the difference of the spectra.
Labelled SpectralClasses(int classes, Eigen::Index count, std::uint64_t seed)
{
  Labelled set{Noise(count * kPixels, seed, 0.2), {}};
  for (Eigen::Index i = 0; i < count; ++i)
  {
    set.m_Labels.push_back(static_cast<int>(i * 7 % classes));
    set.m_Patches.middleCols(i * kPixels, kPixels).colwise() += Spectrum(set.m_Labels.back());
  }
  return set;
}

// Patches of 18 pixels of one spectrum and 18 of another: as a chessboard, in stripes of either direction, or shuffled.
Labelled Textures(Eigen::Index count, std::uint64_t seed, double noise = 0.02)
{
  Dice dice(seed);
  Labelled set{Noise(count * kPixels, seed + 1, noise), {}};
  for (Eigen::Index i = 0; i < count; ++i)
  {
    set.m_Labels.push_back(static_cast<int>(dice.Below(3)));
    const Eigen::Index phase = dice.Below(2);
    const bool upright = dice.Below(2) == 0;
    std::array<Eigen::Index, kPixels> which{};
    for (Eigen::Index pixel = 0; pixel < kPixels; ++pixel)
    {
      const Eigen::Index x = pixel % kPatch;
      const Eigen::Index y = pixel / kPatch;
      const Eigen::Index along = set.m_Labels.back() == 1 ? (upright ? x : y) : x + y;
      which[static_cast<std::size_t>(pixel)] = (along + phase) % 2;
    }
    for (Eigen::Index last = kPixels - 1; set.m_Labels.back() == 2 && last > 0; --last)
    {
      std::swap(which[static_cast<std::size_t>(last)], which[static_cast<std::size_t>(dice.Below(last + 1))]);
    }
    for (Eigen::Index pixel = 0; pixel < kPixels; ++pixel)
    {
      set.m_Patches.col(i * kPixels + pixel) += Spectrum(static_cast<int>(which[static_cast<std::size_t>(pixel)]));
    }
  }
  return set;
}

Eigen::MatrixXf PatchesFrom(const Labelled& set, Eigen::Index first, Eigen::Index count)
{
  return set.m_Patches.middleCols(first * kPixels, count * kPixels);
}

} // namespace

TEST(PatchClassifier, LearnsClassesOfOtherSpectra)
{
  const hud::PatchClassifier classifier = Train(SpectralClasses(3, 90, 1), 3);
  const Labelled heldOut = SpectralClasses(3, 200, 2);
  EXPECT_GT(classifier.Accuracy(heldOut.m_Patches, heldOut.m_Labels), 0.95);
}

TEST(PatchClassifier, LearnsClassesThatDifferInTextureOnly)
{
  const Labelled clean = Textures(30, 3, 0.);
  for (Eigen::Index i = 0; i < 30; ++i)
  {
    const Eigen::VectorXf mean = PatchesFrom(clean, i, 1).rowwise().mean();
    ASSERT_LT((mean - 0.5f * (Spectrum(0) + Spectrum(1))).cwiseAbs().maxCoeff(), 1e-6f);
  }
  const hud::PatchClassifier classifier = Train(Textures(200, 3), 3, MakeOptions(300));
  const Labelled heldOut = Textures(200, 4);
  EXPECT_GT(classifier.Accuracy(heldOut.m_Patches, heldOut.m_Labels), 0.95);
}

TEST(PatchClassifier, LearnsNothingOfRandomLabels)
{
  Dice dice(5);
  const auto shuffle = [&](Labelled set) {
    std::generate(set.m_Labels.begin(), set.m_Labels.end(), [&] { return static_cast<int>(dice.Below(2)); });
    return set;
  };
  const hud::PatchClassifier classifier = Train(shuffle(SpectralClasses(2, 100, 6)), 2);
  const Labelled heldOut = shuffle(SpectralClasses(2, 400, 7));
  // Four standard deviations of the share of 400 coins.
  EXPECT_NEAR(classifier.Accuracy(heldOut.m_Patches, heldOut.m_Labels), 0.5, 0.1);
}

TEST(PatchClassifier, LearnsARareClassToo)
{
  Labelled set = SpectralClasses(2, 110, 8);
  Labelled uneven;
  uneven.m_Patches.resize(kBands, 0);
  Eigen::Index rare = 0;
  for (Eigen::Index i = 0; i < 110; ++i)
  {
    const int label = set.m_Labels[static_cast<std::size_t>(i)];
    rare += label == 1 ? 1 : 0;
    if (label == 0 || rare <= 5)
    {
      uneven.m_Patches.conservativeResize(Eigen::NoChange, uneven.m_Patches.cols() + kPixels);
      uneven.m_Patches.rightCols(kPixels) = PatchesFrom(set, i, 1);
      uneven.m_Labels.push_back(label);
    }
  }
  ASSERT_EQ(std::count(uneven.m_Labels.begin(), uneven.m_Labels.end(), 1), 5);
  ASSERT_EQ(uneven.m_Labels.size(), 60);
  const hud::PatchClassifier classifier = Train(uneven, 2);
  const Labelled heldOut = SpectralClasses(2, 200, 9);
  EXPECT_GT(classifier.Accuracy(heldOut.m_Patches, heldOut.m_Labels), 0.9);
}

TEST(PatchClassifier, LearnsThatAClassWithoutPatchesIsNotThere)
{
  Labelled set = SpectralClasses(2, 60, 10);
  std::transform(set.m_Labels.begin(), set.m_Labels.end(), set.m_Labels.begin(),
                 [](int label) { return 2 * label + 1; });
  const PatchClassification result = Train(set, 5).Classify(set.m_Patches);
  ASSERT_EQ(result.m_Probabilities.rows(), 5);
  ASSERT_TRUE(result.m_Probabilities.allFinite());
  EXPECT_GT((result.m_Probabilities.row(1) + result.m_Probabilities.row(3)).minCoeff(), 0.9);
}

TEST(PatchClassifier, ReturnsProbabilitiesAndFeaturesOfEveryPatch)
{
  const PatchClassification result =
      Train(SpectralClasses(3, 40, 11), 3, MakeOptions(30)).Classify(SpectralClasses(3, 17, 12).m_Patches);
  ASSERT_EQ(result.m_Probabilities.rows(), 3);
  ASSERT_EQ(result.m_Probabilities.cols(), 17);
  ASSERT_TRUE(result.m_Probabilities.allFinite());
  EXPECT_GE(result.m_Probabilities.minCoeff(), 0.);
  EXPECT_LT((result.m_Probabilities.colwise().sum().array() - 1.).abs().maxCoeff(), 1e-12);
  ASSERT_EQ(result.m_Features.rows(), hud::PatchClassifier::kFeatures);
  ASSERT_EQ(result.m_Features.cols(), 17);
  ASSERT_TRUE(result.m_Features.allFinite());
  EXPECT_GE(result.m_Features.minCoeff(), 0.);
  // Most features are in use, and no two patches have the same.
  EXPECT_GT((result.m_Features.rowwise().maxCoeff().array() > 0.).count(), hud::PatchClassifier::kFeatures / 2);
  EXPECT_GT((result.m_Features.rightCols(16) - result.m_Features.leftCols(16)).colwise().norm().minCoeff(), 0.);
}

TEST(PatchClassifier, JudgesAPatchByItselfWhateverItIsClassifiedWith)
{
  const hud::PatchClassifier classifier = Train(SpectralClasses(3, 40, 13), 3, MakeOptions(30));
  // More pixels than pass through the network together.
  constexpr Eigen::Index kMany = 500;
  const Labelled set = SpectralClasses(3, kMany, 14);
  const PatchClassification whole = classifier.Classify(set.m_Patches);
  ASSERT_EQ(whole.m_Features.cols(), kMany);
  for (const auto& [first, count] : {std::pair(0, 1), std::pair(1, 6), std::pair(440, 60), std::pair(499, 1)})
  {
    const PatchClassification part = classifier.Classify(PatchesFrom(set, first, count));
    ASSERT_EQ(part.m_Probabilities.cols(), count);
    EXPECT_TRUE(part.m_Probabilities.isApprox(whole.m_Probabilities.middleCols(first, count), 1e-5)) << first;
    EXPECT_TRUE(part.m_Features.isApprox(whole.m_Features.middleCols(first, count), 1e-5)) << first;
  }
}

TEST(PatchClassifier, OfTheSameSeedGivesTheSameBytes)
{
  const Labelled set = SpectralClasses(2, 40, 15);
  const Eigen::MatrixXf others = SpectralClasses(2, 9, 16).m_Patches;
  PatchClassifierOptions options = MakeOptions(20);
  const PatchClassification first = Train(set, 2, options).Classify(others);
  const PatchClassification again = Train(set, 2, options).Classify(others);
  EXPECT_EQ(first.m_Probabilities, again.m_Probabilities);
  EXPECT_EQ(first.m_Features, again.m_Features);
  ++options.m_Seed;
  EXPECT_NE(first.m_Features, Train(set, 2, options).Classify(others).m_Features);
}

TEST(PatchClassifier, DoesNotDependOnTheUnitOfTheSpectra)
{
  Labelled set = SpectralClasses(2, 40, 17);
  Eigen::MatrixXf others = SpectralClasses(2, 9, 18).m_Patches;
  const PatchClassification reflectance = Train(set, 2, MakeOptions(20)).Classify(others);
  set.m_Patches = ((set.m_Patches.array() - 0.25f) * 4096.f).matrix();
  others = ((others.array() - 0.25f) * 4096.f).matrix();
  const PatchClassification counts = Train(set, 2, MakeOptions(20)).Classify(others);
  EXPECT_LT((counts.m_Probabilities - reflectance.m_Probabilities).cwiseAbs().maxCoeff(), 1e-2);
}

TEST(PatchClassifier, SeesNoMoreComponentsThanThereAre)
{
  const Labelled set = SpectralClasses(2, 20, 19);
  EXPECT_EQ(Train(set, 2, MakeOptions(1)).Components(), 16);
  EXPECT_EQ(Train({set.m_Patches.topRows(5), set.m_Labels}, 2, MakeOptions(1)).Components(), 5);
  EXPECT_EQ(Train({set.m_Patches.topRows(1), set.m_Labels}, 2, MakeOptions(1)).Components(), 1);
  // Mixtures of three spectra that sum to one vary in two dimensions, whatever single precision adds to them.
  const Eigen::MatrixXf spectra = (Eigen::MatrixXf(kBands, 3) << Spectrum(0), Spectrum(1), Spectrum(2)).finished();
  const Eigen::MatrixXf mixtures = spectra * hud::test::UniformAbundances(3, 20 * kPixels, 20).cast<float>();
  EXPECT_EQ(Train({mixtures, set.m_Labels}, 2, MakeOptions(1)).Components(), 2);
}

TEST(PatchClassifier, TakesPatchesOfAnySize)
{
  const Labelled set = SpectralClasses(2, 25, 21); // 900 pixels
  for (const Eigen::Index patch : {2, 3, 5, 15})
  {
    PatchClassifierOptions options = MakeOptions(2);
    options.m_Patch = patch;
    const Eigen::Index count = 900 / (patch * patch);
    std::vector<int> labels(static_cast<std::size_t>(count), 0);
    labels.back() = 1;
    const hud::PatchClassifier classifier = Train({set.m_Patches, labels}, 2, options);
    const PatchClassification result = classifier.Classify(set.m_Patches);
    ASSERT_EQ(result.m_Probabilities.cols(), count) << patch;
    EXPECT_TRUE(result.m_Features.allFinite()) << patch;
  }
}

TEST(PatchClassifier, AccuracyIsTheShareOfPatchesWhoseLabelIsMostProbable)
{
  const Labelled set = SpectralClasses(2, 40, 22);
  const hud::PatchClassifier classifier = Train(set, 2);
  const Eigen::MatrixXd probabilities = classifier.Classify(set.m_Patches).m_Probabilities;
  std::vector<int> labels;
  for (Eigen::Index i = 0; i < 40; ++i)
  {
    const int mostProbable = probabilities(1, i) > probabilities(0, i) ? 1 : 0;
    labels.push_back(i % 4 == 3 ? 1 - mostProbable : mostProbable);
  }
  EXPECT_EQ(classifier.Accuracy(set.m_Patches, labels), 0.75);
  // All of one class: no error here.
  EXPECT_EQ(classifier.Accuracy(set.m_Patches.leftCols(kPixels), {1 - labels.front()}), 0.);
}

TEST(PatchClassifier, ReportsTheFractionDoneAndCanBeStopped)
{
  const Labelled set = SpectralClasses(2, 10, 23);
  std::vector<double> fractions;
  const auto train = [&](double last) {
    fractions.clear();
    hud::PatchClassifier(set.m_Patches, set.m_Labels, 2, MakeOptions(4), OnCpu(), [&](double fraction) {
      fractions.push_back(fraction);
      return fraction < last;
    });
  };
  train(2.);
  EXPECT_EQ(fractions, (std::vector<double>{0.25, 0.5, 0.75, 1.}));
  EXPECT_TRUE(Says(MessageOf<hud::Error>([&] { train(0.5); }), "interrupted"));
  EXPECT_EQ(fractions, (std::vector<double>{0.25, 0.5}));
}

TEST(PatchClassifier, RefusesPatchesAndLabelsThatItCannotLearnFrom)
{
  const Labelled good = SpectralClasses(3, 10, 24);
  const auto message = [](const Labelled& set, int classes = 3) {
    return MessageOf<InvalidData>([&] { Train(set, classes, MakeOptions(1)); });
  };
  EXPECT_EQ(message(good), "no error");
  EXPECT_TRUE(Says(message({good.m_Patches, std::vector<int>(10, 2)}), "labels of one class only, 2, for 10 patches"));
  EXPECT_TRUE(Says(message(good, 2), "expected 0 to 1"));
  Labelled bad = good;
  bad.m_Labels[3] = -1;
  EXPECT_TRUE(Says(message(bad), "patch 4 of 10 is -1, expected 0 to 2"));
  bad = good;
  bad.m_Labels.pop_back();
  EXPECT_TRUE(Says(message(bad), "9 labels for 10 patches"));
  EXPECT_TRUE(Says(message({good.m_Patches.leftCols(350), good.m_Labels}), "350 pixels for patches of 6 x 6"));
  EXPECT_TRUE(Says(message({Eigen::MatrixXf(kBands, 0), {}}), "0 pixels of 20 bands"));
  EXPECT_TRUE(Says(message({Eigen::MatrixXf(0, kPixels), {1}}), "36 pixels of 0 bands"));
  bad = good;
  bad.m_Patches(2, 17) = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(Says(message(bad), "not finite"));
  EXPECT_TRUE(Says(message({Spectrum(1).replicate(1, 360), good.m_Labels}), "360 training pixels are alike"));
  EXPECT_TRUE(Says(message({Eigen::MatrixXf::Zero(kBands, 360), good.m_Labels}), "alike"));
}

TEST(PatchClassifier, RefusesToClassifyWhatDoesNotMatchItsTraining)
{
  const Labelled good = SpectralClasses(3, 10, 25);
  const hud::PatchClassifier classifier = Train(good, 3, MakeOptions(1));
  const auto message = [&](const Eigen::MatrixXf& patches) {
    return MessageOf<InvalidData>([&] { classifier.Classify(patches); });
  };
  EXPECT_EQ(message(good.m_Patches), "no error");
  EXPECT_TRUE(Says(message(good.m_Patches.topRows(19)), "19 bands"));
  EXPECT_TRUE(Says(message(good.m_Patches.topRows(19)), "trained on 20"));
  EXPECT_TRUE(Says(message(good.m_Patches.leftCols(40)), "40 pixels for patches of 6 x 6"));
  EXPECT_TRUE(Says(message(Eigen::MatrixXf(kBands, 0)), "0 pixels"));
  Eigen::MatrixXf bad = good.m_Patches;
  bad(0, 5) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(Says(message(bad), "not finite"));
  bad(0, 5) = 3e38f;
  EXPECT_TRUE(Says(message(bad), "to 3e+38"));
  const auto accuracyMessage = [&](const std::vector<int>& labels) {
    return MessageOf<InvalidData>([&] { classifier.Accuracy(good.m_Patches, labels); });
  };
  EXPECT_TRUE(Says(accuracyMessage({0, 1}), "2 labels for 10 patches"));
  EXPECT_TRUE(Says(accuracyMessage(std::vector<int>(10, 3)), "expected 0 to 2"));
}

TEST(PatchClassifier, RefusesOptionsOutOfRange)
{
  const auto message = [](const auto& change, int classes = 2) {
    PatchClassifierOptions options = MakeOptions(1);
    change(options);
    return MessageOf<InvalidOption>([&] { Train(SpectralClasses(2, 10, 26), classes, options); });
  };
  EXPECT_EQ(message([](PatchClassifierOptions&) {}), "no error");
  EXPECT_TRUE(Says(message([](PatchClassifierOptions&) {}, 1), "number of classes is 1, expected 2 to"));
  EXPECT_TRUE(Says(message([](PatchClassifierOptions& options) { options.m_Patch = 1; }), "patch size is 1"));
  EXPECT_TRUE(Says(message([](PatchClassifierOptions& options) { options.m_Iterations = 0; }), "iterations is 0"));
  EXPECT_TRUE(Says(message([](PatchClassifierOptions& options) { options.m_LearningRate = std::nan(""); }),
                   "learning rate is nan"));
  EXPECT_TRUE(Says(message([](PatchClassifierOptions& options) { options.m_Batch = 4097; }), "batch size is 4097"));
  EXPECT_NO_THROW(PatchClassifierOptions().Check());
}
