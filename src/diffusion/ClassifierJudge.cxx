// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/diffusion/ClassifierJudge.h"

#include "hud/core/Error.h"
#include "hud/core/PatchSet.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <set>
#include <string>
#include <utility>

namespace hud
{

namespace
{

using Eigen::Index;

constexpr Index kLargestPatch = 8;
constexpr Index kTrainingPatches = 1024;
constexpr Index kHeldOutPatches = 512;

/// Returns the edge of the patches that a block is cut into: the largest that leaves nothing over, if there is one of 4 or
/// more.
Index PatchOf(Index block)
{
  for (Index patch = kLargestPatch; patch >= 4; --patch)
  {
    if (block % patch == 0)
    {
      return patch;
    }
  }
  return std::min(block, kLargestPatch);
}

/// Patches of a scene with their classes.
struct Examples
{
  std::vector<PatchCorner> m_Corners;
  std::vector<int> m_Labels;
};

/// Returns the most frequent label of a patch; -1 when less than half of its pixels have one.
int PatchLabel(const LabelMap& labels, Index width, Index corner, Index patch)
{
  std::vector<Index> counts(static_cast<std::size_t>(labels.m_Classes), 0);
  Index labelled = 0;
  for (Index pixel = 0; pixel < patch * patch; ++pixel)
  {
    const int label = labels.m_Labels[static_cast<std::size_t>(corner + pixel / patch * width + pixel % patch)];
    if (label >= 0)
    {
      ++counts[static_cast<std::size_t>(label)];
      ++labelled;
    }
  }
  return 2 * labelled < patch * patch
             ? -1
             : static_cast<int>(std::max_element(counts.begin(), counts.end()) - counts.begin());
}

/// Returns the pixels of a scene that are valid, row by row.
std::vector<std::uint8_t> ReadValidity(const SpectralRows& scene)
{
  std::vector<std::uint8_t> valid(static_cast<std::size_t>(scene.Width() * scene.Height()));
  Eigen::MatrixXf line(scene.Bands(), scene.Width());
  for (Index row = 0; row < scene.Height(); ++row)
  {
    scene.Read(row, line, valid.data() + row * scene.Width());
  }
  return valid;
}

bool IsValidPatch(const std::vector<std::uint8_t>& valid, Index width, Index corner, Index patch)
{
  for (Index row = 0; row < patch; ++row)
  {
    const auto begin = valid.begin() + corner + row * width;
    if (std::find(begin, begin + patch, std::uint8_t{0}) != begin + patch)
    {
      return false;
    }
  }
  return true;
}

/// Returns the labelled patches of the cells to train on, and of those that are held out.
std::pair<Examples, Examples> FindExamples(const SpectralRows& scene, const LabelMap& labels, Index patch)
{
  const std::vector<std::uint8_t> valid = ReadValidity(scene);
  const Index cell = 2 * patch;
  const Index step = std::max<Index>(1, patch / 2);
  std::pair<Examples, Examples> examples;
  for (Index cellRow = 0; (cellRow + 1) * cell <= scene.Height(); ++cellRow)
  {
    for (Index cellColumn = 0; (cellColumn + 1) * cell <= scene.Width(); ++cellColumn)
    {
      // Each fifth cell of a row, and of a column, in other places from one row to the next.
      Examples& target = (cellColumn + 2 * cellRow) % 5 == 2 ? examples.second : examples.first;
      for (Index y = 0; y <= patch; y += step)
      {
        for (Index x = 0; x <= patch; x += step)
        {
          const Index corner = (cellRow * cell + y) * scene.Width() + cellColumn * cell + x;
          const int label = PatchLabel(labels, scene.Width(), corner, patch);
          if (label >= 0 && IsValidPatch(valid, scene.Width(), corner, patch))
          {
            target.m_Corners.push_back({corner % scene.Width(), corner / scene.Width()});
            target.m_Labels.push_back(label);
          }
        }
      }
    }
  }
  return examples;
}

/// Returns no more than so many of the examples, spread over all of each class.
Examples Some(const Examples& examples, Index maximum, std::uint64_t seed)
{
  std::vector<std::size_t> order(examples.m_Labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return examples.m_Labels[a] < examples.m_Labels[b]; });
  Examples some;
  for (const Index i : DrawBlocks(static_cast<Index>(examples.m_Corners.size()), maximum, seed))
  {
    const std::size_t example = order[static_cast<std::size_t>(i)];
    some.m_Corners.push_back(examples.m_Corners[example]);
    some.m_Labels.push_back(examples.m_Labels[example]);
  }
  return some;
}

Eigen::MatrixXf ReadPatches(const SpectralRows& scene, const Examples& examples, Index patch)
{
  return GatherPixels(scene, PatchPixels(scene.Width(), patch, examples.m_Corners));
}

} // namespace

ClassifierJudge::ClassifierJudge(const SpectralRows& real, const LabelMap& labels, Index block, std::uint64_t seed,
                                 const ExecutionOptions& execution, const std::function<bool(double)>& proceed)
  : m_Block(block), m_Patch(PatchOf(block))
{
  if (static_cast<Index>(labels.m_Labels.size()) != real.Width() * real.Height())
  {
    throw InvalidData("found labels of " + std::to_string(labels.m_Labels.size()) + " pixels, expected those of " +
                      std::to_string(real.Width()) + " x " + std::to_string(real.Height()));
  }
  const auto [training, heldOut] = FindExamples(real, labels, m_Patch);
  const std::set<int> found(training.m_Labels.begin(), training.m_Labels.end());
  if (found.size() < 2)
  {
    throw InvalidData("found labelled patches of " + std::to_string(m_Patch) + " x " + std::to_string(m_Patch) +
                      " pixels of " + std::to_string(found.size()) + " classes, expected at least 2");
  }
  PatchClassifierOptions options;
  options.m_Patch = m_Patch;
  options.m_Seed = seed;
  const Examples examples = Some(training, kTrainingPatches, seed);
  m_Classifier.emplace(ReadPatches(real, examples, m_Patch), examples.m_Labels, labels.m_Classes, options, execution,
                       proceed);
  if (!heldOut.m_Corners.empty())
  {
    const Examples unseen = Some(heldOut, kHeldOutPatches, seed);
    m_Accuracy = m_Classifier->Accuracy(ReadPatches(real, unseen, m_Patch), unseen.m_Labels);
  }
}

PatchClassification ClassifierJudge::Classify(const Eigen::MatrixXf& blocks) const
{
  const Index across = m_Block / m_Patch;
  const Index patches = across * across;
  std::vector<PatchCorner> corners;
  for (Index patch = 0; patch < patches; ++patch)
  {
    corners.push_back({patch % across * m_Patch, patch / across * m_Patch});
  }
  const std::vector<Index> pixels = PatchPixels(m_Block, m_Patch, corners);
  const Index count = blocks.cols() / (m_Block * m_Block);
  PatchClassification all;
  // One block at a time, because a copy of all of them may be large.
  for (Index block = 0; block < count; ++block)
  {
    const PatchClassification one =
        m_Classifier->Classify(blocks.middleCols(block * m_Block * m_Block, m_Block * m_Block)(Eigen::all, pixels));
    all.m_Probabilities.conservativeResize(one.m_Probabilities.rows(), count * patches);
    all.m_Features.conservativeResize(one.m_Features.rows(), count * patches);
    all.m_Probabilities.middleCols(block * patches, patches) = one.m_Probabilities;
    all.m_Features.middleCols(block * patches, patches) = one.m_Features;
  }
  return all;
}

std::optional<double> ClassifierJudge::Accuracy() const
{
  return m_Accuracy;
}

} // namespace hud
