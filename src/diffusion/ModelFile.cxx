// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "ModelFile.h"

#include "UNet.h"

#include "hud/core/Error.h"
#include "hud/core/SimplexProjection.h"
#include "hud/core/Version.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace hud
{

namespace
{

/// Raised whenever an older program could misread a file.
constexpr int kFormatVersion = 5;

constexpr const char* kFormat = "hud-model";
constexpr const char* kEndmembers = "endmembers";
constexpr const char* kResidualMean = "residual_mean";
constexpr const char* kResidualCovariance = "residual_covariance";

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

nlohmann::json ToJson(const ModelInfo& info)
{
  const TrainingOptions& options = info.m_Options;
  nlohmann::json json;
  json["iteration"] = info.m_Iteration;
  json["options"] = {{"patch", options.m_Patch},
                     {"batch", options.m_Batch},
                     {"learning_rate", options.m_LearningRate},
                     {"warm_up", options.m_WarmUp},
                     {"decay", ToString(options.m_Decay)},
                     {"iterations", options.m_Iterations},
                     {"first_iteration", options.m_FirstIteration},
                     {"gradient_clip", options.m_GradientClip},
                     {"loss", ToString(options.m_Loss)},
                     {"weighting", ToString(options.m_Weighting)},
                     {"ema_decay", options.m_EmaDecay},
                     {"timesteps", options.m_Timesteps},
                     {"schedule", ToString(options.m_Schedule)},
                     {"prediction", ToString(options.m_Prediction)},
                     {"preconditioning_sd", options.m_PreconditioningSd},
                     {"projection", ToString(options.m_Projection)},
                     {"floor", options.m_Floor},
                     {"augment", options.m_Augment},
                     {"hold_out", options.m_HoldOut},
                     {"valid_share", options.m_ValidShare},
                     {"label_dropout", options.m_LabelDropout},
                     {"levels", options.m_Levels},
                     {"coarse_noise", options.m_CoarseNoise},
                     {"coarse_dropout", options.m_CoarseDropout},
                     {"seed", options.m_Seed}};
  json["network"] = {{"width", options.m_Network.m_Width},
                     {"multipliers", options.m_Network.m_Multipliers},
                     {"blocks", options.m_Network.m_Blocks},
                     {"attention", options.m_Network.m_Attention},
                     {"dropout", options.m_Network.m_Dropout}};
  json["scene"] = {{"wavelengths_nm", info.m_Scene.m_Wavelengths}, {"units", info.m_Scene.m_Units}};
  const auto addList = [&json](const char* name, const auto& list) {
    if (!list.empty())
    {
      json["scene"][name] = list;
    }
  };
  addList("fwhm_nm", info.m_Scene.m_Widths);
  addList("band_names", info.m_Scene.m_BandNames);
  addList("scales", info.m_Scene.m_Scales);
  addList("offsets", info.m_Scene.m_Offsets);
  if (info.m_Scene.m_NoData)
  {
    json["scene"]["no_data"] = *info.m_Scene.m_NoData;
  }
  json["labels"] = nlohmann::json::array();
  for (const LabelInfo& label : info.m_Scene.m_Labels)
  {
    json["labels"].push_back(label.m_Name);
  }
  json["maps"] = nlohmann::json::array();
  for (const MapInfo& map : info.m_Maps)
  {
    json["maps"].push_back({{"label", map.m_Label},
                            {"width", map.m_Width},
                            {"height", map.m_Height},
                            {"mean_abundances", map.m_MeanAbundances}});
  }
  return json;
}

/// Gives a description of an older version what it lacks, with the meaning that it had.
void Complete(nlohmann::json& json, int version)
{
  if (version < 2)
  {
    json.at("options").update({{"warm_up", 0},
                               {"decay", "root"},
                               {"iterations", std::max(json.at("iteration").get<std::int64_t>(), std::int64_t(1))},
                               {"gradient_clip", 0.},
                               {"weighting", "none"},
                               {"hold_out", 0.}});
  }
  if (version < 3)
  {
    json.at("options").update({{"first_iteration", 0}, {"loss", "l2"}, {"label_dropout", 0.1}});
    json.at("network").update({{"dropout", 0.}});
    json.update({{"labels", nlohmann::json::array()}, {"maps", nlohmann::json::array()}});
  }
  if (version < 4)
  {
    json.at("options").update({{"levels", 1}, {"coarse_noise", 0.5}, {"coarse_dropout", 0.2}});
  }
  if (version < 5)
  {
    json.at("options").update({{"valid_share", 1.}});
  }
}

ModelInfo FromJson(const nlohmann::json& json)
{
  ModelInfo info;
  const nlohmann::json& options = json.at("options");
  const nlohmann::json& network = json.at("network");
  const nlohmann::json& scene = json.at("scene");
  info.m_Iteration = json.at("iteration").get<std::int64_t>();
  info.m_Options.m_Patch = options.at("patch").get<int>();
  info.m_Options.m_Batch = options.at("batch").get<int>();
  info.m_Options.m_LearningRate = options.at("learning_rate").get<double>();
  info.m_Options.m_WarmUp = options.at("warm_up").get<int>();
  info.m_Options.m_Decay = ParseLearningRateDecay(options.at("decay").get<std::string>());
  info.m_Options.m_Iterations = options.at("iterations").get<std::int64_t>();
  info.m_Options.m_FirstIteration = options.at("first_iteration").get<std::int64_t>();
  info.m_Options.m_GradientClip = options.at("gradient_clip").get<double>();
  info.m_Options.m_Loss = ParseLoss(options.at("loss").get<std::string>());
  info.m_Options.m_Weighting = ParseLossWeighting(options.at("weighting").get<std::string>());
  info.m_Options.m_EmaDecay = options.at("ema_decay").get<double>();
  info.m_Options.m_Timesteps = options.at("timesteps").get<int>();
  info.m_Options.m_Schedule = ParseScheduleKind(options.at("schedule").get<std::string>());
  info.m_Options.m_Prediction = ParsePrediction(options.at("prediction").get<std::string>());
  info.m_Options.m_PreconditioningSd = options.at("preconditioning_sd").get<double>();
  info.m_Options.m_Projection = ParseProjectionKind(options.at("projection").get<std::string>());
  info.m_Options.m_Floor = options.at("floor").get<double>();
  info.m_Options.m_Augment = options.at("augment").get<bool>();
  info.m_Options.m_HoldOut = options.at("hold_out").get<double>();
  info.m_Options.m_ValidShare = options.at("valid_share").get<double>();
  info.m_Options.m_LabelDropout = options.at("label_dropout").get<double>();
  info.m_Options.m_Levels = options.at("levels").get<int>();
  info.m_Options.m_CoarseNoise = options.at("coarse_noise").get<double>();
  info.m_Options.m_CoarseDropout = options.at("coarse_dropout").get<double>();
  info.m_Options.m_Seed = options.at("seed").get<std::uint64_t>();
  info.m_Options.m_Network.m_Width = network.at("width").get<int>();
  info.m_Options.m_Network.m_Multipliers = network.at("multipliers").get<std::vector<int>>();
  info.m_Options.m_Network.m_Blocks = network.at("blocks").get<int>();
  info.m_Options.m_Network.m_Attention = network.at("attention").get<bool>();
  info.m_Options.m_Network.m_Dropout = network.at("dropout").get<double>();
  info.m_Scene.m_Wavelengths = scene.at("wavelengths_nm").get<std::vector<double>>();
  info.m_Scene.m_Widths = scene.value("fwhm_nm", std::vector<double>());
  info.m_Scene.m_BandNames = scene.value("band_names", std::vector<std::string>());
  info.m_Scene.m_Units = scene.at("units").get<std::string>();
  info.m_Scene.m_Scales = scene.value("scales", std::vector<double>());
  info.m_Scene.m_Offsets = scene.value("offsets", std::vector<double>());
  if (scene.contains("no_data"))
  {
    info.m_Scene.m_NoData = scene.at("no_data").get<double>();
  }
  for (const nlohmann::json& label : json.at("labels"))
  {
    info.m_Scene.m_Labels.push_back({label.get<std::string>(), {}, {}});
  }
  for (const nlohmann::json& map : json.at("maps"))
  {
    info.m_Maps.push_back({map.at("label").get<std::string>(), map.at("width").get<Eigen::Index>(),
                           map.at("height").get<Eigen::Index>(), map.at("mean_abundances").get<std::vector<double>>()});
  }
  info.m_Options.Check();
  if (info.m_Iteration < info.m_Options.m_FirstIteration)
  {
    throw InvalidOption("the number of iterations is " + std::to_string(info.m_Iteration) + ", expected at least the " +
                        "first one, " + std::to_string(info.m_Options.m_FirstIteration));
  }
  return info;
}

torch::Tensor ToTensor(const std::vector<double>& values)
{
  return torch::tensor(values, torch::kFloat64);
}

torch::Tensor ToTensor(const Eigen::MatrixXd& values)
{
  torch::Tensor tensor = torch::empty({values.rows(), values.cols()}, torch::kFloat64);
  Eigen::Map<RowMajor>(tensor.data_ptr<double>(), values.rows(), values.cols()) = values;
  return tensor;
}

/// Returns the text of a metadata entry, empty when there is none.
std::string Entry(const std::map<std::string, std::string>& metadata, const std::string& key)
{
  const auto found = metadata.find(key);
  return found == metadata.end() ? std::string() : found->second;
}

/// Returns the version of the format.
/// @throws FileError when the file is no model file, or one that this program is too old for
int CheckFormat(const std::string& path, const std::map<std::string, std::string>& metadata)
{
  if (Entry(metadata, "format") != kFormat)
  {
    throw FileError(path + " is not a HUD model: found a safetensors file whose format is '" +
                    Entry(metadata, "format") + "', expected '" + kFormat + "'");
  }
  const std::string text = Entry(metadata, "format_version");
  const bool isCount = !text.empty() && text.size() < 9 &&
                       std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!isCount || std::stoi(text) < 1 || std::stoi(text) > kFormatVersion)
  {
    throw FileError(path + " has model format version '" + text + "' (written by HUD " +
                    Entry(metadata, "program_version") + "), expected 1 to " + std::to_string(kFormatVersion) +
                    "; a newer HUD may read it");
  }
  return std::stoi(text);
}

/// @throws FileError that names the tensor
[[noreturn]] void ThrowOtherShape(const std::string& path, const std::string& name)
{
  throw FileError(path + ": tensor '" + name + "' has another shape than the network");
}

/// Reads a tensor of double precision into a vector.
std::vector<double> ReadVector(SafetensorsReader& reader, const std::string& path, const std::string& name)
{
  const torch::Tensor tensor = reader.Read(name);
  if (tensor.scalar_type() != torch::kFloat64 || tensor.dim() != 1)
  {
    throw FileError(path + ": tensor '" + name + "' is not a vector of double precision");
  }
  const double* values = tensor.data_ptr<double>();
  return std::vector<double>(values, values + tensor.numel());
}

/// Returns the prefix of the tensors that belong to a label.
std::string LabelPrefix(std::size_t label)
{
  return "labels." + std::to_string(label) + ".";
}

bool Has(const SafetensorsReader& reader, const std::string& name)
{
  const std::vector<std::string> names = reader.Names(name);
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Adds endmembers, and what their mixtures leave over, to the tensors of a file.
void AddMixture(TensorMap& tensors, const std::string& prefix, const Eigen::MatrixXd& endmembers,
                const std::optional<ResidualModel>& residual)
{
  tensors[prefix + kEndmembers] = ToTensor(endmembers);
  if (residual)
  {
    tensors[prefix + kResidualMean] = ToTensor(residual->m_Mean).flatten();
    tensors[prefix + kResidualCovariance] = ToTensor(residual->m_Covariance);
  }
}

/// Returns endmembers, none when they are not usable.
Eigen::MatrixXd ReadEndmembers(SafetensorsReader& reader, const std::string& prefix)
{
  const torch::Tensor endmembers = reader.Read(prefix + kEndmembers);
  if (endmembers.dim() != 2 || endmembers.scalar_type() != torch::kFloat64 || endmembers.size(1) < 2 ||
      endmembers.size(0) < endmembers.size(1) || !torch::isfinite(endmembers).all().item<bool>())
  {
    return {};
  }
  return Eigen::Map<const RowMajor>(endmembers.data_ptr<double>(), endmembers.size(0), endmembers.size(1));
}

/// Returns the residual model in a file for so many bands, if it has one.
std::optional<ResidualModel> ReadResidual(SafetensorsReader& reader, const std::string& path, const std::string& prefix,
                                          std::int64_t bands)
{
  if (!Has(reader, prefix + kResidualCovariance))
  {
    return std::nullopt;
  }
  const std::vector<double> mean = ReadVector(reader, path, prefix + kResidualMean);
  const torch::Tensor covariance = reader.Read(prefix + kResidualCovariance);
  const bool usable = static_cast<std::int64_t>(mean.size()) == bands && covariance.dim() == 2 &&
                      covariance.scalar_type() == torch::kFloat64 && covariance.size(0) == bands &&
                      covariance.size(1) == bands && torch::isfinite(covariance).all().item<bool>() &&
                      std::all_of(mean.begin(), mean.end(), [](double m) { return std::isfinite(m); });
  if (!usable)
  {
    throw FileError(path + " has a residual that does not fit its " + std::to_string(bands) + " bands");
  }
  ResidualModel residual;
  residual.m_Mean = Eigen::Map<const Eigen::VectorXd>(mean.data(), bands);
  residual.m_Covariance = Eigen::Map<const RowMajor>(covariance.data_ptr<double>(), bands, bands);
  return residual;
}

} // namespace

void WriteModelFile(const std::string& path, const ModelInfo& info, TensorMap tensors)
{
  AddMixture(tensors, "", info.m_Scene.m_Endmembers, info.m_Scene.m_Residual);
  for (std::size_t i = 0; i < info.m_Scene.m_Labels.size(); ++i)
  {
    const LabelInfo& label = info.m_Scene.m_Labels[i];
    if (label.m_Endmembers.size() > 0)
    {
      AddMixture(tensors, LabelPrefix(i), label.m_Endmembers, label.m_Residual);
    }
  }
  tensors["channel_mean"] = ToTensor(info.m_ChannelMean);
  tensors["channel_sd"] = ToTensor(info.m_ChannelSd);
  WriteSafetensors(path, tensors,
                   {{"format", kFormat},
                    {"format_version", std::to_string(kFormatVersion)},
                    {"program_version", Version()},
                    {"model", ToJson(info).dump()}});
}

ModelFileReader::ModelFileReader(const std::string& path) : m_Path(path), m_Reader(path)
{
  const int version = CheckFormat(path, m_Reader.Metadata());
  try
  {
    nlohmann::json model = nlohmann::json::parse(Entry(m_Reader.Metadata(), "model"));
    Complete(model, version);
    m_Info = FromJson(model);
  }
  catch (const std::exception& error)
  {
    throw FileError(path + " has a model description that cannot be read (" + error.what() + ")");
  }
  m_Info.m_ProgramVersion = Entry(m_Reader.Metadata(), "program_version");
  m_Info.m_ChannelMean = ReadVector(m_Reader, path, "channel_mean");
  m_Info.m_ChannelSd = ReadVector(m_Reader, path, "channel_sd");
  SceneInfo& scene = m_Info.m_Scene;
  scene.m_Endmembers = ReadEndmembers(m_Reader, "");
  const Eigen::Index d = scene.m_Endmembers.cols();
  const Eigen::Index bands = scene.m_Endmembers.rows();
  const bool usable = std::all_of(m_Info.m_ChannelMean.begin(), m_Info.m_ChannelMean.end(),
                                  [](double m) { return std::isfinite(m); }) &&
                      std::all_of(m_Info.m_ChannelSd.begin(), m_Info.m_ChannelSd.end(),
                                  [](double sd) { return std::isfinite(sd) && sd > 0.; });
  const auto channels = [&] {
    return static_cast<std::size_t>(
        SimplexProjection(m_Info.m_Options.m_Projection, d, m_Info.m_Options.m_Floor).Channels());
  };
  if (d < 2 || m_Info.m_ChannelMean.size() != channels() || m_Info.m_ChannelSd.size() != channels() || !usable)
  {
    throw FileError(path + " has endmembers and a normalisation that do not fit together");
  }
  const std::vector<std::pair<std::size_t, const char*>> lists = {{scene.m_Wavelengths.size(), " wavelengths"},
                                                                  {scene.m_Widths.size(), " widths of bands"},
                                                                  {scene.m_BandNames.size(), " names of bands"},
                                                                  {scene.m_Scales.size(), " scales"},
                                                                  {scene.m_Offsets.size(), " offsets"}};
  for (const auto& [count, what] : lists)
  {
    if (count != 0 && static_cast<Eigen::Index>(count) != bands)
    {
      throw FileError(path + " has " + std::to_string(count) + what + " for " + std::to_string(bands) + " bands");
    }
  }
  scene.m_Residual = ReadResidual(m_Reader, path, "", bands);
  for (std::size_t i = 0; i < scene.m_Labels.size(); ++i)
  {
    LabelInfo& label = scene.m_Labels[i];
    if (!Has(m_Reader, LabelPrefix(i) + kEndmembers))
    {
      continue;
    }
    label.m_Endmembers = ReadEndmembers(m_Reader, LabelPrefix(i));
    if (label.m_Endmembers.rows() != bands || label.m_Endmembers.cols() != d)
    {
      throw FileError(path + " has endmembers of the label '" + label.m_Name + "' that do not fit the model's");
    }
    label.m_Residual = ReadResidual(m_Reader, path, LabelPrefix(i), bands);
  }
}

const ModelInfo& ModelFileReader::Info() const
{
  return m_Info;
}

void ModelFileReader::CheckNetwork()
{
  const NetworkOptions& options = m_Info.m_Options.m_Network;
  const auto blocks = static_cast<std::size_t>(options.m_Blocks);
  for (std::size_t block = 0; block < blocks * options.m_Multipliers.size(); ++block)
  {
    const std::string name = kAveragePrefix + ("down." + std::to_string(block) + ".convolution2.weight");
    const std::int64_t channels = options.m_Width * options.m_Multipliers[block / blocks];
    if (m_Reader.Read(name).sizes() != at::IntArrayRef{channels, channels, 3, 3})
    {
      ThrowOtherShape(m_Path, name);
    }
  }
  const auto checkEmbedding = [&](const char* parameter, std::int64_t count) {
    const std::string name = kAveragePrefix + std::string(parameter);
    if (m_Reader.Read(name).sizes() != at::IntArrayRef{count, 4 * options.m_Width})
    {
      ThrowOtherShape(m_Path, name);
    }
  };
  if (!m_Info.m_Scene.m_Labels.empty())
  {
    checkEmbedding(UNetImpl::kLabelWeights, static_cast<std::int64_t>(m_Info.m_Scene.m_Labels.size()));
  }
  if (m_Info.m_Options.m_Levels > 1)
  {
    checkEmbedding(UNetImpl::kLevelWeights, m_Info.m_Options.m_Levels);
  }
}

void ModelFileReader::ReadInto(const std::string& prefix,
                               const torch::OrderedDict<std::string, torch::Tensor>& parameters)
{
  const torch::NoGradGuard noGradient;
  for (const auto& parameter : parameters)
  {
    const torch::Tensor stored = m_Reader.Read(prefix + parameter.key());
    if (stored.sizes() != parameter.value().sizes())
    {
      ThrowOtherShape(m_Path, prefix + parameter.key());
    }
    if (!torch::isfinite(stored).all().item<bool>())
    {
      throw FileError(m_Path + ": tensor '" + prefix + parameter.key() + "' holds values that are not finite");
    }
    parameter.value().copy_(stored);
  }
}

ModelInfo ReadModelInfo(const std::string& path)
{
  return ModelFileReader(path).Info();
}

} // namespace hud
