// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "UNet.h"

#include "hud/core/Random.h"

#include <cmath>

namespace hud
{

namespace
{

constexpr int kNormGroups = 8;

torch::nn::Conv2d Convolution(int inputChannels, int outputChannels, int kernel, int stride = 1)
{
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(inputChannels, outputChannels, kernel).stride(stride).padding(kernel / 2));
}

torch::nn::GroupNorm Norm(int channels)
{
  return torch::nn::GroupNorm(torch::nn::GroupNormOptions(kNormGroups, channels));
}

/// Returns sines and cosines of the time at geometrically spaced frequencies, [batch, channels].
torch::Tensor TimeFeatures(const torch::Tensor& time, int channels)
{
  const int half = channels / 2;
  const torch::Tensor frequencies = torch::exp(torch::arange(half, time.options()) * (-std::log(1e4) / half));
  // As if there were 1000 timesteps, whatever T is.
  const torch::Tensor angles = time.unsqueeze(1) * 1000. * frequencies.unsqueeze(0);
  return torch::cat({torch::cos(angles), torch::sin(angles)}, 1);
}

/// Returns the weights of some numbers, [batch, weights], from those of all, [count, weights]; 0 for the number `count`.
/// A product, because the gradient of a selection of rows differs from run to run on a GPU.
torch::Tensor SelectWeights(const torch::Tensor& weights, const torch::Tensor& numbers)
{
  const std::int64_t count = weights.size(0);
  return torch::one_hot(numbers, count + 1).narrow(1, 0, count).to(weights.options()).matmul(weights);
}

} // namespace

Conditions Conditions::Select(std::int64_t first, std::int64_t count, const torch::Device& device) const
{
  const auto select = [&](const torch::Tensor& values) {
    return values.defined() ? values.narrow(0, first, count).to(device) : values;
  };
  return {select(m_Labels), select(m_Levels), select(m_Coarse), select(m_CoarseNoise)};
}

ResidualBlockImpl::ResidualBlockImpl(int inputChannels, int outputChannels, int embeddingChannels, double dropout)
  : m_Dropout(dropout)
{
  m_Norm1 = register_module("norm1", Norm(inputChannels));
  m_Convolution1 = register_module("convolution1", Convolution(inputChannels, outputChannels, 3));
  m_Embedding = register_module("embedding", torch::nn::Linear(embeddingChannels, outputChannels));
  m_Norm2 = register_module("norm2", Norm(outputChannels));
  m_Convolution2 = register_module("convolution2", Convolution(outputChannels, outputChannels, 3));
  if (inputChannels != outputChannels)
  {
    m_Skip = register_module("skip", Convolution(inputChannels, outputChannels, 1));
  }
}

torch::Tensor ResidualBlockImpl::forward(const torch::Tensor& x, const torch::Tensor& embedding)
{
  torch::Tensor hidden = m_Convolution1(torch::silu(m_Norm1(x)));
  hidden = hidden + m_Embedding(torch::silu(embedding)).unsqueeze(2).unsqueeze(3);
  hidden = torch::silu(m_Norm2(hidden));
  if (m_Dropout > 0.)
  {
    hidden = torch::dropout(hidden, m_Dropout, is_training());
  }
  hidden = m_Convolution2(hidden);
  return hidden + (m_Skip.is_empty() ? x : m_Skip(x));
}

AttentionBlockImpl::AttentionBlockImpl(int channels)
{
  m_Norm = register_module("norm", Norm(channels));
  m_QueryKeyValue = register_module("query_key_value", Convolution(channels, 3 * channels, 1));
  m_Output = register_module("output", Convolution(channels, channels, 1));
}

torch::Tensor AttentionBlockImpl::forward(const torch::Tensor& x)
{
  const auto channels = x.size(1);
  const torch::Tensor flat = m_QueryKeyValue(m_Norm(x)).flatten(2); // [batch, 3 channels, positions]
  const torch::Tensor query = flat.narrow(1, 0, channels);
  const torch::Tensor key = flat.narrow(1, channels, channels);
  const torch::Tensor value = flat.narrow(1, 2 * channels, channels);
  const torch::Tensor weights =
      torch::softmax(torch::bmm(query.transpose(1, 2), key) / std::sqrt(static_cast<double>(channels)), 2);
  return x + m_Output(torch::bmm(value, weights.transpose(1, 2)).view_as(x));
}

UNetImpl::UNetImpl(int channels, const NetworkOptions& options, std::uint64_t seed, std::size_t labels, int levels)
  : m_Width(options.m_Width), m_Resolutions(options.m_Multipliers.size()), m_Blocks(options.m_Blocks)
{
  const int embedding = 4 * m_Width;
  const auto makeBlock = [&](int inputChannels, int outputChannels) {
    return ResidualBlock(inputChannels, outputChannels, embedding, options.m_Dropout);
  };
  m_Time1 = register_module("time1", torch::nn::Linear(m_Width, embedding));
  m_Time2 = register_module("time2", torch::nn::Linear(embedding, embedding));
  m_Input = register_module("input", Convolution(levels > 1 ? 2 * channels + 1 : channels, m_Width, 3));

  std::vector<int> skips = {m_Width};
  int current = m_Width;
  for (std::size_t resolution = 0; resolution < m_Resolutions; ++resolution)
  {
    for (int block = 0; block < m_Blocks; ++block)
    {
      const int next = m_Width * options.m_Multipliers[resolution];
      m_Down->push_back(makeBlock(current, next));
      current = next;
      skips.push_back(current);
    }
    if (resolution + 1 < m_Resolutions)
    {
      m_DownSampling->push_back(Convolution(current, current, 3, 2));
      skips.push_back(current);
    }
  }
  m_Middle1 = register_module("middle1", makeBlock(current, current));
  if (options.m_Attention)
  {
    m_Attention = register_module("attention", AttentionBlock(current));
  }
  m_Middle2 = register_module("middle2", makeBlock(current, current));
  for (std::size_t resolution = m_Resolutions; resolution-- > 0;)
  {
    for (int block = 0; block <= m_Blocks; ++block)
    {
      const int next = m_Width * options.m_Multipliers[resolution];
      m_Up->push_back(makeBlock(current + skips.back(), next));
      skips.pop_back();
      current = next;
    }
  }
  register_module("down", m_Down);
  register_module("down_sampling", m_DownSampling);
  register_module("up", m_Up);
  m_OutputNorm = register_module("output_norm", Norm(current));
  m_Output = register_module("output", Convolution(current, channels, 3));
  if (labels > 0)
  {
    m_Label = register_parameter(kLabelWeights, torch::zeros({static_cast<std::int64_t>(labels), embedding}));
  }
  if (levels > 1)
  {
    m_Level = register_parameter(kLevelWeights, torch::zeros({levels, embedding}));
  }
  InitialiseWeights(seed);
}

torch::Tensor UNetImpl::JoinCoarse(const torch::Tensor& x, const Conditions& conditions)
{
  torch::Tensor noise = torch::full({x.size(0)}, Conditions::kNoCoarse, x.options());
  torch::Tensor coarse = torch::zeros_like(x);
  if (conditions.m_Coarse.defined())
  {
    noise = conditions.m_CoarseNoise;
    coarse = torch::upsample_nearest2d(conditions.m_Coarse, {x.size(2), x.size(3)});
  }
  return torch::cat({x, coarse, noise.view({-1, 1, 1, 1}).expand({-1, 1, x.size(2), x.size(3)})}, 1);
}

torch::Tensor UNetImpl::forward(const torch::Tensor& x, const torch::Tensor& time, const Conditions& conditions)
{
  torch::Tensor embedding = m_Time2(torch::silu(m_Time1(TimeFeatures(time, m_Width))));
  if (m_Label.defined() && conditions.m_Labels.defined())
  {
    const std::int64_t count = m_Label.size(0);
    embedding =
        embedding + SelectWeights(m_Label, (conditions.m_Labels + count) % (count + 1)); // none becomes the last
  }
  if (m_Level.defined())
  {
    const torch::Tensor levels = conditions.m_Levels.defined()
                                     ? conditions.m_Levels
                                     : torch::zeros({x.size(0)}, x.options().dtype(torch::kInt64));
    embedding = embedding + SelectWeights(m_Level, levels);
  }
  torch::Tensor hidden = m_Input(m_Level.defined() ? JoinCoarse(x, conditions) : x);
  std::vector<torch::Tensor> skips = {hidden};
  std::size_t down = 0;
  for (std::size_t resolution = 0; resolution < m_Resolutions; ++resolution)
  {
    for (int block = 0; block < m_Blocks; ++block)
    {
      hidden = m_Down[down++]->as<ResidualBlock>()->forward(hidden, embedding);
      skips.push_back(hidden);
    }
    if (resolution + 1 < m_Resolutions)
    {
      hidden = m_DownSampling[resolution]->as<torch::nn::Conv2d>()->forward(hidden);
      skips.push_back(hidden);
    }
  }
  hidden = m_Middle1(hidden, embedding);
  if (!m_Attention.is_empty())
  {
    hidden = m_Attention(hidden);
  }
  hidden = m_Middle2(hidden, embedding);
  std::size_t up = 0;
  for (std::size_t resolution = m_Resolutions; resolution-- > 0;)
  {
    for (int block = 0; block <= m_Blocks; ++block)
    {
      hidden = m_Up[up++]->as<ResidualBlock>()->forward(torch::cat({hidden, skips.back()}, 1), embedding);
      skips.pop_back();
    }
    if (resolution > 0)
    {
      hidden = torch::upsample_nearest2d(hidden, {2 * hidden.size(2), 2 * hidden.size(3)});
    }
  }
  return m_Output(torch::silu(m_OutputNorm(hidden)));
}

void UNetImpl::InitialiseWeights(std::uint64_t seed)
{
  const torch::NoGradGuard noGradient;
  const Random random(seed, RandomStream::NetworkWeights);
  std::uint32_t layer = 0;
  const auto uniform = [&](const torch::Tensor& parameter, std::uint32_t which, double bound) {
    torch::Tensor values = torch::empty(parameter.sizes(), torch::kFloat32);
    random.FillUniform(layer, which, values.data_ptr<float>(), static_cast<std::size_t>(values.numel()));
    parameter.copy_((2. * values - 1.) * bound);
  };
  for (const auto& module : modules(false))
  {
    // Torch's own rule for both kinds of layer: uniform within 1 / sqrt(inputs of a unit). Norms start as identities.
    const auto initialise = [&](const torch::Tensor& weight, const torch::Tensor& bias) {
      const double bound = 1. / std::sqrt(static_cast<double>(weight[0].numel()));
      uniform(weight, 0, bound);
      uniform(bias, 1, bound);
      ++layer;
    };
    if (const auto* convolution = module->as<torch::nn::Conv2d>())
    {
      initialise(convolution->weight, convolution->bias);
    }
    else if (const auto* linear = module->as<torch::nn::Linear>())
    {
      initialise(linear->weight, linear->bias);
    }
  }
  // Every residual branch starts at zero, and so does the prediction: the network begins as simple as it can be.
  for (const auto& parameter : named_parameters())
  {
    const std::string& name = parameter.key();
    if (name.rfind("output.", 0) == 0 || name.find(".output.") != std::string::npos ||
        name.find(".convolution2.") != std::string::npos)
    {
      parameter.value().zero_();
    }
  }
}

} // namespace hud
