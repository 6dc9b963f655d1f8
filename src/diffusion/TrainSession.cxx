// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/diffusion/TrainSession.h"

#include "CanvasSampler.h"
#include "CropSource.h"
#include "Denoiser.h"
#include "Device.h"
#include "GaussianDiffusion.h"
#include "ModelFile.h"
#include "NetworkCoordinates.h"
#include "UNet.h"

#include "hud/core/Error.h"
#include "hud/core/Random.h"
#include "hud/core/Version.h"
#include "hud/diffusion/Sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <type_traits>

namespace hud
{

namespace
{

/// Returns the key under which Adam keeps the state of a parameter: its address, as text up to LibTorch 2.0.
template <typename Key>
Key StateKey(const torch::Tensor& parameter)
{
  if constexpr (std::is_same_v<Key, std::string>)
  {
    std::ostringstream text;
    text << static_cast<const void*>(parameter.unsafeGetTensorImpl());
    return text.str();
  }
  else
  {
    return parameter.unsafeGetTensorImpl();
  }
}

/// Returns the number of each map's label, from 1 on, and adds to the scene the labels that it does not know.
std::vector<std::int64_t> AddLabels(SceneInfo& scene, const std::vector<LabelInfo>& labels, std::size_t maps)
{
  if (!labels.empty() && labels.size() != maps)
  {
    throw InvalidData("found " + std::to_string(labels.size()) + " labels, expected one for each of the " +
                      std::to_string(maps) + " maps");
  }
  std::vector<std::int64_t> numbers;
  for (const LabelInfo& label : labels)
  {
    if (label.m_Name.empty())
    {
      throw InvalidData("found a label without a name");
    }
    const auto known = std::find_if(scene.m_Labels.begin(), scene.m_Labels.end(),
                                    [&](const LabelInfo& other) { return other.m_Name == label.m_Name; });
    numbers.push_back(known - scene.m_Labels.begin() + 1);
    if (known == scene.m_Labels.end())
    {
      scene.m_Labels.push_back(label);
      continue;
    }
    const Eigen::MatrixXd& expected = known->m_Endmembers.size() > 0 ? known->m_Endmembers : scene.m_Endmembers;
    const Eigen::MatrixXd& found = label.m_Endmembers.size() > 0 ? label.m_Endmembers : scene.m_Endmembers;
    if (found.rows() != expected.rows() || found.cols() != expected.cols() || !found.isApprox(expected, 1e-6))
    {
      throw InvalidData("the label '" + label.m_Name + "' is given to maps of different endmembers");
    }
  }
  return numbers;
}

/// Returns what goes into the model file of a map.
MapInfo DescribeMap(const AbundanceMap& map, const std::string& label)
{
  MapInfo info;
  info.m_Label = label;
  info.m_Width = map.m_Width;
  info.m_Height = map.m_Height;
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(map.m_Abundances.rows());
  double pixels = 0.;
  for (Eigen::Index pixel = 0; pixel < map.m_Abundances.cols(); ++pixel)
  {
    if (map.m_Valid.empty() || map.m_Valid[static_cast<std::size_t>(pixel)] != 0)
    {
      sum += map.m_Abundances.col(pixel).cast<double>();
      pixels += 1.;
    }
  }
  sum /= pixels;
  info.m_MeanAbundances.assign(sum.begin(), sum.end());
  return info;
}

/// Returns whether two descriptions are of one map, which another machine may have unmixed.
bool AreSame(const MapInfo& first, const MapInfo& second)
{
  constexpr double kRounding = 1e-3;
  return first.m_Label == second.m_Label && first.m_Width == second.m_Width && first.m_Height == second.m_Height &&
         std::equal(first.m_MeanAbundances.begin(), first.m_MeanAbundances.end(), second.m_MeanAbundances.begin(),
                    second.m_MeanAbundances.end(),
                    [](double one, double other) { return std::abs(one - other) < kRounding; });
}

} // namespace

struct TrainSession::Implementation
{
  Implementation(const std::vector<AbundanceMap>& maps, ModelInfo info, const ExecutionOptions& execution,
                 const std::vector<LabelInfo>& labels)
    : m_Info(std::move(info)), m_Device(SelectDevice(execution)),
      m_Crops(maps, m_Info.m_Options, AddLabels(m_Info.m_Scene, labels, maps.size())),
      m_Diffusion(m_Info.m_Options, m_Device), m_Network(MakeNetwork()), m_Average(MakeNetwork()),
      m_Adam(m_Network->parameters(), torch::optim::AdamOptions(m_Info.m_Options.m_LearningRate))
  {
    const Eigen::Index d = maps.front().m_Abundances.rows();
    if (d != m_Info.m_Scene.m_Endmembers.cols())
    {
      throw InvalidData("the abundances have " + std::to_string(d) + " endmembers, the model " +
                        std::to_string(m_Info.m_Scene.m_Endmembers.cols()));
    }
    for (std::size_t map = 0; map < maps.size(); ++map)
    {
      m_Maps.push_back(DescribeMap(maps[map], labels.empty() ? std::string() : labels[map].m_Name));
    }
    m_SmallestLosses.assign(static_cast<std::size_t>(m_Info.m_Options.m_Levels),
                            std::numeric_limits<double>::infinity());
    m_Network->to(m_Device);
    m_Average->to(m_Device);
    m_Average->eval();
    for (torch::Tensor& parameter : m_Average->parameters())
    {
      parameter.set_requires_grad(false);
    }
  }

  /// Returns a network with its initial weights.
  UNet MakeNetwork() const
  {
    return UNet(static_cast<int>(m_Crops.ChannelMean().size()), m_Info.m_Options.m_Network, m_Info.m_Options.m_Seed,
                m_Info.m_Scene.m_Labels.size(), m_Info.m_Options.m_Levels);
  }

  /// Returns Adam's state of every parameter, made if it does not exist yet.
  torch::optim::AdamParamState& AdamState(const torch::Tensor& parameter)
  {
    auto& states = m_Adam.state();
    using Key = typename std::decay_t<decltype(states)>::key_type;
    auto& state = states[StateKey<Key>(parameter)];
    if (!state)
    {
      auto fresh = std::make_unique<torch::optim::AdamParamState>();
      fresh->step(0);
      fresh->exp_avg(torch::zeros_like(parameter));
      fresh->exp_avg_sq(torch::zeros_like(parameter));
      state = std::move(fresh);
    }
    return static_cast<torch::optim::AdamParamState&>(*state);
  }

  /// Returns views of Adam's first and second moments by the parameters' names.
  torch::OrderedDict<std::string, torch::Tensor> Moments(bool second)
  {
    torch::OrderedDict<std::string, torch::Tensor> moments;
    for (const auto& parameter : m_Network->named_parameters())
    {
      torch::optim::AdamParamState& state = AdamState(parameter.value());
      moments.insert(parameter.key(), second ? state.exp_avg_sq() : state.exp_avg());
    }
    return moments;
  }

  /// Reads weights and moments. Labels that the file does not know keep their initial weights and moments, which are zero.
  /// With the count of steps of the others, Adam moves them up to six times as fast in their first iterations.
  void Load(ModelFileReader& file)
  {
    const auto known = static_cast<std::int64_t>(file.Info().m_Scene.m_Labels.size());
    const auto read = [&](const char* prefix, torch::OrderedDict<std::string, torch::Tensor> named) {
      if (torch::Tensor* const labels = named.find(UNetImpl::kLabelWeights))
      {
        *labels = labels->detach().narrow(0, 0, known);
      }
      file.ReadInto(prefix, named);
    };
    read(kWeightsPrefix, m_Network->named_parameters());
    read(kAveragePrefix, m_Average->named_parameters());
    read(kFirstMomentPrefix, Moments(false));
    read(kSecondMomentPrefix, Moments(true));
    for (const torch::Tensor& parameter : m_Network->parameters())
    {
      AdamState(parameter).step(m_Info.m_Iteration);
    }
  }

  /// Takes note of the maps that are trained on from now on, and returns whether they are others than before.
  bool TakeMaps()
  {
    const bool areOthers = !m_Info.m_Maps.empty() && !std::equal(m_Info.m_Maps.begin(), m_Info.m_Maps.end(),
                                                                 m_Maps.begin(), m_Maps.end(), AreSame);
    if (areOthers)
    {
      m_Info.m_Options.m_FirstIteration = m_Info.m_Iteration;
    }
    if (areOthers || m_Info.m_Maps.empty())
    {
      m_Info.m_Maps = m_Maps;
    }
    return areOthers;
  }

  /// Returns the weighted error of a network's prediction for each sample, the mean over its valid pixels, [batch]. Of the
  /// others the network sees 0, clean and noise, as its first convolution does beyond the edge of a window.
  /// @param batch on the device
  torch::Tensor Losses(UNet& network, const TrainingBatch& batch) const
  {
    const torch::Tensor& timesteps = batch.m_Timesteps;
    const torch::Tensor noised = m_Diffusion.AddNoise(batch.m_Clean, batch.m_Noise, timesteps);
    const torch::Tensor predicted = m_Diffusion.Predict(
        noised, network(noised, m_Diffusion.RelativeTime(timesteps), batch.m_Conditions), timesteps);
    const torch::Tensor error = predicted - m_Diffusion.Target(batch.m_Clean, batch.m_Noise, timesteps);
    const torch::Tensor cost = m_Info.m_Options.m_Loss == Loss::Square ? error.square() : error.abs(); // eq. (15)
    // Among scattered no-data few pixels of a coarser level are valid, or none: these do not count for a whole crop.
    const torch::Tensor share = (batch.m_Valid.sum({1, 2, 3}) / static_cast<double>(batch.m_Valid[0].numel()))
                                    .clamp_min(m_Info.m_Options.m_ValidShare);
    return m_Diffusion.LossWeight(timesteps) * (cost * batch.m_Valid).mean({1, 2, 3}) / share;
  }

  /// Trains one iteration (Algorithm 1) and returns its loss.
  double Step()
  {
    if (m_Info.m_Options.m_Network.m_Dropout > 0.)
    {
      // What is dropped is a function of the seed and the iteration too, so that a resumed run is as one that was not interrupted.
      const auto words = Random(m_Info.m_Options.m_Seed, RandomStream::Dropout)
                             .Words(static_cast<std::uint32_t>(m_Info.m_Iteration), 0, 0);
      torch::manual_seed(static_cast<std::uint64_t>(words[0]) << 32 | words[1]);
    }
    const torch::Tensor loss =
        Losses(m_Network, m_Crops.Batch(m_Info.m_Iteration).Select(0, m_Info.m_Options.m_Batch, m_Device)).mean();
    m_Adam.zero_grad();
    loss.backward();
    if (m_Info.m_Options.m_GradientClip > 0.)
    {
      torch::nn::utils::clip_grad_norm_(m_Network->parameters(), m_Info.m_Options.m_GradientClip);
    }
    static_cast<torch::optim::AdamOptions&>(m_Adam.param_groups().front().options())
        .lr(m_Info.m_Options.LearningRateAt(m_Info.m_Iteration));
    m_Adam.step();
    ++m_Info.m_Iteration;
    UpdateAverage();
    return loss.item<double>();
  }

  void UpdateAverage()
  {
    const torch::NoGradGuard noGradient;
    // While there are few iterations the average follows faster, so that it forgets the initial weights.
    const auto done = static_cast<double>(m_Info.m_Iteration - m_Info.m_Options.m_FirstIteration);
    const double decay = std::min(m_Info.m_Options.m_EmaDecay, (1. + done) / (10. + done));
    const std::vector<torch::Tensor> weights = m_Network->parameters();
    const std::vector<torch::Tensor> averages = m_Average->parameters();
    for (std::size_t i = 0; i < weights.size(); ++i)
    {
      averages[i].lerp_(weights[i], 1. - decay);
    }
  }

  /// Returns the averaged weights' loss of each crop of a validation batch, on the CPU.
  torch::Tensor ValidationLosses(bool heldOut, int level)
  {
    const torch::NoGradGuard noGradient;
    const TrainingBatch batch = m_Crops.ValidationBatch(heldOut, level);
    const std::int64_t crops = batch.m_Timesteps.size(0);
    std::vector<torch::Tensor> losses;
    // No more at once than in training, for whose memory the user chose the batch.
    for (std::int64_t first = 0; first < crops; first += m_Info.m_Options.m_Batch)
    {
      const std::int64_t count = std::min<std::int64_t>(m_Info.m_Options.m_Batch, crops - first);
      losses.push_back(Losses(m_Average, batch.Select(first, count, m_Device)));
    }
    return torch::cat(losses).to(torch::kCPU, torch::kFloat64);
  }

  Validation Validate(int level)
  {
    const torch::Tensor heldOut = ValidationLosses(true, level);
    const torch::Tensor trained = ValidationLosses(false, level);
    Validation validation;
    validation.m_Level = level;
    validation.m_Loss = heldOut.mean().item<double>();
    validation.m_TrainingLoss = trained.mean().item<double>();
    // Where the model copies, the losses part, and soon the one on held-out lines rises: trained on 22 x 40 pixels of Jasper
    // Ridge their ratio went from 1.25 to 1.85 in 2000 iterations, and the loss rose from iteration 750 on; trained on most of
    // Jasper Ridge, Samson or MUUFL Gulfport the ratio stayed within 0.83 and 1.13. The lines may be harder in themselves, so
    // the factor alone does not do. The standard error is for the few crops; it is that of a difference, as both batches have
    // the same noise and timesteps.
    constexpr double kFactor = 1.3;
    constexpr double kStandardErrors = 3.;
    const torch::Tensor excess = heldOut - kFactor * trained;
    const double error = excess.std().item<double>() / std::sqrt(static_cast<double>(excess.numel()));
    double& smallestLoss = m_SmallestLosses[static_cast<std::size_t>(level)];
    smallestLoss = std::min(smallestLoss, validation.m_Loss);
    validation.m_Memorising =
        excess.mean().item<double>() > kStandardErrors * error && validation.m_Loss > smallestLoss;
    return validation;
  }

  ModelInfo m_Info;
  torch::Device m_Device;
  CropSource m_Crops;
  GaussianDiffusion m_Diffusion;
  UNet m_Network;
  UNet m_Average; ///< moving average of the weights
  torch::optim::Adam m_Adam;
  std::vector<MapInfo> m_Maps;          ///< that this session trains on
  std::vector<double> m_SmallestLosses; ///< of validation in this session, of each level
};

int CountLevels(const std::vector<AbundanceMap>& maps, const TrainingOptions& options)
{
  options.Check();
  return CropSource::CountLevels(maps, options);
}

TrainSession::TrainSession(const std::vector<AbundanceMap>& maps, SceneInfo scene, const TrainingOptions& options,
                           const ExecutionOptions& execution, const std::vector<LabelInfo>& labels)
{
  options.Check();
  ModelInfo info;
  info.m_Options = options;
  info.m_Scene = std::move(scene);
  info.m_ProgramVersion = Version();
  m_Implementation = std::make_unique<Implementation>(maps, std::move(info), execution, labels);
  for (int level = 1; level < options.m_Levels; ++level)
  {
    if (!m_Implementation->m_Crops.HasLevel(level))
    {
      const std::string edge = std::to_string(options.m_Patch << level);
      throw InvalidData(
          "a patch of level " + std::to_string(level) + " covers " + edge + " x " + edge +
          " pixels, which fit into none of the maps free of no-data and of lines that are held out: expected "
          "at most " +
          std::to_string(level) + (level == 1 ? " level" : " levels") + ", a smaller patch or a larger scene");
    }
  }
  m_Implementation->TakeMaps();
  ModelInfo& trained = m_Implementation->m_Info;
  trained.m_ChannelMean = m_Implementation->m_Crops.ChannelMean();
  trained.m_ChannelSd = m_Implementation->m_Crops.ChannelSd();
  m_Implementation->m_Crops.Standardise(trained.m_ChannelMean, trained.m_ChannelSd);
}

TrainSession::TrainSession(const std::string& modelPath, const std::vector<AbundanceMap>& maps,
                           const ExecutionOptions& execution, const std::vector<LabelInfo>& labels)
{
  ModelFileReader file(modelPath);
  file.CheckNetwork();
  const bool knowsLabels = !file.Info().m_Scene.m_Labels.empty();
  if (knowsLabels == labels.empty())
  {
    throw InvalidData(knowsLabels ? "the model was trained with labels: expected one for each map"
                                  : "the model was trained without labels: expected none");
  }
  m_Implementation = std::make_unique<Implementation>(maps, file.Info(), execution, labels);
  const ModelInfo& trained = m_Implementation->m_Info;
  m_Implementation->m_Crops.Standardise(trained.m_ChannelMean, trained.m_ChannelSd);
  m_Implementation->Load(file);
  m_Implementation->TakeMaps();
}

TrainSession::~TrainSession() = default;

TrainSession::TrainSession(TrainSession&&) noexcept = default;

TrainSession& TrainSession::operator=(TrainSession&&) noexcept = default;

void TrainSession::Run(std::int64_t iterations, const std::function<bool(const TrainProgress&)>& proceed)
{
  constexpr double kLossMemory = 50.;
  double loss = 0.;
  if (iterations > m_Implementation->m_Info.m_Iteration)
  {
    m_Implementation->m_Info.m_Options.m_Iterations = iterations;
  }
  for (std::int64_t done = 1; m_Implementation->m_Info.m_Iteration < iterations; ++done)
  {
    const double current = m_Implementation->Step();
    if (!std::isfinite(current))
    {
      throw InvalidData("training diverged: the loss of iteration " +
                        std::to_string(m_Implementation->m_Info.m_Iteration) +
                        " is not finite; expected a smaller learning rate");
    }
    loss += (current - loss) / std::min(static_cast<double>(done), kLossMemory);
    if (!proceed)
    {
      continue;
    }
    TrainProgress progress;
    progress.m_Iteration = m_Implementation->m_Info.m_Iteration;
    progress.m_Loss = loss;
    const bool isDue = progress.m_Iteration % kValidationInterval == 0 || progress.m_Iteration == iterations;
    for (int level = 0; isDue && level < m_Implementation->m_Info.m_Options.m_Levels; ++level)
    {
      if (m_Implementation->m_Crops.CanValidate(level))
      {
        progress.m_Validations.push_back(m_Implementation->Validate(level));
      }
    }
    if (!proceed(progress))
    {
      return;
    }
  }
}

void TrainSession::Save(const std::string& path) const
{
  for (const auto& parameter : m_Implementation->m_Network->named_parameters())
  {
    // The loss that Run looks at is that of the weights before their last update.
    if (!torch::isfinite(parameter.value()).all().item<bool>())
    {
      throw InvalidData("training diverged: the weights '" + parameter.key() +
                        "' are not finite; expected a smaller learning rate");
    }
  }
  TensorMap tensors;
  const auto add = [&](const std::string& prefix, const torch::OrderedDict<std::string, torch::Tensor>& named) {
    for (const auto& entry : named)
    {
      tensors[prefix + entry.key()] = entry.value();
    }
  };
  add(kWeightsPrefix, m_Implementation->m_Network->named_parameters());
  add(kAveragePrefix, m_Implementation->m_Average->named_parameters());
  add(kFirstMomentPrefix, m_Implementation->Moments(false));
  add(kSecondMomentPrefix, m_Implementation->Moments(true));
  WriteModelFile(path, m_Implementation->m_Info, std::move(tensors));
}

AbundanceMap TrainSession::DrawPatches(Eigen::Index columns, Eigen::Index rows) const
{
  const ModelInfo& info = m_Implementation->m_Info;
  SampleOptions options;
  options.m_Layout = SampleLayout::Patches;
  options.m_Width = columns * info.m_Options.m_Patch;
  options.m_Height = rows * info.m_Options.m_Patch;
  options.m_Sampler.m_Steps = std::min(options.m_Sampler.m_Steps, info.m_Options.m_Timesteps);
  options.m_Seed = info.m_Options.m_Seed;
  Denoiser denoiser(info, m_Implementation->m_Average, m_Implementation->m_Device);
  const Canvas canvas = SampleCanvas(denoiser, info, options, {}, {});
  return ReadAbundances(canvas, NetworkCoordinates(info), options.m_Width, options.m_Height);
}

Eigen::Index TrainSession::HeldOutLines() const
{
  return m_Implementation->m_Crops.HeldOutLines();
}

double TrainSession::IndependentPatches(int level) const
{
  return m_Implementation->m_Crops.IndependentPatches(level);
}

const ModelInfo& TrainSession::Info() const
{
  return m_Implementation->m_Info;
}

std::string TrainSession::DeviceDescription() const
{
  return DescribeDevice(m_Implementation->m_Device);
}

} // namespace hud
