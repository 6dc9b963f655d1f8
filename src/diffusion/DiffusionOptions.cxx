// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/diffusion/DiffusionOptions.h"

#include "hud/core/NamedValue.h"
#include "hud/core/SimplexProjection.h"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace hud
{

namespace
{

constexpr std::array<NamedValue<Prediction>, 2> kPredictions = {
    {{"v", Prediction::Velocity}, {"eps", Prediction::Epsilon}}};

constexpr std::array<NamedValue<Loss>, 2> kLosses = {{{"l2", Loss::Square}, {"l1", Loss::Absolute}}};

constexpr std::array<NamedValue<LossWeighting>, 2> kWeightings = {
    {{"none", LossWeighting::None}, {"minsnr", LossWeighting::MinSnr}}};

constexpr std::array<NamedValue<LearningRateDecay>, 3> kDecays = {{{"constant", LearningRateDecay::Constant},
                                                                   {"root", LearningRateDecay::Root},
                                                                   {"linear", LearningRateDecay::Linear}}};

/// @throws InvalidOption unless minimum <= value <= maximum
template <typename Number>
void CheckRange(const char* what, Number value, Number minimum, Number maximum)
{
  if (!(value >= minimum && value <= maximum))
  {
    std::ostringstream message;
    message << "the " << what << " is " << value << ", expected " << minimum << " to " << maximum;
    throw InvalidOption(message.str());
  }
}

} // namespace

Prediction ParsePrediction(const std::string& name)
{
  return ParseNamedValue(kPredictions, name, "prediction");
}

std::string ToString(Prediction prediction)
{
  return NameOf(kPredictions, prediction);
}

Loss ParseLoss(const std::string& name)
{
  return ParseNamedValue(kLosses, name, "loss");
}

std::string ToString(Loss loss)
{
  return NameOf(kLosses, loss);
}

LossWeighting ParseLossWeighting(const std::string& name)
{
  return ParseNamedValue(kWeightings, name, "weighting of the loss");
}

std::string ToString(LossWeighting weighting)
{
  return NameOf(kWeightings, weighting);
}

LearningRateDecay ParseLearningRateDecay(const std::string& name)
{
  return ParseNamedValue(kDecays, name, "decay of the learning rate");
}

std::string ToString(LearningRateDecay decay)
{
  return NameOf(kDecays, decay);
}

int NetworkOptions::Reduction() const
{
  return 1 << (m_Multipliers.size() - 1);
}

void NetworkOptions::Check() const
{
  CheckRange("network's width", m_Width, 8, 1024);
  if (m_Width % 8 != 0)
  {
    throw InvalidOption("the network's width is " + std::to_string(m_Width) + ", expected a multiple of 8");
  }
  CheckRange("number of resolution levels", static_cast<int>(m_Multipliers.size()), 1, 8);
  for (const int multiplier : m_Multipliers)
  {
    CheckRange("multiplier of a resolution level", multiplier, 1, 64);
    CheckRange("number of channels of a resolution level", m_Width * multiplier, 8, 4096);
  }
  CheckRange("number of residual blocks", m_Blocks, 1, 16);
  CheckRange("dropout", m_Dropout, 0., 0.9);
}

std::vector<int> ParseMultipliers(const std::string& text)
{
  std::vector<int> multipliers;
  std::istringstream stream(text);
  for (std::string item; std::getline(stream, item, ',');)
  {
    const bool isNumber = !item.empty() && item.size() < 4 && item.find_first_not_of("0123456789") == std::string::npos;
    if (!isNumber)
    {
      multipliers.clear();
      break;
    }
    multipliers.push_back(std::stoi(item));
  }
  if (multipliers.empty())
  {
    throw InvalidOption("the multipliers are '" + text + "', expected whole numbers and commas, such as 1,2,2");
  }
  return multipliers;
}

std::string FormatMultipliers(const std::vector<int>& multipliers)
{
  std::string text;
  for (const int multiplier : multipliers)
  {
    text += (text.empty() ? "" : ",") + std::to_string(multiplier);
  }
  return text;
}

double TrainingOptions::LearningRateAt(std::int64_t iteration) const
{
  constexpr double kRootStart = 500.;
  constexpr double kLinearShare = 0.4;
  const auto i = static_cast<double>(iteration - m_FirstIteration);
  double rate = m_WarmUp > 0 ? m_LearningRate * std::min(1., (i + 1.) / m_WarmUp) : m_LearningRate;
  switch (m_Decay)
  {
  case LearningRateDecay::Constant:
    break;
  case LearningRateDecay::Root:
    rate /= std::sqrt(std::max(1., i / kRootStart));
    break;
  case LearningRateDecay::Linear:
  {
    const auto planned = static_cast<double>(m_Iterations - m_FirstIteration);
    rate *= std::clamp((planned - i) / (kLinearShare * planned), 0., 1.);
    break;
  }
  }
  return rate;
}

void TrainingOptions::Check() const
{
  m_Network.Check();
  CheckRange("patch size", m_Patch, 4, 4096);
  if (m_Patch % 2 != 0)
  {
    throw InvalidOption("the patch size is " + std::to_string(m_Patch) + ", expected an even number");
  }
  if (m_Patch % m_Network.Reduction() != 0)
  {
    throw InvalidOption("the patch size is " + std::to_string(m_Patch) + ", expected a multiple of " +
                        std::to_string(m_Network.Reduction()) + ", which the network's levels ask for");
  }
  CheckRange("batch size", m_Batch, 1, 4096);
  CheckRange("learning rate", m_LearningRate, 1e-8, 1.);
  CheckRange("number of iterations of warm-up", m_WarmUp, 0, 1000000);
  CheckRange("number of iterations", m_Iterations, std::int64_t(1), std::int64_t(1) << 31);
  CheckRange("first iteration", m_FirstIteration, std::int64_t(0), m_Iterations);
  CheckRange("largest norm of the gradient", m_GradientClip, 0., 1e6);
  CheckRange("decay of the moving average", m_EmaDecay, 0., 0.99999);
  CheckRange("share of held-out lines", m_HoldOut, 0., 0.5);
  CheckRange("smallest valid share of a crop", m_ValidShare, 0.01, 1.);
  CheckRange("standard deviation of the preconditioning", m_PreconditioningSd, 1e-3, 1.);
  CheckRange("share of crops without a label", m_LabelDropout, 0., 1.);
  CheckRange("number of levels", m_Levels, 1, 8);
  CheckRange("largest noise on the coarser level", m_CoarseNoise, 0., 0.99);
  CheckRange("share of crops without the coarser level", m_CoarseDropout, 0., 1.);
  if (m_Levels > 1 && m_Patch % 4 != 0)
  {
    throw InvalidOption("the patch size is " + std::to_string(m_Patch) +
                        ", expected a multiple of 4 with several levels");
  }
  // Their constructors check their arguments.
  static_cast<void>(NoiseSchedule(m_Schedule, m_Timesteps));
  static_cast<void>(SimplexProjection(m_Projection, 2, m_Floor));
}

TrainingOptions PresetOptions(const std::string& name)
{
  enum class Preset
  {
    Hud,
    Pastorino
  };
  constexpr std::array<NamedValue<Preset>, 2> kPresets = {{{"hud", Preset::Hud}, {"pastorino", Preset::Pastorino}}};
  TrainingOptions options;
  if (ParseNamedValue(kPresets, name, "preset") == Preset::Pastorino)
  {
    options.m_Network.m_Width = 64;
    options.m_Network.m_Multipliers = {1, 2, 4, 8, 8};
    options.m_Network.m_Blocks = 2;
    options.m_Network.m_Dropout = 0.2;
    options.m_Patch = 256;
    options.m_LearningRate = 1e-4;
    options.m_Decay = LearningRateDecay::Constant;
    options.m_Loss = Loss::Absolute;
    options.m_EmaDecay = 0.9999;
    options.m_Timesteps = 2000;
    options.m_Schedule = ScheduleKind::Pastorino;
    options.m_Prediction = Prediction::Epsilon;
  }
  return options;
}

} // namespace hud
