// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/diffusion/PatchClassifier.h"

#include "Device.h"

#include "hud/core/Error.h"
#include "hud/core/Random.h"
#include "hud/core/SceneStatistics.h"

#include <torch/torch.h>

#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>
#include <utility>

namespace hud
{

namespace
{

constexpr Eigen::Index kLargestComponents = 16;
constexpr std::int64_t kSpectralChannels = 32;
constexpr std::int64_t kSymmetries = 8;
constexpr int kLargestClasses = 10000;

/// Pixels that are reduced, or pass through the trained network, together: a few megabytes.
constexpr Eigen::Index kPixelsAtOnce = 16384;

/// @throws InvalidOption unless minimum <= value <= maximum
template <typename Number>
void CheckRange(const char* what, Number value, Number minimum, Number maximum)
{
  if (!(value >= minimum && value <= maximum))
  {
    std::ostringstream message;
    message << "the classifier's " << what << " is " << value << ", expected " << minimum << " to " << maximum;
    throw InvalidOption(message.str());
  }
}

/// @throws InvalidData when the set is empty, not of whole patches or not finite
void CheckPatches(const Eigen::Ref<const Eigen::MatrixXf>& patches, Eigen::Index patch)
{
  if (patches.size() == 0)
  {
    throw InvalidData("a set of " + std::to_string(patches.cols()) + " pixels of " + std::to_string(patches.rows()) +
                      " bands, expected at least one patch and one band");
  }
  if (patches.cols() % (patch * patch) != 0)
  {
    throw InvalidData("found " + std::to_string(patches.cols()) + " pixels for patches of " + std::to_string(patch) +
                      " x " + std::to_string(patch) + ", expected whole patches");
  }
  if (!patches.allFinite())
  {
    throw InvalidData("a set of " + std::to_string(patches.cols()) + " pixels holds values that are not finite");
  }
}

/// @throws InvalidData when there is not a label for each patch, or one is out of range
void CheckLabels(const std::vector<int>& labels, Eigen::Index patches, int classes)
{
  if (static_cast<Eigen::Index>(labels.size()) != patches)
  {
    throw InvalidData("found " + std::to_string(labels.size()) + " labels for " + std::to_string(patches) +
                      " patches, expected one for each");
  }
  for (std::size_t i = 0; i < labels.size(); ++i)
  {
    if (labels[i] < 0 || labels[i] >= classes)
    {
      throw InvalidData("the label of patch " + std::to_string(i + 1) + " of " + std::to_string(labels.size()) +
                        " is " + std::to_string(labels[i]) + ", expected 0 to " + std::to_string(classes - 1));
    }
  }
}

/// Returns how much a patch of each class counts, [classes]: all patches of a class together as much as those of any other, and
/// a patch one on average. Zero for a class without patches.
/// @throws InvalidData when all labels are of one class
std::vector<float> ClassWeights(const std::vector<int>& labels, int classes)
{
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes), 0);
  for (const int label : labels)
  {
    ++counts[static_cast<std::size_t>(label)];
  }
  const auto present = counts.size() - static_cast<std::size_t>(std::count(counts.begin(), counts.end(), 0));
  if (present < 2)
  {
    throw InvalidData("labels of one class only, " + std::to_string(labels.front()) + ", for " +
                      std::to_string(labels.size()) + " patches, expected at least two classes");
  }
  std::vector<float> weights(counts.size(), 0.f);
  const double share = static_cast<double>(labels.size()) / static_cast<double>(present);
  std::transform(counts.begin(), counts.end(), weights.begin(), [&](std::int64_t count) {
    return count > 0 ? static_cast<float>(share / static_cast<double>(count)) : 0.f;
  });
  return weights;
}

/// The pixels of patches that are in memory.
class InMemoryPixels : public SpectraSource
{
public:
  explicit InMemoryPixels(const Eigen::Ref<const Eigen::MatrixXf>& patches) : m_Patches(patches) {}

  Eigen::Index Bands() const override
  {
    return m_Patches.rows();
  }

  void Visit(const Visitor& visit) const override
  {
    visit(m_Patches);
  }

private:
  const Eigen::Ref<const Eigen::MatrixXf>& m_Patches;
};

/// What reduces a spectrum y to k principal components, whose variances become the roots of their shares of the first:
/// m_Rows (y - m_Mean).
struct Whitening
{
  Eigen::VectorXd m_Mean; ///< [bands]
  Eigen::MatrixXd m_Rows; ///< [k x bands]
};

/// Returns the whitening of pixels by their own moments.
/// @param pixels [bands x pixels]
/// @throws InvalidData when all pixels are alike, or values are too large
Whitening FindWhitening(const Eigen::Ref<const Eigen::MatrixXf>& pixels)
{
  constexpr double kLeastShare = 1e-8; // of the largest variance
  constexpr double kRoundingShare =
      1e-12; // of the power: more than what single precision leaves of spectra that are alike
  SceneStatistics statistics = ComputeSceneStatistics(InMemoryPixels(pixels));
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(statistics.Covariance());
  const Eigen::VectorXd variances = solver.eigenvalues().reverse();
  const double least = std::max(kLeastShare * variances[0], kRoundingShare * statistics.Power());
  const Eigen::Index components = std::min<Eigen::Index>((variances.array() > least).count(), kLargestComponents);
  if (components == 0)
  {
    throw InvalidData("all " + std::to_string(pixels.cols()) +
                      " training pixels are alike, expected spectra that vary");
  }
  Whitening whitening;
  whitening.m_Mean = std::move(statistics.m_Mean);
  whitening.m_Rows = solver.eigenvectors().rowwise().reverse().leftCols(components).transpose();
  for (Eigen::Index k = 0; k < components; ++k)
  {
    // An eigenvector's sign is arbitrary.
    Eigen::Index largest = 0;
    whitening.m_Rows.row(k).cwiseAbs().maxCoeff(&largest);
    const double sign = whitening.m_Rows(k, largest) < 0. ? -1. : 1.;
    // Half-way to variance one: weak components count for more than in the spectra, and noise for less than in white ones.
    whitening.m_Rows.row(k) *= sign / std::pow(variances[k] * variances[0], 0.25);
  }
  return whitening;
}

torch::nn::Conv2d Convolution(std::int64_t inputChannels, std::int64_t outputChannels, std::int64_t kernel)
{
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(inputChannels, outputChannels, kernel).padding(kernel / 2));
}

/// The network, without a layer that looks at more than one patch.
class ClassifierNetworkImpl : public torch::nn::Module
{
public:
  ClassifierNetworkImpl(std::int64_t channels, std::int64_t classes, std::uint64_t seed)
  {
    m_Spectral = register_module("spectral", Convolution(channels, kSpectralChannels, 1));
    m_Fine = register_module("fine", Convolution(kSpectralChannels, PatchClassifier::kFeatures, 3));
    m_Coarse = register_module("coarse", Convolution(PatchClassifier::kFeatures, PatchClassifier::kFeatures, 3));
    m_Output = register_module("output", torch::nn::Linear(PatchClassifier::kFeatures, classes));
    InitialiseWeights(seed);
  }

  /// Returns the features, [n, 64].
  /// @param patches [n, channels, height, width]
  torch::Tensor Features(const torch::Tensor& patches)
  {
    torch::Tensor hidden = torch::relu(m_Fine(torch::relu(m_Spectral(patches))));
    // An odd edge has half windows at its end, whose mean is over what is there.
    hidden = torch::avg_pool2d(hidden, {2, 2}, {2, 2}, {0, 0}, true);
    return torch::relu(m_Coarse(hidden)).mean({2, 3});
  }

  /// Returns the logarithms of the odds of each class, up to a number for each patch, [n, classes].
  torch::Tensor Logits(const torch::Tensor& features)
  {
    return m_Output(features);
  }

private:
  void InitialiseWeights(std::uint64_t seed)
  {
    const torch::NoGradGuard noGradient;
    const Random random(seed, RandomStream::ClassifierWeights);
    std::uint32_t layer = 0;
    for (const auto& parameter : named_parameters())
    {
      if (parameter.value().dim() == 1)
      {
        parameter.value().zero_();
        continue;
      }
      torch::Tensor values = torch::empty(parameter.value().sizes(), torch::kFloat32);
      random.FillUniform(layer++, 0, values.data_ptr<float>(), static_cast<std::size_t>(values.numel()));
      // Torch's own rule. Larger weights, which would keep the signal's variance, learn textures more slowly.
      const double bound = 1. / std::sqrt(static_cast<double>(values[0].numel()));
      parameter.value().copy_((2. * values - 1.) * bound);
    }
  }

  torch::nn::Conv2d m_Spectral{nullptr}, m_Fine{nullptr}, m_Coarse{nullptr};
  torch::nn::Linear m_Output{nullptr};
};
TORCH_MODULE(ClassifierNetwork);

/// Returns for each flip and rotation of a patch the pixel that each pixel comes from, [8, patch * patch].
torch::Tensor Symmetries(Eigen::Index patch)
{
  const torch::Tensor pixels = torch::arange(patch * patch, torch::kInt64).view({patch, patch});
  std::vector<torch::Tensor> symmetries;
  for (std::int64_t i = 0; i < kSymmetries; ++i)
  {
    const torch::Tensor rotated = torch::rot90(pixels, i / 2, {0, 1});
    symmetries.push_back((i % 2 == 1 ? rotated.flip(1) : rotated).flatten());
  }
  return torch::stack(symmetries);
}

} // namespace

void PatchClassifierOptions::Check() const
{
  CheckRange("patch size", m_Patch, Eigen::Index(2), Eigen::Index(256));
  CheckRange("number of iterations", m_Iterations, std::int64_t(1), std::int64_t(1000000));
  CheckRange("learning rate", m_LearningRate, 1e-8, 1.);
  CheckRange("batch size", m_Batch, 1, 4096);
}

struct PatchClassifier::Implementation
{
  Implementation(const Eigen::Ref<const Eigen::MatrixXf>& patches, int classes, const PatchClassifierOptions& options,
                 const ExecutionOptions& execution)
    : m_Options(options), m_Classes(classes), m_Device(SelectDevice(execution)), m_Whitening(FindWhitening(patches)),
      m_Network(m_Whitening.m_Rows.rows(), classes, options.m_Seed)
  {
    m_Network->to(m_Device);
  }

  Eigen::Index PixelsOfPatch() const
  {
    return m_Options.m_Patch * m_Options.m_Patch;
  }

  /// Returns what the network sees of patches, [n, components, patch, patch], on the device.
  torch::Tensor Reduce(const Eigen::Ref<const Eigen::MatrixXf>& patches) const
  {
    const Eigen::Index components = m_Whitening.m_Rows.rows();
    Eigen::MatrixXf reduced(components, patches.cols());
    for (Eigen::Index first = 0; first < patches.cols(); first += kPixelsAtOnce)
    {
      const Eigen::Index count = std::min(kPixelsAtOnce, patches.cols() - first);
      const Eigen::MatrixXd centred = patches.middleCols(first, count).cast<double>().colwise() - m_Whitening.m_Mean;
      reduced.middleCols(first, count) = (m_Whitening.m_Rows * centred).cast<float>();
    }
    const Eigen::Index patch = m_Options.m_Patch;
    return torch::from_blob(reduced.data(), {patches.cols() / PixelsOfPatch(), patch, patch, components},
                            torch::kFloat32)
        .permute({0, 3, 1, 2})
        .clone(at::MemoryFormat::Contiguous)
        .to(m_Device);
  }

  void Train(const Eigen::Ref<const Eigen::MatrixXf>& patches, const std::vector<int>& labels,
             const std::function<bool(double)>& proceed)
  {
    const torch::Tensor pixels = Reduce(patches).flatten(2); // [n, components, patch * patch]
    const torch::Tensor classes = torch::tensor(labels, torch::kInt64).to(m_Device);
    const torch::Tensor weights =
        torch::tensor(ClassWeights(labels, m_Classes), torch::kFloat32).to(m_Device).index_select(0, classes);
    const torch::Tensor symmetries = Symmetries(m_Options.m_Patch).to(m_Device);
    const Random random(m_Options.m_Seed, RandomStream::ClassifierBatch);
    torch::optim::Adam adam(m_Network->parameters(), torch::optim::AdamOptions(m_Options.m_LearningRate));
    std::vector<std::int64_t> drawn(static_cast<std::size_t>(m_Options.m_Batch));
    std::vector<std::int64_t> turned(drawn.size());
    for (std::int64_t iteration = 0; iteration < m_Options.m_Iterations; ++iteration)
    {
      for (std::size_t sample = 0; sample < drawn.size(); ++sample)
      {
        const auto words = random.Words(static_cast<std::uint32_t>(iteration), static_cast<std::uint32_t>(sample), 0);
        const std::uint64_t wide = static_cast<std::uint64_t>(words[1]) << 32 | words[0];
        drawn[sample] = static_cast<std::int64_t>(wide % labels.size());
        turned[sample] = static_cast<std::int64_t>(words[2]) % kSymmetries;
      }
      const torch::Tensor samples = torch::tensor(drawn, torch::kInt64).to(m_Device);
      const torch::Tensor origins = symmetries.index_select(0, torch::tensor(turned, torch::kInt64).to(m_Device));
      const torch::Tensor batch = pixels.index_select(0, samples)
                                      .gather(2, origins.unsqueeze(1).expand({-1, pixels.size(1), -1}))
                                      .view({-1, pixels.size(1), m_Options.m_Patch, m_Options.m_Patch});
      // A product with ones and zeros, because the gradient of picking entries adds in any order on a GPU.
      const torch::Tensor targets =
          torch::one_hot(classes.index_select(0, samples), m_Classes) * weights.index_select(0, samples).unsqueeze(1);
      const torch::Tensor logits = m_Network->Logits(m_Network->Features(batch));
      const torch::Tensor loss = -(targets * torch::log_softmax(logits, 1)).sum(1).mean();
      adam.zero_grad();
      loss.backward();
      const double done = static_cast<double>(iteration) / static_cast<double>(m_Options.m_Iterations);
      static_cast<torch::optim::AdamOptions&>(adam.param_groups().front().options())
          .lr(m_Options.m_LearningRate * (1. - done));
      adam.step();
      if (!std::isfinite(loss.item<double>()))
      {
        throw InvalidData("training of the classifier diverged: the loss of iteration " +
                          std::to_string(iteration + 1) + " is not finite; expected a smaller learning rate");
      }
      if (proceed && !proceed(static_cast<double>(iteration + 1) / static_cast<double>(m_Options.m_Iterations)))
      {
        throw Error("interrupted while training the classifier");
      }
    }
  }

  PatchClassification Classify(const Eigen::Ref<const Eigen::MatrixXf>& patches)
  {
    const torch::NoGradGuard noGradient;
    const Eigen::Index total = patches.cols() / PixelsOfPatch();
    const Eigen::Index atOnce = std::max<Eigen::Index>(kPixelsAtOnce / PixelsOfPatch(), 1);
    PatchClassification result;
    result.m_Probabilities.resize(m_Classes, total);
    result.m_Features.resize(kFeatures, total);
    for (Eigen::Index first = 0; first < total; first += atOnce)
    {
      const Eigen::Index count = std::min(atOnce, total - first);
      const torch::Tensor batch = Reduce(patches.middleCols(first * PixelsOfPatch(), count * PixelsOfPatch()));
      const torch::Tensor features = m_Network->Features(batch);
      const torch::Tensor logits = m_Network->Logits(features).to(torch::kCPU, torch::kFloat64);
      Copy(torch::softmax(logits, 1), result.m_Probabilities.middleCols(first, count));
      Copy(features.to(torch::kCPU, torch::kFloat64), result.m_Features.middleCols(first, count));
    }
    if (!result.m_Probabilities.allFinite() || !result.m_Features.allFinite())
    {
      throw InvalidData("a set of " + std::to_string(patches.cols()) + " pixels holds values from " +
                        Text(patches.minCoeff()) + " to " + Text(patches.maxCoeff()) +
                        ", which overflow in the classifier; expected values such as those it was trained on");
    }
    return result;
  }

  /// Copies a matrix whose rows are columns there.
  static void Copy(const torch::Tensor& rows, Eigen::Ref<Eigen::MatrixXd> columns)
  {
    const torch::Tensor values = rows.contiguous();
    columns = Eigen::Map<const Eigen::MatrixXd>(values.data_ptr<double>(), columns.rows(), columns.cols());
  }

  static std::string Text(float value)
  {
    std::ostringstream text;
    text << value;
    return text.str();
  }

  PatchClassifierOptions m_Options;
  int m_Classes;
  torch::Device m_Device;
  Whitening m_Whitening;
  ClassifierNetwork m_Network;
};

PatchClassifier::PatchClassifier(const Eigen::Ref<const Eigen::MatrixXf>& patches, const std::vector<int>& labels,
                                 int classes, const PatchClassifierOptions& options, const ExecutionOptions& execution,
                                 const std::function<bool(double)>& proceed)
{
  options.Check();
  CheckRange("number of classes", classes, 2, kLargestClasses);
  CheckPatches(patches, options.m_Patch);
  CheckLabels(labels, patches.cols() / (options.m_Patch * options.m_Patch), classes);
  static_cast<void>(ClassWeights(labels, classes));
  m_Implementation = std::make_unique<Implementation>(patches, classes, options, execution);
  m_Implementation->Train(patches, labels, proceed);
}

PatchClassifier::~PatchClassifier() = default;

PatchClassifier::PatchClassifier(PatchClassifier&&) noexcept = default;

PatchClassifier& PatchClassifier::operator=(PatchClassifier&&) noexcept = default;

PatchClassification PatchClassifier::Classify(const Eigen::Ref<const Eigen::MatrixXf>& patches) const
{
  CheckPatches(patches, m_Implementation->m_Options.m_Patch);
  const Eigen::Index bands = m_Implementation->m_Whitening.m_Mean.size();
  if (patches.rows() != bands)
  {
    throw InvalidData("the patches have " + std::to_string(patches.rows()) +
                      " bands, those that the classifier was trained on " + std::to_string(bands) +
                      ", expected the same number");
  }
  return m_Implementation->Classify(patches);
}

double PatchClassifier::Accuracy(const Eigen::Ref<const Eigen::MatrixXf>& patches, const std::vector<int>& labels) const
{
  const Eigen::MatrixXd probabilities = Classify(patches).m_Probabilities;
  CheckLabels(labels, probabilities.cols(), m_Implementation->m_Classes);
  Eigen::Index correct = 0;
  for (Eigen::Index i = 0; i < probabilities.cols(); ++i)
  {
    Eigen::Index mostProbable = 0;
    probabilities.col(i).maxCoeff(&mostProbable);
    correct += mostProbable == labels[static_cast<std::size_t>(i)] ? 1 : 0;
  }
  return static_cast<double>(correct) / static_cast<double>(probabilities.cols());
}

Eigen::Index PatchClassifier::Components() const
{
  return m_Implementation->m_Whitening.m_Rows.rows();
}

} // namespace hud
