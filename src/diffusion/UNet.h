// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#pragma once

#include "hud/diffusion/DiffusionOptions.h"

#include <torch/torch.h>

#include <cstdint>

namespace hud
{

/// Two convolutions with group norm, the timestep's embedding added between them, and a skip connection.
class ResidualBlockImpl : public torch::nn::Module
{
public:
  /// @param dropout share of the features that are forgotten in training
  ResidualBlockImpl(int inputChannels, int outputChannels, int embeddingChannels, double dropout);

  /// @param x [batch, inputChannels, height, width]
  /// @param embedding [batch, embeddingChannels]
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& embedding);

private:
  torch::nn::GroupNorm m_Norm1{nullptr}, m_Norm2{nullptr};
  torch::nn::Conv2d m_Convolution1{nullptr}, m_Convolution2{nullptr}, m_Skip{nullptr};
  torch::nn::Linear m_Embedding{nullptr};
  double m_Dropout;
};
TORCH_MODULE(ResidualBlock);

/// Self-attention over all positions, with a skip connection.
class AttentionBlockImpl : public torch::nn::Module
{
public:
  explicit AttentionBlockImpl(int channels);

  /// @param x [batch, channels, height, width]
  torch::Tensor forward(const torch::Tensor& x);

private:
  torch::nn::GroupNorm m_Norm{nullptr};
  torch::nn::Conv2d m_QueryKeyValue{nullptr}, m_Output{nullptr};
};
TORCH_MODULE(AttentionBlock);

/// What a network is told of the samples of a batch besides their noised values.
struct Conditions
{
  torch::Tensor m_Labels; ///< [batch], int64: 0 is none, 1 the first label; undefined: none
  torch::Tensor m_Levels; ///< of the cascade, [batch], int64: 0 is full resolution; undefined: 0
  torch::Tensor
      m_Coarse; ///< the coarser level of the same place, [batch, d, height / 2, width / 2]; undefined: not known
  torch::Tensor m_CoarseNoise; ///< deviation of the noise on it, [batch], 0..1; kNoCoarse: it is not known, but 0

  /// Stands for a coarser level that is not known.
  static constexpr double kNoCoarse = 1.;

  /// Returns some of the samples, on a device.
  Conditions Select(std::int64_t first, std::int64_t count, const torch::Device& device) const;
};

/// The denoising network: a U-Net (Ho et al. 2020) of residual blocks, with attention at the lowest resolution.
class UNetImpl : public torch::nn::Module
{
public:
  /// @param channels d, of input and output alike
  /// @param seed of the initial weights, which depend on nothing else
  /// @param labels how many there are; at first they are without effect
  /// @param levels of the cascade; with more than one the network sees the coarser level
  UNetImpl(int channels, const NetworkOptions& options, std::uint64_t seed, std::size_t labels = 0, int levels = 1);

  /// Returns the prediction, of x's shape.
  /// @param x [batch, d, height, width], height and width multiples of NetworkOptions::Reduction()
  /// @param time [batch], t / T in 0..1
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& time, const Conditions& conditions = {});

  /// The name of the labels' weights, [labels, 4 width], which a network without labels has not.
  static constexpr const char* kLabelWeights = "label";

  /// The name of the levels' weights, [levels, 4 width], which a network of one level has not.
  static constexpr const char* kLevelWeights = "level";

private:
  void InitialiseWeights(std::uint64_t seed);

  /// Returns the noised samples with what is known of their coarser level beside them, [batch, 2 d + 1, height, width].
  static torch::Tensor JoinCoarse(const torch::Tensor& x, const Conditions& conditions);

  int m_Width;
  std::size_t m_Resolutions;
  int m_Blocks;
  torch::nn::Linear m_Time1{nullptr}, m_Time2{nullptr};
  torch::Tensor m_Label; ///< added to the timestep's embedding
  torch::Tensor m_Level; ///< likewise
  torch::nn::Conv2d m_Input{nullptr}, m_Output{nullptr};
  torch::nn::ModuleList m_Down, m_DownSampling, m_Up;
  ResidualBlock m_Middle1{nullptr}, m_Middle2{nullptr};
  AttentionBlock m_Attention{nullptr};
  torch::nn::GroupNorm m_OutputNorm{nullptr};
};
TORCH_MODULE(UNet);

} // namespace hud
