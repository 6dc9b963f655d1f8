// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "hud/diffusion/SampleSession.h"

#include "CanvasSampler.h"
#include "Denoiser.h"
#include "Device.h"
#include "ModelFile.h"
#include "NetworkCoordinates.h"

#include "hud/core/Error.h"
#include "hud/core/NamedValue.h"

#include <array>
#include <utility>

namespace hud
{

namespace
{

constexpr std::array<NamedValue<SampleLayout>, 2> kLayouts = {
    {{"scene", SampleLayout::Scene}, {"patches", SampleLayout::Patches}}};

} // namespace

SampleLayout ParseSampleLayout(const std::string& name)
{
  return ParseNamedValue(kLayouts, name, "layout");
}

void SampleOptions::Check(const TrainingOptions& model) const
{
  for (const auto& [name, size] : {std::pair("width", m_Width), std::pair("height", m_Height)})
  {
    if (size < 1 || size > 1000000)
    {
      throw InvalidOption(std::string("the ") + name + " of the sample is " + std::to_string(size) +
                          " pixels, expected 1 to 1000000");
    }
  }
  if (!(m_Strength >= 0. && m_Strength <= 1.))
  {
    throw InvalidOption("the strength is " + std::to_string(m_Strength) + ", expected 0 to 1");
  }
  if (!(m_Guidance >= 0. && m_Guidance <= 100.))
  {
    throw InvalidOption("the guidance is " + std::to_string(m_Guidance) + ", expected 0 to 100");
  }
  if (!(m_CoarseNoise >= 0. && m_CoarseNoise < 1.))
  {
    throw InvalidOption("the noise on coarser levels is " + std::to_string(m_CoarseNoise) +
                        ", expected 0 to less than 1");
  }
  if (m_PlaceLevel < 0 || m_PlaceLevel >= model.m_Levels)
  {
    throw InvalidOption("the existing place is of level " + std::to_string(m_PlaceLevel) + ", expected 0 to " +
                        std::to_string(model.m_Levels - 1) + ", as the model has " + std::to_string(model.m_Levels) +
                        (model.m_Levels == 1 ? " level" : " levels"));
  }
  m_Sampler.Check(model.m_Timesteps);
}

int FindPlaceLevel(const TrainingOptions& model, Eigen::Index width, Eigen::Index height,
                   const std::optional<std::pair<Eigen::Index, Eigen::Index>>& size)
{
  if (model.m_Levels < 2)
  {
    throw InvalidOption("the model has one level, expected several: a coarse map is of one of the others");
  }
  std::string expected;
  for (int level = model.m_Levels - 1; level > 0; --level)
  {
    const std::pair scene(width << level, height << level);
    if (!size || *size == scene)
    {
      return level;
    }
    expected += (expected.empty() ? "" : ", ") + std::to_string(scene.first) + " x " + std::to_string(scene.second);
  }
  throw InvalidOption("the coarse map has " + std::to_string(width) + " x " + std::to_string(height) +
                      " pixels, and the scene is to have " + std::to_string(size->first) + " x " +
                      std::to_string(size->second) + ", expected " + expected);
}

struct SampledScene::Implementation
{
  Canvas m_Canvas;
  NetworkCoordinates m_Coordinates;
  Eigen::Index m_Width;
  Eigen::Index m_Height;
};

SampledScene::SampledScene(std::unique_ptr<Implementation> implementation) : m_Implementation(std::move(implementation))
{
}

SampledScene::SampledScene(SampledScene&&) noexcept = default;

SampledScene& SampledScene::operator=(SampledScene&&) noexcept = default;

SampledScene::~SampledScene() = default;

Eigen::Index SampledScene::Width() const
{
  return m_Implementation->m_Width;
}

Eigen::Index SampledScene::Height() const
{
  return m_Implementation->m_Height;
}

Eigen::Index SampledScene::Endmembers() const
{
  return m_Implementation->m_Coordinates.Endmembers();
}

void SampledScene::ReadRows(Eigen::Index first, Eigen::Index rows, Eigen::Ref<Eigen::MatrixXf> abundances) const
{
  ReadAbundances(m_Implementation->m_Canvas, m_Implementation->m_Coordinates, Width(), first, rows, abundances);
}

AbundanceMap SampledScene::ReadAll() const
{
  return ReadAbundances(m_Implementation->m_Canvas, m_Implementation->m_Coordinates, Width(), Height());
}

struct SampleSession::Implementation
{
  Implementation(const std::string& modelPath, const ExecutionOptions& execution)
    : Implementation(ModelFileReader(modelPath), execution)
  {
  }

  Implementation(ModelFileReader file, const ExecutionOptions& execution)
    : m_Info(file.Info()), m_Device(SelectDevice(execution)),
      m_Denoiser(m_Info, ReadNetwork(file), m_Device, execution.m_WindowsAtOnce)
  {
  }

  UNet ReadNetwork(ModelFileReader& file) const
  {
    file.CheckNetwork();
    UNet network(static_cast<int>(m_Info.m_ChannelMean.size()), m_Info.m_Options.m_Network, m_Info.m_Options.m_Seed,
                 m_Info.m_Scene.m_Labels.size(), m_Info.m_Options.m_Levels);
    file.ReadInto(kAveragePrefix, network->named_parameters());
    network->to(m_Device);
    network->eval();
    return network;
  }

  ModelInfo m_Info;
  torch::Device m_Device;
  Denoiser m_Denoiser;
};

SampleSession::SampleSession(const std::string& modelPath, const ExecutionOptions& execution)
  : m_Implementation(std::make_unique<Implementation>(modelPath, execution))
{
}

SampleSession::~SampleSession() = default;

SampleSession::SampleSession(SampleSession&&) noexcept = default;

SampleSession& SampleSession::operator=(SampleSession&&) noexcept = default;

SampledScene SampleSession::Sample(const SampleOptions& options, const std::function<bool(double)>& proceed) const
{
  return SamplePlace(options, {}, proceed);
}

SampledScene SampleSession::SamplePlace(const SampleOptions& options, const PlaceReader& place,
                                        const std::function<bool(double)>& proceed) const
{
  const ModelInfo& info = m_Implementation->m_Info;
  if (place && options.m_Layout != SampleLayout::Scene)
  {
    throw InvalidOption("the layout of an existing place is independent patches, expected one scene");
  }
  Canvas canvas = SampleCanvas(m_Implementation->m_Denoiser, info, options, place, proceed);
  return SampledScene(std::make_unique<SampledScene::Implementation>(
      SampledScene::Implementation{std::move(canvas), NetworkCoordinates(info), options.m_Width, options.m_Height}));
}

const ModelInfo& SampleSession::Info() const
{
  return m_Implementation->m_Info;
}

std::string SampleSession::DeviceDescription() const
{
  return DescribeDevice(m_Implementation->m_Device);
}

} // namespace hud
