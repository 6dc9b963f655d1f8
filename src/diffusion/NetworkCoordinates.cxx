// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "NetworkCoordinates.h"

#include <vector>

namespace hud
{

namespace
{

Eigen::ArrayXf ToArray(const std::vector<double>& values)
{
  return Eigen::Map<const Eigen::ArrayXd>(values.data(), static_cast<Eigen::Index>(values.size())).cast<float>();
}

} // namespace

NetworkCoordinates::NetworkCoordinates(const ModelInfo& info)
  : m_Projection(info.m_Options.m_Projection, info.m_Scene.m_Endmembers.cols(), info.m_Options.m_Floor),
    m_Mean(ToArray(info.m_ChannelMean)), m_Sd(ToArray(info.m_ChannelSd))
{
}

Eigen::MatrixXf NetworkCoordinates::FromAbundances(const Eigen::Ref<const Eigen::MatrixXf>& abundances) const
{
  Eigen::MatrixXf coordinates(Channels(), abundances.cols());
  m_Projection.Project(abundances, coordinates);
  coordinates.array().colwise() -= m_Mean;
  coordinates.array().colwise() /= m_Sd;
  return coordinates;
}

void NetworkCoordinates::ToAbundances(const Eigen::Ref<const Eigen::MatrixXf>& coordinates,
                                      Eigen::Ref<Eigen::MatrixXf> abundances) const
{
  const Eigen::MatrixXf projected = (coordinates.array().colwise() * m_Sd).colwise() + m_Mean;
  m_Projection.UnprojectExactly(projected, abundances);
}

void NetworkCoordinates::MatchMean(Eigen::Ref<Eigen::MatrixXf> coordinates,
                                   const Eigen::Ref<const Eigen::VectorXf>& mean) const
{
  Eigen::MatrixXf projected = (coordinates.array().colwise() * m_Sd).colwise() + m_Mean;
  m_Projection.MatchMean(projected, mean);
  coordinates = (projected.array().colwise() - m_Mean).colwise() / m_Sd;
}

Eigen::ArrayXf NetworkCoordinates::LowerBounds() const
{
  return (m_Projection.LowerBounds().cast<float>().array() - m_Mean) / m_Sd;
}

Eigen::ArrayXf NetworkCoordinates::UpperBounds() const
{
  return (m_Projection.UpperBounds().cast<float>().array() - m_Mean) / m_Sd;
}

} // namespace hud
